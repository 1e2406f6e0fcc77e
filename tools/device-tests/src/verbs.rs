// SPDX-License-Identifier: GPL-2.0

//! Every verb that a task can call, and processes in which one calls it.

use crate::{
    Fixture, WALL, WNOHANG,
    crowd::{children, threads},
};
use altpid::{
    CloneArgs, CloneFlags, Disposition, Kill, Mask, PidfdFlags, Result, SigSet, Signals, Task,
    TaskId, WaitFlags, WaitId, World,
};
use rustix::io::Errno;
use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

/// A verb on behalf of a task.
#[derive(Clone, Copy)]
pub struct Verb {
    /// What it is called in messages.
    pub name: &'static str,
    call: fn(&World, TaskId, &Scene) -> Result<()>,
}

impl Verb {
    const fn new(name: &'static str, call: fn(&World, TaskId, &Scene) -> Result<()>) -> Self {
        Self { name, call }
    }

    /// The task of a scene calls it.
    ///
    /// # Errors
    ///
    /// What the module returns.
    pub fn call(&self, scene: &Scene) -> Result<()> {
        (self.call)(scene.world.world(), scene.task, scene)
    }

    /// Likewise; of a failure there is the errno.
    ///
    /// # Errors
    ///
    /// As [`Verb::call`].
    pub fn run(&self, scene: &Scene) -> std::result::Result<(), Errno> {
        self.call(scene).map_err(|error| error.errno)
    }
}

/// waitid(2) for those that exit, stop and continue.
const WAIT_FOR_ANY: WaitFlags = WaitFlags::EXITED
    .union(WaitFlags::STOPPED)
    .union(WaitFlags::CONTINUED);

/// Signals that verbs send. All of a real-time signal are received: two of another one that come at once
/// may be one.
const TO_GROUP: i32 = 41;
const TO_THREAD: i32 = 42;

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb::new("fork", |w, task, _| {
        w.clone(task, &CloneArgs::new()).map(drop)
    }),
    Verb::new("clone of a thread", |w, task, _| {
        w.clone(task, &CloneArgs::thread()).map(drop)
    }),
    Verb::new("clone of an init", |w, task, _| {
        w.clone(task, &CloneArgs::new().flags(CloneFlags::NEWPID))
            .map(drop)
    }),
    Verb::new("unshare", |w, task, _| {
        w.unshare(task, CloneFlags::NEWPID).map(drop)
    }),
    Verb::new("setns", |w, task, scene| w.setns(task, scene.ns)),
    Verb::new("exec", |w, task, _| w.exec(task, b"program")),
    Verb::new("exit", |w, task, _| w.exit(task, 3)),
    Verb::new("exit_group", |w, task, _| w.exit_group(task, 4)),
    Verb::new("wait4", |w, task, _| {
        w.wait(task, -1, WNOHANG | WALL).map(drop)
    }),
    Verb::new("waitid", |w, task, _| {
        w.waitid(task, WaitId::All, WNOHANG | WAIT_FOR_ANY)
            .map(drop)
    }),
    Verb::new("kill of itself", |w, task, scene| {
        w.kill(Kill::Pid(task, scene.tgid), libc::SIGKILL)
    }),
    Verb::new("kill of its process group", |w, task, _| {
        w.kill(Kill::Pid(task, 0), TO_GROUP)
    }),
    Verb::new("kill of everybody", |w, task, _| {
        w.kill(Kill::Pid(task, -1), libc::SIGTERM)
    }),
    Verb::new("tgkill", |w, task, scene| {
        w.kill(Kill::Thread(task, scene.tgid, scene.sibling_tid), TO_THREAD)
    }),
    Verb::new("sigqueue", |w, task, scene| {
        w.kill(Kill::Queue(task, scene.tgid, -1, 7), 40)
    }),
    Verb::new("sigaction", |w, task, _| {
        w.sigaction(task, libc::SIGTERM, Some(Disposition::Ignore.into()))
            .map(drop)
    }),
    Verb::new("sigprocmask", |w, task, _| {
        w.sigprocmask(task, Mask::Block, SigSet::of(&[libc::SIGTERM, 40]))
            .map(drop)
    }),
    Verb::new("sigwait", |w, task, _| {
        w.sigwait(task, SigSet::of(&[libc::SIGUSR2])).map(drop)
    }),
    Verb::new("setsid", |w, task, _| w.setsid(task).map(drop)),
    Verb::new("setpgid", |w, task, _| w.setpgid(task, 0, 0)),
    Verb::new("prctl of a subreaper", |w, task, _| {
        w.set_child_subreaper(task, true)
    }),
    Verb::new("prctl of a parent-death signal", |w, task, _| {
        w.set_pdeath_signal(task, libc::SIGUSR1)
    }),
    Verb::new("prctl of a name", |w, task, _| w.set_name(task, b"name")),
    Verb::new("reboot", |w, task, _| w.reboot(task, 0x0123_4567)),
    Verb::new("pidfd_open", |w, task, scene| {
        w.pidfd_open(task, scene.tgid, PidfdFlags::empty())
            .map(drop)
    }),
];

