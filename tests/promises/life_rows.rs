//! What the model of a life keeps: rows of lists, and nothing that is summed up.

use hallpass::audit::Outcome;
use hallpass::grant::GrantId;
use hallpass::token::{Presentation, Token};
use hallpass::{Grant, Permit, Reason, Task};

use crate::giving::Stamp;
use crate::in_hand::InHand;
use crate::small::Covering;
use crate::universe::*;

pub(crate) struct LiveTask {
    pub(crate) handle: Option<Task>,
    pub(crate) name: String,
    pub(crate) generation: u64,
    pub(crate) requester: usize,
    pub(crate) why: WhySaid,
    pub(crate) ceiling: i64,
    pub(crate) over: bool,
    /// Its broker was gone before the log had the end of it.
    pub(crate) lost: bool,
    pub(crate) history: Vec<String>,
    /// The tools it called, with the labels that they had then.
    pub(crate) called: Vec<(String, Vec<String>)>,
    pub(crate) notes: NotesSaid,
}

/// A part of a grant's scope, and what limits it.
pub(crate) struct Part {
    /// How it was said, if it was not cut out of what was said.
    pub(crate) said: Option<CapabilitySaid>,
    /// As it was granted, and as today's catalogue has that.
    pub(crate) granted: Covering,
    pub(crate) covering: Covering,
    pub(crate) stamps: Vec<Stamp>,
}

pub(crate) struct Row {
    pub(crate) handle: Option<Grant>,
    pub(crate) id: GrantId,
    pub(crate) task: usize,
    pub(crate) holder: usize,
    pub(crate) parent: Option<usize>,
    pub(crate) parts: Vec<Part>,
    pub(crate) first_issued: i64,
    /// When its newest token was.
    pub(crate) issued: i64,
    pub(crate) expires: i64,
    /// For how long it was asked for at most, and from when on.
    pub(crate) asked_ttl: Option<i64>,
    pub(crate) starts: Option<i64>,
    /// When its whole life ends, whatever is renewed.
    pub(crate) life_ends: Option<i64>,
    pub(crate) idle: Option<i64>,
    pub(crate) last_used: i64,
    /// How many calls are running on it and below it: it is in use as long.
    pub(crate) running: usize,
    pub(crate) serial: u32,
    /// From which serial on permits start still.
    pub(crate) confirmed: u32,
    /// Under which policy it was last found to be given.
    pub(crate) epoch: u64,
    /// Why it ended, if it has.
    pub(crate) ended: Option<Reason>,
}

impl Row {
    pub(crate) fn is_early(&self, now: i64) -> bool {
        self.starts.is_some_and(|starts| now < starts)
    }

    pub(crate) fn is_past(&self, now: i64) -> bool {
        let idle = self.idle.filter(|_| self.running == 0);
        now >= self.expires || idle.is_some_and(|idle| now - self.last_used >= idle)
    }
}

/// A token: of a grant as it was, or narrowed from another.
pub(crate) struct Held {
    pub(crate) token: Token,
    pub(crate) row: usize,
    pub(crate) serial: u32,
    pub(crate) issued: i64,
    pub(crate) expires: i64,
    /// Which of the keys there have been signed it.
    pub(crate) key: usize,
    /// As they were said: what they let be there hangs on the catalogue of the call.
    pub(crate) narrowings: Vec<(Vec<CapabilitySaid>, Option<i64>)>,
}

/// A token bound to a call.
pub(crate) struct Bound {
    pub(crate) text: Presentation,
    pub(crate) held: usize,
    pub(crate) call: CallSaid,
    pub(crate) at: i64,
    pub(crate) taken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Reserved,
    Running,
    Closed(Outcome),
    /// Its broker was gone before the log had an outcome of it.
    Lost,
}

impl State {
    pub(crate) fn is_open(self) -> bool {
        matches!(self, State::Reserved | State::Running)
    }
}

pub(crate) struct Slip {
    /// What was asked for, and has to be what runs.
    pub(crate) asked: hallpass::Call,
    pub(crate) handle: Option<Permit>,
    pub(crate) running: Option<InHand>,
    /// Whether its tool runs with a credential, and what that is called once it has it.
    pub(crate) mints: bool,
    pub(crate) credential: Option<String>,
    pub(crate) number: u64,
    pub(crate) row: usize,
    /// Of the grant, when the call was permitted.
    pub(crate) serial: u32,
    pub(crate) caller: usize,
    pub(crate) tool: String,
    pub(crate) lapses: i64,
    pub(crate) epoch: u64,
    /// The rules that permitted it.
    pub(crate) rules: Vec<String>,
    pub(crate) state: State,
    pub(crate) charges: Vec<usize>,
    /// How many values were noted of it that were new.
    pub(crate) noted: u64,
}

/// Whose counter of a rule: a task's, by its generation, or an identity's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Task(u64),
    Identity(String),
}

/// That a holder has had access by a rule within a task: `max_life` and `idle` count from it.
#[derive(Clone)]
pub(crate) struct Spell {
    pub(crate) task: usize,
    pub(crate) rule: String,
    pub(crate) holder: String,
    pub(crate) since: i64,
    pub(crate) last_used: i64,
}

/// One call, charged to one counter.
pub(crate) struct Charge {
    pub(crate) rule: String,
    pub(crate) owner: Owner,
    pub(crate) at: i64,
    /// How many calls the largest rate among what it was charged for keeps, if there is one.
    pub(crate) rated: Option<u64>,
    pub(crate) amount: i64,
    pub(crate) given_back: bool,
}

/// When a counter began to note the times of what is charged: what was charged before counts as charged with the
/// latest of it.
pub(crate) struct Begun {
    pub(crate) rule: String,
    pub(crate) owner: Owner,
    /// Of uses, or of the budget.
    pub(crate) uses: bool,
    /// The first charge of which the time is noted.
    pub(crate) from: usize,
    pub(crate) base: i64,
    pub(crate) at: i64,
}
