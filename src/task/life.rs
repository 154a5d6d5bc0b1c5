//! The life of a task: its grants, counters, history and permits, always looked at and changed under the
//! task's lock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ended::{EndedBy, EndedGrant, EndedTask};
use super::glass::Glass;
use super::history::{History, Listing};
use super::open_permit::OpenPermit;
use super::questions::Questions;
use crate::audit::How;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{Counters, GrantId, Row, Rows, Spells, Stamp, Terms};
use crate::identity::{Identity, Subject};
use crate::scrub::UsedSecrets;
use crate::tool::ToolName;
use crate::value::Value;

/// How many ended grants a task remembers, so that operators are told why a token is dead. Agents
/// are told the same of all.
const REMEMBERED_ENDS: usize = 32;

/// The part of a task that changes: always looked at and changed under the task's lock.
#[derive(Default)]
pub(crate) struct Life {
    /// How the task ended. From then on nothing is given and nothing starts.
    pub(crate) over: Option<How>,
    pub(crate) grants: Rows,
    pub(crate) counters: Counters,
    /// What a task that has been given a grant and has not called yet does without.
    rest: Option<Box<Rest>>,
}

/// What calls and ends leave behind in a task.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) history: History,
    permits: Vec<OpenPermit>,
    ended: VecDeque<(GrantId, EndedBy)>,
    pub(super) spells: Spells,
    /// What results of the task are searched for.
    used: Option<Arc<UsedSecrets>>,
    /// Most tasks never ask anybody.
    questions: Option<Box<Questions>>,
    /// Hardly any task is broken into.
    glass: Option<Box<Glass>>,
}

static NO_HISTORY: History = History::NONE;

impl Life {
    pub(crate) fn grant(&self, id: GrantId) -> Option<&Row> {
        self.grants.get(id)
    }

    pub(crate) fn grant_mut(&mut self, id: GrantId) -> Option<&mut Row> {
        self.grants.get_mut(id)
    }

    /// Grants and history alone, to try out what another policy would make of them.
    pub(crate) fn trial(&self) -> Life {
        let mut trial = Life::default();
        for row in self.grants.iter() {
            trial.grants.push(row.trial());
        }
        if !self.history().is_empty() {
            trial.rest_mut().history = self.history().clone();
        }
        if let Some(rest) = self.rest.as_ref().filter(|rest| !rest.spells.is_empty()) {
            trial.rest_mut().spells = rest.spells.clone();
        }
        if let Some(glass) = self.glass() {
            *trial.glass_mut() = Some(Box::new(glass.clone()));
        }
        trial
    }

    /// Begins the spells of what is given to a holder on these terms, by rules that have given it nothing yet
    /// from `first` on; and when its whole life ends.
    pub(crate) fn begin_spells(
        &mut self,
        terms: &Terms,
        holder: &Subject,
        first: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if !terms.limit_time() {
            return None;
        }
        let spells = &mut self.rest_mut().spells;
        spells.begin(terms.stamps(), holder, first, now);
        spells.life_ends(terms.stamps(), holder, first)
    }

    /// When the whole life of what is given to a holder on these terms ends, and when it will have been
    /// unused for too long, by the spells there have been. A rule that has given it nothing yet counts the
    /// one from `first`, and the other from `now`.
    pub(crate) fn time_left(
        &self,
        terms: &Terms,
        holder: &Subject,
        first: Timestamp,
        now: Timestamp,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        if !terms.limit_time() {
            return (None, None);
        }
        let none = Spells::default();
        let spells = self.rest.as_ref().map_or(&none, |rest| &rest.spells);
        let life = spells.life_ends(terms.stamps(), holder, first);
        let unused = terms.stamps().filter(|stamp| !self.is_in_use(stamp, holder));
        (life, spells.idle_ends(unused, holder, now))
    }

    /// Whether a call is running on what a rule gave to a holder, or on what was delegated from it.
    fn is_in_use(&self, stamp: &Stamp, holder: &Subject) -> bool {
        let given = |row: &Row| {
            row.holder.subject() == holder && row.stamps().any(|own| own.rule == stamp.rule)
        };
        let mut running = self.permits().iter().filter(|permit| permit.running);
        running.any(|permit| self.upwards(permit.grant).filter_map(Result::ok).any(given))
    }

    pub(crate) fn history(&self) -> &History {
        self.rest.as_ref().map_or(&NO_HISTORY, |rest| &rest.history)
    }

    /// Adds a call of a tool.
    pub(super) fn remember(
        &mut self,
        tool: &ToolName,
        labels: &Value,
        call: u64,
        listing: Listing<'_>,
    ) {
        self.rest_mut().history.add(tool, labels, call, listing);
    }

    /// The permits handed out whose outcome is not known.
    pub(crate) fn permits(&self) -> &[OpenPermit] {
        self.rest.as_ref().map_or(&[], |rest| &rest.permits)
    }

