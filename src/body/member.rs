// SPDX-License-Identifier: GPL-2.0

//! The members of all worlds, found by their threads.
//!
//! A [table](super::table) by the address of the `task_struct`, which names a thread for as long as it is there,
//! also over an exec that gives it another number. It is read under RCU, by probes that run with
//! interrupts off.
//!
//! # Locks
//!
//! That of the table.

use super::{
    calls::Call,
    known::{self, KnownRef},
    leaks::Given,
    news, probes,
    table::{Entry, Next, Table},
    tracing,
};
use crate::{
    base::sync::{read_lock, Acquire, Atomic, Full, Guard, Relaxed, Release},
    native::{self, Native, NativeNr},
    pid::{mem::RcuHead, Pid},
    tree::task::TaskId,
    world::{sleep::Bell, World},
};
use core::{cell::UnsafeCell, mem::offset_of, ptr::null_mut};
use kernel::{
    bindings,
    prelude::*,
    sync::{aref::ARef, Arc},
    types::Opaque,
};

/// By the address of the thread.
static TABLE: Table<Member> = Table::new();

/// A thread that is a member.
///
/// # Invariants
///
/// It is in an [`Arc`]. One that has joined has one reference for that, which is given up a grace
/// period after it has left.
pub(crate) struct Member {
    next: Next,
    thread: Atomic<*mut ()>,
    pub(super) world: Arc<World>,
    /// The id of its task.
    pub(super) id: TaskId,
    /// The number of its process, at every level.
    pub(super) tgid: ARef<Pid>,
    /// Rung when something has happened that it waits for.
    pub(super) bell: Bell,
    wake: Opaque<bindings::callback_head>,
    /// [`Member::wake`] is queued.
    is_waking: Atomic<u32>,
    exit: Opaque<bindings::callback_head>,
    pub(super) news: news::Entry,
    rcu: RcuHead,
    /// What only the thread itself looks at.
    own: UnsafeCell<Own>,
}

// SAFETY: What is not atomic is the thread's own, or used by one at a time as their comments say.
unsafe impl Send for Member {}
// SAFETY: As above.
unsafe impl Sync for Member {}

/// What only the thread itself looks at.
pub(super) struct Own {
    /// Its number.
    pub(super) pid: ARef<Pid>,
    /// The system call that it is in.
    pub(super) call: Call,
    /// Its bell hangs in a queue.
    pub(super) is_hung: bool,
    /// A wait with these arguments that there are no tracees for.
    pub(super) no_tracees: Option<[u64; 4]>,
    /// It was a process before it became a member, and has a parent on the host that waits for it.
    pub(super) is_attached: bool,
    /// Native numbers that its call has.
    pub(super) given: Given,
    /// Its native number is known to be its own.
    known: Option<KnownRef>,
    /// For that, as long as it is not.
    room: Option<known::Room>,
}

impl Own {
    /// May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(super) fn new(pid: ARef<Pid>) -> Result<Self> {
        Ok(Self {
            pid,
            call: Call::None,
            is_hung: false,
            no_tracees: None,
            is_attached: false,
            given: Given::new(),
            known: None,
            room: Some(known::Room::new()?),
        })
    }

    /// The kernel calls the thread by another number, which stands for this pid. May sleep.
    pub(super) fn know(&mut self, native: Native, pid: ARef<Pid>) {
        // The leader that was called so has hardly gone. Without memory its number is nobody's.
        let again = known::know_again(&native);
        let new = || Some(known::Room::new().ok()?.know(native, pid));
        self.known = again.or_else(new);
    }
}

impl Entry for Member {
    fn next(&self) -> &Next {
        &self.next
    }
}

fn word(thread: *mut ()) -> u64 {
    thread.addr() as u64 >> 6
}

/// The member whose thread this is.
pub(super) fn find(thread: *mut bindings::task_struct, guard: &Guard) -> Option<&Member> {
    let thread = thread.cast();
    TABLE
        .iter(word(thread), guard)
        .find(|member| member.thread.load(Relaxed) == thread)
}

