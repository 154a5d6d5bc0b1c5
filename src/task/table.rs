//! The table: which tasks are live, by generation and by name.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::Arc;

use super::cell::TaskCell;
use crate::spread::Spread;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Apart, Mutex, RwLock, parts};

/// How many parts the table is in, so that threads working on different tasks rarely meet.
/// A part is also what the sweep looks through at once: a few thousand tasks of a million.
const SHARDS: usize = parts(256);

/// A part whose capacity exceeds its length by this factor gives memory back.
const SLACK: usize = 4;

/// Live tasks.
pub(crate) struct TaskTable {
    generations: AtomicU64,
    by_generation: Box<[Apart<RwLock<ByGeneration>>]>,
    by_name: Box<[Mutex<ByName>]>,
    names: RandomState,
    sweeping: Mutex<Sweeping>,
    /// Tasks that are over and of which a call still runs, by generation.
    late: Mutex<BTreeMap<u64, Arc<TaskCell>>>,
}

type ByGeneration = HashSet<Numbered, BuildHasherDefault<Spread>>;
type ByName = HashSet<Named, RandomState>;

/// A task, filed by its name, which is kept in the task alone.
struct Named(Arc<TaskCell>);

impl Borrow<str> for Named {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.name.hash(hasher);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Named {}

/// A task, filed by its generation, which is kept in the task alone as well.
struct Numbered(Arc<TaskCell>);

impl Borrow<u64> for Numbered {
    fn borrow(&self) -> &u64 {
        &self.0.generation
    }
}

impl Hash for Numbered {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.generation.hash(hasher);
    }
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.0.generation == other.0.generation
    }
}

impl Eq for Numbered {}

/// Where the sweep goes on.
#[derive(Default)]
struct Sweeping {
    next_shard: usize,
    /// What is left of the part it is in.
    left: Vec<u64>,
}

impl TaskTable {
    pub(crate) fn new() -> Self {
        TaskTable {
            generations: AtomicU64::new(0),
            by_generation: (0..SHARDS).map(|_| Apart::default()).collect(),
            by_name: (0..SHARDS).map(|_| Mutex::default()).collect(),
            names: RandomState::new(),
            sweeping: Mutex::default(),
            late: Mutex::default(),
        }
    }

    /// Generations up to this one were given out in an earlier life, and none of them is given out again.
    pub(crate) fn begin_after(&self, generation: u64) {
        self.generations.fetch_max(generation, Ordering::Relaxed);
    }

    /// The next generation: broker-wide, never used twice.
    pub(crate) fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether this table ever gave this generation out.
    pub(crate) fn knew(&self, generation: u64) -> bool {
        generation > 0 && generation <= self.generations.load(Ordering::Relaxed)
    }

    /// Makes a task live, unless its name is taken: then the task that has it.
    pub(crate) fn insert(&self, cell: &Arc<TaskCell>) -> Result<(), Arc<TaskCell>> {
        let Some(names) = self.names_of(&cell.name) else { return Err(cell.clone()) };
        let mut names = names.lock();
        if let Some(other) = names.get(&*cell.name) {
            return Err(other.0.clone());
        }
        if let Some(shard) = self.shard(cell.generation) {
            shard.write().insert(Numbered(cell.clone()));
        }
        names.insert(Named(cell.clone()));
        Ok(())
    }

    /// Forgets a task that has ended. The cell lives on while a permit of it is open.
    pub(crate) fn remove(&self, cell: &TaskCell) {
        if let Some(names) = self.names_of(&cell.name) {
            let mut names = names.lock();
            if names.get(&*cell.name).is_some_and(|own| own.0.generation == cell.generation) {
                names.remove(&*cell.name);
                if names.capacity() / SLACK > names.len() {
                    let room = names.len() * 2;
                    names.shrink_to(room);
                }
            }
        }
        if let Some(shard) = self.shard(cell.generation) {
            let mut shard = shard.write();
            shard.remove(&cell.generation);
            if shard.capacity() / SLACK > shard.len() {
                let room = shard.len() * 2;
                shard.shrink_to(room);
            }
        }
    }

