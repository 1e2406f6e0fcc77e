// SPDX-License-Identifier: GPL-2.0

//! Who does what the statements say: a world, and what the names in it stand for.

mod ask;
mod calls;
mod returned;
mod signals;
mod views;

use super::{
    scope::{Kind, Scope},
    values::{NsRef, PidRef},
};
use altpid::{Error, Event, NsId, PidfdId, Result, Task, TaskId, World};
use std::collections::{BTreeMap, HashMap};

pub use returned::{Refusal, Returned};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A task.
    Task(TaskId),
    /// A namespace.
    Ns(NsId),
    /// A pidfd.
    Pidfd(PidfdId),
}

/// What is known of a task, also when it is gone: its number at each level, and the namespaces that
/// these are from.
#[derive(Clone, Debug)]
struct Known {
    pid: Vec<i32>,
    chain: Vec<NsId>,
}

/// A world and the names in it.
#[derive(Debug)]
pub struct Player {
    world: World,
    objects: BTreeMap<String, Object>,
    names: HashMap<TaskId, String>,
    known: HashMap<TaskId, Known>,
    /// The namespace above each that was met.
    above: HashMap<NsId, Option<NsId>>,
    /// How many tasks got a name by themselves.
    unnamed: usize,
    /// The number of the next event to tell of, once somebody has asked.
    next_event: Option<u64>,
}

impl Player {
    /// Plays in a new world, in which there is `init`.
    ///
    /// # Errors
    ///
    /// Those of [`World::info`].
    pub fn new(world: World) -> Result<Self> {
        let init = world.info()?.init;
        let mut player = Self {
            world,
            objects: BTreeMap::new(),
            names: HashMap::new(),
            known: HashMap::new(),
            above: HashMap::new(),
            unnamed: 0,
            next_event: None,
        };
        player.name("init", Object::Task(init));
        player.meet(init)?;
        Ok(player)
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The names that there are.
    pub fn scope(&self) -> Scope {
        let mut scope = Scope::new();
        for (name, object) in &self.objects {
            scope.add(
                name,
                match object {
                    Object::Task(_) => Kind::Task,
                    Object::Ns(_) => Kind::Ns,
                    Object::Pidfd(_) => Kind::Pidfd,
                },
            );
        }
        scope
    }

    /// What has happened since the last time; nothing the first time.
    fn happened(&mut self) -> Result<Vec<Event>> {
        let Some(next) = self.next_event else {
            self.next_event = Some(self.world.events()?.position());
            return Ok(Vec::new());
        };
        let mut events = self.world.events_from(next);
        let mut all = Vec::new();
        loop {
            let some = events.read(false)?;
            if some.is_empty() {
                break;
            }
            all.extend(some);
        }
        self.next_event = Some(events.position());
        Ok(all)
    }

    fn name(&mut self, name: &str, object: Object) {
        self.objects.insert(name.to_owned(), object);
        if let Object::Task(task) = object {
            self.names.insert(task, name.to_owned());
        }
    }

    /// A name for a task that was given none.
    fn next_name(&mut self) -> String {
        loop {
            self.unnamed += 1;
            let name = format!("t{}", self.unnamed);
            if !self.objects.contains_key(&name) {
                return name;
            }
        }
    }

    /// Looks at a task and remembers its numbers.
    fn meet(&mut self, id: TaskId) -> Result<Task> {
        let task = self.world.task(id)?;
        let chain = self.chain(task.ns)?;
        let pid = task.pid.clone();
        self.known.insert(id, Known { pid, chain });
        Ok(task)
    }

    /// A namespace and those above it, the outermost first.
    fn chain(&mut self, ns: NsId) -> Result<Vec<NsId>> {
        let mut chain = vec![ns];
        let mut at = ns;
        loop {
            let above = match self.above.get(&at) {
                Some(&above) => above,
                None => {
                    let above = self.world.ns(at)?.parent;
                    self.above.insert(at, above);
                    above
                }
            };
            match above {
                Some(above) => chain.push(above),
                None => break,
            }
            at = above.unwrap_or(at);
        }
        chain.reverse();
        Ok(chain)
    }

    /// The number of a task in a namespace, 0 where it is not visible; also of one that is gone.
    fn number_in(&mut self, task: TaskId, ns: NsId) -> Result<i32> {
        if let Err(error) = self.meet(task)
            && !self.known.contains_key(&task)
        {
            return Err(error);
        }
        let level = self.chain(ns)?.len() - 1;
        let known = &self.known[&task];
        let is_visible = known.chain.get(level) == Some(&ns);
        Ok(if is_visible { known.pid[level] } else { 0 })
    }

    /// The task of a name. The parser has seen to it that it is one.
    fn task(&self, name: &str) -> TaskId {
        match self.objects.get(name) {
            Some(Object::Task(task)) => *task,
            _ => TaskId(0),
        }
    }

    /// The pidfd of a name.
    fn pidfd(&self, name: &str) -> PidfdId {
        match self.objects.get(name) {
            Some(Object::Pidfd(pidfd)) => *pidfd,
            _ => PidfdId(0),
        }
    }

    /// The namespace that is meant.
    fn ns(&self, ns: &NsRef) -> Result<NsId> {
        match self.objects.get(&ns.name) {
            Some(Object::Ns(id)) => Ok(*id),
            Some(Object::Task(task)) if ns.of_children => {
                let children = self.world.task(*task)?.ns_for_children;
                Ok(children.unwrap_or(NsId(0)))
            }
            // Where it lives does not change, so that one can ask about who is gone.
            Some(Object::Task(task)) => match self.known.get(task) {
                Some(known) => Ok(known.chain[known.chain.len() - 1]),
                None => Ok(self.world.task(*task)?.ns),
            },
            Some(Object::Pidfd(_)) | None => Ok(NsId(0)),
        }
    }

    /// The number that is meant, as seen from a namespace.
    fn pid_from(&mut self, ns: NsId, pid: &PidRef) -> std::result::Result<i32, Refusal> {
        let (name, is_group) = match pid {
            PidRef::Number(number) => return Ok(*number),
            PidRef::Of { name, is_group } => (name, *is_group),
        };
        let number = self.number_in(self.task(name), ns)?;
        match number {
            0 => Err(Refusal::Unseen(name.clone())),
            number if is_group => Ok(-number),
            number => Ok(number),
        }
    }

    /// How a task is called.
    pub(super) fn called(&self, task: TaskId) -> String {
        match (self.names.get(&task), self.known.get(&task)) {
            (Some(name), _) => name.clone(),
            (None, Some(known)) => super::values::join(&known.pid, "/"),
            (None, None) => format!("task {}", task.0),
        }
    }

    /// How a namespace is called.
    fn called_ns(&self, ns: NsId) -> String {
        let named = self
            .objects
            .iter()
            .find(|(_, object)| **object == Object::Ns(ns));
        if let Some((name, _)) = named {
            return name.clone();
        }
        let reaper = self.world.ns(ns).ok().and_then(|ns| ns.child_reaper);
        match reaper {
            Some(reaper) => format!("that of {}", self.called(reaper)),
            None => format!("namespace {}", ns.0),
        }
    }
}

/// Whether an error says that a task or a namespace is no more.
fn is_gone(error: &Error) -> bool {
    [rustix::io::Errno::SRCH, rustix::io::Errno::NOENT].contains(&error.errno)
}
