//! A life compares what stands, what is counted and what is written.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::audit::{Event, GrantShortened, Outcome, Record};
use hallpass::{Code, Halt, Reason};

use crate::case::End;
use crate::life::Life;
use crate::life_rows::{Slip, State};
use crate::settling::compare_settled;
use crate::summed::{self, without_summed};

impl Life {
    /// P2: what stands is what lives, to the last of them; and the figures are those of the lists.
    pub(crate) fn compare(&mut self) {
        let standing = self.broker.standing();
        let stats = self.broker.stats();
        if !self.tick() {
            return;
        }
        let live_tasks: BTreeSet<u64> = self
            .tasks
            .iter()
            .filter(|task| !task.over && self.now < task.ceiling)
            .map(|task| task.generation)
            .collect();
        assert!(standing.tasks.iter().map(|task| task.generation).eq(live_tasks));
        let live: BTreeMap<_, _> = (0..self.rows.len())
            .filter(|row| self.is_live(*row))
            .map(|row| (self.rows[row].id, row))
            .collect();
        for told in &standing.grants {
            let row = live.get(&told.id).unwrap_or_else(|| panic!("P2: {told:?} stands"));
            let row = &self.rows[*row];
            assert_eq!(told.expires.unix_millis() - crate::universe::START, row.expires);
            assert_eq!(*told.holder, *self.case.whos[row.holder].id);
            assert_eq!(*told.task, *self.tasks[row.task].name);
        }
        assert_eq!(standing.grants.len(), live.len(), "what lives stands");
        for row in live.values() {
            let lineage = self.lineage(*row);
            assert!(lineage.iter().all(|at| self.is_live(*at)), "P4: no child outlives its parent");
        }
        let mut open = (0, 0);
        for told in &standing.tasks {
            let own = self.slips.iter().filter(|slip| {
                self.tasks[self.rows[slip.row].task].generation == told.generation
                    && slip.state.is_open()
            });
            // One that has lapsed may have been removed before it is looked at.
            let lapsed = |slip: &&Slip| slip.state == State::Reserved && self.now >= slip.lapses;
            let (gone, there): (Vec<_>, Vec<_>) = own.partition(lapsed);
            let numbers =
                |slips: &[&Slip]| -> Vec<u64> { slips.iter().map(|slip| slip.number).collect() };
            assert!(
                (there.len()..=there.len() + gone.len()).contains(&told.permits),
                "{} permits stand, expected {:?} and of {:?} any: {:?}",
                told.permits,
                numbers(&there),
                numbers(&gone),
                self.events
            );
            open = (open.0 + there.len(), open.1 + gone.len());
        }
        // P11: what runs on after the end of its task is listed until it is done.
        let runs_late = |slip: &&Slip| {
            slip.state == State::Running && self.tasks[self.rows[slip.row].task].over
        };
        let late: BTreeSet<u64> =
            self.slips.iter().filter(runs_late).map(|slip| slip.number).collect();
        let told: Vec<u64> = standing.late_calls.iter().map(|call| call.permit).collect();
        assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), late);
        assert_eq!((told.len(), stats.late_calls), (late.len(), late.len()));
        let in_table = self.tasks.iter().filter(|task| !task.over);
        let past = in_table.clone().filter(|task| self.now >= task.ceiling).count();
        assert_eq!(stats.tasks, in_table.count());
        let there: Vec<usize> = (0..self.rows.len()).filter(|row| self.is_there(*row)).collect();
        assert_eq!(stats.grants, there.len());
        if past == 0 {
            let dead = there.iter().filter(|row| !self.is_live(**row)).count();
            assert_eq!(stats.sweep_debts, dead);
            assert!((open.0..=open.0 + open.1).contains(&stats.permits));
        }
        let mut denials: BTreeMap<Reason, u64> = BTreeMap::new();
        for reason in &self.denials {
            *denials.entry(*reason).or_default() += 1;
        }
        assert_eq!(stats.denials.into_iter().collect::<BTreeMap<_, _>>(), denials);
        self.compare_credentials();
        let halts = self.control.halts();
        assert_eq!(halts.len(), self.halts.len());
        assert!(halts.iter().all(|own| self.halts.contains(own)));
        let written = self.log.len() + stats.record_debts;
        // A call that people are asked about has at most two records more than its denial.
        let asked = denials.get(&Reason::ApprovalRequired).copied().unwrap_or_default() as usize;
        let asked = self.asked_before + asked;
        // A task is settled once.
        let settled = self.tasks.len();
        assert!(
            written <= self.events.len() + 2 * asked + self.mints.records + settled,
            "nothing is written that did not happen"
        );
    }

    /// Ends everything, and looks whether nothing is left and everything is written.
    pub(crate) fn finish(&mut self) {
        self.recover();
        self.tick();
        for at in 0..self.tasks.len() {
            if self.tasks[at].handle.is_some() {
                self.end_at(at, End::Drop, false);
            }
        }
        assert!(self.broker.standing().is_empty(), "P2: nothing is left behind");
        let stats = self.broker.stats();
        assert_eq!((stats.tasks, stats.grants, stats.permits), (0, 0, 0));
        self.let_go();
        for at in 0..self.held.len() {
            let row = &self.rows[self.held[at].row];
            let (token, holder) = (&self.held[at].token, row.holder);
            let covering = &row.parts[0].covering;
            let call = covering.call(covering.calls[0]).call();
            let denial =
                self.gate.authorize(token, &self.who[holder], call, &hallpass::Context::new());
            let denial = denial.map(drop).unwrap_err();
            assert!(matches!(denial.code(), Code::InvalidToken | Code::Expired), "P2: {denial:?}");
            let reason = denial.reason();
            self.refused("call", Some(holder), Err(denial), &[reason]);
        }
        for what in self.halts.clone() {
            self.resume(&what);
        }
        self.withdraw_all();
        self.control.halt(Halt::Everything);
        self.record("halted everything".into());
        assert_eq!(self.broker.flush(), 0, "P9: every debt is paid");
        self.leave_what_is_gone();
        self.compare_what_was_handed_over();
        self.compare_credentials_in_the_log();
        self.compare_logs();
        self.compare_stories();
        self.compare_replay();
    }

    fn compare_logs(&self) {
        let verified = self.stand.verify();
        let lost = self.slips.iter().filter(|slip| slip.state == State::Lost);
        let lost: BTreeSet<u64> = lost.map(|slip| slip.number).collect();
        assert_eq!(verified.without_outcome, lost.iter().copied().collect::<Vec<_>>());
        let records = self.log.records();
        compare_settled(&records, &verified.unsettled);
        let told = told_by(&records);
        let (told, events) = without_summed(&told, &self.events, true, is_put_away);
        assert_eq!(put_away(&told), put_away(&events), "P9: each is removed once");
        assert_eq!(in_order(&told), in_order(&events), "P9: the log is what happened");
        let outcomes = outcomes_of(&records);
        for slip in &self.slips {
            let record = numbered(&records, slip.number);
            let id = self.rows[slip.row].id.to_string();
            assert!(
                matches!(&record.event, Event::Permitted { grant, .. } if **grant == id),
                "P9: a permit carries the number of its record"
            );
            let outcome = match slip.state {
                State::Closed(outcome) => Some(outcome),
                State::Lost => None,
                open => panic!("{open:?}"),
            };
            assert_eq!(outcomes.get(&slip.number).copied(), outcome, "P9: the outcome it had");
            if let State::Closed(_) = slip.state {
                assert_eq!(noted_of(&records, slip.number), slip.noted, "P9: what was noted of it");
            }
        }
        assert_eq!(outcomes.len() + lost.len(), self.slips.len());
    }
}

