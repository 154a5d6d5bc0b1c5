//! What a child may, every ancestor covers: as a property of random chains of delegations.

use hallpass::prelude::*;
use hallpass::scope::{any, eq, max, min, not, one_of};
use proptest::prelude::*;
use serde_json::json;

use crate::delegation::{n, to_ping_where};
use crate::world::{EVERYWHERE, World, here, ping_with, seconds};

/// One step of a random chain: what of `n` it names, and of which tool.
#[derive(Clone, Debug)]
struct Part {
    from: i64,
    to: i64,
    holes: Vec<i64>,
    open: bool,
}

impl Part {
    fn scope(&self) -> Scope {
        let holes = self.holes.iter().map(|hole| not(eq(*hole)));
        let constraint = holes.fold(min(self.from).and(max(self.to)), |all, one| all.and(one));
        let scope = to_ping_where(constraint);
        if self.open { scope.other_args() } else { scope }
    }
}

fn part() -> impl Strategy<Value = Part> {
    (0_i64..6, 0_i64..8, prop::collection::vec(0_i64..10, 0..3), prop::bool::ANY)
        .prop_map(|(from, len, holes, open)| Part { from, to: from + len, holes, open })
}

fn rule(id: usize) -> impl Strategy<Value = Rule> {
    let effects = prop_oneof![4 => Just(true), 1 => Just(false)];
    let holders = prop::sample::subsequence(vec!["a-0", "a-1", "a-2", "a-3"], 1..4);
    (effects, holders, part(), 0_u8..4, 1_u64..40).prop_map(
        move |(permit, holders, part, depth, ttl)| {
            let id = format!("rule-{id}");
            if permit {
                let rule = Rule::permit(id).who_id(one_of(holders)).tool("ping").on(EVERYWHERE);
                let rule = rule.arg("n", min(part.from).and(max(part.to + 4))).depth(depth);
                let rule = rule.ttl(seconds(ttl));
                if part.open { rule.other_args() } else { rule }
            } else {
                Rule::forbid(id).who_id(one_of(holders)).tool("ping").arg("n", eq(part.from))
            }
        },
    )
}

proptest! {
    /// attack 65: P4, at the same instant. Ancestors are asked for scope and life, not for rules of
    /// their own: their constraints are what a child's calls have to meet, and a forbid that names an
    /// ancestor alone speaks to the ancestor's calls.
    #[test]
    fn what_a_child_may_every_ancestor_covers(
        rules in (rule(0), rule(1), rule(2), rule(3), rule(4)),
        parts in prop::collection::vec((part(), 0_u64..10), 1..5),
        later in 0_u64..30,
    ) {
        let everyone = Rule::permit("all").tool("ping").arg("n", any()).other_args();
        let everyone = everyone.on(EVERYWHERE).depth(4).ttl(seconds(50));
        let (r0, r1, r2, r3, r4) = rules;
        let world = World::rules([everyone, r0, r1, r2, r3, r4]);
        let agents: Vec<_> = (0..5).map(|n| world.agent(&format!("a-{n}"))).collect();
        let task = world.open(&agents[0]);
        let mut chain: Vec<Grant> = Vec::new();
        for ((part, wait), agent) in parts.iter().zip(&agents) {
            let made = match chain.last() {
                None => task.request(part.scope(), &here()),
                Some(parent) => task.delegate(parent, agent, part.scope(), &here()),
            };
            match made {
                Ok(grant) => chain.push(grant),
                Err(_) => break,
            }
            world.pass(seconds(*wait));
        }
        world.pass(seconds(later));
        for call in (0..14).flat_map(|value| [n(value), ping_with(json!({ "n": value, "m": 1 }))]) {
            let outcome = |grant: &Grant| {
                let context = here();
                world.gate.check(grant.token(), grant.holder(), &call, &context)
            };
            for (child, ancestors) in (0..chain.len()).map(|at| (&chain[at], &chain[..at])) {
                if outcome(child).is_err() {
                    continue;
                }
                for ancestor in ancestors {
                    if let Err(denial) = outcome(ancestor) {
                        let own_rules = [Reason::Forbidden, Reason::NoPermit];
                        prop_assert!(
                            own_rules.contains(&denial.reason()),
                            "{} is beyond an ancestor: {}", call.args(), denial.explain()
                        );
                    }
                    prop_assert!(child.expires() <= ancestor.expires());
                }
            }
        }
    }
}
