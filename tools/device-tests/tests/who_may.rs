// SPDX-License-Identifier: GPL-2.0

//! Who may: the device is root's, a world is whose it is, and the kernel's memory is the kernel's.

use altpid::{
    Kill, PidfdFlags, Scope, WaitFlags, WaitId, World,
    uapi::{ALTPID_CMD_WORLD, altpid_event, altpid_world},
};
use altpid_device_tests::{
    Fixture, State, WNOHANG,
    command::{COMMANDS, Command},
    figures::tell,
    header::{Kind, shapes},
    raw::{Arena, PAGE, Region, Slots},
};
use rustix::io::Errno;
use std::{
    env, fs,
    mem::offset_of,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::{self, Stdio},
};

/// What the other process is to find when it opens the device.
const EXPECTED: &str = "ALTPID_TEST_EXPECTED";

/// nobody, and its group.
const NOBODY: u32 = 65534;

/// waitid(2) for those that exit.
const WEXITED: WaitFlags = WaitFlags::EXITED;

#[test]
#[ignore = "another test starts it"]
fn the_other_process() {
    let Ok(expected) = env::var(EXPECTED) else {
        return;
    };
    match World::open() {
        Ok(_) => assert_eq!(expected, "a world"),
        Err(error) => assert_eq!(format!("{}", error.errno), expected),
    }
}

/// Lets nobody open the device.
fn nobody_finds(expected: &str) {
    let status = process::Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "the_other_process", "--ignored"])
        .env(EXPECTED, expected)
        .stdout(Stdio::null())
        .uid(NOBODY)
        .gid(NOBODY)
        .status();
    assert!(status.expect("another process").success(), "{expected}");
}

#[test]
fn the_device_is_roots() {
    let device = World::device();
    let metadata = fs::metadata(&device).expect("the device");
    assert!(metadata.file_type().is_char_device());
    assert_eq!(metadata.mode() & 0o7777, 0o600);
    assert_eq!((metadata.uid(), metadata.gid()), (0, 0));
    nobody_finds(&format!("{}", Errno::ACCESS));
    // What a udev rule does.
    fs::set_permissions(&device, fs::Permissions::from_mode(0o666)).expect("chmod");
    nobody_finds("a world");
    fs::set_permissions(&device, fs::Permissions::from_mode(0o600)).expect("chmod");
    nobody_finds(&format!("{}", Errno::ACCESS));
}

/// What debugfs shows of all worlds is for root as well.
#[test]
fn so_is_what_debugfs_shows() {
    let _world = Fixture::new();
    let debugfs = fs::metadata("/sys/kernel/debug").expect("debugfs");
    assert_eq!(debugfs.mode() & 0o077, 0, "nobody else gets in");
    for entry in fs::read_dir("/sys/kernel/debug/altpid").expect("a directory") {
        // One of another test may have gone.
        if let Ok(metadata) = entry.and_then(|entry| entry.metadata()) {
            assert_eq!(metadata.mode() & 0o077, 0);
        }
    }
}

/// No id of one world is anything in another, whatever command it is given to.
#[test]
fn ids_of_another_world_name_nothing() {
    let (here, there) = (Fixture::new(), Fixture::new());
    let room = Region::with_room(PAGE);
    // Ids that are beyond what is here.
    let mut task = there.init;
    let mut ns = there.root;
    let mut pidfd = there.pidfd_of(task, PidfdFlags::empty());
    for _ in 0..40 {
        task = there.fork(there.init);
        (_, ns) = there.container(there.init);
        pidfd = there.pidfd_of(task, PidfdFlags::empty());
    }
    let pidfd = pidfd.expect("pidfd_open");
    let mut tried = 0;
    for command in COMMANDS.iter() {
        let shape = shapes().iter().find(|shape| shape.name == command.name);
        for member in &shape.expect(command.name).members {
            let id = match member.kind {
                Kind::Task => task.0,
                Kind::Namespace => ns.0,
                Kind::Pidfd => pidfd.0,
                _ => continue,
            };
            let mut request = command.request(&here, &room);
            request.put(member.at, &id.to_le_bytes());
            let (before, other) = (State::of(&here), State::of(&there));
            let result = request.send(&here);
            let errno = result.expect_err(command.name);
            assert!(
                [Errno::SRCH, Errno::NOENT, Errno::BADF, Errno::INVAL].contains(&errno),
                "{} of {}: {errno}",
                member.name,
                command.name
            );
            assert_eq!(State::of(&here), before, "{}", command.name);
            assert_eq!(State::of(&there), other, "{}", command.name);
            tried += 1;
        }
    }
    // Where a pidfd stands for what is otherwise named by a number, an id or a namespace.
    here.refuses(Errno::BADF, |w| w.setns_by_pidfd(here.init, pidfd));
    here.refuses(Errno::BADF, |w| {
        w.waitid(here.init, WaitId::Pidfd(pidfd), WEXITED | WNOHANG)
    });
    for signal in [0, 9] {
        let kill = Kill::Pidfd(here.init, pidfd, Scope::AsOpened);
        here.refuses(Errno::BADF, |w| w.kill(kill, signal));
    }
    tell(&format!("ids of another world: {tried} members refused"));
}

