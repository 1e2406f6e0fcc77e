// SPDX-License-Identifier: GPL-2.0

//! Who takes all that he may: he comes to a limit, has paid for what he has, harms nobody else, and
//! everything is there again afterwards.
//!
//! The module is loaded with low limits for that, so that the tests of this program take turns.

use altpid::{CloneArgs, CloneFlags, World};
use altpid_device_tests::{
    Fixture,
    figures::{scaled, tell},
    header::open_errors,
    module::{self, Reloaded, parameters},
    patience::eventually,
};
use rustix::io::Errno;
use std::{
    collections::BTreeSet,
    env,
    fs::{self, OpenOptions},
    io::Read,
    os::unix::{fs::OpenOptionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The memory cgroup that the other process is to join.
const CGROUP: &str = "ALTPID_TEST_CGROUP";

/// Waits for the others' turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURNS: Mutex<()> = Mutex::new(());
    TURNS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn worlds_come_to_an_end() {
    let _turn = turn();
    let _module = Reloaded::with("max_worlds=5");
    let mut worlds: Vec<_> = (0..5).map(|_| Fixture::new()).collect();
    for _ in 0..3 {
        let error = World::open().expect_err("one too many");
        assert_eq!(error.errno, Errno::NFILE);
        assert_eq!(worlds[0].info().expect("world").worlds, 5);
    }
    // The others do not notice, and as soon as there is one less there can be another.
    for world in &worlds {
        world.fork(world.init);
    }
    worlds.pop();
    eventually("room for one more", || {
        World::open().map(|world| drop(world.audit())).is_ok()
    });
}

/// Everything in the kernel log.
fn kernel_log() -> String {
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(libc::O_NONBLOCK);
    let mut log = options.open("/dev/kmsg").expect("/dev/kmsg");
    let mut text = String::new();
    let mut record = [0; 8192];
    loop {
        match log.read(&mut record) {
            Ok(len) => text.push_str(&String::from_utf8_lossy(&record[..len])),
            // Others write meanwhile, and the oldest goes.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
            Err(_) => return text,
        }
    }
}

/// A world can be had and used, whatever its limits; one more than may be is an error that the header
/// has.
fn a_world_can_be_used(what: &str) {
    let world = Fixture::new();
    let mut events = world.events().unwrap_or_else(|e| panic!("{what}: {e}"));
    let child = world.clone(world.init, &CloneArgs::new());
    let read = events.read(false).map_err(|error| error.errno);
    match child {
        Ok(_) => assert_eq!(read.expect(what).len(), 1),
        Err(error) => {
            assert_eq!(error.errno, Errno::AGAIN, "{what}");
            assert_eq!(read.expect(what), [], "{what}");
        }
    }
    if let Err(error) = World::open() {
        let error = error.errno.raw_os_error();
        assert!(open_errors().contains(&error), "{what}: {error}");
    }
}

#[test]
fn parameters_have_bounds() {
    let _turn = turn();
    assert_eq!(open_errors(), BTreeSet::from([libc::ENFILE, libc::ENOMEM]));
    let parameters = parameters();
    assert_eq!(parameters.len(), 6, "{parameters:?}");
    for module::Parameter { name, min, max } in &parameters {
        module::unload_when_unused();
        let below = min.checked_sub(1);
        for value in below
            .into_iter()
            .chain([max + 1, 33_554_433, u32::MAX.into()])
        {
            let text = format!("{name}={value}");
            assert_eq!(module::load(&text), Err(Errno::INVAL), "{text}");
            let line = format!("altpid: {text} is not from {min} to {max}");
            assert!(kernel_log().contains(&line), "{line}");
            assert!(!Path::new("/sys/module/altpid").exists());
        }
        // What is no number of 32 bits at all.
        for value in ["", "-1", "4294967296", "many"] {
            let text = format!("{name}={value}");
            let error = module::load(&text).expect_err(&text);
            assert!(
                [Errno::INVAL, Errno::RANGE].contains(&error),
                "{text}: {error}"
            );
        }
        module::load("").expect("the module loads");
        for value in [min, max] {
            let text = format!("{name}={value}");
            let _module = Reloaded::with(&text);
            a_world_can_be_used(&text);
        }
    }
    for most in [false, true] {
        let value = |p: &module::Parameter| if most { p.max } else { p.min };
        let all = parameters
            .iter()
            .map(|p| format!("{}={}", p.name, value(p)));
        let all = all.collect::<Vec<_>>().join(" ");
        let _module = Reloaded::with(&all);
        a_world_can_be_used(&all);
    }
}

#[test]
fn tasks_and_namespaces_come_to_an_end() {
    let _turn = turn();
    let _module = Reloaded::with("max_tasks=100 max_namespaces=20");
    let (greedy, other) = (Fixture::new(), Fixture::new());
    let newpid = CloneArgs::new().flags(CloneFlags::NEWPID);
    for round in 0..3 {
        let mut inits = Vec::new();
        let error = loop {
            match greedy.clone(greedy.init, &newpid) {
                Ok(cloned) => inits.push(cloned.task),
                Err(error) => break error.errno,
            }
        };
        assert_eq!((error, inits.len()), (Errno::NOSPC, 19), "round {round}");
        greedy.refuses(Errno::NOSPC, |world| {
            world.unshare(greedy.init, CloneFlags::NEWPID)
        });
        let mut tasks = 0;
        let error = loop {
            match greedy.clone(inits[tasks % inits.len()], &CloneArgs::new()) {
                Ok(_) => tasks += 1,
                Err(error) => break error.errno,
            }
        };
        assert_eq!((error, tasks), (Errno::AGAIN, 80), "round {round}");
        greedy.refuses(Errno::AGAIN, |world| {
            world.clone(inits[0], &CloneArgs::thread())
        });
        // Nobody else has less for it.
        let (init, _) = other.container(other.init);
        let child = other.fork(init);
        other.end(child, 0);
        other.end(init, 0);
        for init in inits {
            greedy.end(init, 0);
        }
        let info = greedy.info().expect("world");
        assert_eq!((info.tasks, info.zombies), (1, 0), "round {round}");
        eventually("no namespace but the root", || {
            greedy.info().expect("world").namespaces == 1
        });
    }
}

/// What nobody reads does not pile up.
#[test]
fn events_that_nobody_reads_are_lost() {
    let _turn = turn();
    let _module = Reloaded::with("max_events=10");
    let world = Fixture::new();
    let mut events = world.events().expect("events");
    for _ in 0..1000 {
        let child = world.fork(world.init);
        world.end(child, 0);
    }
    let read = events.read(false).expect("events");
    // One tells of those that are lost, the others are the last.
    assert_eq!(read.len(), 11, "{read:?}");
}

#[test]
#[ignore = "another test starts it"]
fn the_other_process() {
    let Some(cgroup) = env::var_os(CGROUP) else {
        return;
    };
    fs::write(Path::new(&cgroup).join("cgroup.procs"), "0").expect("cgroup.procs");
    let worlds: Vec<_> = (0..4).map(|_| World::open().expect("open")).collect();
    let newpid = CloneArgs::new().flags(CloneFlags::NEWPID);
    // Somebody may refuse, and then others too: there is no end to this but by force.
    loop {
        for world in &worlds {
            let init = world.info().expect("world").init;
            for _ in 0..100 {
                if let Ok(child) = world.clone(init, &newpid) {
                    for _ in 0..50 {
                        let _ = world.clone(child.task, &CloneArgs::new());
                    }
                }
            }
        }
    }
}

/// A memory cgroup of its own, as long as this is there.
struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    fn new(max: u64) -> Self {
        let root = env::temp_dir().join("altpid-cgroup");
        fs::create_dir_all(&root).expect("mkdir");
        if !root.join("cgroup.procs").exists() {
            let mounted = Command::new("mount")
                .args(["-t", "cgroup2", "none"])
                .arg(&root)
                .status();
            assert!(mounted.expect("mount").success(), "mount");
        }
        fs::write(root.join("cgroup.subtree_control"), "+memory").expect("the memory controller");
        let path = root.join("greedy");
        fs::create_dir(&path).expect("mkdir");
        fs::write(path.join("memory.max"), max.to_string()).expect("memory.max");
        Self { path }
    }

    /// The number in a file, or in the line of it that begins with a word.
    fn read(&self, file: &str, word: &str) -> u64 {
        let text = fs::read_to_string(self.path.join(file)).expect(file);
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(word));
        let number = lines.next().expect(word).trim();
        number.parse().expect("a number")
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let removed = fs::remove_dir(&self.path);
        assert!(removed.is_ok() || std::thread::panicking(), "{removed:?}");
    }
}

