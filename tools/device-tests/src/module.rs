// SPDX-License-Identifier: GPL-2.0

//! Loading and unloading the module: for the tests that do that, in the booted kernel.

use crate::{hold, patience::eventually, raw};
use rustix::io::{Errno, Result};
use std::{ffi::CString, fs::File};

/// Where the guest of the tests has it.
const PATH: &str = "/lib/modules/altpid.ko";

/// Loads the module with parameters, as in `max_tasks=100`.
///
/// # Errors
///
/// What finit_module(2) says.
pub fn load(parameters: &str) -> Result<()> {
    load_from(PATH, parameters)
}

fn load_from(path: &str, parameters: &str) -> Result<()> {
    let file = File::open(path).expect("the module, where the guest has it");
    let parameters = CString::new(parameters).expect("parameters without NUL");
    raw::finit_module(&file, &parameters)
}

/// Unloads the module, unless somebody uses it.
///
/// # Errors
///
/// `EAGAIN` when it is in use, and what else delete_module(2) says.
pub fn unload() -> Result<()> {
    raw::delete_module(c"altpid")
}

/// Unloads the module as soon as nobody uses it any more: the last reference of a process that was
/// killed goes a little after it.
///
/// # Panics
///
/// When somebody goes on using it.
pub fn unload_when_unused() {
    hold::note();
    eventually("nobody uses the module", || match unload() {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error, Errno::AGAIN, "delete_module");
            false
        }
    });
}

/// The module loaded with parameters, for one test. When this goes it is loaded without again.
#[derive(Debug)]
pub struct Reloaded(());

impl Reloaded {
    /// Loads it anew.
    ///
    /// # Panics
    ///
    /// When it is in use, or does not load.
    pub fn with(parameters: &str) -> Self {
        Self::from(PATH, parameters)
    }

    /// Loads another build of it.
    ///
    /// # Panics
    ///
    /// As [`Reloaded::with`].
    pub fn from(path: &str, parameters: &str) -> Self {
        unload_when_unused();
        load_from(path, parameters).expect("the module loads");
        Self(())
    }
}

impl Drop for Reloaded {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            unload_when_unused();
            load("").expect("the module loads");
        }
    }
}