/// The calling thread, if it is a member. It stays one as long as it runs.
#[inline]
pub(super) fn current<'a>() -> Option<&'a Member> {
    let guard = read_lock();
    let found: *const Member = find(kernel::task::Task::current_raw(), &guard)?;
    // SAFETY: Nobody but the thread itself takes its member out, at its end.
    Some(unsafe { &*found })
}

impl Member {
    /// One whose thread is not known yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(super) fn new(
        world: Arc<World>,
        id: TaskId,
        tgid: ARef<Pid>,
        own: Own,
    ) -> Result<Arc<Self>> {
        // INVARIANT: It is in an `Arc`, and has not joined.
        Ok(Arc::new(
            Self {
                next: Next::new(),
                thread: Atomic::new(null_mut()),
                world,
                id,
                tgid,
                bell: Bell::new(ring),
                wake: Opaque::uninit(),
                is_waking: Atomic::new(0),
                exit: Opaque::uninit(),
                news: news::Entry::new(),
                rcu: RcuHead::new(),
                own: UnsafeCell::new(own),
            },
            GFP_KERNEL_ACCOUNT,
        )?)
    }

    /// The reference of an [`Arc`].
    pub(super) fn to_arc(&self) -> Arc<Self> {
        // SAFETY: By the invariants it is in an `Arc`, which is there as long as the reference.
        unsafe { kernel::sync::ArcBorrow::from_raw(self) }.into()
    }

    /// What only the thread itself looks at.
    ///
    /// # Safety
    ///
    /// The caller is the thread of this member, in one probe of system calls or in its exit, or has the
    /// only reference.
    #[expect(clippy::mut_from_ref)]
    pub(super) unsafe fn own(&self) -> &mut Own {
        // SAFETY: By the safety requirements.
        unsafe { &mut *self.own.get() }
    }

    /// Whether it lives in the same world as another one.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        core::ptr::eq(&*self.world, &*other.world)
    }

    /// What it calls whom the kernel calls so; 0 if it does not see it. From everywhere, under RCU.
    pub(super) fn nr_of(&self, native: NativeNr) -> i32 {
        let pid = known::by_number(native.to_user());
        pid.map_or(0, |pid| pid.nr_ns(self.tgid.ns()))
    }

    /// Becomes findable by its thread.
    ///
    /// # Safety
    ///
    /// The thread is the calling one or a child of it that has not run yet, and no member. It is that behind
    /// `native`, and the caller has the only reference to this.
    pub(super) unsafe fn join(
        self: Arc<Self>,
        thread: *mut bindings::task_struct,
        native: &Native,
    ) {
        probes::joined();
        // SAFETY: By the safety requirements.
        let own = unsafe { self.own() };
        let pid = own.pid.clone();
        own.known = own.room.take().map(|room| room.know(native.clone(), pid));
        self.world.add_member();
        let thread = thread.cast();
        self.thread.store(thread, Relaxed);
        // INVARIANT: The reference is that of a member that has joined.
        let this = Arc::into_raw(self).cast_mut();
        // SAFETY: The reference is given up a grace period after it has left.
        unsafe { TABLE.insert(word(thread), this) };
    }

    /// Is not found any more, and given up after a grace period. The thread itself calls this.
    fn leave(&self) {
        TABLE.remove(word(self.thread.load(Relaxed)), self);
        self.world.remove_member();
        // SAFETY: It stays until then: the reference of a member that has joined is given up there.
        unsafe { self.rcu.call(given_up) };
    }

    /// The sleep or the system call that the calling thread is in ends as if its bell was rung.
    pub(super) fn wake_self(&self) {
        ring(&self.bell);
    }

    /// The thread begins to exit: the rest is done when it may sleep.
    pub(super) fn begin_exit(&self) {
        // SAFETY: The member stays until its exit is done, and a thread exits once.
        if unsafe { crate::native::queue_exit(self.exit.get()) }.is_err() {
            pr_warn!("a thread exits twice\n");
        }
    }
}

