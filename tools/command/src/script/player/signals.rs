// SPDX-License-Identifier: GPL-2.0

//! The calls that send signals, and say what is done about them.

use super::{
    super::{
        syntax::{Arg, Call},
        values::PidRef,
        verbs::Op,
    },
    Player, Refusal, Returned,
    calls::{Outcome, bits, number, signal, signals, truncated},
};
use altpid::{Action, Disposition, Given, Kill, SaFlags, Scope, TaskId, uapi};

/// `SIGTERM`, `SIGSEGV`
const SIGTERM: i32 = 15;
const SIGSEGV: i32 = 11;
/// `SI_QUEUE`
const SI_QUEUE: i32 = -1;

/// Whom a signal by a pidfd is for.
fn scope(arg: &Arg) -> Scope {
    match bits(arg).map(|bits| bits as u32) {
        Some(uapi::ALTPID_SIGNAL_THREAD) => Scope::Thread,
        Some(uapi::ALTPID_SIGNAL_THREAD_GROUP) => Scope::ThreadGroup,
        Some(uapi::ALTPID_SIGNAL_PROCESS_GROUP) => Scope::ProcessGroup,
        _ => Scope::AsOpened,
    }
}

impl Player {
    /// Who sends which signal to whom.
    pub(super) fn kill(&mut self, call: &Call) -> Result<(Kill, i32), Refusal> {
        let args = &call.args;
        let given = |index: usize| signal(&args[index]).unwrap_or(SIGTERM);
        let task = self.by(&args[0]);
        Ok(match call.verb.op {
            Op::Kill => {
                let target = match &args[1] {
                    Arg::Pid(PidRef::Of { name, .. }) => self.task(name),
                    _ => TaskId(0),
                };
                let kill = match &args[0] {
                    Arg::Outside => Kill::Outside(target),
                    Arg::Kernel => Kill::Kernel(target),
                    _ => Kill::Pid(task, self.pid_of(task, &args[1], 0)?),
                };
                (kill, given(2))
            }
            Op::Tgkill => {
                let tgid = self.pid_of(task, &args[1], 0)?;
                let tid = self.pid_of(task, &args[2], 0)?;
                (Kill::Thread(task, tgid, tid), given(3))
            }
            Op::Tkill => {
                let tid = self.pid_of(task, &args[1], 0)?;
                (Kill::Tkill(task, tid), given(2))
            }
            Op::Sigqueue => {
                let pid = self.pid_of(task, &args[1], 0)?;
                let code = number(&args[3]).map_or(SI_QUEUE, truncated);
                let value = number(&args[4]).unwrap_or_default() as u64;
                (Kill::Queue(task, pid, code, value), given(2))
            }
            Op::Tgsigqueue => {
                let tgid = self.pid_of(task, &args[1], 0)?;
                let tid = self.pid_of(task, &args[2], 0)?;
                let code = number(&args[4]).map_or(SI_QUEUE, truncated);
                let value = number(&args[5]).unwrap_or_default() as u64;
                (Kill::QueueThread(task, tgid, tid, code, value), given(3))
            }
            Op::Fault => (Kill::Fault(task), signal(&args[1]).unwrap_or(SIGSEGV)),
            _ => {
                let signal = given(2);
                // With one of them there is a siginfo.
                let [code, value, signo] = [4, 5, 6].map(|index| &args[index]);
                let has_info = [code, value, signo]
                    .into_iter()
                    .any(|arg| *arg != Arg::Absent);
                let info = has_info.then(|| Given {
                    signo: self::signal(signo).unwrap_or(signal),
                    code: number(code).map_or(SI_QUEUE, truncated),
                    value: number(value).unwrap_or_default() as u64,
                });
                let kill = match (&args[1], info) {
                    (Arg::Pidfd(name), None) => {
                        Kill::Pidfd(task, self.pidfd(name), scope(&args[3]))
                    }
                    (Arg::Pidfd(name), Some(info)) => {
                        Kill::PidfdInfo(task, self.pidfd(name), scope(&args[3]), info)
                    }
                    (target, _) => Kill::Task(task, self.by(target)),
                };
                (kill, signal)
            }
        })
    }

    pub(super) fn sigaction(&mut self, args: &[Arg]) -> Outcome {
        let flags = bits(&args[3]).unwrap_or_default() as u32;
        let new = bits(&args[2]).map(|disposition| Action {
            disposition: match disposition {
                0 => Disposition::Default,
                1 => Disposition::Ignore,
                _ => Disposition::Handler,
            },
            flags: SaFlags::from_bits_retain(flags),
            mask: signals(&args[4]),
        });
        let number = signal(&args[1]).unwrap_or_default();
        let old = self.world.sigaction(self.by(&args[0]), number, new)?;
        Ok(Returned::Action(old))
    }
}