    /// Lists a task that is over until its last call is done.
    pub(crate) fn keep_late(&self, cell: &Arc<TaskCell>) {
        self.late.lock().insert(cell.generation, cell.clone());
    }

    /// The last call of a task that was over is done.
    pub(crate) fn forget_late(&self, cell: &TaskCell) {
        self.late.lock().remove(&cell.generation);
    }

    /// Tasks that are over and of which a call still runs.
    pub(crate) fn late(&self) -> Vec<Arc<TaskCell>> {
        self.late.lock().values().cloned().collect()
    }

    /// All live tasks, and those of which a call still runs. What ends meanwhile is in it: a task is
    /// listed as late before it leaves the table.
    pub(crate) fn with_late(&self) -> Vec<Arc<TaskCell>> {
        let mut tasks = self.tasks();
        tasks.extend(self.late());
        tasks.sort_by_key(|task| task.generation);
        tasks.dedup_by_key(|task| task.generation);
        tasks
    }

    pub(crate) fn task(&self, generation: u64) -> Option<Arc<TaskCell>> {
        self.shard(generation)?.read().get(&generation).map(|numbered| numbered.0.clone())
    }

    /// A live task, or one that is over and of which a call still runs. Late ones are looked at last, since a task
    /// is listed there before it leaves the table.
    pub(crate) fn task_or_late(&self, generation: u64) -> Option<Arc<TaskCell>> {
        self.task(generation).or_else(|| self.late.lock().get(&generation).cloned())
    }

    pub(crate) fn task_named(&self, name: &str) -> Option<Arc<TaskCell>> {
        self.names_of(name)?.lock().get(name).map(|named| named.0.clone())
    }

    /// All live tasks, as they were when their part of the table was looked at.
    pub(crate) fn tasks(&self) -> Vec<Arc<TaskCell>> {
        let mut tasks: Vec<_> = self
            .by_generation
            .iter()
            .flat_map(|shard| shard.read().iter().map(|one| one.0.clone()).collect::<Vec<_>>())
            .collect();
        tasks.sort_by_key(|task| task.generation);
        tasks
    }

    /// How many tasks there are.
    pub(crate) fn len(&self) -> usize {
        self.by_generation.iter().map(|shard| shard.read().len()).sum()
    }

    /// Up to this many tasks, round-robin: every task comes once in each round, and what was opened
    /// since its part was looked at comes in the next.
    /// Visits at most this many parts of the table.
    pub(crate) fn next_to_sweep(&self, most: usize, parts: usize) -> Vec<Arc<TaskCell>> {
        let mut sweeping = self.sweeping.lock();
        let mut found = Vec::new();
        let mut begun = 0;
        while found.len() < most {
            let Some(generation) = sweeping.left.pop() else {
                if begun == parts.min(SHARDS) {
                    break;
                }
                begun += 1;
                sweeping.left = self.generations_of(sweeping.next_shard);
                sweeping.next_shard = (sweeping.next_shard + 1) % SHARDS;
                continue;
            };
            found.extend(self.task(generation));
        }
        found
    }

    fn generations_of(&self, shard: usize) -> Vec<u64> {
        let shard = self.by_generation.get(shard);
        shard.map_or_else(Vec::new, |shard| {
            shard.read().iter().map(|one| one.0.generation).collect()
        })
    }

    fn shard(&self, generation: u64) -> Option<&RwLock<ByGeneration>> {
        self.by_generation.get(generation as usize % SHARDS).map(|shard| &**shard)
    }

    fn names_of(&self, name: &str) -> Option<&Mutex<ByName>> {
        self.by_name.get(self.names.hash_one(name) as usize % SHARDS)
    }
}
