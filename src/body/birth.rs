// SPDX-License-Identifier: GPL-2.0

//! fork(2), vfork(2), clone(2) and clone3(2) by a member.
//!
//! `kernel/fork.c`: `kernel_clone()`. The task of the child is there, with its numbers, before the kernel
//! makes the thread, and gets its body when that is made; where the kernel fails it is gone again. What
//! can be told of a child before is nothing but that it is there.
//!
//! The kernel makes no pid namespace, has no parent but the caller, and writes no numbers: those flags are
//! taken away. clone3 is made as clone, so that nothing that the program has in memory is changed or read
//! twice; with a flag that clone has no place for it is given a struct that is lent.
//!
//! # Locks
//!
//! The tree lock; in the probe of `sched_process_fork` it is taken and nothing is worked off.

use super::{
    border::Fate,
    calls::{Call, Then},
    lending::Loan,
    member::{Member, Own},
    user::{read_bytes, read_word, write_word},
};
use crate::{
    native::{self, HeldSignals, Native},
    pid::namespace::LEVELS,
    process::clone::{flags, CloneArgs, ParentArg},
    reason::{errno, Outcome, Reason},
    tree::pending::SIGCHLD,
    tree::task::TaskId,
};
use kernel::{bindings, prelude::*, sync::Arc};
use zerocopy::IntoBytes;

const PARENT_SETTID: u64 = bindings::CLONE_PARENT_SETTID as u64;
const CHILD_SETTID: u64 = bindings::CLONE_CHILD_SETTID as u64;

/// A child that is about to be born.
pub(super) struct Birth {
    /// The member that it will be; `None` once it is born.
    member: Option<Arc<Member>>,
    /// The id of its task.
    id: TaskId,
    /// Its number as the parent sees it.
    nr: i32,
    is_thread: bool,
    is_init: bool,
    /// Where the parent wants its number to be.
    words: Words,
    /// Until the child is there.
    held: Option<HeldSignals>,
    /// The struct that the kernel reads.
    loan: Option<Loan>,
}

/// Where numbers are to be written (`kernel_clone()`, `schedule_tail()`).
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// `CLONE_PARENT_SETTID`, with the number that the parent sees.
    parent: Parental,
    /// `CLONE_CHILD_SETTID`, with the number that the child sees.
    child: Option<(u64, i32)>,
    /// The parent sleeps until the child has called exec or exited.
    is_vfork: bool,
}

impl Words {
    /// Whether nobody else sends what the child is owed: the parent sleeps.
    pub(super) fn is_vfork(self) -> bool {
        self.is_vfork
    }

    /// The child writes its own; natively it does not matter either whether that works.
    pub(super) fn write(self) {
        if let Some((address, nr)) = self.child {
            let _ = write_word(address, nr);
        }
    }
}

/// What becomes of the word in the memory of the parent.
#[derive(Clone, Copy)]
enum Parental {
    None,
    /// The child shares the memory: it may look at it, and have it cleared at its end, before the call of the parent
    /// is over. So it is written before the child is made, and this is put back if it is not.
    Written(u64, Option<i32>),
    /// The child has a copy, in which it is not written.
    ToWrite(u64, i32),
}

impl Parental {
    fn new(address: u64, nr: i32, is_shared: bool) -> Self {
        if !is_shared {
            return Self::ToWrite(address, nr);
        }
        let before = read_word(address, 0);
        let _ = write_word(address, nr);
        Self::Written(address, before)
    }
}

/// What is asked for, whichever call it is.
struct Asked {
    flags: u64,
    exit_signal: i32,
    stack: u64,
    pidfd: u64,
    parent_tid: u64,
    child_tid: u64,
    tls: u64,
    set_tid: [i32; LEVELS],
    set_tid_size: usize,
    /// Of clone3 alone: where the stack ends is as far from where it begins.
    stack_size: u64,
    cgroup: u64,
}

