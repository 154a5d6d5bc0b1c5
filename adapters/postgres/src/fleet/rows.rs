//! Rows of the server's functions as what they say.

use hallpass::fleet::{Entry, Mark, NodeRow, NodeState, RowVersion, Snapshot};
use tokio_postgres::Row;

/// What `hallpass.read` and `hallpass.write` give: whether the row was written, where that was asked for, and what there is.
pub(super) fn snapshot_of(rows: &[Row]) -> Result<(Option<bool>, Snapshot), String> {
    let (mut written, mut head) = (None, None);
    let (mut entries, mut nodes) = (Vec::new(), Vec::new());
    for row in rows {
        match &*text(row, "what")? {
            "written" => written = Some(number(row)? == 1),
            "mark" => head = Some(Mark { number: number(row)?, digest: bytes(row, "digest")? }),
            "entry" => entries.push(Entry {
                number: number(row)?,
                id: bytes(row, "id")?,
                digest: bytes(row, "digest")?,
                bytes: column::<Vec<u8>>(row, "bytes")?.into(),
            }),
            "node" => nodes.push(node_of(row)?),
            other => {
                return Err(format!("a row of kind `{other}`, which this version does not know"));
            }
        }
    }
    entries.sort_by_key(|entry: &Entry| entry.number);
    let head = head.ok_or("the answer names no mark")?;
    Ok((written, Snapshot { head, entries, rows: nodes }))
}

fn node_of(row: &Row) -> Result<NodeRow, String> {
    let state = text(row, "state")?;
    Ok(NodeRow {
        name: text(row, "name")?.into(),
        incarnation: bytes(row, "id")?,
        counter: number(row)?,
        state: NodeState::from_word(&state)
            .ok_or_else(|| format!("a node's state is `{state}`"))?,
        bytes: column::<Vec<u8>>(row, "bytes")?.into(),
    })
}

/// A number as the server has it: half of them.
pub(super) fn to_bigint(number: u64) -> Result<i64, String> {
    i64::try_from(number).map_err(|_| format!("the number {number} is larger than the server's"))
}

/// The columns of a row's version; nothing of none.
pub(super) type Version<'v> = (Option<&'v [u8]>, Option<i64>, Option<&'static str>);

pub(super) fn version_of(version: Option<&RowVersion>) -> Result<Version<'_>, String> {
    let Some(version) = version else { return Ok((None, None, None)) };
    let counter = to_bigint(version.counter)?;
    Ok((Some(&version.incarnation[..]), Some(counter), Some(version.state.as_str())))
}

fn column<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    name: &str,
) -> Result<T, String> {
    row.try_get(name).map_err(|error| error.to_string())
}

fn text(row: &Row, name: &str) -> Result<String, String> {
    column(row, name)
}

fn number(row: &Row) -> Result<u64, String> {
    let number: i64 = column(row, "number")?;
    u64::try_from(number).map_err(|_| format!("the number {number} is below zero"))
}

fn bytes<const N: usize>(row: &Row, name: &str) -> Result<[u8; N], String> {
    let bytes: &[u8] = column(row, name)?;
    bytes.try_into().map_err(|_| format!("`{name}` has {} bytes, expected {N}", bytes.len()))
}
