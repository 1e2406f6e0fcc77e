// SPDX-License-Identifier: GPL-2.0

//! The hunt, by several processes: each on a CPU of its own, with seeds of its own.

use crate::{Options, verdict::Verdict};
use altpid_oracle::{
    differences,
    directed::{self, Scenario},
    draw::Draw,
    hunt::{self, Counts, Course, Found},
    kernel::Kernel,
    native::Drivers,
    rules, script,
};
use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc::{self, Sender},
    time::{Duration, Instant},
};

/// How often a worker says how far it is.
const NEWS: Duration = Duration::from_secs(1);
/// How often a deliberate difference may fail to show, and a directed scenario to come to its end.
const ATTEMPTS: u64 = 30;
/// How often it is shown.
const PROGRESS: Duration = Duration::from_secs(10);

/// What a worker tells, a line of JSON each.
#[derive(Serialize, Deserialize)]
pub enum News {
    /// What it has done so far, and how often each rule had a case.
    Counts(Counts, Vec<u64>),
    /// A divergence: its kind, the scenario, and after how many operations it was found.
    Divergence(String, String, u64),
    /// One that was not there again.
    Race(String),
    /// One of the deliberate differences has shown where it must.
    Deliberate(String),
}

/// A worker.
struct Worker<'a> {
    options: &'a Options,
    drivers: Drivers,
    counts: Counts,
    cases: Vec<u64>,
    kinds: HashSet<String>,
    told: Instant,
}

impl Worker<'_> {
    fn tell(&self, news: &News) -> Result<()> {
        println!("{}", serde_json::to_string(news)?);
        Ok(())
    }

    fn tell_counts(&self) -> Result<()> {
        self.tell(&News::Counts(self.counts, self.cases.clone()))
    }

    /// Deals with what has come of a sequence.
    fn judge(&mut self, course: Course, title: &str) -> Result<()> {
        if let Course::Differs(found) = course {
            self.judge_divergence(*found, title)?;
        }
        if self.told.elapsed() > NEWS {
            self.told = Instant::now();
            self.tell_counts()?;
        }
        Ok(())
    }

    fn judge_divergence(&mut self, found: Found, title: &str) -> Result<()> {
        let kind = found.divergence.kind();
        if found.divergence.deliberate.is_some() {
            self.counts.deliberate += 1;
        } else if self.kinds.contains(&kind) {
            self.counts.repeated += 1;
        } else if hunt::is_real(&mut self.drivers, &found)? {
            let after = self.counts.ops;
            let short = hunt::shrink(&mut self.drivers, &found)?;
            // What is left can be something that is not always so.
            let is_real = hunt::is_real(&mut self.drivers, &short)?;
            let scenario = if is_real { short } else { found }.scenario(title);
            self.tell(&News::Divergence(kind.clone(), scenario, after))?;
            self.kinds.insert(kind);
        } else {
            self.counts.races += 1;
            let ops: Vec<_> = found.ops.iter().map(ToString::to_string).collect();
            let what = format!("{title}: {}\n{}", found.divergence.what, ops.join("\n"));
            self.tell(&News::Race(what))?;
        }
        Ok(())
    }

    /// Performs a scenario to its end: what comes after an answer that the kernel does not always
    /// give may be the only case of a rule. Gives up at a divergence.
    fn scenario(&mut self, scenario: &Scenario) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let (ops, cases) = (&mut self.counts.ops, &mut self.cases);
            let course = hunt::replay(&mut self.drivers, &scenario.ops, |event| {
                *ops += 1;
                rules::count(event, cases);
            })?;
            self.counts.sequences += 1;
            let (is_whole, divergences) = (matches!(course, Course::Same), self.kinds.len());
            self.judge(course, &scenario.title)?;
            if is_whole || self.kinds.len() > divergences {
                break;
            }
        }
        Ok(())
    }

    /// The scenarios that every run begins with.
    fn directed(&mut self) -> Result<()> {
        for scenario in directed::scenarios()? {
            self.scenario(&scenario)?;
            if self.kinds.len() >= self.options.divergences {
                return Ok(());
            }
        }
        for difference in differences::of(Kernel::running()?, self.options.members) {
            let ops = script::read(difference.scenario)?;
            // Some are a matter of who is faster.
            for attempt in 0..ATTEMPTS {
                self.drivers.set_order((attempt > 0).then_some(attempt));
                let course = hunt::replay(&mut self.drivers, &ops, |_| {});
                self.drivers.set_order(None);
                let course = course?;
                if let Course::Differs(found) = course
                    && found.divergence.deliberate == Some(difference.name)
                {
                    self.tell(&News::Deliberate(difference.name.to_owned()))?;
                    break;
                }
            }
        }
        Ok(())
    }

    fn random(&mut self, seed: u64) -> Result<()> {
        let mut draw = Draw::new(seed);
        let (ops, cases) = (&mut self.counts.ops, &mut self.cases);
        let course = hunt::sequence(&mut self.drivers, &mut draw, |event| {
            *ops += 1;
            rules::count(event, cases);
        })?;
        self.counts.sequences += 1;
        self.judge(course, &format!("seed {seed}"))
    }
}