/// Whether 8 bytes are an address of the kernel: of memory, of its text or of modules.
fn is_kernel_address(bytes: [u8; 8]) -> bool {
    let value = u64::from_le_bytes(bytes);
    (0xffff_8000_0000_0000..0xffff_ff80_0000_0000).contains(&value)
        || (0xffff_ffff_8000_0000..0xffff_ffff_ff00_0000).contains(&value)
}

/// No 8 bytes at a multiple of 4 are an address of the kernel.
#[track_caller]
fn has_no_address(what: &str, bytes: &[u8]) {
    for window in bytes.windows(8).step_by(4) {
        let window: [u8; 8] = window.try_into().expect("8 bytes");
        assert!(!is_kernel_address(window), "{what}: {window:x?}");
    }
}

/// What stands in memory before a command writes to it.
const PATTERN: u8 = 0xa5;

/// Issues a command in a new world: the struct and the array that come back. Nothing else may be
/// written to.
fn reply(command: &Command) -> (Vec<u8>, Vec<u8>) {
    let world = Fixture::new();
    let mut room = Region::with_room(PAGE);
    room.write(0, &[PATTERN; PAGE]);
    if command.name == "TRANSLATE" {
        room.write_numbers(0, &[1, 2, 3, 4]);
    }
    let mut room = room;
    if command.name == "BATCH" {
        room.write(0, &[0; 40]);
    }
    let request = command.request(&world, &room);
    let mut region = Region::with_room(PAGE);
    region.write(0, &[PATTERN; PAGE]);
    let before = room.read(0, PAGE);
    let result = request.send_in(&world, &mut region, 0);
    result.unwrap_or_else(|error| panic!("{}: {error}", command.name));
    let behind = region.read(command.size, PAGE - command.size);
    assert!(behind.iter().all(|&b| b == PATTERN), "{}", command.name);
    let array = room.read(0, PAGE);
    let used = array.iter().zip(&before).rposition(|(a, b)| a != b);
    let array = array[..used.map_or(0, |last| last + 1)].to_vec();
    // The address of the array is the caller's own.
    let sent = request.as_sent();
    let mut answer = region.read(0, command.size);
    for member in &shapes()
        .iter()
        .find(|s| s.name == command.name)
        .expect("it")
        .members
    {
        if member.kind == Kind::Address {
            let at = member.at..member.at + member.size;
            assert_eq!(answer[at.clone()], sent[at.clone()]);
            answer[at].fill(0);
        }
    }
    if command.number == ALTPID_CMD_WORLD {
        // What there is in the whole module depends on the other tests.
        for at in [
            offset_of!(altpid_world, pids),
            offset_of!(altpid_world, worlds),
        ] {
            answer[at..at + 8].fill(0);
        }
    }
    (answer, array)
}

/// A reply is the same whenever the same is asked in the same world, so that no byte of it is what
/// happened to be in the kernel's memory; and none of it is an address.
#[test]
fn replies_have_nothing_of_the_kernels_memory() {
    let mut bytes = 0;
    for command in COMMANDS.iter() {
        let first = reply(command);
        for _ in 0..3 {
            // Other things on the stack and in the allocator meanwhile.
            drop(reply(&COMMANDS[fastrand::usize(..COMMANDS.len())]));
            let again = reply(command);
            assert_eq!(again, first, "{}", command.name);
        }
        has_no_address(command.name, &first.0);
        has_no_address(command.name, &first.1);
        bytes += first.0.len() + first.1.len();
    }
    tell(&format!(
        "replies of {} commands: {bytes} bytes, none of them by chance, no address",
        COMMANDS.len()
    ));
}

#[test]
fn events_have_nothing_of_the_kernels_memory() {
    let events = || {
        let world = Fixture::new();
        let (arena, slots) = (Arena::new(), Slots::new(1));
        slots.put(0, &world);
        let len = 64 * size_of::<altpid_event>();
        rustix::fs::fcntl_setfl(&world, rustix::fs::OFlags::NONBLOCK).expect("fcntl");
        let none = slots.read(0, &arena, len, Some(0));
        assert_eq!(none, Err(Errno::AGAIN));
        let (init, _) = world.container(world.init);
        world.setsid(world.fork(init)).expect("setsid");
        world.kill(altpid::Kill::Outside(init), 19).expect("kill");
        world.kill(altpid::Kill::Outside(init), 18).expect("kill");
        world.end(init, 3);
        arena.write(arena.array(0), &vec![PATTERN; len + 8]);
        let read = slots.read(0, &arena, len, Some(0)).expect("events");
        let mut bytes = vec![0; len + 8];
        arena.read(arena.array(0), &mut bytes);
        assert!(bytes[read..].iter().all(|&byte| byte == PATTERN));
        bytes.truncate(read);
        slots.clear(0);
        bytes
    };
    let first = events();
    assert!(first.len() > 8 * size_of::<altpid_event>());
    assert_eq!(events(), first);
    has_no_address("events", &first);
}
