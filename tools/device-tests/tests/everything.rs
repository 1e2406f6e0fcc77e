// SPDX-License-Identifier: GPL-2.0

//! The command on a machine on which everything goes on at once: what it captures is as it was made,
//! and what it says of the restored tree is true in every word. All that is compared here is read
//! from the two snapshots, by no code that made the verdict.

use altpid::{
    NsState,
    snapshot::{Comm, Numbers, Snapshot, Task},
};
use altpid_device_tests::{
    command_line::{altpid, finish, run},
    machine::Machine,
    patience::eventually,
    scratch::Scratch,
};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    env, fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    sync::Mutex,
};

/// A number of level 0, and why the task is in another state.
type Notes = BTreeMap<i32, String>;

/// What must hold for a task.
type Holds<'a> = &'a dyn Fn(&Task) -> bool;

/// The machine is there once at a time.
static ONE: Mutex<()> = Mutex::new(());

/// The tasks with a name.
fn called<'a>(snapshot: &'a Snapshot, name: &[u8]) -> Vec<&'a Task> {
    let tasks = snapshot.tasks.iter();
    tasks.filter(|task| task.comm.as_bytes() == name).collect()
}

/// The only one.
#[track_caller]
fn only<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Task {
    let found = called(snapshot, name.as_bytes());
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

/// What has not come about yet, of what needs a while.
fn unsettled(snapshot: &Snapshot) -> Option<&'static str> {
    let has_other = |task: &Task| task.ns_for_children.is_some();
    let wanted: [(&str, Holds<'_>); 14] = [
        ("dying", &|task| task.exiting),
        ("entered", &|task| task.is_zombie()),
        ("nsenter", &|task| task.is_stopped()),
        ("stopped", &|task| task.is_stopped()),
        ("traced", &|task| task.is_traced()),
        ("dead", &|task| task.is_zombie()),
        ("leaves-thread", &|task| task.is_zombie()),
        ("lives-on", &|task| !task.is_zombie()),
        ("outlives-init", &has_other),
        ("awaits-init", &has_other),
        ("awaits-too", &has_other),
        ("users-child", &|_| true),
        ("user-inside", &|_| true),
        ("parent-unseen", &|_| true),
    ];
    let missing = wanted.iter().find(|(name, holds)| {
        let found = called(snapshot, name.as_bytes());
        found.len() != 1 || !holds(found[0])
    });
    match missing {
        Some((name, _)) => Some(name),
        None if !called(snapshot, b"short-lived").is_empty() => Some("short-lived"),
        None if called(snapshot, b"deeper").len() != 31 => Some("deeper"),
        None => None,
    }
}

/// A capture of the whole machine, as text.
fn captured() -> (Snapshot, String) {
    let mut last = None;
    eventually("everything goes on", || {
        let (status, out, err) = run(&["capture"], "");
        assert_eq!((status, err.as_str()), (0, ""));
        let snapshot = Snapshot::parse(out.as_bytes()).expect("a snapshot");
        let missing = unsettled(&snapshot);
        println!("not yet: {missing:?}");
        last = Some((snapshot, out));
        missing.is_none()
    });
    last.expect("a capture")
}

/// What is captured is what was made.
fn is_as_made(snapshot: &Snapshot) {
    let state = |ns: usize| snapshot.namespaces[ns].state;
    let names: [&[u8]; 11] = [
        b" two  blanks ",
        b"a) S 1 (b",
        b") Z 0 0 0 0 4",
        b"line\nbreak",
        "gr\u{fc}\u{df}e \u{2192}".as_bytes(),
        b"\xff\xfe",
        b"exactly-15-long",
        b"longer-than-15-",
        b"",
        b"kworker/9:9-a",
        b"tab\tand \"quote\\",
    ];
    let root = only(snapshot, "all-at-once");
    for name in names {
        let found = called(snapshot, name);
        let own: Vec<_> = found.iter().filter(|task| task.ns == root.ns).collect();
        assert_eq!(own.len(), 1, "{:?}", Comm::new(name));
        assert!(!own[0].is_zombie() && !own[0].exiting, "{}", own[0]);
        assert_eq!(own[0].ppid, root.root_pid());
    }
    let children = |name: &str| only(snapshot, name).ns_for_children.expect("another");
    assert_eq!(state(children("outlives-init")), NsState::Dead);
    assert_eq!(state(children("awaits-init")), NsState::AwaitingInit);
    let parent = snapshot.namespaces[children("awaits-init")].parent;
    assert_eq!(parent, Some(root.ns));
    assert_eq!(children("awaits-too"), children("awaits-init"));
    let dying = only(snapshot, "dying").ns;
    assert_eq!(state(dying), NsState::Dying);
    assert_eq!(only(snapshot, "entered").ns, dying);
    assert_eq!([children("unsharer"), children("nsenter")], [dying; 2]);
    let nested = only(snapshot, "nested");
    assert_eq!(state(nested.ns), NsState::Active);
    let injected = only(snapshot, "parent-unseen");
    assert_eq!((injected.ns, injected.own_pid()), (nested.ns, 2));
    assert_eq!(injected.ppid, only(snapshot, "injects").root_pid());
    let mut deep: Vec<_> = called(snapshot, b"deeper")
        .iter()
        .map(|t| t.pid.len())
        .collect();
    deep.sort_unstable();
    assert_eq!(deep, (3..=33).collect::<Vec<_>>());
    assert_eq!(called(snapshot, b"storm").len(), 2);
}

/// Where a task is in its life, as a snapshot says.
fn life(task: &Task) -> &'static str {
    match task {
        task if task.is_zombie() => "dead",
        task if task.exiting => "exiting",
        task if task.is_stopped() => "stopped",
        task if task.is_traced() => "traced",
        _ => "alive",
    }
}

