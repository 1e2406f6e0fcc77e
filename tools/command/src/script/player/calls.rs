// SPDX-License-Identifier: GPL-2.0

//! The calls, each done by the method of the world that it stands for.

use super::{
    super::{
        syntax::{Arg, Call},
        values::PidRef,
        verbs::Op,
    },
    Object, Player, Refusal, Returned,
};
use altpid::{
    CloneArgs, CloneFlags, Mask, NsId, Parent, PidType, PidfdFlags, PidfdId, PollFlags, SigSet,
    TaskId, WaitFlags, WaitId, World, uapi,
};

/// `SIGCHLD`
const SIGCHLD: i32 = 17;
/// `PR_GET_NAME`
const PR_GET_NAME: u32 = 16;

/// What came of a call.
pub type Outcome = Result<Returned, Refusal>;

/// A number, if one was given.
pub(super) fn number(arg: &Arg) -> Option<i64> {
    match arg {
        Arg::Number(number) => Some(*number),
        _ => None,
    }
}

/// Constants, if some were given.
pub(super) fn bits(arg: &Arg) -> Option<u64> {
    match arg {
        Arg::Bits(bits) => Some(*bits),
        _ => None,
    }
}

/// A signal, if one was given.
pub(super) fn signal(arg: &Arg) -> Option<i32> {
    match arg {
        Arg::Signal(signal) => Some(*signal),
        _ => None,
    }
}

/// A set of signals.
pub(super) fn signals(arg: &Arg) -> SigSet {
    match arg {
        Arg::Signals(set) => SigSet::from_bits(*set),
        _ => SigSet::EMPTY,
    }
}

/// The low 32 bits: what C makes of a number.
pub(super) fn truncated(number: i64) -> i32 {
    number as i32
}

impl Player {
    /// Does what a call says, and gives what it makes these names.
    ///
    /// # Errors
    ///
    /// What the module says, and when it would sleep.
    pub fn call(&mut self, call: &Call, names: &[String]) -> Outcome {
        let args = &call.args;
        let zero = Ok(Returned::Number(0));
        let name = names.first().map(String::as_str);
        match call.verb.op {
            Op::Clone => return self.clone_task(args, names),
            Op::Unshare => {
                let flags = CloneFlags::from_bits_retain(bits(&args[1]).unwrap_or_default());
                let made = self.world.unshare(self.by(&args[0]), flags)?;
                if let (Some(ns), Some(name)) = (made, name) {
                    self.name(name, Object::Ns(ns));
                }
            }
            Op::Setns => {
                let task = self.by(&args[0]);
                match &args[1] {
                    Arg::Pidfd(name) => self.world.setns_by_pidfd(task, self.pidfd(name))?,
                    arg => self.world.setns(task, self.ns_of(arg)?)?,
                }
            }
            Op::Exec => {
                let task = self.by(&args[0]);
                let comm = match &args[1] {
                    Arg::Text(comm) => comm.as_bytes().to_vec(),
                    _ => self.world.task(task)?.comm,
                };
                self.world.exec(task, &comm)?;
            }
            Op::Exit | Op::ExitGroup => {
                let task = self.by(&args[0]);
                let code = truncated(number(&args[1]).unwrap_or_default());
                match call.verb.op {
                    Op::Exit => self.world.exit(task, code)?,
                    _ => self.world.exit_group(task, code)?,
                }
            }
            Op::Wait4 => return self.wait4(args),
            Op::Waitid => return self.waitid(args),
            Op::Kill
            | Op::Tgkill
            | Op::Tkill
            | Op::Sigqueue
            | Op::Tgsigqueue
            | Op::PidfdSendSignal
            | Op::Fault => {
                let (kill, signal) = self.kill(call)?;
                self.world.kill(kill, signal)?;
            }
            Op::PidfdOpen => {
                let task = self.by(&args[0]);
                let pid = self.pid_of(task, &args[1], 0)?;
                let flags = bits(&args[2]).unwrap_or_default() as u32;
                let flags = PidfdFlags::from_bits_retain(flags);
                let pidfd = self.world.pidfd_open(task, pid, flags)?;
                if let Some(name) = name {
                    self.name(name, Object::Pidfd(pidfd));
                }
            }
            Op::Poll => {
                let events = self.world.poll_now(self.handle(&args[0]), PollFlags::IN)?;
                return Ok(Returned::Events(events));
            }
            Op::Close => self.world.pidfd_close(self.handle(&args[0]))?,
            Op::Sigaction => return self.sigaction(args),
            Op::Sigprocmask => {
                let how = match bits(&args[1]) {
                    Some(0) => Mask::Block,
                    Some(1) => Mask::Unblock,
                    _ => Mask::Set,
                };
                let task = self.by(&args[0]);
                let old = self.world.sigprocmask(task, how, signals(&args[2]))?;
                return Ok(Returned::Signals(old));
            }
            Op::Sigpending => {
                let set = self.world.sigpending(self.by(&args[0]))?;
                return Ok(Returned::Signals(set));
            }
            Op::Sigwait => {
                let info = self.world.sigwait(self.by(&args[0]), signals(&args[1]))?;
                return Ok(Returned::Signal(info));
            }
            Op::Setsid => {
                let sid = self.world.setsid(self.by(&args[0]))?;
                return Ok(Returned::Number(sid.into()));
            }
            Op::Setpgid => {
                let task = self.by(&args[0]);
                let pid = self.pid_of(task, &args[1], 0)?;
                let pgid = self.pid_of(task, &args[2], 0)?;
                self.world.setpgid(task, pid, pgid)?;
            }
            Op::Getpid | Op::Gettid | Op::Getppid | Op::Getpgid | Op::Getsid => {
                return self.get_id(call);
            }
            Op::Prctl => return self.prctl(args),
            Op::Reboot => {
                let cmd = bits(&args[1]).unwrap_or_default() as u32;
                self.world.reboot(self.by(&args[0]), cmd)?;
            }
            Op::Sysctl => return self.sysctl(args),
            Op::Find => return self.find(args, name),
            Op::Translate => return self.translate(args),
            Op::Audit => self.audit()?,
            Op::Events => return Ok(Returned::Happened(self.happened()?)),
            Op::Show | Op::Tasks | Op::Namespaces | Op::Signals | Op::Why => {
                return Ok(Returned::View(self.view(call)?));
            }
        }
        zero
    }

