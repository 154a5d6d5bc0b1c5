//! A record, as it is read back.

use std::borrow::Cow;

use serde::Deserialize;

use super::event::Event;
use crate::audit::{Asked, BrokenGlass};
use crate::clock::Timestamp;
use crate::value::Value;

/// One record read back from a log.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Record {
    /// Its place in the sequence.
    pub seq: u64,
    /// The broker's time when the event was decided. The order is that of `seq`, not of this.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event<'static>,
}

impl Record {
    /// Reads a record back from its line, the numbers of a scope exactly. Deserializing it with serde
    /// rounds those that are not floats.
    ///
    /// # Errors
    /// What is wrong with a line that is not a record.
    pub fn from_line(line: &str) -> Result<Self, serde_json::Error> {
        let mut record: Record = serde_json::from_str(line)?;
        let read = match &mut record.event {
            Event::Granted { scope, .. }
            | Event::BrokenGlass(BrokenGlass { scope, .. })
            | Event::Denied { scope: Some(scope), .. }
            | Event::Asked(Asked { scope: Some(scope), .. }) => scope,
            Event::DeniedAgain(denials) => match &mut denials.scope {
                Some(scope) => scope,
                None => return Ok(record),
            },
            _ => return Ok(record),
        };
        if let Ok(Value::Object(object)) = Value::from_json(line)
            && let Some(exact) = object.get("scope")
        {
            *read = Cow::Owned(exact.clone());
        }
        Ok(record)
    }
}