/// Those that take more than one hold of the tree lock in a large process.
pub const SPANNING: &[&str] = &[
    "fork",
    "exec",
    "exit",
    "exit_group",
    "kill of itself",
    "kill of its process group",
    "kill of everybody",
    "reboot",
];

/// What in its process the one who calls is, and what its process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The leader of a process.
    Leader,
    /// A thread that does not lead.
    Thread,
    /// The init of a namespace.
    Init,
    /// Another thread of such an init.
    ThreadOfInit,
    /// Another thread of the world's init.
    ThreadOfWorldInit,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Leader,
        Self::Thread,
        Self::Init,
        Self::ThreadOfInit,
        Self::ThreadOfWorldInit,
    ];
}

/// A process with threads and children, of which one task is to call something. All scenes of a place
/// and a size are alike to the number.
pub struct Scene {
    /// The world.
    pub world: Fixture,
    /// The one who calls.
    pub task: TaskId,
    /// Another thread of its process.
    pub sibling: TaskId,
    /// Its children.
    pub children: Vec<TaskId>,
    /// Where it lives.
    pub ns: altpid::NsId,
    tgid: i32,
    sibling_tid: i32,
}

impl Scene {
    /// A process with so many threads and children, and as many of the leader's.
    pub fn new(place: Place, size: usize) -> Self {
        let world = Fixture::new();
        let leader = match place {
            Place::Leader | Place::Thread => world.fork(world.init),
            Place::Init | Place::ThreadOfInit => world.container(world.init).0,
            Place::ThreadOfWorldInit => world.init,
        };
        for signal in [libc::SIGUSR1, TO_GROUP, TO_THREAD] {
            world
                .sigaction(leader, signal, Some(Disposition::Handler.into()))
                .expect("sigaction");
        }
        let sibling = world.thread(leader);
        threads(&world, leader, size);
        let task = match place {
            Place::Leader | Place::Init => leader,
            _ => world.thread(leader),
        };
        // Before the children, so that a namespace of any size has some behind it.
        if task != leader {
            children(&world, leader, size);
        }
        let children = children(&world, task, size);
        let info = world.task(task).expect("task");
        Self {
            tgid: *info.tgid.last().expect("a level"),
            sibling_tid: world.own_pid(sibling),
            ns: info.ns,
            task,
            sibling,
            children,
            world,
        }
    }

    /// What came of two verbs, and how everything is now.
    pub fn outcome(&self, results: [std::result::Result<(), Errno>; 2]) -> Outcome {
        let world = self.world.world();
        let mut tasks = world.tasks(None).expect("list");
        tasks.sort_by(|a, b| a.pid.cmp(&b.pid));
        let numbers: BTreeMap<_, _> = tasks.iter().map(|t| (t.id, t.pid.clone())).collect();
        let tasks = tasks.into_iter().map(|mut task| {
            let mut signals = world.signals(task.id).expect("signals");
            // How often the handler of a process is called does not depend on the thread.
            signals.last = Default::default();
            let parent = task.parent.map(|parent| numbers[&parent].clone());
            let leader = numbers.get(&task.leader).cloned();
            let elsewhere = task.ns_for_children.is_some_and(|ns| ns != task.ns);
            // Ids are not the same in two worlds.
            (task.id, task.leader, task.parent) = (TaskId(0), TaskId(0), None);
            (task.ns, task.ns_for_children) = (altpid::NsId(0), None);
            Line {
                task,
                signals,
                parent,
                leader,
                elsewhere,
            }
        });
        let tasks = tasks.collect();
        let info = world.info().expect("world");
        Outcome {
            results,
            tasks,
            counts: [info.tasks, info.zombies, info.namespaces, info.pidfds],
        }
    }
}

/// A task, with numbers instead of ids.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    task: Task,
    signals: Signals,
    parent: Option<Vec<i32>>,
    leader: Option<Vec<i32>>,
    /// Whether its children are born in another namespace.
    elsewhere: bool,
}

/// What came of two verbs.
#[derive(PartialEq, Eq)]
pub struct Outcome {
    results: [std::result::Result<(), Errno>; 2],
    counts: [u64; 4],
    tasks: Vec<Line>,
}

impl Display for Outcome {
    /// The results, and the beginning of the list of tasks.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}, {:?}", self.results, self.counts)?;
        for line in self.tasks.iter().take(12) {
            let task = &line.task;
            writeln!(
                f,
                "    {:?} {} of {:?}, {} threads, child of {:?}, {:?}",
                task.pid, task.state, task.tgid, task.nr_threads, line.parent, line.signals
            )?;
        }
        Ok(())
    }
}
