// SPDX-License-Identifier: GPL-2.0

//! Draws operations, so that what is rare happens.
//!
//! An operation is drawn from the state that altpid is in. The same seed gives the same operations
//! as long as altpid does the same.

mod arguments;
mod clones;
mod mood;
mod pidfds;

use crate::{
    op::{Call, Name, Num, Op, Space, Whom},
    twin::{Seen, State},
};
use altpid::{Mask, Scope, SigSet};
use mood::{Kind, Mood};
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;

/// Where operations come from.
pub struct Draw {
    rng: XorShiftRng,
    mood: Mood,
    /// How many operations there will be.
    length: u32,
    /// The number of the last one.
    serial: u32,
    /// How many tasks there shall be at most.
    crowd: usize,
}

impl Draw {
    /// The operations of a sequence.
    pub fn new(seed: u64) -> Self {
        let mut rng = XorShiftRng::seed_from_u64(seed);
        let mood = Mood::of(rng.random_range(0..Mood::SIDES));
        let length = rng.random_range(30..160);
        let crowd = if mood == Mood::Deep {
            40
        } else {
            rng.random_range(4..14)
        };
        Self {
            rng,
            mood,
            length,
            serial: 0,
            crowd,
        }
    }

    /// The number that the next operation has; those before it were read or drawn.
    pub fn begin_at(&mut self, serial: u32) {
        self.serial = serial;
        self.length += serial;
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n.max(1))
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_range(0..n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.rng.random_range(0..from.len())])
    }

    fn range(&mut self, from: i32, to: i32) -> i32 {
        self.rng.random_range(from..=to)
    }

    /// The next operation; `None` when the sequence is over.
    pub fn next(&mut self, state: &State) -> Option<Op> {
        self.serial += 1;
        if self.serial > self.length {
            return None;
        }
        let running: Vec<Name> = state
            .tasks
            .iter()
            .filter(|(_, seen)| seen.is_running())
            .map(|(name, _)| *name)
            .collect();
        // The newest is the deepest.
        let newest = self.mood == Mood::Deep && !self.one_in(4);
        let by = if newest {
            running.last().copied()
        } else {
            self.pick(&running)
        }?;
        // Few numbers: as soon as there is somebody to have them.
        if self.mood == Mood::Small && self.serial <= 2 {
            let call = if self.serial == 1 {
                Call::PidMax(self.range(301, 305).into())
            } else {
                Call::LastPid(299)
            };
            return Some(Op { by, call });
        }
        let crowded = state.tasks.len() >= self.crowd;
        loop {
            let kind = self.mood.kind(self.rng.random_range(0..self.mood.sum()));
            if let Some(call) = self.call(kind, by, crowded, state) {
                return Some(Op { by, call });
            }
        }
    }

    /// A call of this kind by this task; `None` when that is not wanted now.
    fn call(&mut self, kind: Kind, by: Name, crowded: bool, state: &State) -> Option<Call> {
        let is_init = state.tasks[&by].leader == Name::INIT;
        Some(match kind {
            Kind::Clone if crowded && !self.one_in(12) => return None,
            Kind::Clone => self.clone_call(by, state),
            Kind::Unshare => Call::Unshare(self.serial),
            Kind::Setns => {
                let spaces: Vec<Space> = state.spaces.keys().copied().collect();
                Call::Setns(self.pick(&spaces)?)
            }
            Kind::SetnsOf => Call::SetnsOf(self.visible(by, state)?),
            Kind::SetnsBy => Call::SetnsBy(self.handle(state)?),
            Kind::Exec => Call::Exec,
            // That would be the end of it.
            Kind::Exit if is_init && !self.may_end(by, state) => return None,
            Kind::ExitGroup | Kind::Reboot if is_init && !self.one_in(40) => return None,
            Kind::Exit => Call::Exit(self.range(0, 255)),
            Kind::ExitGroup => Call::ExitGroup(self.range(0, 300)),
            Kind::Kill => {
                let signal = self.signal();
                Call::Kill(self.whom(by, state, signal), signal)
            }
            Kind::Tgkill => {
                let target = self.visible(by, state)?;
                let leader = state.tasks[&target].leader;
                let tgid = if self.one_in(5) {
                    self.number(by, state)
                } else {
                    Num::Of(leader)
                };
                Call::Tgkill(tgid, Num::Of(target), self.signal())
            }
            Kind::Tkill => Call::Tkill(self.number(by, state), self.signal()),
            Kind::Queue => {
                let code = self.pick(&[-1, -1, -1, -1, -6, 0, 0x80, -2, -60])?;
                let value = u64::from(self.serial);
                let whom = if self.one_in(3) {
                    Num::Of(by)
                } else {
                    self.number(by, state)
                };
                Call::Queue(whom, self.signal(), code, value)
            }
            Kind::PidfdOpen => self.pidfd_open(by, state)?,
            Kind::PidfdSendBy => {
                let scopes = [
                    Scope::AsOpened,
                    Scope::AsOpened,
                    Scope::Thread,
                    Scope::ThreadGroup,
                    Scope::ProcessGroup,
                ];
                let scope = self.pick(&scopes)?;
                Call::PidfdSendBy(self.handle(state)?, self.signal(), scope)
            }
            Kind::Close => Call::Close(self.handle(state)?),
            Kind::Poll => Call::Poll(self.handle(state)?),
            Kind::PidfdSend => {
                let leaders: Vec<Name> = leaders(state).map(|(name, _)| name).collect();
                Call::PidfdSend(self.pick(&leaders)?, self.signal())
            }
            Kind::Sigaction => self.sigaction(),
            Kind::Sigprocmask => {
                let how = self.pick(&[Mask::Block, Mask::Block, Mask::Unblock, Mask::Set])?;
                Call::Sigprocmask(how, self.set())
            }
            Kind::Sigwait => Call::Sigwait(if self.one_in(2) {
                SigSet::ALL
            } else {
                self.set()
            }),
            Kind::Wait4 => {
                let options = self.wait_options(&[0x2, 0x8, 0x4000_0000, 0x8000_0000, 0x2000_0000]);
                Call::Wait4(self.awaited(by, state), options)
            }
            Kind::WaitId if self.is_by_pidfd(state) => self.waitid_by_pidfd(state)?,
            Kind::WaitId => {
                let options = self.wait_options(&[0x2, 0x8, 0x100_0000, 0x4000_0000, 0x8000_0000]);
                let exited = if self.one_in(6) { 0 } else { 0x4 };
                let whom = match self.below(4) {
                    0 | 1 => Whom::All,
                    2 => Whom::Pid(self.number(by, state)),
                    _ => Whom::Pgid(match self.visible(by, state) {
                        Some(name) if !self.one_in(3) => Num::Of(name),
                        _ => Num::Is(0),
                    }),
                };
                Call::WaitId(whom, options | exited)
            }
            Kind::Setsid => Call::Setsid,
            Kind::Setpgid => {
                // An init that joins the process group of one of its own never ends. Both sides agree
                // about that, but natively nothing can be done about it any more.
                let inits = state.tasks.values().any(|seen| {
                    seen.task.is_reaper && (seen.leader == by || seen.parent == Some(by))
                });
                if inits && !self.one_in(20) {
                    return Some(Call::Setpgid(Num::Is(0), Num::Is(0)));
                }
                let pid = if self.one_in(3) {
                    Num::Is(0)
                } else {
                    self.number(by, state)
                };
                let pgid = match self.below(4) {
                    0 | 1 => Num::Is(0),
                    2 => self.number(by, state),
                    _ => self.visible(by, state).map_or(Num::Is(0), Num::Of),
                };
                Call::Setpgid(pid, pgid)
            }
            Kind::Subreaper => Call::Subreaper(!self.one_in(4)),
            Kind::Pdeath => Call::Pdeath(self.signal()),
            Kind::Reboot => {
                let commands = [
                    0x0123_4567,
                    0xa1b2_c3d4,
                    0xcdef_0123,
                    0x4321_fedc,
                    0,
                    0x89ab_cdef,
                ];
                Call::Reboot(self.pick(&commands)?)
            }
            Kind::PidMax => Call::PidMax(match self.below(8) {
                0 => 300,
                1 => self.pick(&[4_194_304, 4_194_305, 0, -1, 1000])?,
                _ => self.range(301, 306).into(),
            }),
            Kind::LastPid => {
                let pid_max = state
                    .ns(state.tasks[&by].task.ns)
                    .map_or(301, |ns| ns.pid_max);
                let pid_max = i64::from(pid_max);
                Call::LastPid(match self.below(8) {
                    0 => pid_max,
                    1 => self.pick(&[pid_max + 1, -1, 0])?,
                    2 | 3 => pid_max - 1 - self.below(3) as i64,
                    4 => self.range(1, 300).into(),
                    _ => self.range(297, 302).into(),
                })
            }
        })
    }

    /// Whether a thread of the arena's init can go without taking everything with it.
    fn may_end(&mut self, by: Name, state: &State) -> bool {
        let threads = state
            .tasks
            .iter()
            .filter(|(name, seen)| **name != by && seen.leader == Name::INIT && seen.is_running());
        threads.count() > 0 || self.one_in(40)
    }
}

fn leaders(state: &State) -> impl Iterator<Item = (Name, &Seen)> {
    state
        .tasks
        .iter()
        .map(|(name, seen)| (*name, seen))
        .filter(|(_, seen)| seen.is_leader())
}
