//! The rows of `docs/attacks.md`.

use crate::files;

/// One row of the page.
pub(crate) struct Attack {
    pub(crate) number: u32,
    pub(crate) promise: u32,
}

pub(crate) fn listed() -> Vec<Attack> {
    files::read("docs/attacks.md").lines().filter_map(row).map(|(attack, _)| attack).collect()
}

/// A row's number and promise, and its text up to the last cell.
pub(crate) fn row(line: &str) -> Option<(Attack, &str)> {
    let (number, _) = line.strip_prefix("| ")?.split_once(" | ")?;
    let number = number.parse().ok()?;
    let cells: Vec<&str> = line.split(" | ").collect();
    let [.., promise, held] = cells[..] else { panic!("{line}: expected four cells") };
    let promise = promise.strip_prefix('P').and_then(|promise| promise.parse().ok());
    let promise = promise.unwrap_or_else(|| panic!("{line}: expected a promise"));
    Some((Attack { number, promise }, &line[..line.len() - held.len()]))
}
