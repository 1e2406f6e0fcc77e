// SPDX-License-Identifier: GPL-2.0

//! Listings: what is in them, in parts of any size, and while things come and go.

use altpid::{
    CloneArgs, CloneFlags, Ns, NsId, NsState, PidfdFlags, Task, TaskId, TaskState, uapi::*,
};
use altpid_device_tests::{
    Fixture,
    figures::repeated,
    meanwhile::AtTheEnd,
    raw::{Access, Array, PAGE, Plain, Region, bytes_of, call, from_bytes},
};
use rustix::io::Errno;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// No more parts.
const END: u64 = u64::MAX;

/// A listing that goes around the library.
struct Listing<'a> {
    world: &'a Fixture,
    what: u32,
    ns: Option<NsId>,
    /// Bytes of an entry.
    entry: usize,
    flags: u32,
}

impl Listing<'_> {
    /// One part with room for `count` entries, which is not fresh: what is to be zero has to be made
    /// so. Returns the entries that were written, and where to go on.
    fn part(&self, cursor: u64, count: usize) -> Result<(Vec<Vec<u8>>, u64), Errno> {
        let mut room = Region::with_room(count * self.entry);
        room.write(0, &vec![0xaa; room.len()]);
        let (written, cursor) = self.part_in(cursor, count, &room, 0)?;
        let entries = (0..written).map(|n| room.read(n * self.entry, self.entry));
        Ok((entries.collect(), cursor))
    }

    /// Likewise, into a place of one's own.
    fn part_in(
        &self,
        cursor: u64,
        count: usize,
        room: &Region,
        at: usize,
    ) -> Result<(usize, u64), Errno> {
        let arg = altpid_list {
            size: size_of::<altpid_list>() as u32,
            what: self.what,
            ns: self.ns.map_or(0, |ns| ns.0),
            cursor,
            count: count as u32,
            entry_size: self.entry as u32,
            flags: self.flags,
            ..Default::default()
        };
        let mut region = Region::with_room(PAGE);
        let array = Array::At(room, at);
        let command = ALTPID_CMD_LIST;
        call(self.world, command, &bytes_of(&arg), array, &mut region, 0)?;
        let reply: altpid_list = from_bytes(&region.read(0, size_of::<altpid_list>()));
        assert!(reply.count as usize <= count);
        Ok((reply.count as usize, reply.cursor))
    }

    /// All parts.
    fn all(&self, count: usize) -> Vec<Vec<u8>> {
        let (mut all, mut cursor) = (Vec::new(), 0);
        while cursor != END {
            let (entries, next) = self.part(cursor, count).expect("list");
            assert!(next > cursor, "it gets on");
            all.extend(entries);
            cursor = next;
        }
        all
    }
}

fn tasks(world: &Fixture) -> Listing<'_> {
    Listing {
        world,
        what: ALTPID_LIST_TASKS,
        ns: None,
        entry: size_of::<altpid_task>(),
        flags: 0,
    }
}

fn namespaces(world: &Fixture) -> Listing<'_> {
    Listing {
        what: ALTPID_LIST_NAMESPACES,
        entry: size_of::<altpid_ns>(),
        ..tasks(world)
    }
}

fn ids(tasks: &[Task]) -> Vec<TaskId> {
    let mut ids: Vec<_> = tasks.iter().map(|task| task.id).collect();
    ids.sort();
    ids
}

fn structs<T: Plain>(entries: &[Vec<u8>]) -> Vec<T> {
    entries.iter().map(|bytes| from_bytes(bytes)).collect()
}

/// Containers within containers, with some processes, threads and zombies in each.
fn populated() -> Fixture {
    let world = Fixture::new();
    for _ in 0..3 {
        let (outer, _) = world.container(world.init);
        let (inner, _) = world.container(outer);
        for init in [outer, inner] {
            for _ in 0..10 {
                let child = world.fork(init);
                world.thread(child);
            }
            let zombie = world.fork(init);
            world.exit(zombie, 3).expect("exit");
        }
    }
    world
}

