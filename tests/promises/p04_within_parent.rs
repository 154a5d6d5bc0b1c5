//! P4: a child never exceeds its parent, because every ancestor's constraints are evaluated on every
//! call, three hops deep, and after a reload and a renewal above, too.

use hallpass::clock::ManualClock;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::door::door;
use crate::model::{Question, Setting};
use crate::model_rules::covers;
use crate::probe::inside;
use crate::universe::*;

/// Everything is permitted to everyone, and may be handed on three times.
fn open_policy(rules: usize) -> Policy {
    let all = |at: usize| RuleSaid {
        moments: vec![Moment::Request, Moment::Call, Moment::Delegate],
        limits: LimitsSaid { depth: Some(3), ..LimitsSaid::default() },
        ..door(&format!("all-{at}"))
    };
    PolicySaid { catalogue: None, rules: (0..rules).map(all).collect() }.policy()
}

fn covered_by_all(scopes: &[CapabilitySaid], call: &CallSaid) -> bool {
    let (who, context) = (robot(), ContextSaid::new());
    let why = WhySaid { name: "reporting".into(), ticket: None };
    let setting = Setting {
        moment: Moment::Call,
        form: None,
        who: &who,
        why: &why,
        context: &context,
        history: &[],
        notes: &NO_NOTES,
        now: 0,
    };
    scopes.iter().all(|own| covers(own, &Question { setting, call, labels: &[] }))
}

proptest! {
    #![proptest_config(config(48))]

    /// P4, attacks 50, 59, 60 and 65
    #[test]
    fn a_call_of_a_delegate_is_one_of_every_grant_above(
        first in capabilities(),
        more in vec(capabilities(), 2),
        others in vec(calls(), 6),
    ) {
        let clock = ManualClock::new(at(0));
        let broker = Broker::builder(open_policy(1)).clock(clock).build().unwrap();
        let names = ["robot", "first", "second", "third"];
        let who = names.map(|name| broker.assert_identity(name).unwrap());
        let task = broker.open(&who[0], Purpose::new("reporting")).unwrap();
        let here = Context::new();
        let root = Scope::tool(&first.tool).any_args().any_resource();
        let mut grants = vec![task.request(root, &here).unwrap()];
        // Each says what the one above says and something more, or something else altogether.
        let mut scopes = vec![first];
        for own in more {
            let above = scopes[scopes.len() - 1].clone();
            let mut next = above.clone();
            next.args.extend(own.args);
            next.other_args &= own.other_args;
            let sound = scope_of(std::slice::from_ref(&next)).check().is_ok();
            scopes.push(if sound { next } else { above });
        }
        let mut given = Vec::new();
        for (hop, own) in scopes.iter().enumerate() {
            let scope = scope_of(std::slice::from_ref(own));
            match task.delegate(&grants[hop], &who[hop + 1], scope, &here) {
                Ok(grant) => {
                    grants.push(grant);
                    given.push(own.clone());
                }
                // What is not shown to lie within the parent is refused early.
                Err(denial) => {
                    prop_assert_eq!(denial.reason(), Reason::NotCovered);
                    break;
                }
            }
        }
        let gate = broker.gate();
        for round in 0..3 {
            for hop in 1..grants.len() {
                for call in inside(&given[hop - 1], &others) {
                    let token = grants[hop].token();
                    let answer = gate.check(token, &who[hop], &call.call(), &here);
                    let reason = answer.map_err(|denial| denial.reason());
                    let expected = covered_by_all(&given[..hop], &call);
                    prop_assert_eq!(reason.is_ok(), expected, "{:?}: {:?}", &call, reason);
                    prop_assert!(expected || reason.err() == Some(Reason::OutOfScope));
                }
            }
            if round == 0 {
                prop_assert!(broker.reload(&open_policy(2)).unwrap().finish().grants.is_empty());
            } else {
                for (own, who) in grants.iter_mut().zip(&who) {
                    task.renew(own, who, &here).unwrap();
                }
            }
        }
    }
}
