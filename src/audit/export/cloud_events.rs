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
    if let (Some(task), Some(members)) = (record.event.task(), attributes.as_object_mut()) {
        members.insert("subject".to_owned(), task.into());
    }
    // The data is the line itself: read and written again, its numbers would be rounded.
    let text = attributes.to_string();
    Some(format!("{},\"data\":{line}}}", text.strip_suffix('}')?))
}