/// The notes about tasks, each of which begins with the task as it is written.
#[track_caller]
fn notes(snapshot: &Snapshot, lines: &[&str]) -> Notes {
    let mut notes = Notes::new();
    for line in lines {
        let task = snapshot.tasks.iter().find(|task| {
            let start = format!("{task}: ");
            line.starts_with(&start)
        });
        let task = task.unwrap_or_else(|| panic!("about nobody: {line}"));
        let why = line[format!("{task}: ").len()..].to_owned();
        assert_eq!(notes.insert(task.root_pid(), why), None, "twice: {line}");
    }
    notes
}

/// Where children are born, and the namespace of a task: by the inodes from level 0 on, or the state of
/// one that has none.
fn place(snapshot: &Snapshot, ns: usize) -> Vec<String> {
    let chain = snapshot.chain(ns).into_iter();
    let name = |ns: usize| {
        let space = &snapshot.namespaces[ns];
        match (space.state, space.inode) {
            (NsState::AwaitingInit, _) | (_, None) => space.state.to_string(),
            (_, Some(inode)) => inode.to_string(),
        }
    };
    chain.map(name).collect()
}

/// Compares the restored tree with the snapshot; returns who is in another state, by number.
#[track_caller]
fn differences(snapshot: &Snapshot, again: &Snapshot) -> BTreeSet<i32> {
    let found: HashMap<i32, &Task> = again.tasks.iter().map(|t| (t.root_pid(), t)).collect();
    let mut different = BTreeSet::new();
    for was in &snapshot.tasks {
        let Some(is) = found.get(&was.root_pid()) else {
            different.insert(was.root_pid());
            continue;
        };
        let vectors = |task: &Task| [&task.pid, &task.tgid, &task.pgid, &task.sid].map(Vec::clone);
        assert_eq!(vectors(is), vectors(was), "{was}");
        let name = was.comm.as_bytes();
        assert_eq!(is.comm.as_bytes(), &name[..name.len().min(15)], "{was}");
        assert_eq!(place(again, is.ns), place(snapshot, was.ns), "{was}");
        let lives = !was.is_zombie() && !was.exiting;
        let children = |snapshot: &Snapshot, task: &Task| {
            place(snapshot, task.ns_for_children.unwrap_or(task.ns))
        };
        let same_children = !lives || children(again, is) == children(snapshot, was);
        if life(is) != life(was) || is.ppid != was.ppid || !same_children {
            different.insert(was.root_pid());
        }
    }
    let known: BTreeSet<i32> = snapshot.tasks.iter().map(Task::root_pid).collect();
    for is in &again.tasks {
        let is_init = is.root_pid() == 1;
        assert!(is_init || known.contains(&is.root_pid()), "new: {is}");
    }
    different
}