/// The record of a permit.
pub(crate) fn numbered(records: &[Record], seq: u64) -> &Record {
    &records[records.binary_search_by_key(&seq, |record| record.seq).unwrap()]
}

/// How many values the outcome of a permit says were noted.
fn noted_of(records: &[Record], seq: u64) -> u64 {
    let of = |record: &Record| match record.event {
        Event::Outcome { of, noted, .. } if of == seq => Some(noted),
        _ => None,
    };
    records.iter().find_map(of).unwrap()
}

/// What came of each permit of a log.
pub(crate) fn outcomes_of(records: &[Record]) -> BTreeMap<u64, Outcome> {
    let mut outcomes = BTreeMap::new();
    for record in records {
        if let Event::Outcome { of, outcome, .. } = record.event {
            assert!(outcomes.insert(of, outcome).is_none(), "P9: one outcome");
        }
    }
    outcomes
}

/// What a log tells, as a life notes it.
pub(crate) fn told_by(records: &[Record]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut next = 1;
    for record in records {
        let from = match &record.event {
            Event::DeniedAgain(denials) => denials.from,
            _ => record.seq,
        };
        assert_eq!(from, next, "P9: no gap");
        next = record.seq + 1;
        let event = match &record.event {
            Event::Opened { generation, .. } => format!("opened {generation}"),
            Event::Granted { grant, .. } => format!("granted {grant}"),
            Event::Permitted { grant, .. } => format!("permitted {grant}"),
            Event::Denied { stage, reason, .. } => {
                format!("denied {} {reason}", format!("{stage:?}").to_lowercase())
            }
            Event::DeniedAgain(denials) => summed::told(denials),
            Event::Denials { .. } => panic!("memory did not run short"),
            Event::Outcome { of, outcome, task_over, .. } => {
                format!("outcome {of} {outcome:?} {task_over}")
            }
            Event::Ended { generation, how, running, .. } => {
                let running: BTreeSet<_> = running.iter().collect();
                format!("ended {generation} {how:?} {running:?}")
            }
            Event::GrantEnded { grant, why, below, running, .. } => {
                told.extend(below.iter().map(|id| format!("grant_ended {id} {why}")));
                told.extend(running.iter().map(|n| format!("grant_ended over {n} {why}")));
                format!("grant_ended {grant} {why}")
            }
            Event::GrantShortened(GrantShortened { grant, expires, .. }) => {
                let expires = expires.unix_millis() - crate::universe::START;
                format!("grant_shortened {grant} {expires}")
            }
            Event::LogStarted { .. } => "log_started".to_owned(),
            Event::Rekeyed { .. } => "rekeyed".to_owned(),
            Event::Reloaded { epoch, .. } => format!("reloaded {epoch}"),
            Event::Halted { what, .. } => format!("halted {what}"),
            Event::Resumed { what } => format!("resumed {what}"),
            Event::Withdrawn { was, .. } => format!("withdrawn {was}"),
            // No model knows people: what they are asked is looked at in tests of approvals.
            Event::Asked(_) | Event::Answered(_) | Event::Voided { .. } => continue,
            // These tell of credentials, and are looked at by themselves.
            Event::CredentialPlanned { .. }
            | Event::CredentialMinted { .. }
            | Event::CredentialOwed { .. }
            | Event::CredentialWithdrawn { .. }
            | Event::CredentialGone { .. }
            // As does this of all that a task leaves.
            | Event::Settled(_) => continue,
            other => panic!("a record that no model knows of: {other:?}"),
        };
        told.push(event);
    }
    told
}

