//! The page of attacks: every number that a test names is on it, and it says where each is held.

use std::collections::{BTreeMap, BTreeSet};

use crate::page::{listed, row};
use crate::{files, found};

/// How many attacks are listed.
const LISTED: u32 = 200;

/// Where tests name each attack: `tests/attacks`, `src/token`.
fn held() -> BTreeMap<u32, BTreeSet<String>> {
    let mut held: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for test in found::tests() {
        let parts: Vec<&str> = test.file.split('/').collect();
        let room = parts[..2].join("/");
        for attack in test.attacks {
            held.entry(attack).or_default().insert(room.clone());
        }
    }
    held
}

#[test]
fn every_attack_is_listed_once_in_order_and_tests_name_no_other() {
    let listed: Vec<u32> = listed().iter().map(|attack| attack.number).collect();
    assert_eq!(listed, (1..=LISTED).collect::<Vec<_>>());
    let unknown: Vec<_> = held().into_keys().filter(|attack| !listed.contains(attack)).collect();
    assert_eq!(unknown, [0_u32; 0], "tests name attacks that are not listed");
}

/// Rooms that hold an attack in addition to those named are not mistake of the page; `.ci/attacks` adds
/// them.
#[test]
fn the_page_says_where_each_attack_is_held_and_which_are_not_yet() {
    let held = held();
    let write = files::writes();
    let mut page = String::new();
    for line in files::read("docs/attacks.md").lines() {
        match row(line) {
            None => page.push_str(line),
            Some((attack, before)) => {
                let rooms = held.get(&attack.number).into_iter().flatten();
                let rooms: Vec<String> = rooms.map(|room| format!("`{room}`")).collect();
                let told: Vec<&str> =
                    line[before.len()..].trim_end_matches(" |").split(", ").collect();
                let true_of_all = told.iter().all(|room| rooms.iter().any(|own| own == room));
                page.push_str(before);
                page.push_str(&match rooms.is_empty() {
                    true => "not yet".to_owned(),
                    false if true_of_all && !write => told.join(", "),
                    false => rooms.join(", "),
                });
                page.push_str(" |");
            }
        }
        page.push('\n');
    }
    files::assert_says("docs/attacks.md", &page);
}