/// The states of the namespaces whose inodes are known.
fn states(snapshot: &Snapshot) -> BTreeMap<Vec<String>, NsState> {
    let all = 0..snapshot.namespaces.len();
    all.map(|ns| (place(snapshot, ns), snapshot.namespaces[ns].state))
        .collect()
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Restores a snapshot by the command; every word of what it says is looked at. Notes that are not
/// about a task are returned, and what the notes say about each.
#[track_caller]
fn restored_truly(snapshot: &Snapshot, text: &str) -> (Vec<String>, Notes) {
    let file = Scratch::new("everything.json", text);
    let (status, out, err) = finish(&mut altpid(&["restore", "-J", file.path()]), "");
    assert_eq!(status, 0, "{err}");
    let again = Snapshot::parse(out.as_bytes()).expect("a snapshot");
    let mut lines: Vec<&str> = err.lines().collect();
    let verdict = lines.pop().expect("a verdict");
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| line.strip_prefix("altpid: note: ").expect("a note"))
        .collect();
    let (about, general): (Vec<&str>, Vec<&str>) = lines
        .into_iter()
        .partition(|line| line.starts_with("task "));
    let notes = notes(snapshot, &about);
    let different = differences(snapshot, &again);
    // A note for each that is different, and for nobody else.
    let noted: BTreeSet<i32> = notes.keys().copied().collect();
    assert_eq!(noted, different, "{err}");
    let altered: BTreeSet<_> = {
        let tasks = snapshot.tasks.iter();
        let altered = tasks.filter(|task| different.contains(&task.root_pid()));
        altered.map(|task| task.ns).collect()
    };
    let (was, is) = (states(snapshot), states(&again));
    for (ns, state) in (0..snapshot.namespaces.len()).map(|ns| (ns, &snapshot.namespaces[ns].state))
    {
        let at = place(snapshot, ns);
        if !altered.contains(&ns) {
            assert_eq!(is.get(&at), Some(state), "namespace {at:?}");
        }
    }
    assert!(is.keys().all(|at| was.contains_key(at)), "{is:?}");
    // Parents are compared where states are.
    let numbers: usize = snapshot.tasks.iter().map(|task| 4 * task.pid.len()).sum();
    let gone = snapshot.tasks.iter().filter(|task| {
        let mut found = again.tasks.iter();
        !found.any(|other| other.root_pid() == task.root_pid())
    });
    let gone: usize = gone.map(|task| 4 * task.pid.len()).sum();
    let tasks = snapshot.tasks.len();
    let mut wanted = format!(
        "restored: {}, {}, {} compared, 0 mismatches",
        counted(tasks, "task"),
        counted(snapshot.namespaces.len(), "namespace"),
        counted(numbers - gone + tasks - different.len(), "number"),
    );
    if !different.is_empty() {
        let some = counted(different.len(), "task");
        wanted += &format!(", {some} in another state (see the notes)");
    }
    assert_eq!(verdict, wanted);
    (general.iter().map(ToString::to_string).collect(), notes)
}

