// SPDX-License-Identifier: GPL-2.0

//! What can be typed: the verbs of the command. What each takes stands with what it does.

use crate::commands::{
    audit, capture, diff, exec, generate, hold, ids, kill, ls, proc, restore, run, shell, show,
    stress, translate, tree, watch, why, worlds,
};
use crate::output::folded;
use crate::table::ColumnNames;
use anyhow::Result;
use clap::error::{ContextKind, ErrorKind};
use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::{fmt::Write, process::ExitCode};

/// Drive an alternative pid subsystem.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: 0 if all went well, 1 if something failed, 2 for wrong usage, 3 if \
what was looked at is not as it should be: a restored tree, snapshots that differ, an audit, a scenario.",
    after_long_help = "A world lives as long as some process has /dev/altpid open. Verbs that look at \
one find it by its number (--world), by a process that holds it (--target), or because it is the \
only one.\n\nEnvironment:\n  ALTPID_DEVICE  the device, if not /dev/altpid\n  \
ALTPID_FD      a descriptor of the world to look at, as \"altpid hold\" sets it\n  \
NO_COLOR       no colours, if not empty\n\n\
Exit status:\n  0  all went well\n  1  something failed\n  2  wrong usage\n  3  what was looked at \
is not as it should be: a restored tree, snapshots that differ, an audit, a scenario\n\n\
Example: altpid hold snapshot.json -- altpid tree"
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    Capture(capture::Args),
    Restore(restore::Args),
    Diff(diff::Args),
    Exec(exec::Args),
    Proc(proc::Args),
    Hold(hold::Args),
    Worlds(worlds::Args),
    Ls(ls::Args),
    Run(run::Args),
    Shell(shell::Args),
    Tree(tree::Args),
    Show(show::Args),
    Translate(translate::Args),
    Watch(watch::Args),
    Why(why::Args),
    Audit(audit::Args),
    Ids(ids::Args),
    Kill(kill::Args),
    Exit(kill::ExitArgs),
    Stress(stress::Args),
    #[command(hide = true)]
    Generate(generate::Args),
}

/// The verbs as `altpid --help` lists them.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Make and keep worlds",
        &["hold", "worlds", "capture", "restore", "diff"],
    ),
    (
        "Look at a world or a snapshot",
        &["ls", "tree", "show", "translate", "why", "watch", "audit"],
    ),
    (
        "Do something in a world",
        &["exec", "proc", "ids", "kill", "exit", "stress"],
    ),
    ("Play scenarios", &["run", "shell"]),
];

/// The command as it is parsed and described.
pub fn command() -> Command {
    let mut command = Cli::command();
    for (verb, columns) in [
        ("ls", ls::columns()),
        ("worlds", worlds::columns()),
        ("stress", stress::columns()),
    ] {
        command = command.mut_subcommand(verb, |verb| {
            verb.mut_arg("output", |list| list.value_parser(ColumnNames(columns)))
        });
    }
    let verbs = list_verbs(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{verbs}Options:\n{{options}}{{after-help}}"
    ))
}

/// A line for each verb that is shown, below the title of its group.
fn list_verbs(command: &Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(text, "{title}:");
        for name in *names {
            let verb = command.find_subcommand(name);
            let about = verb.and_then(Command::get_about).unwrap_or_default();
            let _ = writeln!(text, "  {name:<10} {about}");
        }
        text.push('\n');
    }
    text.push_str("\"altpid VERB --help\" says what a verb takes, with examples.\n\n");
    folded(&text)
}

impl Cli {
    /// What was typed. Ends the process if that is wrong, or asks for help.
    pub fn read() -> Self {
        let parsed = command().try_get_matches();
        let mut matches = parsed.unwrap_or_else(|mut error| {
            // That a dash may be part of a value: here none begins with one.
            if error.kind() == ErrorKind::UnknownArgument {
                error.remove(ContextKind::Suggested);
            }
            error.exit()
        });
        Self::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit())
    }
}

impl Verb {
    /// Does it; the exit status says how it went.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Capture(args) => args.run(),
            Self::Restore(args) => args.run(),
            Self::Diff(args) => args.run(),
            Self::Exec(args) => args.run(),
            Self::Proc(args) => args.run(),
            Self::Hold(args) => args.run(),
            Self::Worlds(args) => args.run(),
            Self::Ls(args) => args.run(),
            Self::Run(args) => args.run(),
            Self::Shell(args) => args.run(),
            Self::Tree(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Translate(args) => args.run(),
            Self::Watch(args) => args.run(),
            Self::Why(args) => args.run(),
            Self::Audit(args) => args.run(),
            Self::Ids(args) => args.run(),
            Self::Kill(args) => args.run(),
            Self::Exit(args) => args.run(),
            Self::Stress(args) => args.run(),
            Self::Generate(args) => args.run(command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn each_verb_is_in_one_group() {
        let command = Cli::command();
        let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
        let mut shown: Vec<_> = shown.map(Command::get_name).collect();
        let mut grouped: Vec<_> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        shown.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(grouped, shown);
    }
}
