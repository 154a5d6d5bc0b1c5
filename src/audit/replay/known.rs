//! What a log has said of tasks that are open: what each is for, and who holds its grants.

use std::collections::HashMap;

use crate::audit::Event;
use crate::purpose::Purpose;

/// An open task.
#[derive(Debug)]
pub(super) struct KnownTask {
    pub(super) why: Purpose,
    /// Who opened it.
    pub(super) requester: Box<str>,
    grants: HashMap<Box<str>, KnownGrant>,
}

/// A grant of an open task.
#[derive(Debug)]
pub(super) struct KnownGrant {
    pub(super) holder: Box<str>,
    pub(super) parent: Option<Box<str>>,
}

/// The open tasks, by their generations.
#[derive(Debug, Default)]
pub(super) struct KnownTasks(HashMap<u64, KnownTask>);

impl KnownTask {
    pub(super) fn grant(&self, id: &str) -> Option<&KnownGrant> {
        self.grants.get(id)
    }
}

impl KnownTasks {
    pub(super) fn get(&self, generation: u64) -> Option<&KnownTask> {
        self.0.get(&generation)
    }

    pub(super) fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Opened { generation, who, purpose, ticket, intent, .. } => {
                let mut why = Purpose::new(purpose.as_ref());
                if let Some(ticket) = ticket {
                    why = why.ticket(ticket.as_ref());
                }
                if let Some(intent) = intent {
                    why = why.intent(intent.as_ref());
                }
                let requester = who.as_ref().into();
                self.0.insert(*generation, KnownTask { why, requester, grants: HashMap::new() });
            }
            Event::Granted { generation, grant, parent, holder, .. } => {
                if let Some(task) = self.0.get_mut(generation) {
                    let parent = parent.as_deref().map(Box::from);
                    let own = KnownGrant { holder: holder.as_ref().into(), parent };
                    task.grants.insert(grant.as_ref().into(), own);
                }
            }
            Event::Ended { generation, .. } => {
                self.0.remove(generation);
            }
            _ => {}
        }
    }
}
