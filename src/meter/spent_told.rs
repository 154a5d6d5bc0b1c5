//! What is told of a denial, with its steps spent at every point.

use super::spent::{Asked, World, points, scope, world};
use super::{counted, limited};
use crate::prelude::*;
use crate::scope::{glob, prefix};

/// What an explanation could not look at is not told.
#[test]
fn an_explanation_that_is_spent_anywhere_says_that_alone() {
    let World { broker, agent, other, task, context, .. } = &world();
    let grant = task.request(scope("/data/a/"), context).unwrap();
    // What is delegated goes beyond it in one argument, and in the other only a search shows that it does not.
    let both = |x: &str, y: &str| Scope::tool("t").arg("x", prefix(x)).arg("y", glob(y));
    let parent = task.request(both("/data/a/", "*a*"), context).unwrap();
    let call = |x: &str| Call::new("t", serde_json::json!({ "x": x })).unwrap();
    let check = |x| broker.gate().check(grant.token(), agent, &call(x), context).map(drop);
    let denials: [(&str, Asked<'_, ()>); 3] = [
        ("forbidden", &|| check("/data/a/keys/b")),
        ("uncovered", &|| task.request(scope("/dat"), context).map(drop)),
        ("wider", &|| task.delegate(&parent, other, both("/data/", "*ab*"), context).map(drop)),
    ];
    for (name, ask) in denials {
        let denial = ask().unwrap_err();
        // Once for each denial: what was told before is told again.
        let account = |denial: &Denial| {
            let nearest = denial.nearest().map(|own| {
                let obstacles = own.obstacles().map(str::to_owned).collect::<Vec<_>>();
                (own.rule().to_owned(), obstacles, own.example().map(str::to_owned))
            });
            (denial.explain().to_string(), nearest)
        };
        let ((taken, _), full) = counted(|| limited(u64::MAX, || account(&denial)));
        assert!(taken > 0, "{name}");
        for steps in points(taken) {
            let denial = ask().unwrap_err();
            let (told, nearest) = limited(steps, || account(&denial));
            // A call that shows it may not have been found.
            let says_so = told.contains("it takes more than");
            assert!(full.0.starts_with(&told) || says_so, "{name}: {told}");
            if let (Some((rule, obstacles, example)), Some(known)) = (nearest, &full.1) {
                assert_eq!((&rule, &obstacles), (&known.0, &known.1), "{name}");
                assert!(example.is_none() || example == known.2, "{name}: {example:?}");
            }
        }
    }
}

/// attack 189: one comparison gets half of the steps, and what that does not suffice for is not shown to be covered.
/// What is forbidden is then said not to be covered; it is given in no case.
#[test]
fn a_comparison_that_its_half_does_not_suffice_for_gives_nothing() {
    let World { task, context, .. } = &world();
    let ask = || task.request(scope("/data/a/."), context).map(drop).unwrap_err().reason();
    let ((taken, _), full) = counted(|| limited(u64::MAX, ask));
    assert_eq!(full, Reason::Forbidden);
    let mut given_up = 0;
    for steps in points(taken) {
        match limited(steps, ask) {
            Reason::TooCostly | Reason::Forbidden => {}
            Reason::NotCovered => given_up += 1,
            other => panic!("{other:?} with {steps} of {taken} steps"),
        }
    }
    assert!(given_up > 0, "it is never given up");
}
