// SPDX-License-Identifier: GPL-2.0

//! Questions about many at once: numbers elsewhere, and all tasks, namespaces and blockers.

use crate::{types::*, uapi, world::World};
use rustix::io::Errno;

/// How many entries of a listing are asked for at first, and at most at a time.
const LIST_PIECES: (usize, usize) = (32, 1024);

impl World {
    /// What numbers of namespace `from` are in `to`, each with a result of its own: 0 where it is not
    /// visible, `ESRCH` where it is not in use.
    ///
    /// # Errors
    ///
    /// `ENOENT` for a namespace that is gone.
    pub fn translate(
        &self,
        from: NsId,
        to: NsId,
        numbers: &[i32],
    ) -> Result<Vec<std::result::Result<i32, Errno>>> {
        let mut there = numbers.to_vec();
        let mut done = 0;
        // A signal that does not end the program ends a call early.
        while done < there.len() {
            done += self.translate_in_place(from, to, &mut there[done..])?;
        }
        let each = |nr: i32| match nr {
            0.. => Ok(nr),
            error => Err(Errno::from_raw_os_error(-error)),
        };
        Ok(there.into_iter().map(each).collect())
    }

    /// As the interface does it, in place: 0 where a number is not visible, `-ESRCH` where it is not in
    /// use. Returns how many were done; fewer than all when a signal came. [`World::translate`] has a
    /// result for each.
    pub fn translate_in_place(&self, from: NsId, to: NsId, numbers: &mut [i32]) -> Result<usize> {
        let mut arg = uapi::altpid_translate {
            from: from.0,
            to: to.0,
            count: u32::try_from(numbers.len()).unwrap_or(u32::MAX),
            nrs: numbers.as_mut_ptr().expose_provenance() as u64,
            ..Default::default()
        };
        // `numbers` is borrowed mutably for as long as the call takes.
        self.call("translate", &mut arg)?;
        Ok(arg.count as usize)
    }

    /// All tasks, or those that are visible in a namespace.
    pub fn tasks(&self, visible_in: Option<NsId>) -> Result<Vec<Task>> {
        let raw = self.list::<uapi::altpid_task>(uapi::ALTPID_LIST_TASKS, visible_in, 0)?;
        Ok(raw.iter().map(Task::from_uapi).collect())
    }

    /// All namespaces, or those at and below one.
    pub fn namespaces(&self, below: Option<NsId>) -> Result<Vec<Ns>> {
        self.list_namespaces(below, 0)
    }

    /// Likewise those that listns(2) would list: not those that only a pidfd, or only a namespace
    /// below, keeps.
    pub fn active_namespaces(&self, below: Option<NsId>) -> Result<Vec<Ns>> {
        self.list_namespaces(below, uapi::ALTPID_LIST_REF_ACTIVE)
    }

    fn list_namespaces(&self, below: Option<NsId>, flags: u32) -> Result<Vec<Ns>> {
        let raw = self.list::<uapi::altpid_ns>(uapi::ALTPID_LIST_NAMESPACES, below, flags)?;
        Ok(raw.iter().map(Ns::from_uapi).collect())
    }

    /// What keeps a namespace from going.
    pub fn blockers(&self, ns: NsId) -> Result<Vec<Blocker>> {
        let raw = self.list::<uapi::altpid_blocker>(uapi::ALTPID_LIST_BLOCKERS, Some(ns), 0)?;
        Ok(raw.iter().map(Blocker::from_uapi).collect())
    }

    fn list<E: Default + Copy>(&self, what: u32, view: Option<NsId>, flags: u32) -> Result<Vec<E>> {
        let mut all = Vec::new();
        let mut piece = vec![E::default(); LIST_PIECES.0];
        let mut arg = uapi::altpid_list {
            what,
            ns: view.map_or(0, |ns| ns.0),
            flags,
            ..Default::default()
        };
        loop {
            arg.entries = piece.as_mut_ptr().expose_provenance() as u64;
            arg.count = piece.len() as u32;
            arg.entry_size = size_of::<E>() as u32;
            // `piece` has room for so many entries of that size, and lives longer than the call.
            self.call("list", &mut arg)?;
            all.extend_from_slice(&piece[..arg.count as usize]);
            if arg.cursor == u64::MAX {
                return Ok(all);
            }
            piece.resize(LIST_PIECES.1, E::default());
        }
    }
}