#[test]
fn every_entry_is_what_is_said_of_it_alone() {
    let world = populated();
    let all = world.tasks(None).expect("list");
    let info = world.info().expect("world");
    assert_eq!(all.len() as u64, info.tasks);
    for task in &all {
        assert_eq!(world.task(task.id), Ok(task.clone()));
    }
    let zombies = all.iter().filter(|t| t.state == TaskState::Zombie);
    assert_eq!(zombies.count() as u64, info.zombies);
    assert_eq!(info.zombies, 6);

    let all = world.namespaces(None).expect("list");
    assert_eq!(all.len(), 7);
    for ns in &all {
        assert_eq!(world.ns(ns.id), Ok(*ns));
    }
}

#[test]
fn entries_are_at_most_a_page() {
    let world = Fixture::new();
    let first = |entry| {
        let listing = Listing {
            entry,
            ..tasks(&world)
        };
        listing.part(0, 1).map(|(entries, _)| entries.concat())
    };
    let known = size_of::<altpid_task>();
    let entry = first(PAGE).expect("list");
    assert_eq!(entry[..known], first(known).expect("list"));
    assert!(entry[known..].iter().all(|&byte| byte == 0));
    assert_eq!(first(PAGE + 8), Err(Errno::TOOBIG));
    assert_eq!(first(8), Err(Errno::INVAL));
}

#[test]
fn a_view_leaves_out_what_is_not_visible() {
    let world = populated();
    let all = world.tasks(None).expect("list");
    let namespaces = world.namespaces(None).expect("list");
    let root = ids(&world.tasks(Some(world.root)).expect("list"));
    assert_eq!(root, ids(&all), "everybody is visible from the root");
    for view in &namespaces {
        // Visible is who has a number there.
        let is_below = |mut ns: NsId| loop {
            let found = world.ns(ns).expect("ns");
            match found.parent {
                _ if ns == view.id => return true,
                Some(parent) => ns = parent,
                None => return false,
            }
        };
        let expected: Vec<_> = all.iter().filter(|t| is_below(t.ns)).cloned().collect();
        let seen = world.tasks(Some(view.id)).expect("list");
        assert_eq!(ids(&seen), ids(&expected));
        // No process group is in use there but those of the members.
        assert!(seen.len() as u32 <= view.nr_pids);
        let seen = world.namespaces(Some(view.id)).expect("list");
        let seen: BTreeSet<_> = seen.iter().map(|ns| ns.id).collect();
        let expected = namespaces.iter().map(|ns| ns.id).filter(|&ns| is_below(ns));
        assert_eq!(seen, expected.collect());
    }
}

#[test]
fn parts_of_any_size_make_the_same_whole() {
    let world = populated();
    let mut small = Vec::new();
    for listing in [tasks(&world), namespaces(&world)] {
        let whole = listing.all(1000);
        for count in [1, 2, 3, 7, 63, 64, 65, whole.len(), whole.len() + 1] {
            assert_eq!(listing.all(count), whole, "{count} at a time");
        }
        small.push(whole.len());
    }
    assert_eq!(small, [1 + 6 * 22, 7]);
    // With a view there are parts without an entry in between.
    for ns in world.namespaces(None).expect("list") {
        let listing = Listing {
            ns: Some(ns.id),
            ..tasks(&world)
        };
        let whole = listing.all(1000);
        assert_eq!(listing.all(1), whole);
        assert_eq!(listing.all(5), whole);
    }
}

#[test]
fn room_for_nothing() {
    let world = populated();
    for listing in [tasks(&world), namespaces(&world)] {
        let (entries, cursor) = listing.part(0, 0).expect("list");
        assert!(entries.is_empty());
        assert_ne!(cursor, END, "there are more");
        let (entries, _) = listing.part(cursor, 1).expect("list");
        assert_eq!(entries.len(), 1);
    }
}

#[test]
fn behind_the_end() {
    let world = populated();
    for listing in [tasks(&world), namespaces(&world)] {
        for cursor in [1 << 20, 1 << 31, 1 << 32, 1 << 63, END - 1, END] {
            assert_eq!(listing.part(cursor, 10), Ok((Vec::new(), END)));
        }
    }
}