/// Whether the leader has closed the worker's standard input: others have found what was wanted.
fn is_told_to_stop() -> Result<bool> {
    let stdin = std::io::stdin();
    let mut input = [PollFd::new(&stdin, PollFlags::empty())];
    poll(&mut input, Some(&Timespec::default()))?;
    Ok(input[0].revents().contains(PollFlags::HUP))
}

/// Works until there are enough operations or divergences.
pub fn work(options: &Options, cpu: usize) -> Result<ExitCode> {
    let mut worker = Worker {
        options,
        drivers: Drivers::new(&options.agent, Some(cpu), options.members)?,
        counts: Counts::default(),
        cases: vec![0; rules::rules().count()],
        kinds: HashSet::new(),
        told: Instant::now(),
    };
    if cpu == 0 && !options.undirected {
        worker.directed()?;
    }
    let mut sequence = 0;
    while worker.counts.ops < options.ops
        && worker.kinds.len() < options.divergences
        && !is_told_to_stop()?
    {
        // Far apart for each worker and for each sequence.
        worker.random(options.seed + ((cpu as u64) << 56) + (sequence << 24))?;
        sequence += 1;
    }
    worker.tell_counts()?;
    Ok(ExitCode::SUCCESS)
}

fn start(
    options: &Options,
    cpu: usize,
    share: u64,
    sender: Sender<(usize, String)>,
) -> Result<Child> {
    let mut worker = Command::new("/proc/self/exe")
        .args(["--worker", &cpu.to_string()])
        .args(["--ops", &share.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .args(["--divergences", &options.divergences.to_string()])
        .args(options.undirected.then_some("--undirected"))
        .args(options.members.then_some("--members"))
        .arg("--agent")
        .arg(&options.agent)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(worker.stdout.take().context("no output")?).lines();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = sender.send((cpu, line));
        }
    });
    Ok(worker)
}

/// Starts a worker for each CPU and shows what they find.
pub fn lead(options: &Options) -> Result<ExitCode> {
    let kernel = Kernel::running()?;
    let number = std::thread::available_parallelism()?.get();
    let share = options.ops.div_ceil(number as u64);
    let (sender, receiver) = mpsc::channel();
    let mut workers = Vec::new();
    for cpu in 0..number {
        workers.push(start(options, cpu, share, sender.clone())?);
    }
    drop(sender);
    let mut verdict = Verdict::new(number, kernel, options.members);
    let mut shown = Instant::now();
    for (cpu, line) in receiver {
        match serde_json::from_str(&line) {
            Ok(news) => verdict.hear(cpu, news),
            Err(_) => println!("{line}"),
        }
        if verdict.divergences() >= options.divergences {
            workers
                .iter_mut()
                .for_each(|worker| drop(worker.stdin.take()));
        }
        if shown.elapsed() > PROGRESS {
            shown = Instant::now();
            println!("{} of {}", verdict.progress(), options.ops);
        }
    }
    let mut finished = true;
    for mut worker in workers {
        finished &= worker.wait()?.success();
    }
    verdict.print();
    Ok(if finished && verdict.is_good(options.coverage) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
