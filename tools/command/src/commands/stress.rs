// SPDX-License-Identifier: GPL-2.0

//! `altpid stress`

use crate::{
    output::{DIFFERS, print_json, unless_broken_pipe},
    place::open_world,
    table::{Column, Format, names},
};
use altpid_command::stress::{Count, Counts, Load, Stress};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::{process::ExitCode, thread::available_parallelism, time::Duration};

/// Let many threads do random things in a world of their own, and audit it again and again
///
/// What is done depends on the seed alone, with one thread to the last detail. Errors are counted,
/// as most are rightly refused; what would be wrong is a broken invariant.
#[derive(clap::Args)]
#[command(after_help = "Exit status: 3 if an audit found something broken.\n\n\
Examples:\n  altpid stress\n  altpid stress --threads 1 --ops 100000 --seed 7")]
pub struct Args {
    /// How many threads (default: one for each CPU)
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// For how long
    #[arg(
        short,
        long,
        value_name = "S",
        default_value_t = 10,
        conflicts_with = "ops"
    )]
    seconds: u64,
    /// Until each thread has tried so many operations
    #[arg(long, value_name = "N")]
    ops: Option<u64>,
    /// About how many tasks each thread has
    #[arg(long, value_name = "N", default_value_t = 500)]
    tasks: usize,
    /// What decides about everything (default: another one each time)
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    #[command(flatten)]
    format: Format,
}

/// Operations of a thread between two audits.
const ROUND: u64 = 2000;

/// What was done of one kind.
pub struct Row {
    verb: &'static str,
    count: Count,
    seconds: f64,
}

impl Row {
    /// How often in a second it was tried.
    fn rate(&self) -> u64 {
        let tried = self.count.done + self.count.refusals();
        (tried as f64 / self.seconds.max(0.001)) as u64
    }
}

/// `ECHILD` and the like.
fn errno_name(errno: i32) -> String {
    // As in "CHILD", the name of the constant.
    let name = format!("{:?}", Errno::from_raw_os_error(errno));
    match name.strip_prefix("Errno::") {
        Some(name) => format!("E{name}"),
        None => name,
    }
}

/// The names of all columns.
pub fn columns() -> Vec<&'static str> {
    names(COLUMNS)
}

const COLUMNS: &[Column<Row>] = &[
    Column::usual("OPERATION", "its name", |row| json!(row.verb)),
    Column::usual("DONE", "how often it was done", |row| json!(row.count.done)),
    Column::usual("REFUSED", "how often it failed", |row| {
        json!(row.count.refusals())
    }),
    Column::usual("RATE", "how often in a second it was tried", |row| {
        json!(row.rate())
    }),
    Column::usual("ERRORS", "which they were", |row| {
        let each = row.count.refused.iter();
        let each: Vec<_> = each
            .map(|(errno, times)| format!("{} {times}", errno_name(*errno)))
            .collect();
        json!((!each.is_empty()).then(|| each.join(", ")))
    }),
];

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let cpus = available_parallelism().map_or(1, |cpus| cpus.get());
        let threads = self.threads.map_or(cpus, usize::from);
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let world = open_world()?;
        let round = self.ops.map_or(ROUND, |ops| ops.min(ROUND));
        let load = Load {
            threads,
            round: usize::try_from(round)?,
            tasks: self.tasks,
            seed,
        };
        let mut stress = Stress::new(&world, load)?;
        let bar = self.bar();
        let (mut tried, mut audits, mut broken) = (0, 0, None);
        while broken.is_none() && self.goes_on(tried, stress.begin().elapsed()) {
            broken = stress.round()?;
            tried += round;
            audits += 1;
            bar.set_position(
                self.ops
                    .map_or(stress.begin().elapsed().as_secs(), |_| tried),
            );
        }
        bar.finish_and_clear();
        let seconds = stress.begin().elapsed().as_secs_f64();
        let summary = Summary {
            threads,
            seed,
            audits,
            seconds,
            broken,
        };
        self.write(stress.counts(), &summary)?;
        Ok(match summary.broken {
            None => ExitCode::SUCCESS,
            Some(_) => DIFFERS.into(),
        })
    }

    fn goes_on(&self, tried: u64, elapsed: Duration) -> bool {
        match self.ops {
            Some(ops) => tried < ops,
            None => elapsed.as_secs() < self.seconds,
        }
    }

    fn bar(&self) -> ProgressBar {
        let style = ProgressStyle::with_template("altpid: stress [{bar:30}] {pos}/{len} {msg}");
        ProgressBar::new(self.ops.unwrap_or(self.seconds))
            .with_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            )
            .with_message(if self.ops.is_some() {
                "operations each"
            } else {
                "s"
            })
    }

    fn write(&self, counts: Counts, summary: &Summary) -> Result<()> {
        let seconds = summary.seconds;
        let rows: Vec<_> = counts
            .into_iter()
            .map(|(verb, count)| Row {
                verb,
                count,
                seconds,
            })
            .collect();
        if self.format.json {
            return print_json(&summary.json(&rows));
        }
        unless_broken_pipe(self.format.write("operations", COLUMNS, &rows, None))?;
        let all: u64 = rows
            .iter()
            .map(|row| row.count.done + row.count.refusals())
            .sum();
        let rate = all as f64 / seconds.max(0.001);
        eprintln!(
            "altpid: {all} operations by {} threads in {seconds:.1} s, {rate:.0} a second; seed {}",
            summary.threads, summary.seed
        );
        match &summary.broken {
            None => eprintln!("altpid: {} audits, nothing is broken", summary.audits),
            Some(what) => eprintln!("altpid: audit {} found: {what}", summary.audits),
        }
        Ok(())
    }
}

/// What there is to say in the end.
struct Summary {
    threads: usize,
    seed: u64,
    audits: u64,
    seconds: f64,
    broken: Option<String>,
}

impl Summary {
    fn json(&self, rows: &[Row]) -> Value {
        let list: Vec<Value> = rows
            .iter()
            .map(|row| {
                let errors = row.count.refused.iter();
                let errors: serde_json::Map<_, _> = errors
                    .map(|(errno, times)| (errno_name(*errno), json!(times)))
                    .collect();
                json!({ "operation": row.verb, "done": row.count.done, "refused": errors })
            })
            .collect();
        json!({
            "seed": self.seed, "threads": self.threads, "seconds": self.seconds,
            "audits": self.audits, "broken": self.broken, "operations": list,
        })
    }
}
