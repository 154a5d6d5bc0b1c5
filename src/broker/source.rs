//! The host's own source of facts, which may fail, panic or be late.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::context::{Context, ContextSource};
use crate::denial::{Denial, Reason};
use crate::identity::Identity;

/// Whom the broker asks for facts, and how long that may take.
pub(crate) struct Source {
    pub(super) source: Box<dyn ContextSource>,
    pub(super) within: Duration,
}

impl Source {
    pub(super) fn ask(&self, who: &Identity, tool: Option<&str>) -> Result<Context, Denial> {
        let answer = catch_unwind(AssertUnwindSafe(|| self.source.facts(who, tool, self.within)));
        let facts = match answer {
            Ok(facts) => facts.map_err(unavailable)?,
            Err(payload) => {
                // A payload may panic when it is dropped.
                std::mem::forget(payload);
                return Err(unavailable("it panicked"));
            }
        };
        match facts.checked() {
            Ok(_) => Ok(facts),
            Err(mistake) => Err(unavailable(mistake)),
        }
    }
}

pub(super) fn unavailable(why: impl std::fmt::Display) -> Denial {
    Denial::new(Reason::ContextUnavailable).because(format_args!("the context source: {why}"))
}