/// Everything at once: what is told is what is so, before and after.
#[test]
fn a_machine_with_everything_lives_again() {
    let _one = ONE.lock();
    let machine = Machine::start();
    let (snapshot, text) = captured();
    is_as_made(&snapshot);
    drop(machine);
    let (general, notes) = restored_truly(&snapshot, &text);
    assert_eq!(general, Vec::<String>::new());
    let about = |name: &str| {
        notes
            .get(&only(&snapshot, name).root_pid())
            .map(String::as_str)
    };
    assert_eq!(
        about("traced"),
        Some("a tracer has stopped it, and a world has none: it runs")
    );
    for name in [
        "dying",
        "entered",
        "nsenter",
        "stopped",
        "dead",
        "leaves-thread",
        "awaits-init",
    ] {
        assert_eq!(about(name), None, "{name}");
    }
    // Why it does not die, in the snapshot and in the world: the one who holds it.
    let inode = snapshot.namespaces[only(&snapshot, "dying").ns]
        .inode
        .expect("an inode");
    let file = Scratch::new("why.json", &text);
    let (status, why, err) = run(&["why", "-s", file.path(), &inode.to_string()], "");
    assert_eq!((status, err.as_str()), (0, ""));
    let [dying, entered, nsenter] = ["dying", "entered", "nsenter"].map(|name| {
        let task = only(&snapshot, name);
        format!("{} ({})", Numbers(&task.pid), task.comm)
    });
    let begin = format!(
        "namespace {inode} is dying: its init {dying} has exited, and waits for:\n  \
         2: {entered} is a zombie: its parent {nsenter} has not waited for it\n"
    );
    assert!(why.starts_with(&begin), "{why}");
    let script = format!("altpid why {inode}");
    let (status, held, err) = run(&["hold", file.path(), "--", "sh", "-c", &script], "");
    assert_eq!(status, 0, "{err}");
    assert_eq!(held, why);
}

/// A procfs that hides the processes of others, as a user sees it: what is told and what lives again.
#[test]
fn a_machine_that_hides_most_of_it() {
    let _one = ONE.lock();
    let machine = Machine::start();
    captured();
    let dir = env::temp_dir().join(format!("altpid-{}-proc", std::process::id()));
    fs::create_dir(&dir).expect("a directory");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("everybody's");
    for (option, level) in [
        ("hidepid=noaccess", 1),
        ("hidepid=invisible", 2),
        ("hidepid=ptraceable", 4),
    ] {
        let options = std::ffi::CString::new(option).expect("options");
        mount(
            "proc",
            &dir,
            "proc",
            MountFlags::empty(),
            Some(options.as_c_str()),
        )
        .expect("mount");
        let path = dir.to_str().expect("a name");
        let as_user = |args: &[&str]| {
            let mut command = altpid(&[args, &["--proc", path]].concat());
            finish(command.uid(1000).gid(1000), "")
        };
        let (status, text, told) = as_user(&["capture"]);
        assert_eq!(status, 3, "{told}");
        let snapshot = Snapshot::parse(text.as_bytes()).expect("a snapshot");
        let (own, child) = (only(&snapshot, "of-a-user"), only(&snapshot, "users-child"));
        assert_eq!((own.ppid, child.ppid), (0, own.root_pid()), "{level}");
        // Whose init is hidden has no place in a tree.
        assert_eq!(called(&snapshot, b"user-inside"), <[&Task; 0]>::default());
        let left_out =
            "altpid: not seen: 1 task left out: the init of its pid namespace is not shown\n";
        assert!(told.contains(left_out), "{told}");
        let (partly, again, same) = as_user(&["capture", "--partial"]);
        assert_eq!(partly, 0);
        assert!(
            same.contains("not shown: the procfs is mounted with hidepid="),
            "{same}"
        );
        let again = Snapshot::parse(again.as_bytes()).expect("a snapshot");
        assert_eq!(again.tasks, snapshot.tasks);
        // How many are not shown is how many there are but those.
        let count = told
            .lines()
            .find_map(|line| {
                line.strip_prefix("altpid: not seen: ")?
                    .split_once(" processes not shown: ")
            })
            .and_then(|(count, _)| count.parse::<usize>().ok());
        assert!(count.expect("a count") > 40, "{told}");
        unmount(&dir, UnmountFlags::DETACH).expect("umount");
        let (general, notes) = restored_truly(&snapshot, &text);
        assert_eq!(
            general,
            ["pid 1 is not in the snapshot; the world has one all the same"]
        );
        assert_eq!(notes, Notes::new());
    }
    drop(machine);
    fs::remove_dir(&dir).expect("the directory");
}
