// SPDX-License-Identifier: GPL-2.0

//! Pids over all levels: alloc_pid(), free_pid(), find_pid_ns(), pid_nr_ns().

use crate::{
    pid::namespace::Namespace,
    pid::registry::Registry,
    pid::{alloc_pid, AllocError, NewPid, Pid},
};
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

/// A chain of namespaces, level 0 first, each with a number 1 whose task is a make-believe one.
struct Chain {
    levels: KVVec<ARef<Namespace>>,
    inits: KVVec<NewPid>,
    registry: Arc<Registry>,
}

impl Chain {
    fn new(depth: usize) -> Result<Self> {
        let mut chain = Self {
            levels: KVVec::new(),
            inits: KVVec::new(),
            registry: Registry::new(64)?,
        };
        for _ in 0..depth {
            chain.push()?;
            chain.init()?;
        }
        Ok(chain)
    }

    /// Adds a namespace that has no init yet.
    fn push(&mut self) -> Result {
        let above = self.levels.last().map(|ns| &**ns);
        let ns = Namespace::create(above, &self.registry)?;
        Ok(self.levels.push(ns, GFP_KERNEL)?)
    }

    /// Gives the last one its init.
    fn init(&mut self) -> Result {
        let ns = self.levels.last().ok_or(EINVAL)?;
        let pid = alloc_pid(ns, &[])?;
        ns.set_child_reaper(1);
        Ok(self.inits.push(pid, GFP_KERNEL)?)
    }

    fn last(&self) -> &Namespace {
        &self.levels[self.levels.len() - 1]
    }

    fn alloc(&self, set_tid: &[i32]) -> Result<NewPid, AllocError> {
        alloc_pid(self.last(), set_tid)
    }

    /// The errno of an attempt.
    fn errno(&self, set_tid: &[i32]) -> i32 {
        self.alloc(set_tid)
            .map_or_else(|error| Error::from(error).to_errno(), |_| 0)
    }
}

/// The numbers of a pid, outermost first; those that do not fit are left out.
fn numbers(pid: &Pid) -> [i32; 4] {
    core::array::from_fn(|level| pid.nr_at(level))
}

#[kernel::macros::kunit_tests(altpid_pid)]
mod tests {
    use super::*;
    use crate::pid::{find_pid, find_pid_from, object::layout, translate};

    /// `alloc_pid()`: one upid a level
    #[test]
    fn one_number_a_level() -> Result {
        let chain = Chain::new(3)?;
        // Three inits: 1; 2/1; 3/2/1.
        assert_eq!(numbers(&chain.inits[2]), [3, 2, 1, 0]);
        let pid = chain.alloc(&[])?;
        assert_eq!(numbers(&pid), [4, 3, 2, 0]);
        assert_eq!(pid.nr(), 2);
        Ok(())
    }

    /// `alloc_pid()`, clone3_set_tid.c: EINVAL for more numbers than levels and out of range, EEXIST for
    /// a number in use
    #[test]
    fn set_tid_matrix() -> Result {
        let chain = Chain::new(2)?;
        let held = chain.alloc(&[77, 4000])?;
        let cases: &[(&[i32], i32)] = &[
            (&[], 0),
            (&[5], 0),
            (&[5, 5], 0),
            (&[5, 5, 5], EINVAL.to_errno()),
            (&[0], EINVAL.to_errno()),
            (&[-1], EINVAL.to_errno()),
            (&[i32::MIN], EINVAL.to_errno()),
            (&[4194303], 0),
            (&[4194304], EINVAL.to_errno()),
            (&[i32::MAX], EINVAL.to_errno()),
            (&[5, 0], EINVAL.to_errno()),
            (&[5, 32768], EINVAL.to_errno()),
            (&[5, 32767], 0),
            (&[77], EEXIST.to_errno()),
            (&[77, 5], EEXIST.to_errno()),
            (&[5, 4000], EEXIST.to_errno()),
            (&[1], EEXIST.to_errno()),
            // Out of range comes before in use, whatever the level.
            (&[77, 0], EINVAL.to_errno()),
        ];
        for &(set_tid, errno) in cases {
            assert_eq!(chain.errno(set_tid), errno);
        }
        assert_eq!(numbers(&held), [4000, 77, 0, 0]);
        Ok(())
    }

    /// `alloc_pid()`: `idr_alloc()`, not `idr_alloc_cyclic()`, for a number that is given
    #[test]
    fn set_tid_leaves_the_cursor() -> Result {
        let chain = Chain::new(1)?;
        let _high = chain.alloc(&[250])?;
        let next = chain.alloc(&[])?;
        assert_eq!(next.nr(), 2);
        Ok(())
    }

    /// `alloc_pid()`: "PID 1 must be created first", and the cursor starts anew after a failure
    #[test]
    fn the_first_must_be_pid_1() -> Result {
        let mut chain = Chain::new(1)?;
        chain.push()?;
        assert_eq!(chain.errno(&[5]), EINVAL.to_errno());
        let pid = chain.alloc(&[])?;
        assert_eq!(pid.nr(), 1);
        // The number is taken now, and nobody is init yet.
        assert_eq!(chain.errno(&[]), EINVAL.to_errno());
        drop(pid);
        chain.init()?;
        assert_eq!(chain.alloc(&[])?.nr(), 2);
        Ok(())
    }

