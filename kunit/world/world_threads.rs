// SPDX-License-Identifier: GPL-2.0

//! Many CPUs at once: on one table of numbers, along one chain of namespaces, on one world.

use crate::{
    base::sync::{Atomic, Full, Relaxed},
    pid::namespace::Namespace,
    pid::pidmap::{PidMap, Reservation},
    pid::registry::Registry,
    pid::{alloc_pid, NewPid, Pid},
    process::clone::flags::*,
    support::{many, world_of, Random, Verbs},
    tree::task::TaskId,
    tree::walks::Targets,
    world::sleep::pause,
    world::World,
};
use kernel::{
    prelude::*,
    sync::{aref::ARef, Arc, Completion},
    workqueue,
};

/// Runs `work(0)` to `work(n - 1)` at the same time, as far as there are CPUs, and waits for all.
/// True if all were true.
fn together(n: u32, work: impl Fn(u32) -> bool + Send + Sync + 'static) -> Result<bool> {
    #[pin_data]
    struct Shared<F> {
        work: F,
        running: Atomic<u32>,
        failed: Atomic<u32>,
        #[pin]
        done: Completion,
    }
    let shared = Arc::pin_init(
        pin_init!(Shared {
            work,
            running: Atomic::new(n),
            failed: Atomic::new(0),
            done <- Completion::new(),
        }),
        GFP_KERNEL,
    )?;
    for i in 0..n {
        let mine = shared.clone();
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            if !(mine.work)(i) {
                mine.failed.add(1u32, Relaxed);
            }
            if mine.running.fetch_sub(1u32, Full) == 1 {
                mine.done.complete_all();
            }
        })?;
    }
    shared.done.wait_for_completion();
    Ok(shared.failed.load(Relaxed) == 0)
}

/// A world that many have a hold of.
fn shared_world(tasks: usize, namespaces: usize) -> Result<Arc<World>> {
    world_of(tasks, namespaces)
}

/// Who has which number: proof that nobody has another's.
struct Owners {
    of: KVVec<Atomic<u32>>,
    /// How many there are whose number somebody has.
    live: Atomic<u32>,
}

impl Owners {
    fn new(numbers: usize) -> Result<Self> {
        let mut owners = KVVec::with_capacity(numbers, GFP_KERNEL)?;
        for _ in 0..numbers {
            owners.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self {
            of: owners,
            live: Atomic::new(0),
        })
    }

    /// True if nobody had it, and not more numbers are had than there are.
    fn claim(&self, nr: u32, who: u32, numbers: u32) -> bool {
        self.live.fetch_add(1, Full) < numbers && self.of[nr as usize].xchg(who + 1, Full) == 0
    }

    /// True if it was `who`'s.
    fn give_up(&self, nr: u32, who: u32) -> bool {
        self.live.fetch_sub(1, Full);
        self.of[nr as usize].xchg(0, Full) == who + 1
    }

    fn held(&self) -> usize {
        self.of
            .iter()
            .filter(|owner| owner.load(Relaxed) != 0)
            .count()
    }
}

/// Takes and frees numbers of one table at random, and owns up to `most` at a time.
fn churn(map: &PidMap<u64>, owners: &Owners, who: u32, pid_max: u32, most: usize) -> bool {
    let mut random = Random::new(u64::from(who) + 1);
    let mut mine: KVVec<Reservation<'_, u64>> = KVVec::new();
    for _ in 0..many(20_000) {
        if mine.len() < most && random.below(3) > 0 {
            let taken = match random.below(8) {
                0 => map.reserve(1 + random.below(pid_max - 1)),
                _ => map.reserve_next(pid_max),
            };
            let Ok(taken) = taken else { continue };
            if !owners.claim(taken.nr(), who, pid_max - 1) || mine.push(taken, GFP_KERNEL).is_err()
            {
                return false;
            }
        } else if !mine.is_empty() {
            let which = random.below(mine.len() as u32) as usize;
            let Ok(given) = mine.remove(which) else {
                return false;
            };
            if !owners.give_up(given.nr(), who) {
                return false;
            }
        }
    }
    mine.iter().all(|taken| owners.give_up(taken.nr(), who))
}

#[kernel::macros::kunit_tests(altpid_world_threads)]
mod tests {
    use super::*;

