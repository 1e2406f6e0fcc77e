// SPDX-License-Identifier: GPL-2.0

//! The module goes when nobody uses it, and not before: whatever of it user space holds meanwhile
//! either keeps it or survives it.

use altpid::{CloneArgs, CloneFlags, TaskId, World};
use altpid_device_tests::{
    Fixture,
    caller::{Caller, Gate, Given, kill_all},
    crowd::{children, wide},
    figures::scaled,
    members, module,
    patience::eventually,
    sleeper::Sleeper,
};
use rustix::{
    event::{PollFd, PollFlags, epoll, poll},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{Error, Read, Seek},
    os::{
        fd::{AsFd, AsRawFd},
        unix::fs::{FileExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

/// Where debugfs shows worlds.
const DEBUGFS: &str = "/sys/kernel/debug/altpid";

/// A test's turn; at its end the module is loaded.
struct Turn {
    _guard: MutexGuard<'static, ()>,
}

impl Turn {
    fn new() -> Self {
        static TURNS: Mutex<()> = Mutex::new(());
        let guard = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        Self { _guard: guard }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A test that has failed may have left it.
        if !Path::new("/sys/module/altpid").exists() {
            module::load("").expect("the module loads");
        }
    }
}

/// The file in debugfs that shows a world.
fn debugfs_file(world: &Fixture) -> PathBuf {
    let info = fs::read_to_string(fdinfo(world)).expect("fdinfo");
    let number = info.lines().find_map(|line| line.strip_prefix("world:\t"));
    Path::new(DEBUGFS).join(number.expect("a number"))
}

/// The fdinfo of a world's descriptor.
fn fdinfo(world: &Fixture) -> String {
    format!("/proc/self/fdinfo/{}", world.as_fd().as_raw_fd())
}

/// Opens a file with O_PATH: only to name it.
fn name(path: impl AsRef<Path>) -> File {
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(libc::O_PATH);
    options.open(path).expect("a file with that name")
}

/// What an open of a file says that somebody holds.
fn open_again(held: &File) -> Option<Errno> {
    let path = format!("/proc/self/fd/{}", held.as_raw_fd());
    File::open(path).err().map(|error| errno(&error))
}

fn errno(error: &Error) -> Errno {
    Errno::from_io_error(error).expect("an errno")
}

/// All files below a directory, links not followed.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), found),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

#[test]
fn it_stays_while_somebody_polls_and_goes_before_what_has_polled() {
    let _turn = Turn::new();
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
    let world = Fixture::new();
    let data = epoll::EventData::new_u64(1);
    epoll::add(&set, &*world, data, epoll::EventFlags::IN).expect("add");
    thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || {
            poll(&mut [PollFd::new(&*world, PollFlags::IN)], None)
        });
        assert_eq!(module::unload(), Err(Errno::AGAIN));
        world.fork(world.init);
        assert_eq!(sleeper.result(), Ok(1));
    });
    assert_eq!(module::unload(), Err(Errno::AGAIN));
    // The world goes with its descriptor, though the set has asked for it.
    drop(world);
    module::unload_when_unused();
    drop(set);
}

/// A real process in a world of which nobody has a descriptor any more.
#[test]
fn a_member_keeps_it() {
    let _turn = Turn::new();
    let world = Fixture::new();
    if !members::has_members() {
        return;
    }
    let one = module::OneCpu::begin();
    let mut child = members::exec(&world, &["--", members::program(), "closing", "sh", "-c"])
        .arg("echo closed; read line")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let out = child.stdout.as_mut().expect("its output");
    out.read_exact(&mut [0; 7]).expect("a line");
    drop(one);
    drop(world);
    assert_eq!(module::unload(), Err(Errno::AGAIN));
    drop(child.stdin.take());
    child.wait().expect("its end");
    module::unload_when_unused();
}

