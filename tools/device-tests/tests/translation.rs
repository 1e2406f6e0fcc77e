// SPDX-License-Identifier: GPL-2.0

//! What numbers of one namespace are in another.

use altpid::{Batch, CloneArgs, NsId, NsNr, Parent, TaskId, uapi::*};
use altpid_device_tests::{
    Fixture,
    raw::{Access, Array, PAGE, Region, ask, bytes_of, call, interrupt},
};
use rustix::{io::Errno, thread::gettid};
use std::{sync::mpsc, thread};

/// Not in use in the namespace that the number is from.
const GONE: i32 = -Errno::SRCH.raw_os_error();

/// All `numbers` of `from` as they are in `to`.
#[track_caller]
fn translated(world: &Fixture, from: NsId, to: NsId, numbers: &[i32]) -> Vec<i32> {
    let mut numbers = numbers.to_vec();
    let done = world
        .translate_in_place(from, to, &mut numbers)
        .expect("translate");
    assert_eq!(done, numbers.len());
    numbers
}

/// Two containers beside each other, one of them with one more inside.
struct Family {
    world: Fixture,
    outer: NsId,
    inner: NsId,
    sibling: NsId,
    /// In the innermost, with the numbers 40, 30 and 20.
    member: TaskId,
}

impl Family {
    fn new() -> Self {
        let world = Fixture::new();
        let (outer_init, outer) = world.container(world.init);
        let (inner_init, inner) = world.container(outer_init);
        let (_, sibling) = world.container(world.init);
        let member = world.born(inner_init, &CloneArgs::new().set_tid(&[20, 30, 40]));
        Self {
            world,
            outer,
            inner,
            sibling,
            member,
        }
    }
}

#[test]
fn from_everywhere_to_everywhere() {
    let family = Family::new();
    let (world, root) = (&family.world, family.world.root);
    let (outer, inner, sibling) = (family.outer, family.inner, family.sibling);
    // In the root: 1, outer's init 2, inner's 3, sibling's 4, the member 40. In outer: 1, 2, 30.
    let rows: &[(NsId, NsId, &[i32], &[i32])] = &[
        // To where it is from.
        (root, root, &[1, 2, 3, 4, 40], &[1, 2, 3, 4, 40]),
        (outer, outer, &[1, 2, 30], &[1, 2, 30]),
        (inner, inner, &[1, 20], &[1, 20]),
        // Down: who is not in there has no number.
        (root, outer, &[1, 2, 3, 4, 40], &[0, 1, 2, 0, 30]),
        (root, inner, &[1, 2, 3, 4, 40], &[0, 0, 1, 0, 20]),
        (outer, inner, &[1, 2, 30], &[0, 1, 20]),
        (root, sibling, &[1, 2, 3, 4, 40], &[0, 0, 0, 1, 0]),
        // Up: everybody has one.
        (inner, outer, &[1, 20], &[2, 30]),
        (inner, root, &[1, 20], &[3, 40]),
        (outer, root, &[1, 2, 30], &[2, 3, 40]),
        (sibling, root, &[1], &[4]),
        // Aside: nobody has.
        (sibling, outer, &[1], &[0]),
        (sibling, inner, &[1], &[0]),
        (outer, sibling, &[1, 2, 30], &[0, 0, 0]),
        (inner, sibling, &[1, 20], &[0, 0]),
    ];
    for &(from, to, numbers, expected) in rows {
        let found = translated(world, from, to, numbers);
        assert_eq!(found, expected, "{numbers:?} of {from:?} in {to:?}");
    }
}

#[test]
fn what_is_not_in_use_is_esrch_from_everywhere() {
    let family = Family::new();
    let all = [
        family.world.root,
        family.outer,
        family.inner,
        family.sibling,
    ];
    for from in all {
        for to in all {
            let numbers = [i32::MIN, -1, 0, 7, 32767, 4_194_303, 4_194_304, i32::MAX];
            let found = translated(&family.world, from, to, &numbers);
            assert_eq!(found, [GONE; 8], "{from:?} to {to:?}");
        }
    }
    // In use, but not there.
    assert_eq!(
        translated(&family.world, family.inner, family.world.root, &[40, 30]),
        [GONE, GONE]
    );
}

