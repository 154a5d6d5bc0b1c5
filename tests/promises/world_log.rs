//! The world compares what stands and what is written.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::audit::{Event, Outcome};
use hallpass::{Code, Halt};

use crate::case::End;
use crate::life_log::numbered;
use crate::probe::inside;
use crate::settling::compare_settled;
use crate::summed::{self, without_summed};
use crate::world::{State, TaskModel, World};

impl World {
    pub(crate) fn compare(&mut self) {
        let standing = self.broker.standing();
        if !self.tick() {
            return;
        }
        let live = |task: &TaskModel| !task.over && self.now < task.ceiling;
        let tasks: BTreeSet<u64> =
            self.tasks.iter().filter(|t| live(t)).map(|t| t.generation).collect();
        assert_eq!(tasks, standing.tasks.iter().map(|t| t.generation).collect::<BTreeSet<_>>());
        let grants: BTreeSet<_> = self
            .grants
            .iter()
            .filter(|g| {
                let idle = g.is_idle(self.now);
                live(&self.tasks[g.task]) && g.ended.is_none() && self.now < g.expires && !idle
            })
            .map(|g| g.id)
            .collect();
        let told: BTreeSet<_> = standing.grants.iter().map(|g| g.id).collect();
        for grant in self.grants.iter().filter(|g| grants.contains(&g.id) != told.contains(&g.id)) {
            assert!(grant.clamped && !told.contains(&grant.id), "{:?}", grant.id);
        }
        assert!(told.is_subset(&grants), "what stands and should not");
        for told in &standing.tasks {
            let own = self
                .permits
                .iter()
                .filter(|p| self.tasks[self.grants[p.grant].task].generation == told.generation);
            let open = own.filter(|p| {
                p.state == State::Running || (p.state == State::Reserved && self.now < p.lapses)
            });
            assert!(told.permits >= open.count());
        }
    }

    /// Ends everything, and looks whether nothing is left and everything is written.
    pub(crate) fn finish(&mut self) {
        self.recover();
        self.tick();
        for at in 0..self.tasks.len() {
            if self.tasks[at].handle.is_some() {
                self.end_at(at, End::Drop);
            }
        }
        assert!(self.broker.standing().is_empty(), "P2: nothing is left behind");
        for at in 0..self.permits.len() {
            if self.permits[at].handle.is_some() {
                self.start_at(at, false);
                assert!(matches!(self.permits[at].state, State::Closed(_)), "P11");
            }
            if self.permits[at].running.is_some() {
                drop(self.permits[at].running.take());
                self.close(at, Outcome::Interrupted);
            }
        }
        for at in 0..self.grants.len() {
            let (token, who) = (&self.grants[at].token, &self.who[self.grants[at].holder]);
            let call = inside(&self.grants[at].scope[0], &self.case.calls)[0].call();
            let denial = self.gate.authorize(token, who, call, &hallpass::Context::new());
            let denial = denial.map(drop).unwrap_err();
            assert!(matches!(denial.code(), Code::InvalidToken | Code::Expired), "P2: {denial:?}");
            self.record(format!("denied call {}", denial.reason()));
        }
        for what in self.halts.clone() {
            assert!(self.control.resume(&what));
            self.record(format!("resumed {what}"));
        }
        self.control.halt(Halt::Everything);
        self.record("halted everything".into());
        assert_eq!(self.broker.flush(), 0);
        self.compare_logs();
    }

    pub(crate) fn compare_logs(&self) {
        let verified = self.stand.verify();
        assert_eq!(verified.without_outcome, Vec::<u64>::new());
        let mut outcomes: BTreeMap<u64, Outcome> = BTreeMap::new();
        let mut told = Vec::new();
        let records = self.log.records();
        compare_settled(&records, &verified.unsettled);
        for record in &records {
            // No model knows people: what they are asked is looked at in tests of approvals.
            if matches!(
                record.event,
                Event::Asked(_)
                    | Event::Answered(_)
                    | Event::Voided { .. }
                    // Nor does this one reckon what a reload limits.
                    | Event::GrantShortened(_)
                    | Event::Settled(_)
            ) {
                continue;
            }
            told.push(match &record.event {
                Event::Opened { generation, .. } => format!("opened {generation}"),
                Event::Granted { grant, .. } => format!("granted {grant}"),
                Event::Permitted { grant, .. } => format!("permitted {grant}"),
                Event::Denied { stage, reason, .. } => {
                    format!("denied {} {reason}", format!("{stage:?}").to_lowercase())
                }
                Event::DeniedAgain(denials) => summed::told(denials),
                Event::Denials { .. } => panic!("memory did not run short"),
                Event::Outcome { of, outcome, task_over, .. } => {
                    assert!(outcomes.insert(*of, *outcome).is_none(), "P9: one outcome");
                    format!("outcome {of} {outcome:?} {task_over}")
                }
                Event::Ended { generation, how, .. } => format!("ended {generation} {how:?}"),
                Event::GrantEnded { grant, why, .. } => format!("grant_ended {grant} {why}"),
                Event::LogStarted { .. } => "log_started".to_owned(),
                Event::Rekeyed { .. } => "rekeyed".to_owned(),
                Event::Reloaded { epoch, .. } => format!("reloaded {epoch}"),
                Event::Halted { what, .. } => format!("halted {what}"),
                Event::Resumed { what } => format!("resumed {what}"),
                Event::Withdrawn { was, .. } => format!("withdrawn {was}"),
                other => panic!("a record that no model knows of: {other:?}"),
            });
        }
        // When a permit that was not started is found to have lapsed is not for the model to say, nor
        // in which order what is past its time is removed.
        let is_lazy = |event: &str| {
            let lazy = ["Abandoned", "Ceiling", "expired"];
            !event.starts_with("denied") && lazy.iter().any(|word| event.contains(word))
        };
        let timeless = |events: &[String]| -> Vec<String> {
            events.iter().filter(|event| !is_lazy(event)).cloned().collect()
        };
        let (told, events) = without_summed(&told, &self.events, true, is_lazy);
        let put_away = |events: &[String]| -> Vec<String> {
            let put = events.iter().filter(|e| e.contains("Ceiling") || e.ends_with("expired"));
            let mut put: Vec<String> = put.filter(|e| !e.starts_with("denied")).cloned().collect();
            put.sort();
            put
        };
        assert_eq!(put_away(&told), put_away(&events), "P9: each is removed once");
        assert_eq!(timeless(&told), timeless(&events), "P9: the log is what happened");
        for permit in &self.permits {
            let record = numbered(&records, permit.number);
            assert_eq!(record.seq, permit.number);
            assert!(
                matches!(&record.event, Event::Permitted { grant, .. }
                    if **grant == self.grants[permit.grant].id.to_string()),
                "P9: a permit carries the number of its record"
            );
            let State::Closed(outcome) = permit.state else { panic!("not closed") };
            assert_eq!(outcomes.get(&permit.number), Some(&outcome));
        }
        assert_eq!(outcomes.len(), self.permits.len());
    }
}