    /// (threads, pid_max, held by each): alone, two, many; sparse, dense and full
    #[test]
    fn no_number_is_had_twice() -> Result {
        let cases = [
            (1, 1000, 50),
            (2, 1000, 50),
            (2, 302, 200),
            (4, 1 << 20, 10),
            (8, 6000, 700),
            (8, 400, 100),
        ];
        for (threads, pid_max, most) in cases {
            let shared = Arc::new((PidMap::<u64>::new(), Owners::new(1 << 20)?), GFP_KERNEL)?;
            let theirs = shared.clone();
            let good = together(threads, move |who| {
                churn(&theirs.0, &theirs.1, who, pid_max, most)
            })?;
            assert!(good);
            assert_eq!(shared.1.held(), 0);
            assert!(shared.0.is_empty());
            // Nothing free is passed over: everything that native would still give can be had.
            shared.0.set_cursor(0);
            let mut taken = KVVec::new();
            while let Ok(reservation) = shared.0.reserve_next(pid_max.min(7000)) {
                assert_eq!(reservation.nr(), taken.len() as u32 + 1);
                taken.push(reservation, GFP_KERNEL)?;
            }
            assert_eq!(taken.len() as u32, pid_max.min(7000) - 1);
        }
        Ok(())
    }

    /// Without releases in between, n allocations get the next n free numbers, each once.
    #[test]
    fn together_they_get_what_one_would() -> Result {
        let shared = Arc::new((PidMap::<u64>::new(), Owners::new(50_000)?), GFP_KERNEL)?;
        let theirs = shared.clone();
        let good = together(4, move |who| {
            (0..10_000).all(|_| match theirs.0.reserve_next(1 << 22) {
                Ok(taken) => {
                    let nr = core::mem::ManuallyDrop::new(taken).nr();
                    theirs.1.claim(nr, who, 40_000)
                }
                Err(_) => false,
            })
        })?;
        assert!(good);
        assert!((1..=40_000).all(|nr| shared.1.of[nr].load(Relaxed) != 0));
        assert_eq!(shared.0.cursor(), 40_001);
        for nr in 1..=40_000 {
            shared.0.release(nr);
        }
        assert!(shared.0.is_empty());
        Ok(())
    }

    /// Namespaces of a chain, and who has which number in each.
    struct Levels(KVVec<ARef<Namespace>>, KVVec<Owners>);

    impl Levels {
        /// Threads, each with up to so many pids.
        const THREADS: u32 = 6;
        const MOST: u32 = 30;

        fn claim(&self, pid: &Pid, who: u32) -> bool {
            (0..=pid.ns().level()).all(|level| {
                let nr = pid.nr_at(level) as u32;
                self.1[level].claim(nr, who, Self::THREADS * Self::MOST)
            })
        }

        fn give_up(&self, pid: &Pid, who: u32) -> bool {
            let mut levels = 0..=pid.ns().level();
            levels.all(|level| self.1[level].give_up(pid.nr_at(level) as u32, who))
        }
    }

    /// `alloc_pid()`, `free_pid()` on all CPUs, over several levels
    #[test]
    fn along_one_chain() -> Result {
        let registry = Registry::new(16)?;
        let mut levels: KVVec<ARef<Namespace>> = KVVec::new();
        let mut inits: KVVec<NewPid> = KVVec::new();
        let mut owners = KVVec::new();
        for _ in 0..4 {
            let above = levels.last().map(|ns| &**ns);
            let ns = Namespace::create(above, &registry)?;
            inits.push(alloc_pid(&ns, &[])?, GFP_KERNEL)?;
            ns.set_child_reaper(1);
            levels.push(ns, GFP_KERNEL)?;
            owners.push(Owners::new(1 << 15)?, GFP_KERNEL)?;
        }
        let levels = Arc::new(Levels(levels, owners), GFP_KERNEL)?;
        let theirs = levels.clone();
        let good = together(Levels::THREADS, move |who| {
            let mut random = Random::new(u64::from(who) + 77);
            let mut mine: KVVec<NewPid> = KVVec::new();
            for _ in 0..4000 {
                let ns = &theirs.0[random.below(4) as usize];
                if mine.len() < Levels::MOST as usize && random.below(2) == 0 {
                    let Ok(pid) = alloc_pid(ns, &[]) else {
                        return false;
                    };
                    let found = crate::pid::find_pid(ns, pid.nr());
                    if !found.is_some_and(|found| core::ptr::eq(&*found, &*pid))
                        || !theirs.claim(&pid, who)
                        || mine.push(pid, GFP_KERNEL).is_err()
                    {
                        return false;
                    }
                } else {
                    // Somebody's, anybody's: translated it is visible above or not at all.
                    let nr = random.below(200) as i32;
                    let above = &theirs.0[0];
                    if crate::pid::translate(ns, nr, above) == Some(0) {
                        return false;
                    }
                    let count = mine.len() as u32;
                    if count > 0 {
                        let given = mine.remove(random.below(count) as usize);
                        if !given.is_ok_and(|pid| theirs.give_up(&pid, who)) {
                            return false;
                        }
                    }
                }
            }
            mine.iter().all(|pid| theirs.give_up(pid, who))
        })?;
        assert!(good);
        assert!(levels.1.iter().all(|owners| owners.held() == 0));
        for (level, ns) in levels.0.iter().enumerate() {
            let mut left = 0;
            let mut nr = 0;
            while let Some((found, _)) = crate::pid::find_pid_from(ns, nr) {
                left += 1;
                nr = found + 1;
            }
            assert_eq!(left, 4 - level);
        }
        drop(inits);
        Ok(())
    }

