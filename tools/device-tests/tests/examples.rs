// SPDX-License-Identifier: GPL-2.0

//! The examples of the library, which its documentation shows, do what they say.

macro_rules! examples {
    ($($name:ident: $path:literal;)*) => {
        $(#[test]
        fn $name() {
            #[path = $path]
            mod example;
            example::main().expect("the example");
        })*
    };
}

examples! {
    container: "../../altpid/examples/container.rs";
    batch: "../../altpid/examples/batch.rs";
    events: "../../altpid/examples/events.rs";
    snapshot: "../../altpid/examples/snapshot.rs";
}
