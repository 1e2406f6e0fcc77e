// SPDX-License-Identifier: GPL-2.0

//! Reading `/proc`: one made of files for what must be read right, and the real one.

mod model;

use altpid::{
    NsState,
    capture::{capture, own_number},
    snapshot::{Comm, Snapshot},
};
use model::text::tree;
use std::{fs, os::unix::fs::symlink, path::Path, process};
use tempfile::TempDir;

/// A procfs made of files, from the lines of a tree.
struct Proc {
    dir: TempDir,
}

impl Proc {
    fn of(snapshot: &Snapshot) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let proc = Self { dir };
        proc.write("sys/kernel/osrelease", b"7.3.0\n");
        proc.write("sys/kernel/pid_max", b"32768\n");
        proc.write("sys/kernel/ns_last_pid", b"1000\n");
        proc.write("self/status", b"NSpid:\t7\n");
        let inode = |ns: usize| {
            let inode = snapshot.namespaces[ns].inode.expect("an inode");
            format!("pid:[{inode}]")
        };
        for task in &snapshot.tasks {
            let home = format!("{}/task/{}", task.tgid[0], task.pid[0]);
            let vector = |name: &str, numbers: &[i32]| {
                let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                format!("{name}:\t{}\n", numbers.join("\t"))
            };
            let status = format!(
                "Name:\tsome: name\nState:\t{} (whatever)\nPPid:\t{}\n{}{}{}{}",
                task.state,
                task.ppid,
                vector("NStgid", &task.tgid),
                vector("NSpid", &task.pid),
                vector("NSpgid", &task.pgid),
                vector("NSsid", &task.sid),
            );
            proc.write(&format!("{home}/status"), status.as_bytes());
            let comm = [task.comm.as_bytes(), b"\n"].concat();
            proc.write(&format!("{home}/comm"), &comm);
            proc.link(&format!("{home}/ns/pid"), &inode(task.ns));
            let children = task.ns_for_children.unwrap_or(task.ns);
            if snapshot.namespaces[children].state != NsState::AwaitingInit {
                proc.link(&format!("{home}/ns/pid_for_children"), &inode(children));
            }
            // The flags are the ninth field: PF_EXITING.
            let flags = if task.exiting { 4 } else { 0 };
            let stat = format!("{} (a) 3 (b) I 1 1 1 0 -1 {flags} 0\n", task.pid[0]);
            proc.write(&format!("{home}/stat"), stat.as_bytes());
        }
        proc
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, path: &str, text: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        symlink(target, path).expect("a link");
    }

    fn remove(&self, path: &str) {
        let path = self.path().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).expect("a directory");
        } else {
            fs::remove_file(path).expect("a file");
        }
    }

    fn captured(&self) -> Snapshot {
        let captured = capture(self.path(), None).expect("a snapshot");
        assert_eq!(captured.unseen, Vec::<String>::new());
        captured.snapshot
    }

    fn refused(&self) -> String {
        let error = capture(self.path(), None).expect_err("a refusal");
        let text = format!("{error:#}");
        text.replace(&*self.path().to_string_lossy(), "PROC")
    }
}

/// In each namespace below somebody has a parent right above, so that files can tell them apart.
fn nested() -> Snapshot {
    tree(
        &[0, 1],
        "1 = = = 0 systemd
         2 = . . 0 kthreadd
         100 = = = 1 >1
         101 100 = 100 1
         102/1 = = = 100 @1
         103/2/1 = = 102/1/0 102 @2
         104/3/2 103/2/1 103/2/1 102/1/0 102 @2
         105/4 = 102/1 102/1 102 @1 Z",
    )
}

fn fixed(mut snapshot: Snapshot) -> Snapshot {
    // A thread is in the group and the session of its process.
    for i in 0..snapshot.tasks.len() {
        let leader = snapshot
            .tasks
            .iter()
            .find(|t| t.pid == snapshot.tasks[i].tgid);
        let leader = leader.expect("every thread has a leader").clone();
        (snapshot.tasks[i].pgid, snapshot.tasks[i].sid) = (leader.pgid, leader.sid);
    }
    snapshot
}

#[test]
fn everything_is_read() {
    let wanted = fixed(nested());
    assert_eq!(Proc::of(&wanted).captured(), wanted);
}

#[test]
fn who_captures_is_left_out() {
    let wanted = fixed(nested());
    let proc = Proc::of(&wanted);
    proc.remove("self");
    proc.link("self", "2");
    proc.write("2/status", b"NSpid:\t2\n");
    assert_eq!(own_number(proc.path()), Some(2));
    let captured = capture(proc.path(), Some(2)).expect("a snapshot");
    let snapshot = captured.snapshot;
    let mut rest = wanted;
    rest.tasks.retain(|task| task.pid != [2]);
    assert_eq!(snapshot, rest);
}

#[test]
fn names_are_taken_as_they_are() {
    for name in [
        &b"(sd-pam)"[..],
        b"a) Z 7 (",
        b"two\nlines",
        b"\xff\xfe",
        b"",
    ] {
        let mut wanted = tree(&[], "1 = = = 0");
        wanted.tasks[0].comm = Comm::new(name);
        assert_eq!(Proc::of(&wanted).captured(), wanted);
    }
}

/// Namespaces that may not be read are those of the parent, if the depth is the same.
#[test]
fn hidden_namespaces() {
    let wanted = fixed(nested());
    let proc = Proc::of(&wanted);
    for hidden in ["1/task/1", "2/task/2", "103/task/104", "105/task/105"] {
        proc.remove(&format!("{hidden}/ns/pid"));
    }
    assert_eq!(proc.captured(), wanted);
    // The init of a namespace says nothing about its own.
    proc.remove("103/task/103/ns/pid");
    assert_eq!(
        proc.refused(),
        "the pid namespace of task 104/3/2 (t104) may not be read; run as root to see it"
    );
}

