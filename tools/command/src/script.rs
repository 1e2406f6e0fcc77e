// SPDX-License-Identifier: GPL-2.0

//! The language of scenarios: system calls of named tasks, one a line, and what must come of them.
//!
//! `docs/scenarios.md` describes it. A [`Script`] is read, or a single [`Line`] of it; a [`Player`]
//! plays statements in a world. What is read is written again by `Display`, so that programs can
//! make scenarios too. The verbs are one table, [`verbs`], and the properties another,
//! [`PROPERTIES`].
//!
//! # Examples
//!
//! ```
//! use altpid_command::script::Script;
//!
//! let script = Script::parse("a = clone NEWPID\nexpect EINVAL: clone a PARENT")?;
//! assert_eq!(script.lines[0].to_string(), "a = clone NEWPID");
//! # Ok::<(), Vec<altpid_command::script::SyntaxError>>(())
//! ```
//!
//! ```no_run
//! use altpid::World;
//! use altpid_command::script::{Player, Script};
//!
//! let script = Script::parse("a = clone\nexit a 3\nexpect a exited 3: wait4 init").unwrap();
//! let mut player = Player::new(World::open()?)?;
//! for line in &script.lines {
//!     if let Some(statement) = &line.statement {
//!         println!("{statement} = {}", player.play(statement).unwrap());
//!     }
//! }
//! # Ok::<(), altpid::Error>(())
//! ```

mod complete;
mod constants;
mod error;
mod facts;
mod happening;
mod help;
mod parse;
mod player;
mod run;
mod scope;
mod syntax;
mod tokens;
mod values;
mod verbs;

pub use complete::complete;
pub use error::SyntaxError;
pub use facts::{Fact, FactValue, PROPERTIES, Property};
pub use happening::{Happening, More};
pub use help::help;
pub use player::{Object, Player, Refusal, Returned};
pub use run::{Failure, Script, trace};
pub use scope::{Kind, Scope};
pub use syntax::{Arg, Call, Expected, Line, Statement, Value};
pub use values::{NsRef, PidRef, Status};
pub use verbs::{Op, Param, ParamKind, Returns, Verb, verbs};