/// The file operations of a file that is open are looked at once more when it is closed.
#[test]
fn an_open_file_of_debugfs_keeps_it() {
    let _turn = Turn::new();
    let world = Fixture::new();
    let path = debugfs_file(&world);
    let unread = File::open(&path).expect("debugfs");
    let mut read = File::open(&path).expect("debugfs");
    assert_eq!(read.read(&mut [0; 1]).expect("a byte"), 1);
    drop(world);
    assert!(!path.exists(), "the file goes with its world");
    for _ in 0..3 {
        assert_eq!(module::unload(), Err(Errno::AGAIN));
    }
    // What was not read yet cannot be read any more.
    for file in [&mut read, &mut { unread }] {
        let error = file.read(&mut [0; 64]).expect_err("removed");
        assert_eq!(errno(&error), Errno::IO);
        assert!(file.rewind().is_err());
        assert_eq!(open_again(file), Some(Errno::NOENT));
    }
    assert_eq!(module::unload(), Err(Errno::AGAIN));
    drop(read);
    module::unload_when_unused();
}

/// Who has only named a file does not keep the module; who opens it by that afterwards makes the
/// kernel look at its file operations for the first time.
#[test]
fn a_file_of_debugfs_that_was_only_named_survives_it() {
    let _turn = Turn::new();
    let world = Fixture::new();
    let path = debugfs_file(&world);
    let (file, directory) = (name(&path), name(DEBUGFS));
    let listed = fs::read_dir(DEBUGFS).expect("a directory");
    let opened = File::open(DEBUGFS).expect("a directory");
    drop(world);
    module::unload_when_unused();
    assert_eq!(open_again(&file), Some(Errno::NOENT));
    assert_eq!(listed.count(), 0);
    assert!(!Path::new(DEBUGFS).exists());
    // Another load makes another directory, which these are not in.
    module::load("").expect("the module loads");
    let world = Fixture::new();
    assert!(debugfs_file(&world).exists());
    assert_eq!(open_again(&file), Some(Errno::NOENT));
    drop(world);
    module::unload_when_unused();
    drop((file, directory, opened));
}

#[test]
fn a_device_that_was_only_named_survives_it() {
    let _turn = Turn::new();
    let device = name(altpid::World::device());
    let descriptor = {
        let world = Fixture::new();
        name(format!("/proc/self/fd/{}", world.as_fd().as_raw_fd()))
    };
    module::unload_when_unused();
    for named in [&device, &descriptor] {
        let error = open_again(named).expect("no device");
        assert!([Errno::NODEV, Errno::NXIO].contains(&error), "{error}");
    }
}

