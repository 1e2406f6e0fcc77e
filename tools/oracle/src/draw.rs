// SPDX-License-Identifier: GPL-2.0

//! Draws operations, so that what is rare happens.
//!
//! An operation is drawn from the state that altpid is in. The same seed gives the same operations
//! as long as altpid does the same.

mod arguments;

use crate::{
    op::{Call, Name, Num, Op, Space, Whom},
    twin::{Seen, State},
};
use altpid::{Mask, SigSet};
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;

const VM: u64 = 0x100;
const FS: u64 = 0x200;
const SIGHAND: u64 = 0x800;
const PIDFD: u64 = 0x1000;
const PARENT: u64 = 0x8000;
const THREAD: u64 = 0x10000;
const SYSVSEM: u64 = 0x40000;
const DETACHED: u64 = 0x40_0000;
const NEWPID: u64 = 0x2000_0000;
const CLEAR_SIGHAND: u64 = 1 << 32;
/// `CLONE_AUTOREAP`, the first of the flags that are new in 7.3.
pub const AUTOREAP: u64 = 1 << 34;
const NNP: u64 = 1 << 35;
const PIDFD_AUTOKILL: u64 = 1 << 36;

/// What a sequence is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Anything,
    /// Namespaces in namespaces, down to the limit.
    Deep,
    /// Few numbers: they wrap and run out.
    Small,
    Signals,
    Threads,
    /// Stopped jobs, sessions and process groups.
    Jobs,
    /// Parents that die.
    Orphans,
}

/// Which calls are drawn, with their weights in each [`Mood`], in its order.
const WEIGHTS: &[(Kind, [u32; 7])] = &[
    (Kind::Clone, [22, 50, 50, 16, 26, 22, 30]),
    (Kind::Unshare, [5, 8, 2, 2, 3, 1, 3]),
    (Kind::Setns, [6, 8, 2, 2, 3, 1, 6]),
    (Kind::SetnsOf, [2, 3, 1, 1, 1, 1, 2]),
    (Kind::Exec, [3, 1, 1, 2, 6, 4, 2]),
    (Kind::Exit, [4, 1, 6, 2, 12, 3, 6]),
    (Kind::ExitGroup, [5, 1, 8, 2, 5, 5, 12]),
    (Kind::Kill, [14, 3, 8, 24, 12, 26, 14]),
    (Kind::Tgkill, [3, 0, 1, 6, 8, 2, 1]),
    (Kind::Tkill, [2, 0, 1, 3, 4, 1, 1]),
    (Kind::Queue, [4, 0, 1, 12, 4, 2, 1]),
    (Kind::PidfdSend, [3, 1, 1, 6, 2, 2, 2]),
    (Kind::Sigaction, [7, 1, 3, 16, 6, 6, 5]),
    (Kind::Sigprocmask, [5, 0, 1, 16, 6, 3, 1]),
    (Kind::Sigwait, [3, 0, 1, 10, 3, 1, 1]),
    (Kind::Wait4, [12, 3, 20, 8, 8, 14, 14]),
    (Kind::WaitId, [6, 1, 4, 4, 5, 8, 6]),
    (Kind::Setsid, [3, 1, 2, 1, 2, 10, 2]),
    (Kind::Setpgid, [6, 1, 6, 2, 2, 24, 2]),
    (Kind::Subreaper, [3, 1, 0, 1, 2, 1, 8]),
    (Kind::Pdeath, [3, 0, 1, 3, 4, 1, 6]),
    (Kind::Reboot, [1, 1, 1, 0, 1, 0, 1]),
    (Kind::PidMax, [2, 1, 8, 0, 0, 0, 0]),
    (Kind::LastPid, [3, 2, 14, 0, 1, 0, 0]),
];

#[derive(Clone, Copy)]
enum Kind {
    Clone,
    Unshare,
    Setns,
    SetnsOf,
    Exec,
    Exit,
    ExitGroup,
    Kill,
    Tgkill,
    Tkill,
    Queue,
    PidfdSend,
    Sigaction,
    Sigprocmask,
    Sigwait,
    Wait4,
    WaitId,
    Setsid,
    Setpgid,
    Subreaper,
    Pdeath,
    Reboot,
    PidMax,
    LastPid,
}

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
    /// Whether the kernel has what came with 7.3.
    is_7_3: bool,
}