impl Asked {
    fn new(fate: Fate, args: &[u64; 6]) -> Outcome<Self> {
        let mut asked = Self {
            flags: 0,
            exit_signal: SIGCHLD,
            stack: 0,
            pidfd: 0,
            parent_tid: 0,
            child_tid: 0,
            tls: 0,
            set_tid: [0; LEVELS],
            set_tid_size: 0,
            stack_size: 0,
            cgroup: 0,
        };
        match fate {
            Fate::Vfork => asked.flags = flags::VFORK | flags::VM,
            Fate::Clone => {
                asked.flags = args[0] & flags::LEGACY & !flags::CSIGNAL;
                asked.exit_signal = (args[0] & flags::CSIGNAL) as i32;
                asked.stack = args[1];
                (asked.pidfd, asked.parent_tid) = (args[2], args[2]);
                (asked.child_tid, asked.tls) = (args[3], args[4]);
                // One place for both.
                if asked.has(flags::PIDFD | PARENT_SETTID) {
                    return Err(Reason::Flags.into());
                }
            }
            Fate::Clone3 => asked.read(args[0], args[1] as usize)?,
            _ => {}
        }
        Ok(asked)
    }

    fn has(&self, flags: u64) -> bool {
        self.flags & flags == flags
    }

    /// `struct clone_args` for the kernel, with these flags: it writes and takes no numbers.
    fn to_struct(&self, kept: u64) -> [u64; 11] {
        let pidfd = if self.has(flags::PIDFD) {
            self.pidfd
        } else {
            0
        };
        let stack = self.stack - self.stack_size;
        [
            kept,
            pidfd,
            self.child_tid,
            0,
            self.exit_signal as u64,
            stack,
            self.stack_size,
            self.tls,
            0,
            0,
            self.cgroup,
        ]
    }

    /// `copy_clone_args_from_user()`
    fn read(&mut self, address: u64, size: usize) -> Outcome {
        const FIRST_SIZE: usize = 64;
        const KNOWN: usize = 88;
        if size > kernel::page::PAGE_SIZE {
            return Err(E2BIG.into());
        }
        if size < FIRST_SIZE {
            return Err(EINVAL.into());
        }
        let mut words = [0u64; KNOWN / 8];
        read_bytes(address, 0, &mut words.as_mut_bytes()[..size.min(KNOWN)])?;
        for offset in KNOWN..size {
            let mut byte = [0];
            read_bytes(address, offset, &mut byte)?;
            if byte != [0] {
                return Err(E2BIG.into());
            }
        }
        let [flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup] =
            words;
        // The last two change nothing that is altpid's.
        if flags & !(flags::LEGACY | flags::CLEAR_SIGHAND | flags::INTO_CGROUP) != 0 {
            return Err(errno(bindings::ENOSYS).into());
        }
        if flags & flags::CSIGNAL & !flags::NEWTIME != 0 {
            return Err(Reason::Flags.into());
        }
        // copy_clone_args_from_user()
        let is_cgroup = cgroup <= i32::MAX as u64 && size >= KNOWN;
        if flags & flags::INTO_CGROUP != 0 && !is_cgroup {
            return Err(EINVAL.into());
        }
        // clone3_args_valid()
        if flags & flags::CLEAR_SIGHAND != 0 && flags & flags::SIGHAND != 0 {
            return Err(Reason::Flags.into());
        }
        if exit_signal > flags::CSIGNAL {
            return Err(Reason::ExitSignal.into());
        }
        if flags & flags::DETACHED != 0 || (stack == 0) != (stack_size == 0) {
            return Err(Reason::Flags.into());
        }
        if set_tid_size as usize >= LEVELS || (set_tid == 0) != (set_tid_size == 0) {
            return Err(Reason::SetTidSize.into());
        }
        self.set_tid_size = set_tid_size as usize;
        let numbers = &mut self.set_tid[..self.set_tid_size];
        read_bytes(set_tid, 0, numbers.as_mut_bytes())?;
        self.flags = flags;
        self.exit_signal = exit_signal as i32;
        // copy_thread() takes the top.
        self.stack = stack.checked_add(stack_size).ok_or(EINVAL)?;
        (self.stack_size, self.cgroup) = (stack_size, cgroup);
        (self.pidfd, self.child_tid, self.parent_tid, self.tls) =
            (pidfd, child_tid, parent_tid, tls);
        if self.has(flags::PIDFD | PARENT_SETTID) && pidfd == parent_tid {
            return Err(Reason::Flags.into());
        }
        // clone3_args_valid(): it has none, which clone(2) would let pass.
        if flags & (flags::THREAD | flags::PARENT) != 0 && exit_signal != 0 {
            return Err(Reason::ExitSignal.into());
        }
        Ok(())
    }
}

