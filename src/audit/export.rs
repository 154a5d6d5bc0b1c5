//! Records in the forms that other systems collect: each behind a feature, and one way only.
//!
//! What is exported is a copy for searching and alerting. The log is what is verified.

#[cfg(feature = "cloudevents")]
mod cloud_events;
#[cfg(feature = "ocsf")]
mod ocsf;

#[cfg(feature = "ocsf")]
use std::collections::BTreeMap;

use super::checkpoint::origin_of;
use super::{ChainTag, LogId, Origin, Record};

/// Writes records in the forms that other systems collect, in the order of the log.
///
/// What it takes is a line and its tag, as a [`Sink`](super::Sink) is given them in an [`Entry`](super::Entry), and as
/// [`FileLog::read_lines`](super::FileLog::read_lines) reads them. Nothing is looked at but what the line says.
#[derive(Clone, Debug)]
pub struct Exporter {
    log: LogId,
    /// What names the log: its issuer, audience and id.
    origin: String,
    /// Who opened the tasks that are going on, by generation, where that is an agent.
    #[cfg(feature = "ocsf")]
    agents: BTreeMap<u64, String>,
}

impl Exporter {
    /// An exporter of the log with this id, of the broker with this issuer and audience.
    #[must_use]
    pub fn new(log: LogId, origin: &Origin<'_>) -> Self {
        let name = origin_of(&log, origin);
        Exporter {
            log,
            origin: name,
            #[cfg(feature = "ocsf")]
            agents: BTreeMap::new(),
        }
    }

    /// A record as an event of [CloudEvents 1.0](https://cloudevents.io) in its JSON form: its `id` is the record's
    /// number, its `source` the log, its `type` `hallpass.audit.` and the kind, its `subject` the task, and its data the
    /// record as it stands in the log, with every digit. The extension `hallpasstag` has the tag, and `sequence` the number, so
    /// that events sort.
    ///
    /// ```
    /// # use hallpass::audit::{ChainTag, Exporter, LogId, Origin};
    /// let exporter = Exporter::new(LogId::from_bytes([7; 16]), &Origin::new("acme", "payments"));
    /// let line = r#"{"seq":3,"at":1767225600000,"kind":"halted","what":"everything"}"#;
    /// let event = exporter.cloud_event(line, &ChainTag::from_bytes([0; 32])).ok_or("a record")?;
    /// assert!(event.contains(r#""type":"hallpass.audit.halted""#) && event.contains(line));
    /// # Ok::<(), &str>(())
    /// ```
    ///
    /// Nothing of a line that is not a record.
    #[cfg(feature = "cloudevents")]
    #[must_use]
    pub fn cloud_event(&self, line: &str, tag: &ChainTag) -> Option<String> {
        let record = Record::from_line(line).ok()?;
        cloud_events::event(&self.origin, &record, line, tag)
    }

    /// A record as an event of [OCSF](https://schema.ocsf.io), in the shapes of 1.10: calls as API activity (6003), grants as the
    /// assignment of privileges (3003), all else as base events. The profile `ai_operation` names the agent that opened
    /// the task, where it is the one that acts; `record_integrity` has the tag as an attestation over `raw_data`, the
    /// record as it stands in the log.
    ///
    /// ```
    /// # use hallpass::audit::{ChainTag, Exporter, LogId, Origin};
    /// let mut exporter = Exporter::new(LogId::from_bytes([7; 16]), &Origin::new("acme", "payments"));
    /// let line = r#"{"seq":3,"at":1767225600000,"kind":"halted","what":"everything"}"#;
    /// let event = exporter.ocsf_event(line, &ChainTag::from_bytes([0; 32])).ok_or("a record")?;
    /// assert!(event.contains(r#""class_uid":0"#), "{event}");
    /// # Ok::<(), &str>(())
    /// ```
    ///
    /// Nothing of a line that is not a record.
    #[cfg(feature = "ocsf")]
    #[must_use]
    pub fn ocsf_event(&mut self, line: &str, tag: &ChainTag) -> Option<String> {
        let record = Record::from_line(line).ok()?;
        self.note(&record);
        let agent = record.event.generation().and_then(|own| self.agents.get(&own));
        Some(ocsf::event(&self.log, &self.origin, &record, line, tag, agent.map(String::as_str)))
    }

    /// Follows which tasks are going on.
    #[cfg(feature = "ocsf")]
    fn note(&mut self, record: &Record) {
        use super::Event;
        match &record.event {
            Event::Opened { generation, who, who_kind, .. } if who_kind == "agent" => {
                self.agents.insert(*generation, who.to_string());
            }
            Event::Ended { generation, .. } => {
                self.agents.remove(generation);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
