// SPDX-License-Identifier: GPL-2.0

//! Structs that are too small, too large, not there, or full of nonsense: each command has its
//! error for that, and does nothing.

use altpid_device_tests::{
    Fixture, State,
    command::{COMMANDS, Command, Request},
    raw::{Access, Array, PAGE, Region, call_nowhere},
};
use rustix::io::Errno;

/// Addresses of memory that no process has.
const NOWHERE: [u64; 6] = [
    0,
    8,
    0x8000_0000_0000_0000,
    0xffff_8000_0000_0000,
    0xffff_ffff_ffff_f000,
    u64::MAX,
];

/// Runs `test` for every command, each with a request that would succeed in a world of its own.
fn each(mut test: impl FnMut(&Fixture, &mut Request<'_>)) {
    for command in COMMANDS.iter() {
        let room = Region::with_room(PAGE);
        let world = Fixture::new();
        test(&world, &mut command.request(&world, &room));
    }
}

/// A request that must fail and change nothing.
#[track_caller]
fn refused(world: &Fixture, request: &Request<'_>, errno: Errno) {
    let before = State::of(world);
    let name = request.command.name;
    assert_eq!(request.send(world).err(), Some(errno), "{name}");
    assert_eq!(State::of(world), before, "{name}");
    world.check();
}

#[test]
fn the_requests_are_good_ones() {
    each(|world, request| {
        let name = request.command.name;
        let reply = request
            .send(world)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let changed = reply != request.bytes;
        let may_change = request.command.replies;
        assert!(may_change || !changed, "{name} writes nothing back");
    });
}

#[test]
fn a_size_below_the_first_is_einval() {
    each(|world, request| {
        for size in [0, 1, 3, 4, 8, request.command.first_size() - 1] {
            request.resize(size as u32);
            refused(world, request, Errno::INVAL);
        }
    });
}

#[test]
fn a_shorter_struct_is_extended_with_zeroes() {
    for more in [0, 1, 4, 8, 12] {
        each(|world, request| {
            let Command { name, size, .. } = request.command;
            let size = size.min(request.command.first_size() + more);
            request.resize(size as u32);
            let reply = request.send(world);
            let reply = reply.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(reply.len(), size, "{name}");
        });
    }
}

#[test]
fn a_longer_struct_is_taken_when_the_rest_is_zero() {
    for extra in [1, 8, 63, 64, 65, 200] {
        each(|world, request| {
            let size = request.command.size + extra;
            request.resize(size as u32);
            let reply = request.send(world).expect(request.command.name);
            assert_eq!(reply[..4], (size as u32).to_ne_bytes(), "the caller's size");
            let rest = &reply[request.command.size..];
            assert!(rest.iter().all(|&byte| byte == 0), "what is not known");
        });
    }
}

#[test]
fn a_whole_page_is_the_most() {
    each(|world, request| {
        request.resize(PAGE as u32 + 1);
        refused(world, request, Errno::TOOBIG);
        request.resize(u32::MAX);
        refused(world, request, Errno::TOOBIG);
        request.resize(i32::MIN as u32);
        refused(world, request, Errno::TOOBIG);
        request.resize(PAGE as u32);
        request.send(world).expect(request.command.name);
    });
}

#[test]
fn a_longer_struct_with_something_in_the_rest_is_e2big() {
    each(|world, request| {
        let size = request.command.size;
        for (len, at) in [
            (size + 8, size),
            (size + 8, size + 7),
            (size + 200, size + 64),
            (PAGE, PAGE - 1),
        ] {
            request.bytes.truncate(size);
            request.resize(len as u32);
            request.put(at, &[1]);
            refused(world, request, Errno::TOOBIG);
        }
    });
}

#[test]
fn a_struct_that_is_not_there_is_efault() {
    each(|world, request| {
        let before = State::of(world);
        let Command { name, number, .. } = request.command;
        for address in NOWHERE {
            let result = call_nowhere(world, number, address);
            assert_eq!(result, Err(Errno::FAULT), "{name} at {address:#x}");
        }
        let mut region = Region::new(&[Access::Nothing]);
        let result = request.send_in(world, &mut region, 0);
        assert_eq!(result, Err(Errno::FAULT), "{name}");
        assert_eq!(State::of(world), before, "{name}");
    });
}

#[test]
fn a_struct_that_ends_too_early_is_efault() {
    each(|world, request| {
        let before = State::of(world);
        let Command { name, size, .. } = request.command;
        let mut region = Region::with_room(PAGE);
        // In the middle of the size, and in the middle of the rest.
        for there in [1, 2, 3, 4, 8, size / 2, size - 1] {
            let result = request.send_in(world, &mut region, PAGE - there);
            assert_eq!(result, Err(Errno::FAULT), "{name}, {there} bytes of it");
        }
        // What is behind the struct has to be there as well if it is said to be.
        request.resize(size as u32 + 8);
        let result = request.send_in(world, &mut region, PAGE - size);
        assert_eq!(result, Err(Errno::FAULT), "{name}");
        assert_eq!(State::of(world), before, "{name}");
        request.resize(size as u32);
        let result = request.send_in(world, &mut region, PAGE - size);
        assert_eq!(result, Ok(()), "{name}, which ends with the page");
    });
}

#[test]
fn a_struct_can_be_anywhere() {
    for at in [1, 4, 7, PAGE - 9, PAGE - 3, PAGE - 1] {
        each(|world, request| {
            let mut region = Region::with_room(2 * PAGE);
            let result = request.send_in(world, &mut region, at);
            assert_eq!(result, Ok(()), "{} at {at}", request.command.name);
        });
    }
}

#[test]
fn a_reply_to_read_only_memory_is_efault() {
    each(|world, request| {
        let Command {
            name,
            size,
            replies,
            ..
        } = request.command;
        let expected = if replies { Err(Errno::FAULT) } else { Ok(()) };
        let mut region = Region::new(&[Access::ReadOnly]);
        let result = request.send_in(world, &mut region, 0);
        assert_eq!(result, expected, "{name}");
        assert_eq!(region.read(0, size), request.as_sent(), "{name}");
    });
    // Only the end of it, which the reply comes to last.
    each(|world, request| {
        let Command { name, replies, .. } = request.command;
        let expected = if replies { Err(Errno::FAULT) } else { Ok(()) };
        let mut region = Region::new(&[Access::ReadWrite, Access::ReadOnly]);
        let result = request.send_in(world, &mut region, PAGE - 8);
        assert_eq!(result, expected, "{name}");
    });
}

#[test]
fn reserved_members_must_be_zero() {
    each(|world, request| {
        let good = request.bytes.clone();
        for &at in request.command.reserved {
            for byte in 0..4 {
                request.bytes.clone_from(&good);
                request.put(at + byte, &[0x80]);
                refused(world, request, Errno::INVAL);
            }
        }
    });
}

#[test]
fn unknown_flags_are_einval() {
    each(|world, request| {
        let good = request.bytes.clone();
        for &(at, flags) in request.command.unknown {
            let bytes = flags.to_le_bytes();
            let len = bytes
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |last| last + 1);
            request.bytes.clone_from(&good);
            request.put(at, &bytes[..len]);
            refused(world, request, Errno::INVAL);
        }
    });
}

