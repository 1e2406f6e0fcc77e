// SPDX-License-Identifier: GPL-2.0

//! Torture: processes with many threads do everything at random to worlds they share and to their
//! own, descriptors are closed under running commands, the processes are killed in the middle of
//! them and replaced, and the module goes and comes again between two rounds. One of the processes
//! builds what could make somebody hold the tree lock for long.
//!
//! After each round the worlds that were shared are audited, no hold of their tree locks was longer than
//! it may be, and nothing may be left when they are closed. `ALTPID_TORTURE_SECONDS` in the environment
//! says for how long, without it 60, and `ALTPID_TORTURE_UNLOADS` how often the module goes and comes at
//! least.

use altpid::World;
use altpid_device_tests::{
    Fixture,
    figures::tell,
    holds::Holds,
    meanwhile::AtTheEnd,
    module,
    patience::eventually,
    torture::{Count, Tally, builder, worker},
};
use rustix::{
    fd::{AsFd, AsRawFd, BorrowedFd},
    io::{Errno, FdFlags, fcntl_setfd},
    process::{Signal, set_parent_process_death_signal},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio, id},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// Where a worker finds the tally.
const TALLY: &str = "ALTPID_TORTURE_TALLY";
/// The descriptors of the worlds that it shares.
const WORLDS: &str = "ALTPID_TORTURE_WORLDS";
/// Set for one that builds.
const BUILDS: &str = "ALTPID_TORTURE_BUILDS";
/// Where its randomness comes from.
const SEED: &str = "ALTPID_TORTURE_SEED";

/// Processes at a time.
const WORKERS: usize = 3;
/// How often one is killed and replaced in a round.
const KILLS: usize = 6;
/// How often the module goes and comes after a round.
const UNLOADS: usize = 8;

#[test]
#[ignore = "the torture starts it"]
fn the_other_process() {
    let Some(path) = env::var_os(TALLY) else {
        return;
    };
    set_parent_process_death_signal(Some(Signal::KILL)).expect("prctl");
    let numbers = env::var(WORLDS).expect("worlds");
    let worlds: Vec<_> = numbers
        .split(',')
        // SAFETY: The parent has left them open for this process, which does not close them.
        .map(|number| unsafe { BorrowedFd::borrow_raw(number.parse().expect("a number")) })
        .collect();
    let seed = env::var(SEED).expect("a seed").parse().expect("a number");
    let tally = Tally::open(Path::new(&path));
    if env::var_os(BUILDS).is_some() {
        builder::build(&worlds, &tally, seed);
    } else {
        worker::work(&worlds, &tally, seed);
    }
}

