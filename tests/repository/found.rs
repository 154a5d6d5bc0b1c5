//! The tests of the repository, with what their doc comments say they stand for.

use std::collections::BTreeSet;

use crate::files;

/// A test function, and what it stands for.
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) attacks: BTreeSet<u32>,
    pub(crate) promises: BTreeSet<u32>,
}

impl Found {
    /// `tests/life/limits.rs::a_rate_never_comes_back`
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.file, self.name)
    }
}

/// Every test of the crate, of what is explored by schedules, of the adapters and of the command.
pub(crate) fn tests() -> Vec<Found> {
    let files = ["src", "tests", "interleavings/tests", "adapters", "cli/src", "cli/tests"]
        .map(|folder| files::below(folder, ".rs"));
    files.concat().iter().flat_map(|file| tests_of(file, &files::read(file))).collect()
}

fn tests_of(file: &str, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut doc = String::new();
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        if let Some(said) = line.strip_prefix("///") {
            doc.push(' ');
            doc.push_str(said.trim());
        } else if line == "#[test]" {
            let mut promises = promises_in(&doc);
            promises.extend(promise_of_file(file));
            let (file, attacks) = (file.to_owned(), attacks_in(&doc));
            // What else is said of it, an `ignore` for one, may stand in between.
            while lines.next_if(|line| !line.contains("fn ")).is_some() {}
            let named = lines.peek().and_then(|line| line.split_once("fn ")?.1.split_once('('));
            let name = named.map_or(String::new(), |(name, _)| name.to_owned());
            found.push(Found { file, name, attacks, promises });
        } else if !line.starts_with("#[") {
            doc.clear();
        }
    }
    found
}

/// `tests/promises/p03_within_policy.rs` is about the third promise.
fn promise_of_file(file: &str) -> Option<u32> {
    let (number, _) = file.strip_prefix("tests/promises/p")?.split_once('_')?;
    number.parse().ok()
}

/// The numbers in `attack 7`, `attacks 1 to 3, 9 and 27`.
pub(crate) fn attacks_in(doc: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for (at, _) in doc.match_indices("attack") {
        let mut rest = &doc[at + "attack".len()..];
        rest = rest.strip_prefix('s').unwrap_or(rest);
        let mut last = None;
        while let Some((number, range, after)) = next_number(rest) {
            found.extend(last.filter(|_| range).map_or(number, |last| last + 1)..=number);
            (last, rest) = (Some(number), after);
        }
    }
    found
}

/// The number that follows what may stand between two, whether `to` stood there, and what is behind it.
fn next_number(text: &str) -> Option<(u32, bool, &str)> {
    let between = [", and ", ", ", " and ", " to ", " "];
    let between = between.into_iter().find(|between| text.starts_with(between))?;
    let rest = &text[between.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest[..end].parse().ok()?;
    Some((number, between == " to ", &rest[end..]))
}

/// The numbers in `P7` and `P11`.
fn promises_in(doc: &str) -> BTreeSet<u32> {
    let words = doc.split(|c: char| !c.is_ascii_alphanumeric());
    let numbers = words.filter_map(|word| word.strip_prefix('P')?.parse().ok());
    numbers.filter(|number| (1..=12).contains(number)).collect()
}

#[test]
fn the_numbers_of_attacks_are_read_as_people_write_them() {
    let read = |doc: &str| attacks_in(doc).into_iter().collect::<Vec<_>>();
    assert_eq!(read("attack 27"), [27]);
    assert_eq!(read("attack 71, attack 80"), [71, 80]);
    assert_eq!(read("attacks 1 to 4, 9 and 27: so"), [1, 2, 3, 4, 9, 27]);
    assert_eq!(read("the attacks of 2024"), [0_u32; 0]);
}