/// What is past its time is removed at some time, and so is a permit that was not started: when, and in
/// which order, is not for the model to say.
fn is_put_away(event: &str) -> bool {
    let lapsed = event.starts_with("outcome") && event.contains("Abandoned");
    let ceiling = event.starts_with("ended") && event.contains("Ceiling");
    let expired = event.starts_with("grant_ended") && event.ends_with("expired");
    // A scan takes its tasks one by one.
    let shortened = event.starts_with("grant_shortened");
    lapsed || ceiling || expired || shortened
}

fn put_away(events: &[String]) -> Vec<&String> {
    let mut put: Vec<&String> = events.iter().filter(|event| is_put_away(event)).collect();
    put.sort();
    put
}

/// Whether what is told is the beginning of what happened, but for what is removed at some time.
pub(crate) fn is_beginning(told: &[String], all: &[String]) -> bool {
    let (told, all) = without_summed(told, all, false, is_put_away);
    let (told, all) = (in_order(&told), in_order(&all));
    let is_end = |event: &&String| event.starts_with("grant_ended");
    // Of the last group that ends at once, some may not be written yet.
    let whole = told.iter().rposition(|event| !is_end(event)).map_or(0, |at| at + 1);
    let Some((beginning, rest)) = all.split_at_checked(whole) else { return false };
    let group: Vec<_> = rest.iter().take_while(|event| is_end(event)).collect();
    told[..whole] == *beginning && told[whole..].iter().all(|event| group.contains(&event))
}

/// What happened in an order. Which of the grants that end at once comes first is none.
fn in_order(events: &[String]) -> Vec<&String> {
    let mut kept: Vec<&String> = events.iter().filter(|event| !is_put_away(event)).collect();
    let group = |one: &&String, other: &&String| {
        one.starts_with("grant_ended") && other.starts_with("grant_ended")
    };
    for group in kept.chunk_by_mut(group) {
        group.sort();
    }
    kept
}