/// Gives up the reference of a member that has left, when nobody can look at it any more.
///
/// # Safety
///
/// Called by RCU with the head of a member.
unsafe extern "C" fn given_up(head: *mut bindings::callback_head) {
    // SAFETY: By the safety requirements.
    let member = unsafe { head.byte_sub(offset_of!(Member, rcu)).cast::<Member>() };
    // SAFETY: The reference of a member that has joined.
    news::give_up(unsafe { Arc::from_raw(member) });
}

/// Something has happened that a member waits for: the sleep of its thread ends.
fn ring(bell: &Bell) {
    let offset = offset_of!(Member, bell);
    // SAFETY: The bell is that of a member, which hangs it only as long as it has joined.
    let member = unsafe { &*core::ptr::from_ref(bell).byte_sub(offset).cast::<Member>() };
    if member.is_waking.xchg(1, Full) != 0 {
        return;
    }
    let thread = member.thread.load(Relaxed).cast();
    // Kept until it is done.
    let kept = Arc::into_raw(member.to_arc());
    // SAFETY: The thread takes its bell down before it goes. `is_waking` keeps the head from being
    // queued twice.
    if unsafe { crate::native::queue_wake(thread, member.wake.get()) }.is_err() {
        member.is_waking.store(0, Release);
        // SAFETY: The reference from above, which nobody has taken.
        drop(unsafe { Arc::from_raw(kept) });
    }
}

/// A thread was woken, or dies.
///
/// # Safety
///
/// Called as task work with [`Member::wake`].
#[no_mangle]
unsafe extern "C" fn altpid_body_woken(head: *mut bindings::callback_head) {
    // SAFETY: By the safety requirements.
    let member = unsafe { head.byte_sub(offset_of!(Member, wake)).cast::<Member>() };
    // SAFETY: The reference that `ring` has kept.
    let member = unsafe { Arc::from_raw(member) };
    member.is_waking.store(0, Release);
    // Where it may sleep: it may be the last one.
    drop(member);
}

/// A thread that dies leaves its world: whether it has. False: call this again when the other task works of
/// the thread are done.
///
/// # Safety
///
/// Called as task work with [`Member::exit`], by the thread.
#[no_mangle]
unsafe extern "C" fn altpid_body_exits(head: *mut bindings::callback_head) -> bool {
    // SAFETY: By the safety requirements.
    let member = unsafe { &*head.byte_sub(offset_of!(Member, exit)).cast::<Member>() };
    // SAFETY: It is the thread of this member, in its exit.
    let own = unsafe { member.own() };
    super::waiting::take_bell(member, own);
    // It is not rung any more. Task work of the module is done before the module can go.
    if member.is_waking.load(Acquire) != 0 {
        return false;
    }
    let call = core::mem::replace(&mut own.call, Call::None);
    call.abandon(member);
    let (end, comm) = (native::how_ends(), native::own_comm());
    let tracer = tracing::own_tracer(member);
    let is_held = member.world.exited(member.id, &end, comm, tracer);
    member.world.let_all_go(member.id);
    let is_own = is_held && !own.is_attached;
    if let Some(tracer) = tracer.filter(|_| is_own) {
        // Only when the kernel has its zombie the tracer can wait for it: so the kernel tells it.
        if let Some(signal) = member.world.signal_for(member.id, tracer) {
            native::tracing::set_exit_signal(signal);
        }
    }
    // The init of a namespace waits for that to be empty, and so its pidfd tells nothing before. If it traces somebody
    // it does not: natively it has let its tracees go by then (exit_ptrace()), and a dying one may wait for that.
    let is_init = || member.tgid.nr() == 1 && !native::tracing::has_tracees(false);
    if own.is_attached || is_held || is_init() {
        member.world.wait_for_end(member.id);
    }
    member.leave();
    probes::left();
    true
}