/// A duplicate keeps it, wherever it is: here it is on its way through a socket.
#[test]
fn a_descriptor_on_its_way_keeps_it() {
    use rustix::net::{
        AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
        SocketType, sendmsg, socketpair,
    };
    let _turn = Turn::new();
    let (from, to) = socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .expect("socketpair");
    let world = Fixture::new();
    let descriptors = [world.as_fd()];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    assert!(message.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let byte = [std::io::IoSlice::new(b"x")];
    assert_eq!(
        sendmsg(&from, &byte, &mut message, SendFlags::empty()),
        Ok(1)
    );
    drop((world, from));
    assert_eq!(module::unload(), Err(Errno::AGAIN));
    drop(to);
    module::unload_when_unused();
}

/// Files of /proc and /sys that are about it, or about what it has made.
#[test]
fn what_the_kernel_says_of_it_survives_it() {
    let _turn = Turn::new();
    let world = Fixture::new();
    // Pids and nodes, so that their caches are there.
    world.container(world.init);
    let mut paths = Vec::new();
    for directory in [
        "/sys/module/altpid",
        "/sys/devices/virtual/misc/altpid",
        "/sys/kernel/slab/altpid_node",
        "/sys/kernel/slab/altpid_pid_0",
        "/sys/kernel/debug/slab/altpid_pid_0",
    ] {
        files(Path::new(directory), &mut paths);
    }
    assert!(
        paths.iter().any(|path| path.ends_with("refcnt")),
        "{paths:?}"
    );
    assert!(paths.iter().any(|path| path.ends_with("dev")), "{paths:?}");
    let named: Vec<_> = paths.iter().map(name).collect();
    let open: Vec<_> = paths
        .iter()
        .filter_map(|path| File::open(path).ok())
        .collect();
    assert!(open.len() > 5, "{paths:?}");
    for file in &open {
        let _ = file.read_at(&mut [0; 16], 0);
    }
    let mut info = File::open(fdinfo(&world)).expect("fdinfo");
    let unread = File::open(fdinfo(&world)).expect("fdinfo");
    assert_eq!(info.read(&mut [0; 1]).expect("a byte"), 1);
    drop(world);
    module::unload_when_unused();
    for file in &open {
        // Some are of a cache that others use as well.
        let _ = file.read_at(&mut [0; 4096], 0);
    }
    for file in &named {
        open_again(file);
    }
    for mut file in [info, unread] {
        let _ = file.read(&mut [0; 4096]);
        let _ = file.rewind();
        let _ = file.read(&mut [0; 4096]);
    }
}

/// What waits for a grace period is freed by code of the module.
#[test]
fn it_waits_for_what_it_has_given_up() {
    let _turn = Turn::new();
    for _ in 0..10 {
        let world = Fixture::new();
        // Namespaces, and nodes of the root's table: each number is far from the one before.
        for round in 1..100 {
            let (init, _) = world.container(world.init);
            world.end(init, 0);
            world
                .set_last_pid(world.root, 300 * round)
                .expect("last_pid");
        }
        drop(world);
        eventually("nobody uses the module", || module::unload().is_ok());
        module::load("").expect("the module loads");
    }
}

/// Ends a process and stays, until it is killed.
#[test]
#[ignore = "another test starts it"]
fn the_other_process() {
    let Some(given) = Given::by_the_other() else {
        return;
    };
    given.makes(|| {
        // Who is killed in there does not see what comes of it.
        let _ = given.world.exit_group(TaskId(given.numbers[0]), 3);
    });
}

/// A caller is killed while a container of so many dies, and the last descriptor of the world is closed: his,
/// or one that this process has. Whether the world was still there then, and was worked on: nobody else has
/// it. The module goes at once.
fn is_worked_on_when_closed(closed_first: bool, count: usize) -> bool {
    let watch = World::open().expect("the device");
    let worlds = || watch.info().expect("world").worlds;
    let before = worlds();
    let world = World::open().expect("the device");
    wide(&world);
    let init = world.info().expect("world").init;
    let args = CloneArgs::new().flags(CloneFlags::NEWPID);
    let container = world.clone(init, &args).expect("clone").task;
    let members = children(&world, container, count);
    let gate = Gate::new(&world);
    let numbers = [container.0, gate.number()];
    let mut callers = [Caller::start("exit_group", &world, &numbers)];
    gate.open(&world);
    eventually("they begin to die", || world.task(members[0]).is_err());
    if closed_first {
        drop(world);
        kill_all(&mut callers);
    } else {
        kill_all(&mut callers);
        drop(world);
    }
    let is_hit = worlds() > before;
    drop(watch);
    module::unload_when_unused();
    module::load("").expect("the module loads");
    is_hit
}

/// The work item goes on with what a killed caller has left when nobody has the world open any more, and
/// the module waits for it.
#[test]
fn it_waits_for_what_a_killed_caller_has_left() {
    const TRIES: usize = 10;
    let _turn = Turn::new();
    // Afterwards there are no probes, which would have to go before the module.
    module::unload_when_unused();
    module::load("").expect("the module loads");
    for closed_first in [false, true] {
        let count = scaled(50_000) as usize;
        let is_hit = (0..TRIES).any(|_| is_worked_on_when_closed(closed_first, count));
        assert!(
            is_hit,
            "in {TRIES} tries no world was worked on when it was closed ({closed_first})"
        );
    }
}