#[test]
fn memory_is_the_users_own() {
    // What can be had in there takes long to make and to end in the debug kernel.
    let max = scaled(48 << 20).max(10 << 20);
    let _turn = turn();
    let world = Fixture::new();
    let before = world.info().expect("world");
    let cgroup = Cgroup::new(max);
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "the_other_process", "--ignored"])
        .env(CGROUP, &cgroup.path)
        .stdout(Stdio::null())
        .spawn()
        .expect("another process");
    // In the middle of it others are not disturbed.
    let mut most = 0;
    let status = loop {
        let task = world.fork(world.init);
        world.end(task, 0);
        most = most.max(world.info().expect("world").pids);
        if let Some(status) = child.try_wait().expect("wait") {
            break status;
        }
    };
    assert_eq!(status.signal(), Some(libc::SIGKILL), "by the OOM killer");
    assert!(cgroup.read("memory.events", "oom_kill ") >= 1);
    let peak = cgroup.read("memory.peak", "");
    assert!(peak <= max, "{peak}");
    eventually("no pids of his", || {
        world.info().expect("world").pids <= before.pids
    });
    eventually("no world of his", || {
        world.info().expect("world").worlds == before.worlds
    });
    // What is left is what the kernel keeps in stock.
    eventually("his memory is free again", || {
        cgroup.read("memory.current", "") < 4 << 20
    });
    let left = cgroup.read("memory.current", "");
    tell(&format!(
        "a user with {} MiB of memory: {most} pids, killed at {} MiB, {} KiB charged afterwards",
        max >> 20,
        peak >> 20,
        left >> 10
    ));
}
