//! What the records of a log say of each other, whatever happened.

use std::collections::{HashMap, HashSet};

use hallpass::audit::{Event, Outcome, Record};

/// What the log has told so far.
#[derive(Default)]
struct Told {
    epoch: u64,
    tasks_over: HashSet<u64>,
    grants_over: HashSet<String>,
    /// Permits without outcome: their task and grant.
    open: HashMap<u64, (u64, String)>,
    /// Those of them whose task or grant has ended, and whether the end said that they were running.
    running_at_end: HashMap<u64, bool>,
}

/// Makes sure that nothing is given or permitted after its end, that every permit is of the epoch in
/// force, and that each end tells rightly what was running.
pub(crate) fn agree(records: &[Record]) {
    let mut told = Told::default();
    for record in records {
        told.hear(record);
    }
}

impl Told {
    fn hear(&mut self, record: &Record) {
        match &record.event {
            Event::Reloaded { epoch, .. } => self.epoch = *epoch,
            Event::Granted { generation, grant, epoch, .. } => {
                self.must_live(*generation, grant, record);
                assert_eq!(*epoch, self.epoch, "{record:?}");
            }
            Event::Permitted { generation, grant, epoch, .. } => {
                self.must_live(*generation, grant, record);
                assert_eq!(*epoch, self.epoch, "{record:?}");
                self.open.insert(record.seq, (*generation, grant.to_string()));
            }
            Event::Outcome { of, outcome, generation, task_over, .. } => {
                self.open.remove(of).unwrap_or_else(|| panic!("of no permit: {record:?}"));
                assert_eq!(*task_over, self.tasks_over.contains(generation), "{record:?}");
                if let Some(was_running) = self.running_at_end.remove(of) {
                    assert_eq!(was_running, *outcome != Outcome::Abandoned, "{record:?}");
                }
            }
            Event::Ended { generation, running, .. } => {
                assert!(self.tasks_over.insert(*generation), "ended twice: {record:?}");
                self.end(running, |task, _| task == *generation);
            }
            Event::GrantEnded { generation, grant, below, running, .. } => {
                assert!(!self.tasks_over.contains(generation), "its task had ended: {record:?}");
                let ended: HashSet<&str> = below.iter().chain([grant]).map(|id| &**id).collect();
                for grant in &ended {
                    assert!(self.grants_over.insert((*grant).into()), "ended twice: {record:?}");
                }
                self.end(running, |_, grant| ended.contains(grant));
            }
            _ => {}
        }
    }

    fn must_live(&self, task: u64, grant: &str, record: &Record) {
        assert!(!self.tasks_over.contains(&task), "its task had ended: {record:?}");
        assert!(!self.grants_over.contains(grant), "the grant had ended: {record:?}");
    }

    fn end(&mut self, running: &[u64], ended: impl Fn(u64, &str) -> bool) {
        for permit in running {
            assert!(self.open.contains_key(permit), "permit {permit} had its outcome already");
        }
        for (permit, (task, grant)) in &self.open {
            if ended(*task, grant) {
                let running = running.contains(permit);
                // What its grant's end said of it stands when its task ends, too.
                self.running_at_end.entry(*permit).or_insert(running);
            }
        }
    }
}

/// All that ends reported as running.
pub(crate) fn running(records: &[Record]) -> Vec<u64> {
    let mut all = Vec::new();
    for record in records {
        if let Event::Ended { running, .. } | Event::GrantEnded { running, .. } = &record.event {
            all.extend(running);
        }
    }
    all
}
