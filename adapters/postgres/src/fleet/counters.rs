//! Counters that nodes share: read, changed by who asks, and written if they are as they were.

use hallpass::clock::Timestamp;
use hallpass::fleet::{CounterKey, CounterRow, StoreError};
use tokio_postgres::Row;

use super::line::Line;
use super::verb::{Answer, Change, Counter, Verb, another_answer};

/// How often counters are read again that others changed meanwhile.
const TRIES: usize = 64;

/// Changes counters as [`Store::count`](hallpass::fleet::Store::count) says.
///
/// No lock is held while they are changed, or a node that is stopped then would hold up all the others: what was read is written over
/// only if it is as it was, which is as if it had been held all the while.
pub(super) fn count(
    line: &Line,
    keys: &[CounterKey],
    change: &mut dyn FnMut(Timestamp, &mut [CounterRow]),
) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        let Answer::Counters(now, found) = line.ask(Verb::Counters { keys: keys.to_vec() })? else {
            return Err(another_answer());
        };
        let mut rows: Vec<CounterRow> = found.iter().map(|counter| counter.row.clone()).collect();
        change(now, &mut rows);
        let changes: Vec<Change> = found.into_iter().zip(rows).map(change_of).collect();
        if changes.iter().all(|change| change.row.is_none()) {
            return Ok(());
        }
        match line.ask(Verb::Count { changes })? {
            Answer::Counted(true) => return Ok(()),
            Answer::Counted(false) => {}
            _ => return Err(another_answer()),
        }
    }
    Err(StoreError::new("other nodes change the same counters all the while"))
}

fn change_of((Counter { key, version, row: before }, after): (Counter, CounterRow)) -> Change {
    Change { key, version, row: (after != before).then_some(after) }
}

/// What `hallpass.counters` gives, in the order in which it was asked for.
pub(super) fn counters_of(
    rows: &[Row],
    keys: &[CounterKey],
) -> Result<(Timestamp, Vec<Counter>), String> {
    let absent =
        |key: &CounterKey| Counter { key: *key, version: None, row: CounterRow::default() };
    let (mut now, mut counters) = (None, keys.iter().map(absent).collect::<Vec<_>>());
    for row in rows {
        let Some(key) = column::<Option<&[u8]>>(row, 0)? else {
            now = Timestamp::from_unix_millis(column(row, 1)?);
            continue;
        };
        let counter = counters.iter_mut().find(|counter| counter.key[..] == *key);
        let counter = counter.ok_or("a counter that was not asked for")?;
        counter.version = Some(column(row, 1)?);
        let past = column::<Option<i64>>(row, 3)?.and_then(Timestamp::from_unix_millis);
        counter.row = CounterRow { bytes: column(row, 2)?, past };
    }
    Ok((now.ok_or("the answer tells no time")?, counters))
}

fn column<'r, T: tokio_postgres::types::FromSql<'r>>(row: &'r Row, at: usize) -> Result<T, String> {
    row.try_get(at).map_err(|error| error.to_string())
}