    pub(super) fn hand_out(&mut self, permit: OpenPermit) {
        self.rest_mut().permits.push(permit);
    }

    pub(crate) fn permit(&self, seq: u64) -> Option<&OpenPermit> {
        self.permits().iter().rfind(|permit| permit.seq == seq)
    }

    pub(super) fn permit_mut(&mut self, seq: u64) -> Option<&mut OpenPermit> {
        // It is among the latest.
        self.rest.as_mut()?.permits.iter_mut().rfind(|permit| permit.seq == seq)
    }

    /// The questions of the task, if it asked any.
    pub(crate) fn questions(&self) -> Option<&Questions> {
        self.rest.as_ref()?.questions.as_deref()
    }

    pub(crate) fn questions_mut(&mut self) -> &mut Questions {
        self.rest_mut().questions.get_or_insert_default()
    }

    pub(super) fn glass(&self) -> Option<&Glass> {
        self.rest.as_ref()?.glass.as_deref()
    }

    pub(super) fn glass_mut(&mut self) -> &mut Option<Box<Glass>> {
        &mut self.rest_mut().glass
    }

    pub(super) fn rest_mut(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    /// What a grant was delegated from, the nearest first, as far as it is there.
    pub(crate) fn above(&self, row: &Row) -> Vec<&Row> {
        row.parent.iter().flat_map(|parent| self.upwards(*parent)).filter_map(Result::ok).collect()
    }

    /// Who holds a grant, and who holds what it was delegated from.
    pub(crate) fn holders(&self, id: GrantId) -> impl Iterator<Item = &Identity> {
        self.upwards(id).filter_map(Result::ok).map(|row| &row.holder)
    }

    /// Whether a grant and all it hangs from are live; without a clock, whether they are there.
    pub(crate) fn is_live(&self, row: &Row, now: Option<Timestamp>) -> bool {
        let past = |row: &Row| now.is_some_and(|now| row.is_past(now));
        !past(row)
            && row.parent.is_none_or(|parent| {
                self.upwards(parent).all(|above| above.is_ok_and(|above| !past(above)))
            })
    }

    /// A grant, what it hangs from, and so on; at last the id of the first that is not there.
    pub(super) fn upwards(&self, id: GrantId) -> impl Iterator<Item = Result<&Row, GrantId>> {
        let mut next = Some(id);
        std::iter::from_fn(move || {
            let id = next.take()?;
            let row = self.grant(id);
            next = row.and_then(|row| row.parent);
            Some(row.ok_or(id))
        })
    }

    /// Ends one grant and all delegated from it; `None` if it was not there, or hangs from one that has
    /// ended and is not removed yet.
    pub(crate) fn end_grant(&mut self, id: GrantId, why: impl Into<EndedBy>) -> Option<EndedGrant> {
        self.grant(id).filter(|row| self.is_live(row, None))?;
        let why = why.into();
        // Asked first: afterwards it is no longer known what was delegated from what.
        let running = self.running_below(id);
        // What it hangs from is not in use by these calls any more: they go on without authority.
        let done = u32::try_from(running.len()).unwrap_or(u32::MAX);
        self.for_each_upwards(id, |row, _| row.running = row.running.saturating_sub(done));
        let removed = self.grants.end(id);
        let ended = &mut self.rest_mut().ended;
        for id in &removed {
            if ended.len() == REMEMBERED_ENDS {
                ended.pop_front();
            }
            ended.push_back((*id, why));
        }
        Some(EndedGrant { removed, running })
    }

    /// Notes that a grant, and so all it was delegated from, has been used.
    pub(super) fn touch(&mut self, id: GrantId, now: Timestamp) {
        self.for_each_upwards(id, |row, spells| row.touch(spells, now));
    }

    /// Changes a grant and all it was delegated from, as far as they are there, with the task's spells.
    pub(super) fn for_each_upwards(
        &mut self,
        id: GrantId,
        mut change: impl FnMut(&mut Row, Option<&mut Spells>),
    ) {
        let mut next = Some(id);
        while let Some(row) = next.and_then(|id| self.grants.get_mut(id)) {
            change(row, self.rest.as_deref_mut().map(|rest| &mut rest.spells));
            next = row.parent;
        }
    }

    /// Why a grant that is not there is not there.
    pub(crate) fn gone(&self, id: GrantId) -> Denial {
        let mut ended = self.rest.iter().flat_map(|rest| &rest.ended);
        let found = ended.find(|(ended, _)| *ended == id).map(|(_, why)| *why);
        found.map_or(Denial::new(Reason::UnknownGrant), EndedBy::denial)
    }

    /// Numbers of the permits whose calls are running.
    pub(crate) fn running(&self) -> Vec<u64> {
        self.permits().iter().filter(|permit| permit.running).map(|permit| permit.seq).collect()
    }

    /// Numbers of the permits whose calls are running, of a grant and of those that hang from it.
    pub(crate) fn running_below(&self, id: GrantId) -> Vec<u64> {
        let below = |grant| self.upwards(grant).any(|row| row.is_ok_and(|row| row.id == id));
        let permits = self.permits().iter();
        permits.filter(|permit| permit.running && below(permit.grant)).map(|p| p.seq).collect()
    }

    /// Whether one grant is another, or hangs from it.
    pub(crate) fn hangs_from(&self, id: GrantId, above: GrantId) -> bool {
        self.upwards(id).any(|row| row.is_ok_and(|row| row.id == above))
    }

    /// Numbers of the permits whose calls are running on a grant itself, whether it lives or not.
    pub(crate) fn running_on(&self, id: GrantId) -> Vec<u64> {
        let running = self.permits().iter().filter(|permit| permit.running);
        running.filter(|permit| permit.grant == id).map(|permit| permit.seq).collect()
    }

    /// Takes out permits that were never started and no longer can be; their numbers.
    pub(crate) fn drop_lapsed(&mut self, now: Timestamp) -> Vec<u64> {
        let lapsed: Vec<u64> = self
            .permits()
            .iter()
            .filter(|permit| permit.recorded && !permit.running && now >= permit.lapses)
            .map(|permit| permit.seq)
            .collect();
        for seq in &lapsed {
            self.close_permit(*seq, None);
        }
        lapsed
    }

    /// Notes that the log has a permit's record.
    pub(crate) fn note_recorded(&mut self, seq: u64) {
        if let Some(permit) = self.permit_mut(seq) {
            permit.recorded = true;
        }
    }

    /// Takes a permit out. If its call was running, its grant was in use until `ended`; if it never
    /// started, what it reserved comes back, unless a rule keeps it.
    pub(crate) fn close_permit(&mut self, seq: u64, ended: Option<Timestamp>) -> bool {
        let Some(permit) = self.take_permit(seq) else { return false };
        if self.over.is_some() && self.running().is_empty() {
            self.forget_secrets();
        }
        match ended {
            None => {
                self.counters.refund(&permit.reservation);
                permit.approval.iter().for_each(|own| own.give_back());
            }
            Some(at) => {
                permit.reservation.settle();
                self.for_each_upwards(permit.grant, |row, spells| {
                    row.running = row.running.saturating_sub(1);
                    row.touch(spells, at);
                });
            }
        }
        true
    }

    /// Takes a permit out that was never handed over: all it reserved comes back. Where its record `stands`, or
    /// may, the log has it as one that never started, and so often does its approval come back.
    pub(crate) fn undo_permit(&mut self, seq: u64, stands: bool) -> bool {
        let Some(permit) = self.take_permit(seq) else { return false };
        self.counters.undo(&permit.reservation);
        permit.approval.iter().for_each(|own| if stands { own.give_back() } else { own.unspend() });
        true
    }

    /// The secrets that the task has used, kept until it is over and the last of its calls is done.
    pub(crate) fn used_secrets(&mut self, make: impl FnOnce() -> UsedSecrets) -> &Arc<UsedSecrets> {
        self.rest_mut().used.get_or_insert_with(|| Arc::new(make()))
    }

    /// The secrets that the task has used so far, if any.
    pub(crate) fn secrets(&self) -> Option<&UsedSecrets> {
        self.rest.as_ref()?.used.as_deref()
    }

    /// What later results would have been searched for: what a call gave keeps its own.
    fn forget_secrets(&mut self) {
        if let Some(rest) = &mut self.rest {
            rest.used = None;
        }
    }

    fn take_permit(&mut self, seq: u64) -> Option<OpenPermit> {
        let permits = &mut self.rest.as_mut()?.permits;
        let at = permits.iter().position(|permit| permit.seq == seq)?;
        Some(permits.swap_remove(at))
    }

    /// Gives back the memory of what is past, where a task has been quiet.
    pub(crate) fn shrink(&mut self) {
        if let Some(rest) = &mut self.rest {
            rest.permits.shrink_to_fit();
            rest.history.shrink();
            let nothing_seen = rest.history.is_empty();
            let quiet = rest.permits.is_empty() && rest.ended.is_empty() && nothing_seen;
            let nothing_kept =
                rest.used.is_none() && rest.questions.is_none() && rest.glass.is_none();
            if quiet && rest.spells.is_empty() && nothing_kept {
                self.rest = None;
            }
        }
    }

    /// Ends the task, once, if this was the end.
    pub(crate) fn end(&mut self, how: How) -> Option<EndedTask> {
        if self.over.is_some() {
            return None;
        }
        self.over = Some(how);
        let mut questions = None;
        if let Some(rest) = &mut self.rest {
            rest.ended = VecDeque::new();
            rest.spells = Spells::default();
            questions = rest.questions.take();
        }
        let running = self.running();
        if running.is_empty() {
            self.forget_secrets();
        }
        let rows = std::mem::take(&mut self.grants);
        Some(EndedTask { running, rows, questions })
    }
}