impl Draw {
    /// The operations of a sequence, on a kernel that has the flags of 7.3 or has not.
    pub fn new(seed: u64, is_7_3: bool) -> Self {
        let mut rng = XorShiftRng::seed_from_u64(seed);
        let mood = match rng.random_range(0..10) {
            0..=2 => Mood::Anything,
            3 => Mood::Deep,
            4 => Mood::Small,
            5 => Mood::Signals,
            6 | 7 => Mood::Threads,
            8 => Mood::Jobs,
            _ => Mood::Orphans,
        };
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
            is_7_3,
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
            let kind = self.kind();
            if let Some(call) = self.call(kind, by, crowded, state) {
                return Some(Op { by, call });
            }
        }
    }

    fn kind(&mut self) -> Kind {
        let mood = self.mood as usize;
        let sum = WEIGHTS.iter().map(|(_, weights)| weights[mood]).sum();
        let mut rest = self.rng.random_range(0..sum);
        for (kind, weights) in WEIGHTS {
            match rest.checked_sub(weights[mood]) {
                Some(left) => rest = left,
                None => return *kind,
            }
        }
        Kind::Clone
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

    fn clone_call(&mut self, by: Name, state: &State) -> Call {
        let thread = THREAD | SIGHAND | VM;
        let newpid = if self.mood == Mood::Deep { 60 } else { 14 };
        let threads = if self.mood == Mood::Threads { 50 } else { 12 };
        let die = self.below(100);
        let mut flags = if die < newpid {
            NEWPID | if self.one_in(6) { PARENT } else { 0 }
        } else if die < newpid + threads {
            thread
        } else {
            match self.below(24) {
                0 | 1 => PARENT,
                2 => AUTOREAP,
                3 => VM,
                4 => CLEAR_SIGHAND,
                5 => thread | NEWPID,
                6 => self.any_flags(),
                7 => VM | SYSVSEM | FS,
                _ => 0,
            }
        };
        if !self.is_7_3 {
            flags &= AUTOREAP - 1;
        }
        let no_signal = flags & (THREAD | PARENT | AUTOREAP) != 0;
        let exit_signal = if no_signal != self.one_in(30) {
            0
        } else if self.one_in(6) {
            self.pick(&[0, 10, 34, 18, 9, 15, 64, 65, 255, 1])
                .unwrap_or(0)
        } else {
            17
        };
        let set_tid = if self.one_in(10) {
            self.set_tid(by, flags, state)
        } else {
            Vec::new()
        };
        Call::Clone {
            child: Name(self.serial),
            flags,
            exit_signal,
            set_tid,
        }
    }

    /// Flags that probably exclude each other.
    fn any_flags(&mut self) -> u64 {
        const ALL: [u64; 12] = [
            VM,
            FS,
            SIGHAND,
            PIDFD,
            PARENT,
            THREAD,
            SYSVSEM,
            DETACHED,
            NEWPID,
            CLEAR_SIGHAND,
            AUTOREAP,
            NNP,
        ];
        let mut flags = 0;
        for flag in ALL {
            if self.one_in(3) {
                flags |= flag;
            }
        }
        if self.one_in(6) {
            // Without what it needs: it would be a matter of descriptors.
            flags = (flags | PIDFD_AUTOKILL) & !PIDFD;
        }
        flags
    }

    fn set_tid(&mut self, by: Name, flags: u64, state: &State) -> Vec<i32> {
        let level = state.tasks[&by].level() + usize::from(flags & NEWPID != 0);
        let size = if self.one_in(8) {
            self.below(level + 4)
        } else {
            1 + self.below(level.clamp(1, 3))
        };
        let mut numbers: Vec<i32> = (0..size)
            .map(|_| match self.below(12) {
                0 => self.range(-1, 1),
                1 => self.range(300, 306),
                2 => 4_194_303 + self.range(0, 1),
                3 => self.range(1, 12),
                _ => self.range(2, 400),
            })
            .collect();
        if flags & NEWPID != 0
            && !self.one_in(5)
            && let Some(first) = numbers.first_mut()
        {
            *first = 1;
        }
        // The arena's parent is the machine, where other numbers are in use.
        numbers.truncate(level);
        if numbers.len() == level && self.one_in(10) {
            numbers.resize(33, 1);
        }
        numbers
    }
}

fn leaders(state: &State) -> impl Iterator<Item = (Name, &Seen)> {
    state
        .tasks
        .iter()
        .map(|(name, seen)| (*name, seen))
        .filter(|(_, seen)| seen.is_leader())
}