/// Starts a worker; the first one builds.
fn start(tally: &Path, worlds: &[Fixture], number: usize) -> Child {
    let numbers: Vec<_> = worlds
        .iter()
        .map(|world| world.as_fd().as_raw_fd().to_string())
        .collect();
    let mut command = Command::new(env::current_exe().expect("this program"));
    if number == 0 {
        command.env(BUILDS, "1");
    }
    command
        .args(["--exact", "the_other_process", "--ignored", "--nocapture"])
        .env(TALLY, tally)
        .env(WORLDS, numbers.join(","))
        .env(SEED, fastrand::u64(..).to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("another process")
}

/// What the test itself has done.
#[derive(Default)]
struct Done {
    rounds: u64,
    kills: u64,
    audits: u64,
    unloads: u64,
    refused: u64,
    raced: u64,
    /// The longest hold of a tree lock.
    longest: Option<Holds>,
}

impl Done {
    /// A round: workers on two worlds, some of them killed, then all; nothing is broken and nothing
    /// is left.
    fn round(&mut self, tally: &Path) {
        let worlds = [Fixture::new(), Fixture::new()];
        for world in &worlds {
            fcntl_setfd(world.as_fd(), FdFlags::empty()).expect("fcntl");
        }
        let mut workers: Vec<_> = (0..WORKERS)
            .map(|number| start(tally, &worlds, number))
            .collect();
        for _ in 0..KILLS {
            thread::sleep(Duration::from_millis(fastrand::u64(100..1000)));
            let victim = fastrand::usize(..WORKERS);
            self.end(&mut workers[victim]);
            workers[victim] = start(tally, &worlds, victim);
        }
        // In use, it must stay.
        assert_eq!(module::unload(), Err(Errno::AGAIN), "delete_module");
        self.refused += 1;
        for worker in &mut workers {
            self.end(worker);
        }
        for world in &worlds {
            world.check();
            self.audits += 1;
            let steps = |holds: &Option<Holds>| holds.as_ref().map(|holds| holds.longest);
            let holds = Holds::of(world);
            if steps(&holds) > steps(&self.longest) {
                self.longest = holds;
            }
        }
        drop(worlds);
        let watch = Fixture::new();
        eventually("no world but one", || {
            watch.info().expect("world").worlds == 1
        });
        eventually("no pid but init's", || {
            watch.info().expect("world").pids == 1
        });
        self.rounds += 1;
    }

    fn end(&mut self, worker: &mut Child) {
        let early = worker.try_wait().expect("wait");
        assert!(
            early.is_none(),
            "a worker does not end by itself: {early:?}"
        );
        worker.kill().expect("kill");
        worker.wait().expect("wait");
        self.kills += 1;
    }

    /// The module goes, while somebody opens worlds as long as there are any, and comes again.
    fn reload(&mut self) {
        let done = AtomicBool::new(false);
        let opened = thread::scope(|scope| {
            let opener = scope.spawn(|| {
                let mut opened = 0;
                while !done.load(Relaxed) {
                    match World::open() {
                        Ok(world) => {
                            world.info().expect("world");
                            opened += 1;
                        }
                        Err(error) => assert!(
                            [Errno::NOENT, Errno::NODEV, Errno::NXIO].contains(&error.errno),
                            "open: {error}"
                        ),
                    }
                }
                opened
            });
            let end = AtTheEnd(&done);
            module::unload_when_unused();
            module::load("").expect("the module loads");
            drop(end);
            opener.join().expect("the one who opens worlds")
        });
        self.raced += opened;
        self.unloads += 1;
    }
}

#[test]
fn torture() {
    let wanted =
        |name, otherwise| env::var(name).map_or(otherwise, |text| text.parse().expect("a number"));
    let seconds = wanted("ALTPID_TORTURE_SECONDS", 60);
    let unloads = wanted("ALTPID_TORTURE_UNLOADS", 0);
    let path: PathBuf = env::temp_dir().join(format!("altpid-torture-{}", id()));
    let tally = Tally::open(&path);
    let mut done = Done::default();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(seconds) {
        done.round(&path);
        for _ in 0..UNLOADS {
            done.reload();
        }
    }
    while done.unloads < unloads {
        done.reload();
    }
    fs::remove_file(&path).expect("the file of the tally");
    let (calls, successful) = tally.commands().fold((0, 0), |(all, done), command| {
        (all + command.1, done + command.2)
    });
    let get = |what| tally.get(what);
    tell(&format!(
        "torture: {} s, {} rounds: {calls} commands ({successful} done), {} worlds opened, {} \
         descriptors closed under commands, {} signals, {} events read, {} zaps seen; {} \
         processes killed in the middle, {} audits; {} times rmmod and insmod, {} worlds opened \
         at that moment, {} times refused while in use",
        begin.elapsed().as_secs(),
        done.rounds,
        get(Count::Opened),
        get(Count::Closed),
        get(Count::Interrupted),
        get(Count::Events),
        get(Count::Zaps),
        done.kills,
        done.audits,
        done.unloads,
        done.raced,
        done.refused,
    ));
    tell(&format!(
        "torture: {} things built to hold the tree lock for long, to which {} things happened; {}",
        get(Count::Shapes),
        get(Count::Happenings),
        match &done.longest {
            Some(holds) => format!(
                "the longest hold had {} steps of {}, at {}",
                holds.longest, holds.bound, holds.place
            ),
            None => "holds are not counted".to_owned(),
        }
    ));
    let verbs = tally
        .commands()
        .map(|(name, all, done)| format!("{name} {all} ({done})"));
    tell(&format!(
        "torture, commands (done): {}",
        verbs.collect::<Vec<_>>().join(", ")
    ));
    assert_eq!(
        get(Count::Wrong),
        0,
        "errors that the header does not allow"
    );
}
