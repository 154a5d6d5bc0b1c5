//! Going on with a log that another life of a broker has written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::debts::Owed;
use super::shared::Shared;
use super::take_up::LeftOpen;
use crate::audit::{
    Event, FileLog, How, LeftCredential, LeftQuestion, Outcome, Resuming, Resumption, SinkError,
};
use crate::clock::Timestamp;
use crate::credential::{Entry, Handle};
use crate::identity::Fold;
use crate::task::Halt;

/// What an earlier life has left.
pub(super) struct Resumed {
    resumption: Resumption,
    begins: bool,
    halts: Vec<(Halt, Option<Timestamp>)>,
    debts: Vec<Owed>,
}

/// As [`Resumed`], of a broker that may still fail: the log gets it back then.
pub(super) struct Offered {
    log: Resuming,
    halts: Vec<(Halt, Option<Timestamp>)>,
    debts: Vec<Owed>,
}

impl Offered {
    /// Looks at what a log says was going on when it ended.
    pub(super) fn of(log: &FileLog, broker: u64, fold: Fold) -> Result<Self, SinkError> {
        let log = log.resume()?;
        let halt = |(what, until): (&str, Option<Timestamp>)| {
            // A halt that can't be put on again would be lifted by a restart.
            let halt = Halt::from_record(what).ok_or_else(|| {
                SinkError::new(&format!("the log has a halt over `{what}`, which can't be read"))
            })?;
            Ok((halt.folded(fold), until))
        };
        let halts = log.resumption().halts().map(halt).collect::<Result<_, SinkError>>()?;
        if let Err(seq) = log.resumption().spent(fold).map(drop) {
            return Err(SinkError::new(&format!(
                "record {seq} of the log says in a way that can't be read what was spent of a limit"
            )));
        }
        // One that can't be owed again would let somebody break the glass.
        let debts = log.resumption().debts().map(|left| Owed::again(left, broker));
        let debts = debts.collect::<Result<_, SinkError>>()?;
        Ok(Offered { log, halts, debts })
    }

    /// Whether anything that was minted may still be there, or was there in a task that is not settled.
    pub(super) fn owes(&self) -> bool {
        let resumption = self.log.resumption();
        let had = resumption.unsettled().any(|(_, own)| !own.gone.is_empty());
        had || resumption.credentials().next().is_some()
    }

    /// Takes it, once the broker's sink has claimed the log.
    pub(super) fn take(self) -> Result<Resumed, SinkError> {
        let begins = self.log.begins();
        Ok(Resumed { resumption: self.log.keep()?, begins, halts: self.halts, debts: self.debts })
    }
}

impl Resumed {
    /// The id of the log, where it has begun.
    pub(super) fn log(&self) -> Option<&str> {
        Some(self.resumption.log()).filter(|log| !log.is_empty())
    }

    /// Puts halts on again and counts on from what was spent, and records what became of what had not ended.
    pub(super) fn settle(self, shared: &Shared) {
        let at = shared.keeper.latest();
        // That all can be read was looked at before.
        let policy = shared.current().policy.clone();
        for (who, rule, counter) in self.resumption.spent(shared.fold).into_iter().flatten() {
            if !counter.is_past_under(policy.limits_of(rule), at) {
                shared.spanning.restore(who, rule, counter);
            }
        }
        for (halt, until) in self.halts {
            match (halt, until) {
                (Halt::Identity { id }, Some(until)) if until > at => {
                    shared.halts.halt_until(&id, Some(until), at);
                }
                (_, Some(_)) => {}
                (halt, None) => shared.halts.halt(halt),
            }
        }
        for owed in self.debts {
            shared.debts.book().add(Arc::new(owed));
        }
        if self.begins {
            return;
        }
        for (what, until) in self.resumption.halts() {
            shared.respell_halt(what, until, at);
        }
        if let Some(downstream) = &shared.downstream {
            for (generation, left) in self.resumption.unsettled() {
                let gone = left.gone.iter().map(|name| name.as_str().into());
                downstream.ledger.restore(generation, &left.task, gone, left.more);
            }
        }
        for (name, left) in self.resumption.left_credentials() {
            shared.adopt(name, left, at);
        }
        let torn = self.resumption.torn();
        let unanchored = !self.resumption.is_anchored();
        shared.record(at, &Event::Reopened { torn, unanchored });
        for (of, task, generation) in self.resumption.permits() {
            let task = task.into();
            let outcome = match self.resumption.is_unstarted(of) {
                true => Outcome::Abandoned,
                false => Outcome::Unknown,
            };
            let break_glass = self.resumption.is_glass_permit(of);
            let (task_over, noted) = (false, 0);
            let event =
                Event::Outcome { task, generation, of, outcome, task_over, noted, break_glass };
            shared.record(at, &event);
        }
        let resumption = &self.resumption;
        let mut questions: BTreeMap<u64, Vec<(&str, &LeftQuestion)>> = BTreeMap::new();
        for (id, left) in resumption.questions() {
            questions.entry(left.generation).or_default().push((id, left));
        }
        for (generation, task) in resumption.left_tasks() {
            let asked = questions.remove(&generation).unwrap_or_default();
            let left = LeftOpen { shared, resumption, generation, task, questions: &asked, at };
            if left.take_up() {
                continue;
            }
            let (task, how) = (task.name.as_str().into(), How::Interrupted);
            let (reason, running) = (None, Vec::new());
            let unsettled = resumption.is_unsettled(generation);
            let event = Event::Ended { task, generation, how, reason, running, unsettled };
            shared.record(at, &event);
        }
        // No call of an earlier life is running.
        for (generation, left) in resumption.unsettled() {
            if shared.table.task(generation).is_none() {
                shared.note_calls_done(generation, &left.task, at);
            }
        }
    }
}

impl Shared {
    /// Has the log say of a halt that is on in another spelling that it is on in that of today, so that taking it off
    /// takes it off for good.
    fn respell_halt(&self, what: &str, until: Option<Timestamp>, at: Timestamp) {
        let halt = Halt::from_record(what).map(|halt| halt.folded(self.fold));
        let Some(halt @ Halt::Identity { id }) = &halt else { return };
        let today = halt.to_string();
        if today == what {
            return;
        }
        if until.is_none_or(|until| until > at) {
            // It was put on before, at least for so long.
            let (until, _) = self.halts.halt_until(id, until, at);
            self.record(at, &Event::Halted { what: today.into(), until });
        }
        self.record(at, &Event::Resumed { what: what.into() });
    }

    /// What an earlier life had minted, or was about to, has to go: nothing of it is live here.
    fn adopt(&self, name: &str, left: &LeftCredential, at: Timestamp) {
        let Some(downstream) = &self.downstream else { return };
        let by: Arc<str> = left.provider.as_str().into();
        let provider = self.sources.provider(&left.credential).filter(|own| *own.name() == by);
        // The catalogue may call it otherwise by now.
        let provider =
            provider.or_else(|| self.sources.providers.values().find(|own| *own.name() == by));
        let entry = Entry {
            handle: Handle::new(name, &left.detail),
            credential: left.credential.as_str().into(),
            provider: provider.cloned(),
            by,
            task: left.task.as_str().into(),
            generation: left.generation,
            grant: left.grant.as_str().into(),
            tool: "".into(),
            lands_by: left.lands_by,
            expires: left.expires,
            in_flight: false,
            minted: left.minted,
            sealed: None,
            users: 0,
            superseded: false,
            owed: None,
        };
        downstream.ledger.adopt(entry, at);
    }
}
