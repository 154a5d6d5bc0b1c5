//! The table: which tasks are live, by generation and by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use super::task::TaskCell;
use crate::spread::SpreadMap;

/// How many parts the table is in, so that threads working on different tasks rarely meet.
const SHARDS: usize = 64;

/// How many generations that are gone the sweep passes over for each task it is to find.
const GAPS: usize = 8;

/// Live tasks.
pub(crate) struct Table {
    generations: AtomicU64,
    by_generation: Box<[RwLock<ByGeneration>]>,
    by_name: Box<[Mutex<ByName>]>,
    names: std::hash::RandomState,
    /// Where the sweep goes on: the last generation it has looked at.
    swept: Mutex<u64>,
}

type ByName = HashMap<Arc<str>, Arc<TaskCell>>;
type ByGeneration = SpreadMap<u64, Arc<TaskCell>>;

impl Table {
    pub(crate) fn new() -> Self {
        Table {
            generations: AtomicU64::new(0),
            by_generation: (0..SHARDS).map(|_| RwLock::default()).collect(),
            by_name: (0..SHARDS).map(|_| Mutex::default()).collect(),
            names: std::hash::RandomState::new(),
            swept: Mutex::new(0),
        }
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
        if let Some(other) = names.get(&cell.name) {
            return Err(other.clone());
        }
        if let Some(shard) = self.shard(cell.generation) {
            shard.write().insert(cell.generation, cell.clone());
        }
        names.insert(cell.name.clone(), cell.clone());
        Ok(())
    }

    /// Forgets a task that has ended. The cell lives on while a permit of it is open.
    pub(crate) fn remove(&self, cell: &TaskCell) {
        if let Some(names) = self.names_of(&cell.name) {
            let mut names = names.lock();
            if names.get(&cell.name).is_some_and(|own| own.generation == cell.generation) {
                names.remove(&cell.name);
            }
        }
        if let Some(shard) = self.shard(cell.generation) {
            shard.write().remove(&cell.generation);
        }
    }

    pub(crate) fn task(&self, generation: u64) -> Option<Arc<TaskCell>> {
        self.shard(generation)?.read().get(&generation).cloned()
    }

    pub(crate) fn task_named(&self, name: &str) -> Option<Arc<TaskCell>> {
        self.names_of(name)?.lock().get(name).cloned()
    }

    /// All live tasks, as they were when their part of the table was looked at.
    pub(crate) fn tasks(&self) -> Vec<Arc<TaskCell>> {
        let mut tasks: Vec<_> = self
            .by_generation
            .iter()
            .flat_map(|shard| shard.read().values().cloned().collect::<Vec<_>>())
            .collect();
        tasks.sort_by_key(|task| task.generation);
        tasks
    }

    /// How many tasks there are.
    pub(crate) fn len(&self) -> usize {
        self.by_generation.iter().map(|shard| shard.read().len()).sum()
    }

    /// Some tasks, each in its turn. Generations count up, so whatever was opened first comes first;
    /// a generation that is gone costs one look.
    pub(crate) fn next_to_sweep(&self, most: usize) -> Vec<Arc<TaskCell>> {
        let last = self.generations.load(Ordering::Relaxed);
        let mut found = Vec::new();
        let mut at = self.swept.lock();
        for _ in 0..most.saturating_mul(GAPS).min(last as usize) {
            if found.len() == most {
                break;
            }
            *at = if *at >= last { 1 } else { *at + 1 };
            found.extend(self.task(*at));
        }
        found
    }

    fn shard(&self, generation: u64) -> Option<&RwLock<ByGeneration>> {
        self.by_generation.get(generation as usize % SHARDS)
    }

    fn names_of(&self, name: &str) -> Option<&Mutex<ByName>> {
        use std::hash::BuildHasher;
        self.by_name.get(self.names.hash_one(name) as usize % SHARDS)
    }
}