/// A member clones: the task of the child, for the kernel to make a body.
pub(super) fn begin(
    member: &Member,
    regs: &mut bindings::pt_regs,
    fate: Fate,
    args: &[u64; 6],
) -> Outcome<Birth> {
    // The kernel makes no child then, and no number is used up; it is called again behind the signal.
    if native::has_signals() {
        return Err(kernel::error::code::ERESTARTNOINTR.into());
    }
    let asked = Asked::new(fate, args)?;
    // What the kernel refuses before it has given the child a number uses up none.
    if asked.has(flags::SIGHAND) && !asked.has(flags::VM)
        || asked.has(flags::FS) && asked.flags & (flags::NEWNS | flags::NEWUSER) != 0
    {
        return Err(Reason::Flags.into());
    }
    if asked.has(flags::NEWPID) && !asked.has(flags::NEWUSER) && !native::has_admin() {
        return Err(EPERM.into());
    }
    // alloc_pid()
    if asked.set_tid_size != 0 && !native::may_choose_numbers() {
        return Err(EPERM.into());
    }
    let is_thread = asked.has(flags::THREAD);
    let has_no_signal = asked.flags & (flags::THREAD | flags::PARENT) != 0;
    let mut wanted = asked.flags & (flags::VM | flags::THREAD | flags::PARENT | flags::NEWPID);
    if is_thread {
        wanted |= asked.flags & flags::SIGHAND;
    }
    let world = &member.world;
    let cloned = world.clone_task(&CloneArgs {
        task: member.id,
        flags: wanted,
        exit_signal: if has_no_signal { 0 } else { asked.exit_signal },
        set_tid: &asked.set_tid[..asked.set_tid_size],
        parent: ParentArg::Native,
        takes_pidfd: false,
        by_member: true,
    })?;
    let birth = || -> Result<Birth> {
        let (pid, tgid) = world.pids_of(cloned.child).ok_or(ESRCH)?;
        let (own, is_init) = (pid.nr(), !is_thread && pid.nr() == 1);
        let child = asked.has(CHILD_SETTID).then_some((asked.child_tid, own));
        Ok(Birth {
            member: Some(Member::new(
                world.clone(),
                cloned.child,
                tgid,
                Own::new(pid)?,
            )?),
            id: cloned.child,
            nr: cloned.pid,
            is_thread,
            is_init,
            words: Words {
                parent: Parental::None,
                child,
                is_vfork: asked.has(flags::VFORK),
            },
            held: Some(HeldSignals::new()),
            loan: None,
        })
    };
    let mut birth = match birth() {
        Ok(birth) => birth,
        Err(error) => {
            world.abandon(cloned.child);
            return Err(error.into());
        }
    };
    let kept = asked.flags & !(flags::NEWPID | flags::PARENT | PARENT_SETTID | CHILD_SETTID);
    // For clone(2) that of time namespaces is a signal.
    if kept & !(flags::LEGACY & !flags::NEWTIME) != 0 {
        match Loan::new(regs, asked.to_struct(kept).as_bytes()) {
            Ok(loan) => birth.loan = Some(loan),
            Err(error) => {
                world.abandon(cloned.child);
                return Err(error.into());
            }
        }
    }
    if asked.has(PARENT_SETTID) {
        let is_shared = asked.has(flags::VM);
        birth.words.parent = Parental::new(asked.parent_tid, cloned.pid, is_shared);
    }
    if let Some(loan) = &birth.loan {
        (regs.di, regs.si) = (loan.address() as usize, 88);
    } else if matches!(fate, Fate::Clone | Fate::Clone3) {
        regs.orig_ax = 56;
        regs.di = (kept | asked.exit_signal as u64) as usize;
        regs.si = asked.stack as usize;
        regs.dx = (if asked.has(flags::PIDFD) {
            asked.pidfd
        } else {
            0
        }) as usize;
        (regs.r10, regs.r8) = (asked.child_tid as usize, asked.tls as usize);
    }
    Ok(birth)
}