    /// Who does it: init, if nobody is given.
    pub(super) fn by(&self, arg: &Arg) -> TaskId {
        match arg {
            Arg::Task(name) => self.task(name),
            _ => self.task("init"),
        }
    }

    /// The pidfd that is given.
    fn handle(&self, arg: &Arg) -> PidfdId {
        match arg {
            Arg::Pidfd(name) => self.pidfd(name),
            _ => PidfdId(0),
        }
    }

    pub(super) fn ns_of(&self, arg: &Arg) -> altpid::Result<NsId> {
        match arg {
            Arg::Ns(ns) => self.ns(ns),
            _ => self.ns(&super::super::values::NsRef {
                name: "init".to_owned(),
                of_children: false,
            }),
        }
    }

    /// A number as a task sees it, or what it is when it was left out.
    pub(super) fn pid_of(&mut self, task: TaskId, arg: &Arg, absent: i32) -> Result<i32, Refusal> {
        match arg {
            Arg::Pid(PidRef::Number(number)) => Ok(*number),
            Arg::Pid(pid) => {
                let ns = match self.known.get(&task) {
                    Some(known) => known.chain[known.chain.len() - 1],
                    None => self.meet(task)?.ns,
                };
                self.pid_from(ns, pid)
            }
            _ => Ok(absent),
        }
    }

    fn clone_task(&mut self, args: &[Arg], names: &[String]) -> Outcome {
        let flags = CloneFlags::from_bits_retain(bits(&args[1]).unwrap_or_default());
        let silent = CloneFlags::THREAD | CloneFlags::PARENT | CloneFlags::AUTOREAP;
        let default = if flags.intersects(silent) { 0 } else { SIGCHLD };
        let mut how = CloneArgs::new()
            .flags(flags)
            .exit_signal(signal(&args[3]).unwrap_or(default));
        if let Arg::Numbers(numbers) = &args[2] {
            how = how.set_tid(numbers);
        }
        match &args[4] {
            Arg::Task(name) => how = how.parent(Parent::Task(self.task(name))),
            Arg::Outside => how = how.parent(Parent::Outside),
            _ => (),
        }
        let made = World::clone(&self.world, self.by(&args[0]), &how)?;
        if let (Some(name), Some(pidfd)) = (names.get(1), made.pidfd) {
            self.name(name, Object::Pidfd(pidfd));
        }
        let name = match names.first() {
            Some(name) => name.clone(),
            None => self.next_name(),
        };
        self.name(&name, Object::Task(made.task));
        let task = self.meet(made.task)?;
        Ok(Returned::Child(made.task, made.pid, task.pid))
    }

    /// A wait that would sleep says so instead.
    fn wait4(&mut self, args: &[Arg]) -> Outcome {
        let task = self.by(&args[0]);
        let pid = self.pid_of(task, &args[1], -1)?;
        let options = WaitFlags::from_bits_retain(bits(&args[2]).unwrap_or_default() as u32);
        match self.world.wait(task, pid, options | WaitFlags::NOHANG)? {
            Some(waited) => {
                let status = waited.how();
                Ok(Returned::Report(waited.task, waited.pid, status))
            }
            None if options.contains(WaitFlags::NOHANG) => Ok(Returned::Number(0)),
            None => Err(Refusal::Sleeps),
        }
    }