#[test]
fn zombies_have_numbers_and_the_dead_have_none() {
    let family = Family::new();
    let (world, inner) = (&family.world, family.inner);
    let to = |to| translated(world, inner, to, &[20]);
    let parent = world.parent_of(family.member);
    world.exit(family.member, 0).expect("exit");
    assert_eq!(to(world.root), [40]);
    assert_eq!(to(family.outer), [30]);
    assert_eq!(to(family.sibling), [0]);
    world.reap(parent.expect("a parent"));
    for ns in [world.root, family.outer, inner, family.sibling] {
        assert_eq!(to(ns), [GONE]);
    }
    assert_eq!(translated(world, world.root, inner, &[40]), [GONE]);
    // The number is somebody else's, whom others see differently.
    let args = CloneArgs::new().set_tid(&[20, 31, 41]);
    world.born(parent.expect("a parent"), &args);
    assert_eq!(to(world.root), [41]);
    assert_eq!(translated(world, world.root, inner, &[40, 41]), [GONE, 20]);
}

#[test]
fn threads_groups_and_sessions_have_numbers() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let leader = world.fork(init);
    let thread = world.thread(leader);
    let nr = world.own_pid(thread);
    let outside = world.number_in(thread, world.root);
    assert_eq!(translated(&world, ns, world.root, &[nr]), [outside]);
    // The number of a session whose leader is gone.
    let leader = world.fork(init);
    let (sid, outside) = (
        world.setsid(leader).expect("setsid"),
        world.number_in(leader, world.root),
    );
    let member = world.fork(leader);
    world.end(leader, 0);
    assert_eq!(translated(&world, ns, world.root, &[sid]), [outside]);
    world.end(member, 0);
    assert_eq!(translated(&world, ns, world.root, &[sid]), [GONE]);
}

#[test]
fn vectors_agree_with_translations() {
    let family = Family::new();
    let world = &family.world;
    let levels = [world.root, family.outer, family.inner];
    let numbers = world.pid_of(family.member);
    assert_eq!(numbers, [40, 30, 20]);
    for (from, nr) in levels.iter().zip(&numbers) {
        for (to, expected) in levels.iter().zip(&numbers) {
            assert_eq!(translated(world, *from, *to, &[*nr]), [*expected]);
        }
    }
}

/// Whose parent is above sees nobody above: getppid(2) is 0. The group and the session of an init
/// are outside as well.
#[test]
fn parents_groups_and_sessions_that_are_not_visible() {
    let world = Fixture::new();
    world.setsid(world.init).expect("setsid");
    let (init, ns) = world.container(world.init);
    let injected = world.inject(world.init, ns);
    let outsider = world.born(world.init, &CloneArgs::new().parent(Parent::Outside));
    for (task, expected) in [(init, &[1, 0][..]), (injected, &[1, 0]), (outsider, &[1])] {
        let task = world.task(task).expect("task");
        assert_eq!(
            (task.pgid.as_slice(), task.sid.as_slice()),
            (expected, expected)
        );
    }
    // The parent of both is there, with no number in the namespace.
    for task in [init, injected] {
        assert_eq!(world.parent_of(task), Some(world.init));
    }
    assert_eq!(translated(&world, world.root, ns, &[1]), [0]);
}

