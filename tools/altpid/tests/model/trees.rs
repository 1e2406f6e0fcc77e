// SPDX-License-Identifier: GPL-2.0

//! Trees of every kind that matters, by hand.

/// Trees by hand: a name, the namespaces, the tasks.
pub const TREES: &[(&str, &[usize], &str)] = &[
    ("init alone", &[], "1 = = = 0"),
    ("init in a session outside", &[], "1 = . . 0"),
    ("init leads a group only", &[], "1 = = . 0"),
    ("pid 1 missing", &[], "50 = = = 0\n 51 = 50 50 50"),
    (
        "pid 1 missing, its session is there",
        &[],
        "50 = 1 1 0\n 51 = = 1 50\n 52 = . . 0",
    ),
    (
        "pid 1 missing, its process group is there",
        &[],
        "50 = 1 . 0\n 52 = . . 0\n 53 = = . 0",
    ),
    (
        "plain",
        &[],
        "1 = = = 0
         2 = . . 0 kthreadd
         3 = . . 2 kworker
         100 = = = 1 bash
         101 = = 100 100
         102 = 101 100 100
         103 = 100 100 102",
    ),
    (
        "parents with higher numbers",
        &[],
        "1 = = = 0
         900 = = = 1
         20 = 900 900 900
         30 = = 900 20
         10 = 30 900 20",
    ),
    (
        "names",
        &[],
        "1 = = = 0 systemd
         2 = = = 1 systemd
         3 = 2 2 2 (sd-pam)
         4 = 2 2 2 a-name-that-is-longer-than-15-bytes",
    ),
    (
        "session 0 beside an init that leads a session",
        &[],
        "1 = = = 0
         2 = . . 0
         3 = = . 2
         4 = 3 . 2
         5 = . . 1
         6 = 1 1 1",
    ),
    (
        "dead session leader",
        &[],
        "1 = = = 0
         11 = = 10 1
         12 = 11 10 1
         13 = 10 10 1",
    ),
    (
        "dead group leader",
        &[],
        "1 = = = 0
         10 = = = 1
         12 = 11 10 10
         13 = 11 10 12",
    ),
    (
        "dead leaders of both, in a namespace",
        &[0],
        "1 = = = 0
         10/1 = = = 1 @1
         13/4 = 12/3 11/2 10 @1
         14/5 = 11/2 11/2 13 @1",
    ),
    (
        "dead leader seen from two depths",
        &[0, 1],
        "1 = = = 0
         10/1 = = = 1 @1
         13/4 = 11/2 11/2 10 @1
         14/5/1 = 11/2/0 11/2/0 13 @2
         15 = = = 1",
    ),
    (
        "group whose leader is a descendant",
        &[],
        "1 = = = 0
         10 = = = 1
         11 = 13 10 10
         12 = 13 10 11
         13 = = 10 12",
    ),
    (
        "two groups, each led from below the other",
        &[],
        "1 = = = 0
         10 = = = 1
         11 = 14 10 10
         12 = 13 10 10
         13 = = 10 11
         14 = = 10 12",
    ),
    (
        "init in the group of its child",
        &[],
        "1 = 5 . 0
         5 = = . 1
         6 = 5 . 1",
    ),
    (
        "group led from a namespace below",
        &[0],
        "1 = = = 0
         10 = = = 1
         11 = 12 10 10
         12/1 = = 10/0 10 @1
         13/2 = 12/1 10/0 12 @1",
    ),
    (
        "group led from a namespace below, by the member's child",
        &[0],
        "1 = = = 0
         10 = = = 1
         11 = 12 10 10
         12/1 = = 10/0 11 @1",
    ),
    (
        "group led from a namespace beside",
        &[0, 0, 1],
        "1 = = = 0
         10 = = = 1
         11/1 = = 10/0 10 @1
         12/1 = 11/0 10/0 10 @2
         13/2 = 11/0 10/0 12 @2
         14/2/1 = 12/0/0 10/0/0 11 @3",
    ),
    (
        "leader that has left its group",
        &[],
        "1 = = = 0
         10 = = = 1
         11 = 10 10 10
         12 = 11 10 11
         13 = 11 10 10
         14 = 13 10 13",
    ),
    (
        "leaders in each other's groups",
        &[0],
        "1 = = . 0
         10 = 11 . 1
         11 = 10 . 1
         20/1 = 11/0 . 10 @1
         21/2 = 20/1 . 20 @1",
    ),
    (
        "init has left its group",
        &[],
        "1 = 5 . 0
         5 = = . 1
         6 = 1 . 1
         7 = . . 0",
    ),
    (
        "inits in groups led from below each other",
        &[0, 0],
        "1 = = = 0
         10 = = = 1
         11/1 = 14/0 10/0 10 @1
         12/1 = 13/0 10/0 10 @2
         13/2 = = 10/0 11 @1
         14/2 = = 10/0 12 @2",
    ),
    (
        "nested namespaces",
        &[0, 1, 2],
        "1 = = = 0
         10/1 = = = 1 @1
         11/2/1 = = 10/1/0 10 @2
         12/3/2/1 = 11/2/1/0 10/1/0/0 11 @3
         13/4/3/2 = = = 12 @3
         14/5/4 = 11/2/1 10/1/0 11 @2",
    ),
    (
        "init whose parent is not right above",
        &[0, 1],
        "1 = = = 0
         10 = = = 1
         11/1 = = = 10 @1
         12/2/1 = = = 10 @2
         13/3/2 = = 12/2/1 12 @2",
    ),
    (
        "init of a deep namespace that inherits from far above",
        &[0, 1],
        "1 = = = 0
         10 = = = 1
         11/1 = = = 10 @1
         12/2/1 = 10/0/0 10/0/0 10 @2",
    ),
    (
        "injected, parent outside",
        &[0],
        "1 = = = 0
         10/1 = = = 1 @1
         11/2 = . . 0 @1
         12/3 = = . 11 @1",
    ),
    (
        "injected, parent above",
        &[0, 1],
        "1 = = = 0
         10/1 = = = 1 @1
         11/2/1 = = = 10 @2
         20 = = = 1 >2
         21/5/2 = 20/0/0 20/0/0 20 @2
         22/6/3 = = 20/0/0 20 @2
         23 = 20 20 20",
    ),
    (
        "children born elsewhere",
        &[0, 0],
        "1 = = = 0 >1
         10/1 = = = 1 @1
         11/1 = = = 1 @2
         12 = 1 1 1 >2
         13 12 1 1 1 >1",
    ),
    (
        "threads",
        &[0],
        "1 = = = 0
         2 1 1 1 0 worker
         10 = = = 1
         11 10 10 10 1
         12/1 = = = 10 @1
         13/2 12/1 12/1 12/1 10 @1
         14 10 10 10 1 >1",
    ),
    (
        "zombies",
        &[0],
        "1 = = = 0
         10 = = = 1
         11 = = = 10 Z
         12 = 10 10 10 Z
         13/1 = = = 10 @1 Z",
    ),
    (
        "zombie that leads what others are in",
        &[],
        "1 = = = 0
         10 = = = 1 Z
         11 = 10 10 1
         12 = = 10 1 Z
         13 = 12 10 11",
    ),
    (
        "zombie leader with a live thread",
        &[0],
        "1 = = = 0
         10 = = = 1 Z
         11 10 10 10 1
         12 = 10 10 10
         13/1 = = = 12 @1 Z
         14/2 13/1 13/1 13/1 12 @1
         15/3 = 13/1 13/1 13 @1",
    ),
    (
        "zombie leader with a live thread, of an outside parent",
        &[],
        "1 = = = 0 Z
         2 1 1 1 0
         10 = . . 0 Z
         11 10 . . 0",
    ),
    (
        "numbers up to the limit",
        &[0],
        "1 = = = 0
         32767 = = = 1
         32766/1 = = = 1 @1
         32765/4194303 = 32766/1 32766/1 32766 @1",
    ),
];