#[test]
fn entries_can_be_shorter_or_longer() {
    let world = populated();
    for mut listing in [tasks(&world), namespaces(&world)] {
        let full = listing.entry;
        let whole = listing.all(100);
        for entry in [16, 17, 24, full - 1, full + 1, full + 8, full + 200] {
            listing.entry = entry;
            let found = listing.all(100);
            assert_eq!(found.len(), whole.len());
            for (found, whole) in found.iter().zip(&whole) {
                let known = entry.min(full);
                assert_eq!(
                    found[4..known],
                    whole[4..known],
                    "the same as far as it goes"
                );
                assert!(found[known..].iter().all(|&byte| byte == 0), "then zeroes");
            }
        }
        for entry in [0, 1, 4, 8, 15] {
            listing.entry = entry;
            assert_eq!(listing.part(0, 10), Err(Errno::INVAL));
        }
    }
}

#[test]
fn what_listns_would_list() {
    let world = populated();
    // Everything in use is.
    let all = world.namespaces(None).expect("list");
    assert!(all.iter().all(|ns| ns.is_active));
    let ids = |namespaces: &[Ns]| namespaces.iter().map(|ns| ns.id).collect::<Vec<_>>();
    let active = || ids(&world.active_namespaces(None).expect("list"));
    assert_eq!(active(), ids(&all));
    // A dead one that a pidfd keeps is not, and nor is one that the one below keeps.
    let (outer, outer_ns) = world.container(world.init);
    let (inner, inner_ns) = world.container(outer);
    let pidfd = world.pidfd_of(inner, PidfdFlags::empty()).expect("pidfd");
    world.end(outer, 0);
    for ns in [outer_ns, inner_ns] {
        let found = world.ns(ns).expect("ns");
        assert_eq!((found.state, found.is_active), (NsState::Dead, false));
    }
    let visible = world.namespaces(Some(outer_ns)).expect("list");
    assert_eq!(visible.len(), 2);
    assert_eq!(world.active_namespaces(Some(outer_ns)), Ok(Vec::new()));
    assert_eq!(world.namespaces(None).expect("list").len(), all.len() + 2);
    assert_eq!(active(), ids(&all));
    // Parts of any size have the same in them.
    let listing = Listing {
        flags: ALTPID_LIST_REF_ACTIVE,
        ..namespaces(&world)
    };
    let whole = listing.all(1000);
    assert_eq!(listing.all(1), whole);
    // Whose children would be born there makes it active again.
    world.setns(world.init, inner_ns).expect("setns");
    assert_eq!(listing.all(1000).len(), whole.len() + 1);
    world.setns(world.init, world.root).expect("setns");
    assert_eq!(listing.all(1000), whole);
    world.pidfd_close(pidfd).expect("close");
    assert!(!world.has_ns(outer_ns) && !world.has_ns(inner_ns));
}

#[test]
fn bad_listings() {
    let world = populated();
    for what in [ALTPID_LIST_TASKS, ALTPID_LIST_BLOCKERS] {
        let listing = Listing {
            what,
            ns: Some(world.root),
            flags: ALTPID_LIST_REF_ACTIVE,
            ..tasks(&world)
        };
        assert_eq!(listing.part(0, 10), Err(Errno::INVAL));
    }
    let listing = Listing {
        flags: ALTPID_LIST_REF_ACTIVE << 1,
        ..namespaces(&world)
    };
    assert_eq!(listing.part(0, 10), Err(Errno::INVAL));
    for what in [0, 4, u32::MAX] {
        let listing = Listing {
            what,
            ..tasks(&world)
        };
        assert_eq!(listing.part(0, 10), Err(Errno::INVAL));
    }
    for mut listing in [tasks(&world), namespaces(&world)] {
        listing.ns = Some(NsId(1 << 40));
        assert_eq!(listing.part(0, 10), Err(Errno::NOENT));
    }
}

