use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::identity::{Assertion, Identity};

fn id(n: u8) -> GrantId {
    GrantId::from_bytes([n; 16])
}

fn row(who: &Identity, n: u8, parent: Option<u8>) -> Row {
    let now = Timestamp::MIN;
    Row {
        id: id(n),
        serial: 1,
        holder: who.clone(),
        terms: Arc::default(),
        parent: parent.map(id),
        hops: 0,
        first_issued: now,
        issued: now,
        expires: now,
        last_used: now,
        running: 0,
        version: 1,
        more: None,
    }
}

/// Which grants live, by a list of children and parents and nothing else.
fn lives(parents: &BTreeMap<u8, Option<u8>>, n: u8) -> bool {
    match parents.get(&n) {
        None => false,
        Some(None) => true,
        Some(Some(parent)) => lives(parents, *parent),
    }
}

fn found(rows: &Rows, n: u8) -> bool {
    let mut next = Some(id(n));
    while let Some(id) = next {
        let Some(row) = rows.get(id) else { return false };
        next = row.parent;
    }
    true
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, Option<u8>),
    End(u8, usize),
    Bury(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let add = (0_u8..=255, prop::option::weighted(0.8, 0_u8..=255));
    prop_oneof![
        6 => add.prop_map(|(n, parent)| Step::Add(n, parent)),
        2 => (0_u8..=255, 0_usize..3).prop_map(|(n, most)| Step::End(n, most)),
        1 => (0_usize..3).prop_map(Step::Bury),
    ]
}

proptest! {
    #[test]
    fn rows_say_what_a_list_of_parents_says(steps in prop::collection::vec(step(), 1..150)) {
        let who = Assertion::agent("a").attest(1).unwrap();
        let (mut rows, mut parents) = (Rows::default(), BTreeMap::new());
        let mut used = BTreeSet::new();
        for step in steps {
            match step {
                Step::Add(n, parent) => {
                    // Ids are never used twice, and a parent lives when it is asked.
                    let parent = parent.filter(|parent| lives(&parents, *parent));
                    if used.insert(n) {
                        rows.push(row(&who, n, parent));
                        parents.insert(n, parent);
                    }
                }
                Step::End(n, most) => {
                    let ended = rows.end_and_bury(id(n), most);
                    prop_assert_eq!(!ended.is_empty(), parents.remove(&n).is_some());
                    parents.retain(|own, _| rows.get(id(*own)).is_some());
                }
                Step::Bury(most) => {
                    rows.bury(most);
                    parents.retain(|own, _| rows.get(id(*own)).is_some());
                }
            }
            for n in used.iter().copied() {
                prop_assert_eq!(found(&rows, n), lives(&parents, n), "{}", n);
            }
            prop_assert_eq!(rows.iter().count(), parents.len());
            prop_assert_eq!(rows.len(), parents.len());
        }
        let roots: Vec<u8> = parents.keys().copied().collect();
        for n in roots {
            rows.end(id(n));
        }
        rows.bury(0);
        prop_assert!(matches!(rows, Rows::None), "memory is given back");
    }
}

#[test]
fn a_large_family_is_dead_at_once_and_put_away_in_steps() {
    let who = Assertion::agent("a").attest(1).unwrap();
    let mut rows = Rows::default();
    let number = |n: u32| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        GrantId::from_bytes(bytes)
    };
    rows.push(row(&who, 255, None));
    rows.push(Row { id: number(0), ..row(&who, 0, None) });
    for n in 1..10_000 {
        // Half hang from the first, half each from the one before.
        let parent = if n % 2 == 0 { number(0) } else { number(n - 1) };
        rows.push(Row { id: number(n), parent: Some(parent), ..row(&who, 0, None) });
    }
    let ended = rows.end(number(0));
    assert_eq!(ended.len(), AT_ONCE + 1);
    assert_eq!(ended[0], number(0));
    assert_eq!(rows.len(), 10_000 - AT_ONCE);
    let mut steps = 0;
    while rows.bury(AT_ONCE) > 0 {
        steps += 1;
    }
    assert_eq!((steps, rows.len()), (9, 1));
    assert!(rows.get(id(255)).is_some());
    let Rows::Many(tree) = &rows else { panic!("it has been many") };
    assert!(tree.slots.capacity() < 64, "memory is given back");
}
