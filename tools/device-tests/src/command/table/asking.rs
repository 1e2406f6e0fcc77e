// SPDX-License-Identifier: GPL-2.0

//! Questions, and arrays.

use super::{Command, bytes, pidfd};
use altpid::{TaskId, uapi::*};
use std::mem::offset_of;

pub(super) const COMMANDS: &[Command] = &[
    command!(
        "TASK",
        ALTPID_CMD_TASK,
        altpid_task,
        true,
        [],
        [],
        |world| {
            bytes(&altpid_task {
                task: world.init.0,
                ..Default::default()
            })
        }
    ),
    command!("NS", ALTPID_CMD_NS, altpid_ns, true, [], [], |world| {
        bytes(&altpid_ns {
            ns: world.root.0,
            ..Default::default()
        })
    }),
    command!(
        "NS_SET",
        ALTPID_CMD_NS_SET,
        altpid_ns_set,
        false,
        [],
        [(what, 3)],
        |world| {
            bytes(&altpid_ns_set {
                ns: world.root.0,
                what: ALTPID_NS_PID_MAX,
                value: 30_000,
                ..Default::default()
            })
        }
    ),
    command!(
        "FIND",
        ALTPID_CMD_FIND,
        altpid_find,
        true,
        [reserved],
        [(flags, 2)(type_, 4)],
        |world| {
            bytes(&altpid_find {
                ns: world.root.0,
                nr: 1,
                ..Default::default()
            })
        }
    ),
    command!(
        "TRANSLATE",
        ALTPID_CMD_TRANSLATE,
        altpid_translate,
        true,
        [],
        [],
        |world| {
            bytes(&altpid_translate {
                from: world.root.0,
                to: world.root.0,
                count: 4,
                ..Default::default()
            })
        }
    ),
    command!(
        "LIST",
        ALTPID_CMD_LIST,
        altpid_list,
        true,
        [reserved],
        [(what, 4)(flags, 1)],
        |_| {
            bytes(&altpid_list {
                what: ALTPID_LIST_TASKS,
                count: 4,
                entry_size: size_of::<altpid_task>() as u32,
                ..Default::default()
            })
        }
    ),
    command!(
        "AUDIT",
        ALTPID_CMD_AUDIT,
        altpid_audit,
        true,
        [],
        [],
        |_| { bytes(&altpid_audit::default()) }
    ),
    command!(
        "SIGNALS",
        ALTPID_CMD_SIGNALS,
        altpid_signals,
        true,
        [],
        [],
        |world| {
            bytes(&altpid_signals {
                task: world.init.0,
                ..Default::default()
            })
        }
    ),
    command!(
        "FAILURE",
        ALTPID_CMD_FAILURE,
        altpid_failure,
        true,
        [],
        [],
        |world| {
            world
                .task(TaskId(u64::MAX))
                .expect_err("nobody has this id");
            bytes(&altpid_failure::default())
        }
    ),
    command!(
        "PIDFD_INFO",
        ALTPID_CMD_PIDFD_INFO,
        altpid_pidfd_info,
        true,
        [reserved],
        [(mask, 2)],
        |world| {
            bytes(&altpid_pidfd_info {
                pidfd: pidfd(world).0,
                ..Default::default()
            })
        }
    ),
    command!(
        "NS_GET",
        ALTPID_CMD_NS_GET,
        altpid_ns_get,
        true,
        [reserved],
        [(what, 16)],
        |world| {
            bytes(&altpid_ns_get {
                what: ALTPID_NS_GET_PID_IN_PIDNS,
                task: world.init.0,
                ns: world.root.0,
                nr: 1,
                ..Default::default()
            })
        }
    ),
    command!(
        "BATCH",
        ALTPID_CMD_BATCH,
        altpid_batch,
        true,
        [],
        [(flags, 2)],
        |_| {
            bytes(&altpid_batch {
                count: 1,
                ..Default::default()
            })
        }
    ),
];
