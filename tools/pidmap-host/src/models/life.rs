// SPDX-License-Identifier: GPL-2.0

//! An allocation looks at a namespace whose init exits and is reaped meanwhile.

use super::*;
use crate::pid::namespace::life::{Answer, Life};

/// The life of a namespace with an init, known to loom before there are threads.
fn alive() -> Arc<Life> {
    let life = Life::new();
    life.set_child_reaper(7);
    mem::start(2);
    life.stage();
    #[allow(clippy::arc_with_non_send_sync, reason = "loom's cells are not")]
    Arc::new(life)
}

/// What is dead was never without an init: `alloc_pid()` says ENOMEM then and not EINVAL.
#[test]
fn a_namespace_that_dies_does_not_seem_to_wait_for_its_init() {
    explore(None, || {
        let life = alive();
        let other = {
            let life = life.clone();
            spawn(move || (life.answer(2), life.answer(1)))
        };
        life.disable();
        life.set_child_reaper(0);
        let (second, first) = other.join().unwrap();
        assert!(
            [Answer::Welcome, Answer::Dead].contains(&second),
            "{second:?}"
        );
        assert!(second == Answer::Welcome || first == Answer::Dead);
        assert_eq!(life.answer(2), Answer::Dead);
        mem::stop();
    });
}

/// Another thread becomes init in between.
#[test]
fn nor_does_one_whose_init_changes() {
    explore(None, || {
        let life = alive();
        let other = {
            let life = life.clone();
            spawn(move || (life.answer(2), life.stage().child_reaper))
        };
        life.set_child_reaper(9);
        let (answer, reaper) = other.join().unwrap();
        assert_eq!(answer, Answer::Welcome);
        assert!(reaper == 7 || reaper == 9);
        mem::stop();
    });
}

/// The first task of a new one.
#[test]
fn one_that_waits_for_its_init_says_so() {
    explore(None, || {
        let life = Life::new();
        assert_eq!(life.answer(2), Answer::NotInit);
        assert_eq!(life.answer(1), Answer::Welcome);
        life.set_child_reaper(7);
        assert_eq!(life.answer(2), Answer::Welcome);
    });
}