/// The ioctls of nsfs: the number is meant in the namespace, or as the task that asks sees it.
#[test]
fn what_the_file_of_a_namespace_is_asked() {
    let family = Family::new();
    let world = &family.world;
    let (outer, inner, sibling) = (family.outer, family.inner, family.sibling);
    let thread = world.thread(family.member);
    let inside = world.pid_of(thread)[2];
    let at_root = world.pid_of(thread)[0];
    let number = |nr, what| world.ns_nr(world.init, inner, nr, what);
    assert_eq!(number(20, NsNr::PidFrom), Ok(40));
    assert_eq!(number(inside, NsNr::PidFrom), Ok(at_root));
    assert_eq!(number(inside, NsNr::TgidFrom), Ok(40));
    assert_eq!(number(at_root, NsNr::PidIn), Ok(inside));
    assert_eq!(number(at_root, NsNr::TgidIn), Ok(20));
    for (nr, what) in [
        (30, NsNr::PidFrom),
        (99, NsNr::TgidFrom),
        (1, NsNr::PidIn),
        (0, NsNr::TgidIn),
        (-1, NsNr::PidIn),
        (i32::MIN, NsNr::PidFrom),
    ] {
        world.refuses(Errno::SRCH, |w| w.ns_nr(world.init, inner, nr, what));
    }
    // Who asks from inside sees nobody above, but everybody above sees it.
    world.refuses(Errno::SRCH, |w| {
        w.ns_nr(family.member, outer, 1, NsNr::PidFrom)
    });
    let own = world.ns_nr(family.member, world.root, 20, NsNr::PidIn);
    assert_eq!(own, Ok(40));
    // The parent: as far up as who asks.
    assert_eq!(world.ns_parent(world.init, inner), Ok(outer));
    assert_eq!(world.ns_parent(world.init, sibling), Ok(world.root));
    for (task, ns) in [
        (world.init, world.root),
        (family.member, inner),
        (family.member, sibling),
    ] {
        world.refuses(Errno::PERM, |w| w.ns_parent(task, ns));
    }
}

/// What it may not be asked.
#[test]
fn bad_questions_to_the_file_of_a_namespace() {
    let world = Fixture::new();
    let request = |what, nr, reserved| {
        let arg = altpid_ns_get {
            size: size_of::<altpid_ns_get>() as u32,
            what,
            task: world.init.0,
            ns: world.root.0,
            nr,
            reserved,
            parent: 0,
        };
        ask(&world, ALTPID_CMD_NS_GET, &arg).map(drop)
    };
    assert_eq!(request(ALTPID_NS_GET_PID_IN_PIDNS, 1, 0), Ok(()));
    for (what, nr, reserved) in [
        (ALTPID_NS_GET_PARENT, 1, 0),
        (0, 1, 0),
        (5, 1, 0),
        (10, 1, 0),
        (ALTPID_NS_GET_PID_IN_PIDNS, 1, 1),
    ] {
        assert_eq!(request(what, nr, reserved), Err(Errno::INVAL));
    }
    assert_eq!(request(ALTPID_NS_GET_PARENT, 0, 0), Err(Errno::PERM));
}

#[test]
fn none_and_many() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    assert_eq!(translated(&world, world.root, ns, &[]), [0; 0]);
    let mut expected = vec![0, 1];
    for nr in 2..700 {
        world.fork(init);
        expected.push(nr);
    }
    // Longer than any piece that the module may work in, and not a multiple of it.
    let outside: Vec<i32> = (1..=700).collect();
    assert_eq!(translated(&world, world.root, ns, &outside), expected);
    let again: Vec<i32> = outside.iter().cycle().take(100_003).copied().collect();
    let found = translated(&world, world.root, ns, &again);
    assert!(
        found
            .iter()
            .zip(expected.iter().cycle())
            .all(|(a, b)| a == b)
    );
}