#[test]
fn a_fault_leaves_a_prefix() {
    let world = populated();
    for listing in [tasks(&world), namespaces(&world)] {
        let whole = listing.all(1000);
        for access in [Access::Nothing, Access::ReadOnly] {
            // Room for three entries and a part of the fourth.
            let mut room = Region::new(&[Access::ReadWrite, access]);
            room.write(0, &[0xaa; PAGE]);
            let at = PAGE - 3 * listing.entry - 8;
            let result = listing.part_in(0, 1000, &room, at);
            assert_eq!(result, Err(Errno::FAULT));
            for (n, entry) in whole.iter().take(3).enumerate() {
                let found = room.read(at + n * listing.entry, listing.entry);
                assert_eq!(&found, entry);
            }
            assert!(room.read(0, at).iter().all(|&byte| byte == 0xaa));
            // Those that fit can be had, and the rest from there.
            let (written, cursor) = listing.part_in(0, 3, &room, at).expect("list");
            assert_eq!(written, 3);
            let (rest, _) = listing.part(cursor, 1000).expect("list");
            assert_eq!(rest, whole[3..]);
        }
    }
}

#[test]
fn the_dead_are_not_listed() {
    let world = populated();
    let first = world.tasks(None).expect("list");
    let listing = tasks(&world);
    let (entries, cursor) = listing.part(0, 3).expect("list");
    assert_eq!(entries.len(), 3);
    // All but the world's init go between two parts.
    for task in &first {
        if task.parent == Some(world.init) {
            world.end(task.id, 0);
        }
    }
    let (entries, next) = listing.part(cursor, 1000).expect("list");
    assert_eq!((entries.len(), next), (0, END));
    assert_eq!(ids(&world.tasks(None).expect("list")), [world.init]);
    assert_eq!(world.namespaces(None).expect("list").len(), 1);
}

/// Makes processes, threads and namespaces in a place of its own, and ends them, over and over.
fn come_and_go(world: &Fixture, place: TaskId, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let children: Vec<_> = (0..20).map(|_| world.fork(place)).collect();
        for child in &children {
            world.thread(*child);
            world.born(*child, &CloneArgs::new().flags(CloneFlags::NEWPID));
        }
        for child in children {
            world.exit_group(child, 0).expect("exit_group");
        }
        while let Ok(Some(_)) = world.wait(place, -1, altpid_device_tests::WNOHANG) {}
        for orphan in world.tasks(None).expect("list") {
            if orphan.parent == Some(place) && orphan.is_reaper {
                world.exit(orphan.id, 0).expect("exit");
            }
        }
        while let Ok(Some(_)) = world.wait(place, -1, altpid_device_tests::WNOHANG) {}
    }
}

#[test]
fn what_stays_is_listed_once_whatever_comes_and_goes() {
    let world = Fixture::new();
    let places: Vec<_> = (0..2).map(|_| world.container(world.init).0).collect();
    // Between what comes and goes, so that they are not all at the beginning.
    let mut lasting = vec![world.init];
    let mut lasting_ns = vec![world.root];
    for round in 0..100 {
        let passing = world.fork(world.init);
        if round % 10 == 0 {
            let (init, ns) = world.container(world.init);
            lasting.push(init);
            lasting_ns.push(ns);
        } else {
            lasting.push(world.fork(world.init));
        }
        world.end(passing, 0);
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for &place in &places {
            let (world, stop) = (&world, &stop);
            scope.spawn(move || come_and_go(world, place, stop));
        }
        let _stop = AtTheEnd(&stop);
        for round in 0..repeated(40) as usize {
            let count = [1, 7, 64, 1000][round % 4];
            let found: Vec<altpid_task> = structs(&tasks(&world).all(count));
            let unique: BTreeSet<_> = found.iter().map(|task| task.task).collect();
            assert_eq!(unique.len(), found.len(), "nobody twice");
            for task in &lasting {
                assert!(unique.contains(&task.0), "{task:?} is missing");
            }
            let found: Vec<altpid_ns> = structs(&namespaces(&world).all(count));
            let unique: BTreeSet<_> = found.iter().map(|ns| ns.ns).collect();
            assert_eq!(unique.len(), found.len(), "none twice");
            for ns in &lasting_ns {
                assert!(unique.contains(&ns.0), "{ns:?} is missing");
            }
        }
    });
}