#[test]
fn unknown_commands_are_enotty() {
    let world = Fixture::new();
    let before = State::of(&world);
    let known = |number| {
        number == altpid::uapi::ALTPID_CMD_ATTACH
            || COMMANDS.iter().any(|command| command.number == number)
    };
    // The whole of the type, the types beside it, and what _IOR, _IOW and _IOWR would make of them.
    let ours = (0xb900..=0xb9ff).chain([0xb800, 0xb801, 0xba00, 0xba01]);
    let sized = COMMANDS.iter().flat_map(|command| {
        let size = (command.size as u32) << 16;
        [1 << 30, 2 << 30, 3 << 30].map(|direction| direction | size | command.number)
    });
    for number in ours.chain(sized).chain([0x1_b900, 0x00b9, u32::MAX]) {
        if !known(number) {
            let result = call_nowhere(&world, number, 0);
            assert_eq!(result, Err(Errno::NOTTY), "{number:#x}");
        }
    }
    assert_eq!(State::of(&world), before);
}

#[test]
fn the_array_of_a_clone() {
    let world = Fixture::new();
    let nothing = Region::with_room(0);
    let command = Command::named("CLONE");
    let mut request = command.request(&world, &nothing);
    let size_at = std::mem::offset_of!(altpid::uapi::altpid_clone, set_tid_size);
    let mut numbers = Region::with_room(PAGE);
    numbers.write_numbers(0, &[100]);
    numbers.write_numbers(PAGE - 8, &[101, 102]);

    // An address without numbers, and numbers without an address.
    let mut with = |array, count: u64, errno| {
        request.array = array;
        request.put(size_at, &count.to_ne_bytes());
        refused(&world, &request, errno);
    };
    with(Array::At(&numbers, 0), 0, Errno::INVAL);
    with(Array::None, 1, Errno::INVAL);
    with(Array::Nowhere(8), 0, Errno::INVAL);
    // More than there are levels, also where 32 bits of it would be few.
    for count in [
        33,
        34,
        4096,
        1 << 31,
        1 << 32,
        (1 << 32) + 1,
        1 << 63,
        u64::MAX,
    ] {
        with(Array::At(&numbers, 0), count, Errno::INVAL);
    }
    for address in &NOWHERE[1..] {
        with(Array::Nowhere(*address), 1, Errno::FAULT);
    }
    with(Array::At(&nothing, PAGE), 1, Errno::FAULT);
    with(Array::At(&numbers, PAGE - 4), 2, Errno::FAULT);
    with(Array::At(&numbers, PAGE - 2), 1, Errno::FAULT);
    with(Array::At(&numbers, PAGE - 8), 2, Errno::INVAL);

    request.array = Array::At(&numbers, PAGE - 4);
    request.put(size_at, &1u64.to_ne_bytes());
    request.send(&world).expect("a number at the end of a page");
    let child = world.find(world.root, 102, altpid::PidType::Pid);
    assert!(child.is_ok(), "pid 102");
}