/// The kernel has made a child of the calling member, which has not run yet.
///
/// # Safety
///
/// Called by the probe of `sched_process_fork`.
pub(super) unsafe fn born(own: &mut Own, child: *mut bindings::task_struct) {
    let is_known = matches!(&own.call, Call::Changed(_, Then::Clone(_)));
    // SAFETY: By the safety requirements.
    let is_as_asked = |birth: &Birth| unsafe { native::is_as_asked(child, birth.is_thread) };
    let expected = match &mut own.call {
        Call::Changed(saved, Then::Clone(birth)) if is_as_asked(birth) => {
            birth.member.take().map(|member| (*saved, birth, member))
        }
        _ => None,
    };
    // SAFETY: By the safety requirements.
    let Some(native) = (unsafe { Native::of(child) }) else {
        return;
    };
    let Some((saved, birth, member)) = expected else {
        if !is_known {
            pr_warn!("a member has a child that nobody knows of: it is killed\n");
        }
        // SAFETY: As above.
        unsafe { native::kill_child(child) };
        return;
    };
    // The kernel has read them; a tracer that is told of the child sees the call as it was made.
    // SAFETY: They are those of the calling thread, which is in a system call.
    saved.put_back(unsafe { &mut *native::tracing::own_regs() });
    if !birth.is_thread {
        // SAFETY: As above.
        unsafe { native::make_body(child, birth.is_init) };
    }
    if let Some(held) = birth.held.take() {
        // SAFETY: As above.
        unsafe { held.let_child_go_on(child) };
    }
    let (world, id) = (member.world.clone(), member.id);
    // SAFETY: Nobody has found it yet: this is the only reference.
    let of_child = unsafe { member.own() };
    of_child.call = Call::Changed(saved, Then::Born(birth.words));
    // SAFETY: As above.
    unsafe { member.join(child, &native) };
    world.bind(id, native);
    // Not the last reference: the parent has one.
    drop(world);
}

impl Birth {
    /// The call is over: its result.
    pub(super) fn end(mut self, member: &Member, result: i64) -> i64 {
        if let Some(loan) = self.loan.take() {
            let _ = loan.end(true);
        }
        if self.member.is_some() {
            // No child: the kernel has failed.
            if let Parental::Written(address, Some(before)) = self.words.parent {
                let _ = write_word(address, before);
            }
            self.abandon(member);
            // Or it was another one than was asked for, and is killed.
            return if result < 0 {
                result
            } else {
                EAGAIN.to_errno().into()
            };
        }
        if let Parental::ToWrite(address, nr) = self.words.parent {
            let _ = write_word(address, nr);
        }
        // What the child was owed before it lived is sent.
        drop(member.world.work());
        if result < 0 {
            return result;
        }
        self.nr.into()
    }

    /// The child is there.
    pub(super) fn is_done(&self) -> bool {
        self.member.is_none()
    }

    /// There is no child.
    pub(super) fn abandon(mut self, member: &Member) {
        if let Some(loan) = self.loan.take() {
            let _ = loan.end(true);
        }
        if self.member.is_some() {
            member.world.abandon(self.id);
        }
    }
}