/// A million numbers in one call, from and to every level, and the whole vectors of who has them.
#[test]
fn a_million_numbers() {
    const MILLION: usize = 1_000_000;
    /// Prime to the million: every number comes, and not in order.
    const STRIDE: usize = 7919;
    const MEMBERS: i32 = 3000;
    let world = Fixture::new();
    let (outer_init, outer) = world.container(world.init);
    let (inner_init, inner) = world.container(outer_init);
    // Init of the root is 1, that of the outer one 2 and 1, that of the inner one 3, 2 and 1.
    let mut members = Batch::new();
    for _ in 0..MEMBERS {
        members.clone(inner_init, &CloneArgs::new());
    }
    let members = members.run(&world, false).expect("batch");
    let last = 3 + MEMBERS;
    let numbers: Vec<i32> = (0..MILLION)
        .map(|i| (i * STRIDE % MILLION) as i32)
        .collect();
    // By how much less they are one level below the root, and one below that.
    let levels = [(world.root, 0), (outer, 1), (inner, 2)];
    for (from, up) in levels {
        for (to, down) in levels {
            let found = translated(&world, from, to, &numbers);
            for (nr, found) in numbers.iter().zip(found) {
                let outside = nr + up;
                let expected = match outside - down {
                    _ if *nr < 1 || outside > last => GONE,
                    inside => inside.max(0),
                };
                assert_eq!(found, expected, "{nr} of {from:?} in {to:?}");
            }
        }
    }
    for (nr, member) in (4..).zip(members) {
        let member = TaskId(member.expect("clone"));
        assert_eq!(world.pid_of(member), [nr, nr - 1, nr - 2]);
    }
}

/// Issues a translation of `count` numbers in a region.
fn issue(world: &Fixture, to: NsId, count: u32, room: &Region, at: usize) -> Result<u32, Errno> {
    let arg = altpid_translate {
        size: size_of::<altpid_translate>() as u32,
        count,
        from: world.root.0,
        to: to.0,
        ..Default::default()
    };
    let mut region = Region::with_room(PAGE);
    let array = Array::At(room, at);
    let command = ALTPID_CMD_TRANSLATE;
    call(world, command, &bytes_of(&arg), array, &mut region, 0)?;
    let count = region.read(std::mem::offset_of!(altpid_translate, count), 4);
    Ok(u32::from_ne_bytes(count.try_into().expect("four bytes")))
}

#[test]
fn a_fault_leaves_a_prefix() {
    let world = Fixture::new();
    let (_, ns) = world.container(world.init);
    let per_page = PAGE / size_of::<i32>();
    for access in [Access::Nothing, Access::ReadOnly] {
        let mut room = Region::new(&[Access::ReadWrite, access]);
        room.write_numbers(0, &vec![2; 2 * per_page]);
        let count = per_page as u32 + 1;
        assert_eq!(issue(&world, ns, count, &room, 0), Err(Errno::FAULT));
        let found = room.read_numbers(0, 2 * per_page);
        let prefix = found.iter().take_while(|&&nr| nr == 1).count();
        assert!(prefix > 0 && prefix <= per_page);
        assert!(found[prefix..].iter().all(|&nr| nr == 2));
        assert_eq!(issue(&world, ns, 0, &room, 2 * PAGE), Ok(0));
    }
}

#[test]
fn the_array_can_be_anywhere() {
    let world = Fixture::new();
    let (_, ns) = world.container(world.init);
    for at in [1, 2, 3, PAGE - 2, 2 * PAGE - 12] {
        let mut room = Region::with_room(2 * PAGE);
        room.write_numbers(at, &[1, 2, 3]);
        assert_eq!(issue(&world, ns, 3, &room, at), Ok(3));
        assert_eq!(room.read_numbers(at, 3), [0, 1, GONE]);
    }
}

#[test]
fn a_signal_ends_a_long_one_early() {
    const MANY: usize = 1 << 20;
    let world = Fixture::new();
    let (_, ns) = world.container(world.init);
    let mut numbers = vec![2; MANY];
    let done = thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let (world, numbers) = (&world, &mut numbers);
        let translator = scope.spawn(move || {
            sender.send(gettid()).expect("somebody who wants to know");
            loop {
                numbers.fill(2);
                let done = world
                    .translate_in_place(world.root, ns, numbers)
                    .expect("translate");
                if done < MANY {
                    return done;
                }
            }
        });
        let tid = receiver.recv().expect("a thread");
        while !translator.is_finished() {
            interrupt(tid);
            thread::yield_now();
        }
        translator.join().expect("a translation")
    });
    assert!(done > 0, "it gets on");
    assert!(numbers[..done].iter().all(|&nr| nr == 1));
    assert!(numbers[done..].iter().all(|&nr| nr == 2));
}
