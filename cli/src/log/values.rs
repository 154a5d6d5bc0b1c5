//! Reading a log together with the values next to it.

use hallpass::audit::{PlainReader, Record};

use super::source::{Read, Source};

/// Reads the log, and hands each record to `note` with the line next to it, where `needs` says that it is needed.
pub(super) fn read_with_values<T>(
    source: &Source,
    reader: &mut T,
    needs: fn(&T, &Record) -> bool,
    note: fn(&mut T, &Record, Option<&str>),
) -> Result<Read, String> {
    let mut values =
        PlainReader::open(source.folder()).map_err(|error| format!("the log's folder: {error}"))?;
    let mut failed = None;
    let read = source.read(|record| {
        let line = match needs(reader, record) {
            true => values.line(record.seq).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                None
            }),
            false => None,
        };
        note(reader, record, line.as_deref());
    });
    match failed {
        Some(error) => Err(format!("the values next to the log: {error}")),
        None => read.map_err(|problem| problem.to_string()),
    }
}