    /// `alloc_pid()`: `out_free`
    #[test]
    fn what_fails_leaves_no_number() -> Result {
        let chain = Chain::new(3)?;
        let _held = chain.alloc(&[50, 60, 70])?;
        // Taken at the outermost level, after the inner ones were reserved.
        assert_eq!(chain.errno(&[51, 61, 70]), EEXIST.to_errno());
        for (level, nr) in [(2, 51), (1, 61)] {
            assert!(find_pid(&chain.levels[level], nr).is_none());
        }
        assert_eq!(numbers(&*chain.alloc(&[51, 61, 71])?), [71, 61, 51, 0]);
        Ok(())
    }

    /// `alloc_pid()`, pid_max.c: an ancestor's limit stops the descendants
    #[test]
    fn each_level_has_its_own_pid_max() -> Result {
        let chain = Chain::new(2)?;
        chain.levels[0].set_pid_max(400)?;
        assert_eq!(chain.errno(&[1000]), 0);
        assert_eq!(chain.errno(&[1000, 400]), EINVAL.to_errno());
        assert_eq!(chain.errno(&[1000, 399]), 0);
        let mut held = KVVec::new();
        loop {
            match chain.alloc(&[]) {
                Ok(pid) => held.push(pid, GFP_KERNEL)?,
                Err(error) => {
                    assert_eq!(error, AllocError::Full);
                    break;
                }
            }
        }
        // 1 and 2 are the inits, and 3 is behind: the cursor was beyond it when it was freed, and
        // comes back to 300 only. The rest of 1 to 399 is ours.
        assert_eq!(held.len(), 396);
        assert_eq!(Error::from(AllocError::Full).to_errno(), EAGAIN.to_errno());
        Ok(())
    }

    /// `alloc_pid()`, regression_enomem.c: ENOMEM; other errors keep their priority
    #[test]
    fn nothing_is_born_in_a_dead_namespace() -> Result {
        let chain = Chain::new(2)?;
        chain.last().disable_allocation();
        assert_eq!(chain.errno(&[]), ENOMEM.to_errno());
        assert_eq!(chain.errno(&[1]), EEXIST.to_errno());
        assert_eq!(chain.errno(&[0]), EINVAL.to_errno());
        assert_eq!(chain.errno(&[2, 1]), EEXIST.to_errno());
        // The namespace above lives.
        assert!(alloc_pid(&chain.levels[0], &[]).is_ok());
        Ok(())
    }

    /// `free_pid()`, `put_pid()`, `pid_nr()`
    #[test]
    fn a_handle_outlives_its_number() -> Result {
        let chain = Chain::new(2)?;
        let pid = chain.alloc(&[9, 90])?;
        let handle = find_pid(chain.last(), 9).ok_or(ESRCH)?;
        drop(pid);
        assert!(find_pid(chain.last(), 9).is_none());
        assert!(find_pid(&chain.levels[0], 90).is_none());
        // pid_nr() still says the old number, and somebody else can have it.
        assert_eq!(numbers(&handle), [90, 9, 0, 0]);
        let other = chain.alloc(&[9, 90])?;
        let found = find_pid(chain.last(), 9).ok_or(ESRCH)?;
        assert!(!core::ptr::eq(&*found, &*handle));
        assert!(core::ptr::eq(&*found, &*other));
        Ok(())
    }

    /// `find_ge_pid()`
    #[test]
    fn the_next_pid_is_found() -> Result {
        let chain = Chain::new(1)?;
        let _a = chain.alloc(&[100])?;
        let _b = chain.alloc(&[5000])?;
        let ge = |nr| find_pid_from(chain.last(), nr).map(|(nr, _)| nr);
        for (from, found) in [
            (0, Some(1)),
            (-5, Some(1)),
            (2, Some(100)),
            (100, Some(100)),
        ] {
            assert_eq!(ge(from), found);
        }
        assert_eq!(ge(101), Some(5000));
        assert_eq!(ge(5001), None);
        Ok(())
    }

    /// `pid_nr_ns()` of `find_pid_ns()`
    #[test]
    fn translation() -> Result {
        let chain = Chain::new(3)?;
        let sibling = Namespace::create(Some(&chain.levels[1]), &chain.registry)?;
        let pid = chain.alloc(&[10, 20, 30])?;
        let [outer, middle, inner] = [0, 1, 2].map(|level| &*chain.levels[level]);
        let cases: &[(&Namespace, i32, &Namespace, Option<i32>)] = &[
            (outer, 30, inner, Some(10)),
            (outer, 30, middle, Some(20)),
            (outer, 30, outer, Some(30)),
            (inner, 10, outer, Some(30)),
            (middle, 20, inner, Some(10)),
            (outer, 30, &sibling, Some(0)),
            (outer, 1, inner, Some(0)),
            (outer, 31, inner, None),
            (inner, 30, outer, None),
            (outer, 0, inner, None),
            (outer, -1, inner, None),
            (outer, i32::MAX, inner, None),
        ];
        for &(from, nr, to, expected) in cases {
            assert_eq!(translate(from, nr, to), expected);
        }
        assert_eq!(pid.nr_ns(&sibling), 0);
        Ok(())
    }

    /// A struct pid of native 7.3 has 112 bytes and 16 more a level.
    #[test]
    fn memory_of_a_pid() {
        assert_eq!(layout(0).size(), 48);
        assert_eq!(layout(32).size(), 176);
    }
}
