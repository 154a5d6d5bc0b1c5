//! CloudEvents 1.0, in JSON.

use serde_json::json;

use crate::audit::{ChainTag, Record};

/// The event of a record.
pub(super) fn event(origin: &str, record: &Record, line: &str, tag: &ChainTag) -> Option<String> {
    let mut attributes = json!({
        "specversion": "1.0",
        "id": record.seq.to_string(),
        "source": origin,
        "type": format!("hallpass.audit.{}", record.event.kind()),
        "time": record.at.to_string(),
        "datacontenttype": "application/json",
        // Twenty digits, so that texts sort as numbers do.
        "sequence": format!("{:020}", record.seq),
        "hallpasstag": tag.to_string(),
    });
    // The trace as the extension for distributed tracing has it.
    let more = [("subject", record.event.task()), ("traceparent", record.event.trace())];
    if let Some(members) = attributes.as_object_mut() {
        for (name, text) in more.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            members.insert(name.to_owned(), text.into());
        }
    }
    // The data is the line itself: read and written again, its numbers would be rounded.
    let text = attributes.to_string();
    Some(format!("{},\"data\":{line}}}", text.strip_suffix('}')?))
}
