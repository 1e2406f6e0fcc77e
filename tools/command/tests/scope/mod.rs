// SPDX-License-Identifier: GPL-2.0

//! Names for lines of the language of scenarios.

use altpid_command::script::{Kind, Scope};

/// Names as a scenario in full swing has them.
pub fn scope() -> Scope {
    let mut scope = Scope::new();
    for name in ["a", "b", "c"] {
        scope.add(name, Kind::Task);
    }
    scope.add("h", Kind::Pidfd);
    for name in ["n", "m"] {
        scope.add(name, Kind::Ns);
    }
    scope
}