    /// `copy_process()`: init exits while others fork into its namespace, and nobody is left over
    #[test]
    fn dying_under_load() -> Result {
        for round in 0..20 {
            let world = shared_world(5000, 10)?;
            let verbs = Verbs(&world);
            let init = world.init();
            let container = verbs.container(init)?;
            let ns = verbs.ns(container)?;
            let theirs = world.clone();
            let good = together(3, move |who| {
                let verbs = Verbs(&theirs);
                if who == 0 {
                    for _ in 0..10 * round {
                        if verbs.fork(container).is_err() {
                            return false;
                        }
                    }
                    return verbs.exit(container, 0).is_ok();
                }
                let Ok((parent, _)) = verbs.clone(init, AUTOREAP, &[]) else {
                    return false;
                };
                if theirs.setns(parent, ns).is_err() {
                    return false;
                }
                for _ in 0..300 {
                    match verbs.clone(parent, AUTOREAP, &[]) {
                        Ok(_) => {}
                        Err(error) => return error == ENOMEM && verbs.exit(parent, 0).is_ok(),
                    }
                }
                verbs.exit(parent, 0).is_ok()
            })?;
            assert!(good);
            assert!(verbs.is_sound());
            assert_eq!(verbs.wait(init, 2)?.0, 2);
            let left = world.describe();
            assert_eq!((left.tasks, left.namespaces), (1, 1));
        }
        Ok(())
    }

    /// `kill_something_info()`: while a member sends a signal to everybody nobody forks, or changes a process group
    #[test]
    fn nobody_joins_while_a_member_sends_to_many() -> Result {
        let world = shared_world(10, 10)?;
        let verbs = Verbs(&world);
        let init = world.init();
        let child = verbs.fork(init)?;
        let but = world.pids_of(init).ok_or(ESRCH)?.0;
        let targets = Targets::Everybody { but, next: 2 };
        world.work().begin_posting(world.root(), targets);
        let done = Arc::new(Atomic::new(0u32), GFP_KERNEL)?;
        let theirs = world.clone();
        let good = together(4, move |who| {
            let verbs = Verbs(&theirs);
            let is_done = match who {
                0 => verbs.fork(init).is_ok(),
                1 => verbs.setsid(child).is_ok(),
                2 => verbs.setpgid(init, verbs.nr(init, 0), 0).is_ok(),
                _ => {
                    // The next one to send will let them go first.
                    while !theirs.holds_up() {
                        pause();
                    }
                    // The others have begun, or will: in either case none is done.
                    for _ in 0..10 {
                        pause();
                    }
                    let nobody = done.load(Relaxed) == 0;
                    let posting = theirs.work().end_posting();
                    return posting.is_some() && nobody;
                }
            };
            done.add(1u32, Relaxed);
            is_done
        })?;
        assert!(good);
        assert!(!world.holds_up());
        // Who sends lets others go first, but not for ever.
        let held_up = world.hold_up();
        drop(world.work_for_many()?);
        drop(held_up);
        assert_eq!(verbs.nr(child, 0), 2);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// All verbs on all CPUs, under the tree lock in turns
    #[test]
    fn one_world_many_callers() -> Result {
        let world = shared_world(400, 40)?;
        for round in 0..5 {
            let theirs = world.clone();
            together(4, move |who| {
                let verbs = Verbs(&theirs);
                let mut random = Random::new(u64::from(who) * 7 + round + 1);
                let mut tasks: KVVec<TaskId> = KVVec::new();
                if tasks.push(theirs.init(), GFP_KERNEL).is_err() {
                    return false;
                }
                for _ in 0..1500 {
                    let task = tasks[random.below(tasks.len() as u32) as usize];
                    match random.below(10) {
                        0..5 => {
                            let flags = [0, NEWPID, THREAD | SIGHAND | VM, AUTOREAP];
                            let flags = flags[random.below(4) as usize];
                            if let Ok((child, _)) = verbs.clone(task, flags, &[]) {
                                _ = tasks.push(child, GFP_KERNEL);
                            }
                        }
                        5..7 => _ = theirs.exit(task, 1, random.below(2) == 0),
                        7..9 => _ = verbs.wait(task, -1),
                        _ => _ = verbs.setsid(task),
                    }
                }
                true
            })?;
            assert!(Verbs(&world).is_sound());
        }
        Ok(())
    }
}
