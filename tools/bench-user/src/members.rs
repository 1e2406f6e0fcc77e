// SPDX-License-Identifier: GPL-2.0

//! What a real process gets: natively in a pid namespace, and as a member of a world at the same depth.
//!
//! The sides are processes of their own, which `qemu/jobs/bench-members` starts in turns.

use crate::{available, native, sample};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    io::{BufRead, BufReader, Error, Write, stdout},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Instant,
};

/// Samples of a case in one turn.
const SAMPLES: usize = 7;
/// This program.
const SELF: &str = "/proc/self/exe";

/// A thread is made, and joined.
fn thread() -> Result<()> {
    let made = std::thread::Builder::new().spawn(|| {})?;
    ensure!(made.join().is_ok(), "join");
    Ok(())
}

/// A child is made by vfork(2), calls exec, exits and is waited for.
fn vfork_exec_wait() -> Result<()> {
    // Without anything to do before exec this is posix_spawn(3).
    let status = Command::new(SELF).arg("--nothing").status()?;
    ensure!(status.success(), "{status}");
    Ok(())
}

fn many_times(times: usize, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    (0..times).try_for_each(|_| work())
}

/// A call that has to give this.
fn gives(value: i32, call: impl Fn() -> i32) -> Result<()> {
    ensure!(call() == value, "{value} was expected");
    Ok(())
}

/// What this process gets; `side` says what it is.
pub fn process(side: &str) -> Result<()> {
    for _ in 0..SAMPLES {
        sample("fork+exit+wait", side, 50, || {
            many_times(50, native::fork_exit_wait)
        })?;
        sample("vfork+exec+wait", side, 20, || {
            many_times(20, vfork_exec_wait)
        })?;
        sample("thread create+join", side, 100, || many_times(100, thread))?;
        calls(side)?;
    }
    Ok(())
}

/// Calls that do little: two that carry a number, one that does not.
fn calls(side: &str) -> Result<()> {
    const CALLS: usize = 2000;
    let own = std::process::id() as i32;
    sample("getpid", side, CALLS, || {
        // SAFETY: No requirements.
        many_times(CALLS, || gives(own, || unsafe { libc::getpid() }))
    })?;
    sample("kill(self, 0)", side, CALLS, || {
        // SAFETY: No requirements.
        many_times(CALLS, || gives(0, || unsafe { libc::kill(own, 0) }))
    })?;
    empty(side)
}

/// A call that altpid has nothing to do with.
pub fn empty(side: &str) -> Result<()> {
    const CALLS: usize = 2000;
    for _ in 0..3 {
        sample("getuid", side, CALLS, || {
            // SAFETY: No requirements.
            many_times(CALLS, || gives(0, || unsafe { libc::getuid() } as i32))
        })?;
    }
    Ok(())
}

/// getpid alone: what a tracer that stops at it costs.
pub fn traced(side: &str) -> Result<()> {
    const CALLS: usize = 200;
    let own = std::process::id() as i32;
    for _ in 0..SAMPLES {
        sample("getpid", side, CALLS, || {
            // SAFETY: No requirements.
            many_times(CALLS, || gives(own, || unsafe { libc::getpid() }))
        })?;
    }
    Ok(())
}

/// access(2), which PRoot has to translate.
pub fn access(side: &str) -> Result<()> {
    const CALLS: usize = 200;
    for _ in 0..SAMPLES {
        sample("access", side, CALLS, || {
            many_times(CALLS, || Ok(fs::metadata("/").map(drop)?))
        })?;
    }
    Ok(())
}

/// An init with so many children, that says "ready" when they are all there.
pub fn crowd(children: usize) -> Result<()> {
    for _ in 0..children {
        // SAFETY: There is one thread, and the child does nothing but sleep.
        let child = unsafe { libc::fork() };
        if child == 0 {
            loop {
                // SAFETY: No requirements.
                unsafe { libc::pause() };
            }
        }
        ensure!(child > 0, "fork: {}", Error::last_os_error());
    }
    println!("ready");
    stdout().flush()?;
    loop {
        // SAFETY: No requirements.
        unsafe { libc::pause() };
    }
}

/// An init with so many children is killed, until it can be waited for. `command` makes its arguments the init of a
/// namespace.
pub fn zap(side: &str, children: usize, command: &[&str]) -> Result<()> {
    let count = children.to_string();
    let program = std::env::current_exe()?;
    for round in 0..3 {
        let before = available()?;
        let mut init = match command.split_first() {
            Some((first, rest)) => {
                let mut init = Command::new(first);
                init.args(rest).arg(&program);
                init
            }
            None => Command::new(&program),
        };
        init.args(["--crowd", &count]).stdout(Stdio::piped());
        if command.is_empty() {
            // SAFETY: It is one system call.
            let unshared = unsafe { libc::unshare(libc::CLONE_NEWPID) };
            ensure!(unshared == 0, "unshare: {}", Error::last_os_error());
            // posix_spawn(3) would do as well.
            // SAFETY: It does nothing.
            unsafe { init.pre_exec(|| Ok(())) };
        }
        let mut init = init.spawn()?;
        let mut said = String::new();
        let out = init.stdout.take().context("stdout")?;
        BufReader::new(out).read_line(&mut said)?;
        ensure!(said == "ready\n", "{said:?}");
        let taken = before.saturating_sub(available()?) / children as u64;
        if round == 0 {
            eprintln!("a real process, and all it takes, of {children} {side} {taken}");
        }
        let case = format!("zap of {children} processes, for each");
        let start = Instant::now();
        init.kill()?;
        init.wait()?;
        let nanoseconds = start.elapsed().as_nanos();
        println!("{case} {side} {children} {nanoseconds}");
        if command.is_empty() {
            // Its children are born into the namespace that is dead now.
            break;
        }
    }
    Ok(())
}
