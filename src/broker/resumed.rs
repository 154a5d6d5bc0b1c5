//! Going on with a log that another life of a broker has written.

use super::shared::Shared;
use crate::audit::{Event, FileLog, How, Outcome, Resuming, Resumption, SinkError};
use crate::clock::Timestamp;
use crate::task::Halt;

/// What an earlier life has left.
pub(super) struct Resumed {
    resumption: Resumption,
    begins: bool,
    halts: Vec<(Halt, Option<Timestamp>)>,
}

/// As [`Resumed`], of a broker that may still fail: the log gets it back then.
pub(super) struct Offered {
    log: Resuming,
    halts: Vec<(Halt, Option<Timestamp>)>,
}

impl Offered {
    /// Looks at what a log says was going on when it ended.
    pub(super) fn of(log: &FileLog) -> Result<Self, SinkError> {
        let log = log.resume()?;
        let halt = |(what, until): (&str, Option<Timestamp>)| {
            // A halt that can't be put on again would be lifted by a restart.
            let halt = Halt::from_record(what).ok_or_else(|| {
                SinkError::new(&format!("the log has a halt over `{what}`, which can't be read"))
            })?;
            Ok((halt, until))
        };
        let halts = log.resumption().halts().map(halt).collect::<Result<_, SinkError>>()?;
        Ok(Offered { log, halts })
    }

    /// Takes it, once the broker's sink has claimed the log.
    pub(super) fn take(self) -> Result<Resumed, SinkError> {
        let begins = self.log.begins();
        Ok(Resumed { resumption: self.log.keep()?, begins, halts: self.halts })
    }
}

impl Resumed {
    /// Puts halts on again, and records what became of what had not ended.
    pub(super) fn settle(self, shared: &Shared) {
        let at = shared.keeper.latest();
        for (halt, until) in self.halts {
            match (halt, until) {
                (Halt::Identity { id }, Some(until)) if until > at => {
                    shared.halts.halt_until(&id, Some(until), at);
                }
                (_, Some(_)) => {}
                (halt, None) => shared.halts.halt(halt),
            }
        }
        if self.begins {
            return;
        }
        let torn = self.resumption.torn();
        let unanchored = !self.resumption.is_anchored();
        shared.record(at, &Event::Reopened { torn, unanchored });
        for (of, task, generation) in self.resumption.permits() {
            let task = task.into();
            let outcome = Outcome::Unknown;
            shared.record(at, &Event::Outcome { task, generation, of, outcome, task_over: false });
        }
        for (generation, task) in self.resumption.tasks() {
            let (task, how) = (task.into(), How::Interrupted);
            let (reason, running) = (None, Vec::new());
            shared.record(at, &Event::Ended { task, generation, how, reason, running });
        }
    }
}