#[test]
fn what_has_vanished_is_left_out() {
    let wanted = fixed(nested());
    for gone in [
        "105/task/105/status",
        "105/task/105/comm",
        "105/task",
        "105",
    ] {
        let proc = Proc::of(&wanted);
        proc.remove(gone);
        let mut rest = wanted.clone();
        rest.tasks.retain(|task| task.pid[0] != 105);
        assert_eq!(proc.captured(), rest, "without {gone}");
    }
    // Being reaped: the numbers are gone, the files are not.
    let proc = Proc::of(&wanted);
    proc.remove("105/task/105/status");
    let status = b"State:\tX (dead)\nPPid:\t0\nNSpid:\t0\nNStgid:\t0\nNSpgid:\t0\nNSsid:\t0\n";
    proc.write("105/task/105/status", status);
    let mut rest = wanted;
    rest.tasks.retain(|task| task.pid[0] != 105);
    assert_eq!(proc.captured(), rest);
}

/// Threads whose leader has vanished go as well; children whose parent is not shown are kept, and told.
#[test]
fn a_parent_that_is_not_shown() {
    let wanted = fixed(nested());
    let proc = Proc::of(&wanted);
    proc.remove("100/task/100");
    let captured = capture(proc.path(), None).expect("a snapshot");
    let left: Vec<_> = captured
        .snapshot
        .tasks
        .iter()
        .map(|t| (t.pid[0], t.ppid))
        .collect();
    let expected = [(1, 0), (2, 0), (102, 0), (103, 102), (104, 102), (105, 102)];
    assert_eq!(left, expected);
    let unseen = [
        "1 process not shown: this user may not see them",
        "1 process not shown that has children here; their parent is said to be outside",
    ];
    assert_eq!(captured.unseen, unseen);
}

/// The init of a namespace that is dying has no memory any more and `PF_EXITING`, the namespaces for
/// children that have no init yet cannot be opened (before Linux 7.0), and nobody is in one that is dead.
#[test]
fn namespaces_in_every_state() {
    let mut wanted = tree(
        &[0, 0, 0],
        "1 = = = 0
         10/1 = = = 1 @1 I
         11 = = = 1 >1
         12/2 = . . 11 @1 Z
         13 = = = 1 >2
         14 = = = 1 >3",
    );
    wanted.namespaces[2].state = NsState::Dead;
    wanted.namespaces[3].inode = None;
    assert_eq!(wanted.check(), Ok(()));
    assert_eq!(wanted.namespaces[1].state, NsState::Dying);
    assert_eq!(wanted.namespaces[3].state, NsState::AwaitingInit);
    let proc = Proc::of(&wanted);
    proc.write("sys/kernel/osrelease", b"6.18.0\n");
    wanted.kernel = "6.18.0".into();
    assert_eq!(proc.captured(), wanted);
    // A kernel that would show those without init, too: files do not tell which it is.
    proc.write("sys/kernel/osrelease", b"7.0.0\n");
    let unseen = capture(proc.path(), None).expect("a snapshot").unseen;
    let told = "whether namespaces for children in which nobody is await their init or are dead, which \
                only root can find out: 1 is said to be dead";
    assert_eq!(unseen, [told]);
}

/// The kernel shows the limits of the reader's namespace, whatever the procfs is of.
#[test]
fn limits_of_another_namespace_are_not_known() {
    let mut wanted = tree(&[], "1 = = = 0");
    let proc = Proc::of(&wanted);
    proc.write("self/status", b"NSpid:\t7\t1\n");
    (wanted.pid_max, wanted.last_pid) = (None, None);
    assert_eq!(proc.captured(), wanted);
    // Mounted with subset=pid there are none.
    proc.write("self/status", b"NSpid:\t7\n");
    proc.remove("sys");
    wanted.kernel.clear();
    assert_eq!(proc.captured(), wanted);
}

#[test]
fn what_is_no_procfs() {
    let proc = Proc::of(&tree(&[], "1 = = = 0"));
    proc.remove("1");
    assert_eq!(proc.refused(), "PROC shows no process; is it a procfs?");
    let missing = capture(Path::new("/does/not/exist"), None).expect_err("a refusal");
    assert_eq!(
        format!("{missing:#}"),
        "reading /does/not/exist: No such file or directory (os error 2)"
    );
}

#[test]
fn a_procfs_of_another_kernel() {
    let proc = Proc::of(&tree(&[], "1 = = = 0"));
    proc.remove("1/task/1/status");
    proc.write(
        "1/task/1/status",
        b"State:\tS (sleeping)\nPPid:\t0\nPid:\t1\n",
    );
    assert_eq!(proc.refused(), "PROC/1/task/1 has no NSpid");
}

/// The real one: with this process, all its threads and its numbers, and fit to be restored.
#[test]
fn this_machine() {
    let proc = Path::new("/proc");
    let snapshot = capture(proc, None).expect("a snapshot").snapshot;
    assert_eq!(snapshot.check(), Ok(()));
    let own = i32::try_from(process::id()).expect("a pid");
    let me = snapshot
        .tasks
        .iter()
        .find(|t| t.is_leader() && t.own_pid() == own);
    let me = me.expect("this process is in the snapshot");
    assert!(!me.is_zombie());
    assert!(
        snapshot
            .tasks
            .iter()
            .any(|t| t.tgid == me.tgid && !t.is_leader())
    );
    assert!(altpid::plan::plan(&snapshot).is_ok());
    let without = capture(proc, own_number(proc)).expect("a snapshot");
    let without = without.snapshot;
    assert!(without.tasks.iter().all(|t| t.tgid != me.tgid));
}