    fn waitid(&mut self, args: &[Arg]) -> Outcome {
        let task = self.by(&args[0]);
        let which = self.pid_of(task, &args[2], 0)?;
        let which = match bits(&args[1]) {
            Some(3) => WaitId::Pidfd(self.handle(&args[2])),
            Some(1) => WaitId::Pid(which),
            Some(2) => WaitId::Pgid(which),
            _ => WaitId::All,
        };
        let options = bits(&args[3]).map_or(WaitFlags::EXITED, |options| {
            WaitFlags::from_bits_retain(options as u32)
        });
        match self
            .world
            .waitid(task, which, options | WaitFlags::NOHANG)?
        {
            Some(report) => {
                let status = report.how();
                Ok(Returned::Report(report.task, report.pid, status))
            }
            None if options.contains(WaitFlags::NOHANG) => Ok(Returned::Number(0)),
            None => Err(Refusal::Sleeps),
        }
    }

    /// A number as the caller sees it.
    fn get_id(&mut self, call: &Call) -> Outcome {
        let task = self.by(&call.args[0]);
        let of = match call.args.get(1) {
            Some(arg) => self.pid_of(task, arg, 0)?,
            None => 0,
        };
        let number = match call.verb.op {
            Op::Getpid => self.world.getpid(task)?,
            Op::Gettid => self.world.gettid(task)?,
            Op::Getppid => self.world.getppid(task)?,
            Op::Getpgid => self.world.getpgid(task, of)?,
            _ => self.world.getsid(task, of)?,
        };
        Ok(Returned::Number(number.into()))
    }

    fn prctl(&mut self, args: &[Arg]) -> Outcome {
        let task = self.by(&args[0]);
        let option = bits(&args[1]).unwrap_or_default() as u32;
        if option == PR_GET_NAME {
            let name = self.world.name(task)?;
            return Ok(Returned::Text(String::from_utf8_lossy(&name).into_owned()));
        }
        let value = match &args[2] {
            Arg::Text(comm) => {
                self.world.set_name(task, comm.as_bytes())?;
                return Ok(Returned::Number(0));
            }
            Arg::Signal(signal) => *signal as u64,
            arg => number(arg).unwrap_or_default() as u64,
        };
        let got = self.world.prctl(task, option, value)?;
        // What sets something returns 0.
        let is_question = args[2] == Arg::Absent;
        Ok(Returned::Number(if is_question { got as i64 } else { 0 }))
    }

    fn sysctl(&mut self, args: &[Arg]) -> Outcome {
        let ns = self.ns_of(&args[0])?;
        let is_pid_max = bits(&args[1]) == Some(uapi::ALTPID_NS_PID_MAX.into());
        let value = match number(&args[2]) {
            Some(value) if is_pid_max => self.world.set_pid_max(ns, value).map(|()| 0)?,
            Some(value) => self.world.set_last_pid(ns, value).map(|()| 0)?,
            None if is_pid_max => self.world.ns(ns)?.pid_max,
            None => self.world.ns(ns)?.last_pid,
        };
        Ok(Returned::Number(value.into()))
    }

    fn find(&mut self, args: &[Arg], name: Option<&str>) -> Outcome {
        let ns = self.ns_of(&args[0])?;
        let nr = truncated(number(&args[1]).unwrap_or_default());
        let kind = match bits(&args[2]) {
            None | Some(0) => PidType::Pid,
            Some(1) => PidType::Tgid,
            Some(2) => PidType::Pgid,
            Some(_) => PidType::Sid,
        };
        let task = match bits(&args[3]) {
            None | Some(0) => self.world.find(ns, nr, kind)?,
            Some(_) => self.world.find_from(ns, nr, kind)?.1,
        };
        if let Some(name) = name {
            self.name(name, Object::Task(task));
        }
        self.meet(task)?;
        Ok(Returned::Task(task))
    }

    fn translate(&mut self, args: &[Arg]) -> Outcome {
        let from = self.ns_of(&args[0])?;
        let to = self.ns_of(&args[2])?;
        let mut numbers = Vec::new();
        if let Arg::Pids(pids) = &args[1] {
            for pid in pids {
                numbers.push(self.pid_from(from, pid)?);
            }
        }
        self.world.translate_in_place(from, to, &mut numbers)?;
        Ok(Returned::Numbers(numbers))
    }

    /// Checks every invariant of the world.
    ///
    /// # Errors
    ///
    /// What the audit has found.
    pub fn audit(&self) -> Result<(), Refusal> {
        let audit = self.world.audit()?;
        match audit.broken {
            0 => Ok(()),
            broken => Err(Refusal::Broken(broken, audit.what)),
        }
    }
}
