// SPDX-License-Identifier: GPL-2.0

//! Loading and unloading the module: for the tests that do that, in the booted kernel.

use crate::{holds, patience::eventually, raw};
use rustix::io::{Errno, Result};
use std::{
    ffi::CString,
    fs::{self, File},
    process::Command,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// There may be probes for members, which go with the module: those that were there before the first test.
static PROBES: AtomicBool = AtomicBool::new(true);

/// One CPU is left, if CPUs are emulated here, until this goes: code of the kernel is rewritten when probes come
/// and go, which fails with several emulated ones (`qemu/one-cpu`).
#[derive(Debug)]
#[must_use]
pub struct OneCpu(());

impl OneCpu {
    /// Takes the others away, for probes to come or to go.
    ///
    /// # Panics
    ///
    /// Where that cannot be done.
    pub fn begin() -> Self {
        PROBES.store(true, Relaxed);
        one_cpu("--begin");
        Self(())
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        one_cpu("--end");
    }
}

fn one_cpu(what: &str) {
    let status = Command::new("one-cpu").arg(what).status();
    assert!(status.expect("it runs").success());
}

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

/// A parameter of the module as its description has it.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The least value that it may have.
    pub min: u64,
    /// The most.
    pub max: u64,
}

/// The parameters of the module, with the bounds that their descriptions end with: `(1 to 10)`.
///
/// # Panics
///
/// When one does not say what its bounds are.
pub fn parameters() -> Vec<Parameter> {
    let module = fs::read(PATH).expect("the module, where the guest has it");
    let strings = module.split(|&byte| byte == 0);
    let described = strings.filter_map(|text| text.strip_prefix(b"parm="));
    let parameter = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        let (name, description) = text.split_once(':')?;
        let (_, bounds) = description.strip_suffix(')')?.rsplit_once('(')?;
        let (min, max) = bounds.split_once(" to ")?;
        Some(Parameter {
            name: name.to_owned(),
            min: min.parse().ok()?,
            max: max.parse().ok()?,
        })
    };
    described
        .map(|text| parameter(text).expect("a parameter that says its bounds"))
        .collect()
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
    let one = PROBES.load(Relaxed).then(OneCpu::begin);
    let unloaded = raw::delete_module(c"altpid");
    drop(one);
    if unloaded.is_ok() {
        PROBES.store(false, Relaxed);
    }
    unloaded
}

/// Unloads the module as soon as nobody uses it any more: the last reference of a process that was
/// killed goes a little after it.
///
/// # Panics
///
/// When somebody goes on using it.
pub fn unload_when_unused() {
    holds::note();
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
