//! P5: forbid beats ask beats permit. Order and duplicates of rules never matter. Adding a forbid or
//! an ask never allows more.

use hallpass::policy::{Effect, Moment};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::door::{OpenDoor, at_calls, by_the_book};
use crate::model_rules::Says;
use crate::universe::*;

fn rank(says: &Says) -> u8 {
    match says {
        Says::Permit(_) => 2,
        Says::Ask(_) => 1,
        Says::Forbid(_) | Says::NoPermit => 0,
    }
}

fn known_calls() -> BoxedStrategy<CallSaid> {
    calls().prop_filter("a tool of the catalogue", |call| call.tool != OUTSIDE).boxed()
}

proptest! {
    #![proptest_config(config(128))]

    /// P5, P3: the gate says of every call what the rules say, taken one by one.
    #[test]
    fn the_gate_answers_as_the_rules_do_one_by_one(
        policy in policies("r", 3, 12).prop_map(at_calls),
        who in whos(),
        why in whys(),
        asked in vec((known_calls(), contexts()), 1..12),
    ) {
        let gate = OpenDoor::new(&policy, &who, &why);
        for (call, context) in &asked {
            let says = by_the_book(&policy, &who, &why, call, context);
            prop_assert_eq!(gate.asks(call, context), says, "{:?} in {:?}", call, context);
        }
    }

    /// P5
    #[test]
    fn order_and_duplicates_of_rules_never_matter(
        policy in policies("r", 2, 8).prop_map(at_calls),
        shuffled in any::<u64>(),
        who in whos(),
        why in whys(),
        asked in vec((known_calls(), contexts()), 1..8),
    ) {
        let mut other = policy.clone();
        let mut twins: Vec<RuleSaid> = policy.rules.clone();
        for twin in &mut twins {
            twin.id = format!("twin-{}", twin.id);
        }
        other.rules.extend(twins);
        let mut seed = shuffled;
        for at in (1..other.rules.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            other.rules.swap(at, (seed >> 33) as usize % (at + 1));
        }
        let (gate, other) = (OpenDoor::new(&policy, &who, &why), OpenDoor::new(&other, &who, &why));
        for (call, context) in &asked {
            let (one, two) = (gate.asks(call, context), other.asks(call, context));
            prop_assert_eq!(without_twins(one.clone()), without_twins(two));
        }
    }

    /// P5
    #[test]
    fn one_more_forbid_or_ask_never_allows_more(
        policy in policies("r", 2, 6).prop_map(at_calls),
        more in vec(prop_oneof![rules_of(Effect::Forbid, 2), rules_of(Effect::Ask, 2)], 1..3),
        who in whos(),
        why in whys(),
        asked in vec((known_calls(), contexts()), 1..8),
    ) {
        let mut stricter = policy.clone();
        for (at, mut rule) in more.into_iter().enumerate() {
            rule.id = format!("more{at}");
            rule.moments = vec![Moment::Call];
            if policy.catalogue.is_some() || !rule.looks_at_labels() {
                stricter.rules.push(rule);
            }
        }
        let (gate, stricter) =
            (OpenDoor::new(&policy, &who, &why), OpenDoor::new(&stricter, &who, &why));
        for (call, context) in &asked {
            let (before, after) = (gate.asks(call, context), stricter.asks(call, context));
            prop_assert!(rank(&after) <= rank(&before), "{:?} became {:?}", before, after);
        }
    }
}

fn without_twins(says: Says) -> Says {
    let plain = |ids: Vec<String>| {
        let mut ids: Vec<String> =
            ids.iter().map(|id| id.strip_prefix("twin-").unwrap_or(id).to_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    match says {
        Says::Permit(ids) => Says::Permit(plain(ids)),
        Says::Ask(ids) => Says::Ask(plain(ids)),
        Says::Forbid(ids) => Says::Forbid(plain(ids)),
        Says::NoPermit => Says::NoPermit,
    }
}
