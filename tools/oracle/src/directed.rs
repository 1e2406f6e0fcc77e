// SPDX-License-Identifier: GPL-2.0

//! Scenarios that are performed with every run: those in which what the rules are about happens,
//! and those that have diverged once.

use crate::{op::Op, script};
use anyhow::{Context, Result};

/// What is between two scenarios.
const BETWEEN: &str = "\n=====";

/// A scenario and what it is about.
pub struct Scenario {
    /// Its first line.
    pub title: String,
    /// What happens.
    pub ops: Vec<Op>,
}

/// All of them.
pub fn scenarios() -> Result<Vec<Scenario>> {
    let files = [
        include_str!("../directed.scenarios"),
        include_str!("../regressions.scenarios"),
    ];
    let texts: Vec<&str> = files.iter().flat_map(|file| file.split(BETWEEN)).collect();
    texts
        .iter()
        .map(|text| {
            // What stands before the first blank line is about the file.
            let text = text.trim_start_matches('=');
            let mut titles = text.lines().filter_map(|line| line.strip_prefix("# "));
            let title = titles.next_back().unwrap_or("").to_owned();
            let ops = script::read(text).with_context(|| title.clone())?;
            Ok(Scenario { title, ops })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_written_as_they_are_read() {
        for scenario in scenarios().unwrap() {
            let text: String = scenario.ops.iter().map(|op| format!("{op}\n")).collect();
            assert!(!scenario.ops.is_empty(), "{}", scenario.title);
            assert_eq!(
                script::read(&text).unwrap(),
                scenario.ops,
                "{}",
                scenario.title
            );
        }
    }
}
