//! A process that is killed, and starts again from its log.

use std::time::Duration;

use crate::denial::Reason;

use super::alias::Aliases;
use super::answer::Answer;
use super::asked::Asked;
use super::fields::Misread;
use super::holding::Holding;
use super::host::{Errand, Host, OpenLog};

/// How long the last records before a crash wait for a disk.
const WAIT: Duration = Duration::from_secs(60);

impl Host {
    /// The process ends here, without ending anything: what it had is gone but for its log, from which the next one
    /// goes on. What is outside stays as it is.
    pub(super) fn crash(&mut self, open: Option<&OpenLog<'_>>) -> Result<Answer, Misread> {
        let Some(open) = open else {
            let needed =
                "`crash` needs a log on file, expected one from which the next start goes on";
            return Err(Misread(needed.to_owned()));
        };
        self.broker.flush_within(WAIT).map_err(|error| Misread(error.to_string()))?;
        // Handles of the life before. A thread that drops one writes nothing, and no other thread writes any more.
        self.permits = Aliases::of("permit");
        self.running.clear();
        for errand in self.tasks.meanings_mut() {
            *errand = Errand::Closed(Reason::TaskOver.into());
        }
        // Keys were in memory: no token of before means anything.
        for holding in self.grants.meanings_mut() {
            *holding = Holding::Refused(Reason::UnknownKey.into());
        }
        for asked in self.questions.meanings_mut() {
            *asked = Asked::Refused(Reason::TaskOver.into());
        }
        self.start_again(open)?;
        Ok(Answer::new().with("owed", self.broker.obligations().len()))
    }
}