#[test]
fn the_arrays_of_translate_and_list() {
    for name in ["TRANSLATE", "LIST"] {
        let world = Fixture::new();
        let room = Region::with_room(PAGE);
        let mut request = Command::named(name).request(&world, &room);
        for address in NOWHERE {
            request.array = match address {
                0 => Array::None,
                _ => Array::Nowhere(address),
            };
            refused(&world, &request, Errno::FAULT);
        }
        let nothing = Region::new(&[Access::Nothing]);
        request.array = Array::At(&nothing, 0);
        refused(&world, &request, Errno::FAULT);
        let constant = Region::new(&[Access::ReadOnly]);
        request.array = Array::At(&constant, 0);
        refused(&world, &request, Errno::FAULT);
        request.array = Array::At(&room, PAGE - 8);
        refused(&world, &request, Errno::FAULT);
    }
}

#[test]
fn a_translation_delivers_what_came_before_the_fault() {
    let world = Fixture::new();
    let count = PAGE / size_of::<i32>();
    let mut numbers = Region::with_room(PAGE);
    numbers.write_numbers(0, &vec![77; count]);
    let command = Command::named("TRANSLATE");
    let mut request = command.request(&world, &numbers);
    let count_at = std::mem::offset_of!(altpid::uapi::altpid_translate, count);
    for more in [count as u32 + 1, u32::MAX] {
        request.put(count_at, &more.to_ne_bytes());
        assert_eq!(request.send(&world).err(), Some(Errno::FAULT));
    }
    let esrch = -Errno::SRCH.raw_os_error();
    let done = numbers.read_numbers(0, count);
    let prefix = done.iter().take_while(|&&nr| nr == esrch).count();
    assert!(prefix > 0, "a prefix is delivered");
    assert!(done[prefix..].iter().all(|&nr| nr == 77), "and only that");
}
