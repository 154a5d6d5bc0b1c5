//! Preview: what a reload would end, told before it is loaded.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::one_of;
use proptest::prelude::*;

use crate::world::{EVERYWHERE, World, frozen, here, ping, pings, policy, seconds, to_ping};

#[test]
fn a_preview_says_what_would_end_and_ends_nothing() {
    let world = World::rules([pings("p").uses(2)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let records = world.log.len();
    assert!(world.broker.preview(&policy([pings("p").uses(1)])).grants.is_empty());
    let drift = world.broker.preview(&frozen());
    assert_eq!(drift.grants.iter().map(|one| one.id).collect::<Vec<_>>(), [grant.id()]);
    assert_eq!((world.broker.epoch().0, world.log.len()), (1, records));
    world.call(&grant, &ping()).unwrap();
    world.call(&grant, &ping()).unwrap();
}

#[test]
fn a_preview_names_what_the_reload_then_ends() {
    let world = World::rules([pings("p").on(EVERYWHERE).depth(3)]);
    let [a, b, c] = ["a", "b", "c"].map(|name| world.agent(name));
    let task = world.open(&a);
    let root = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&root, &b, to_ping(), &here()).unwrap();
    let leaf = task.delegate(&child, &c, to_ping(), &here()).unwrap();
    // Delegating two hops deep is not permitted any more.
    let today = policy([pings("p").on(EVERYWHERE).depth(1)]);
    let mut would: Vec<_> = world.broker.preview(&today).grants.iter().map(|one| one.id).collect();
    let mut does: Vec<_> =
        world.broker.reload(&today).unwrap().finish().grants.iter().map(|one| one.id).collect();
    would.sort();
    does.sort();
    assert_eq!((&would, &would), (&does, &vec![leaf.id()]));
    assert_eq!(world.denied(&leaf, &ping()), Reason::Drifted);
    world.call(&child, &ping()).unwrap();
}

#[test]
fn a_preview_of_the_policy_in_force_names_nothing_for_loading_it_ends_nothing() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let scan = world.broker.reload(&frozen()).unwrap();
    for drift in [world.broker.preview(&frozen()), world.broker.reload(&frozen()).unwrap().finish()]
    {
        assert_eq!(drift, hallpass::Drift::default());
    }
    assert_eq!(scan.finish().grants.iter().map(|one| one.id).collect::<Vec<_>>(), [grant.id()]);
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn some_policy() -> impl Strategy<Value = Policy> {
    let rule = (1_u8..8, 0_u8..4, 1_u64..100, 0_u8..4, 0_u8..6);
    prop::collection::vec(rule, 1..5).prop_map(|rules| {
        let rules = rules.into_iter().enumerate().map(|(at, (who, depth, ttl, on, freeze))| {
            let holds = |n: &(usize, &str)| who >> n.0 & 1 == 1;
            let who = NAMES.into_iter().enumerate().filter(holds).map(|(_, name)| name);
            let who = one_of(who.collect::<Vec<_>>());
            let id = format!("r{at}");
            if freeze == 0 {
                return Rule::forbid(id).tool("ping").who_id(who);
            }
            let rule = pings(&id).who_id(who).depth(depth + 1).ttl(seconds(ttl));
            match on {
                0 => rule.on([Moment::Request]),
                1 => rule.on([Moment::Delegate]),
                _ => rule.on(EVERYWHERE),
            }
        });
        policy(rules)
    })
}

proptest! {
    #[test]
    fn a_preview_says_exactly_what_the_reload_then_ends(
        policies in prop::collection::vec(some_policy(), 1..4),
        steps in prop::collection::vec((0_u8..4, prop::arbitrary::any::<prop::sample::Index>(), 0_usize..3), 1..40),
    ) {
        let broad = pings("broad").on(EVERYWHERE).depth(4).ttl(seconds(60));
        let world = World::rules([broad]);
        let agents = NAMES.map(|name| world.agent(name));
        let tasks = [world.open(&agents[0]), world.open(&agents[1])];
        let mut grants: [Vec<Grant>; 2] = Default::default();
        let (mut parents, mut policies) = (BTreeMap::new(), policies.into_iter());
        for (step, at, who) in steps {
            let (task, held) = (&tasks[who % 2], &mut grants[who % 2]);
            match step {
                0 => held.extend(task.request_for(&agents[who], to_ping(), &here())),
                1 | 2 if !held.is_empty() => {
                    let parent = at.get(held);
                    if let Ok(permit) = world.authorize(parent, &ping()) {
                        // It goes on running.
                        std::mem::forget(permit.start().unwrap());
                    }
                    if let Ok(child) = task.delegate(parent, &agents[who], to_ping(), &here()) {
                        parents.insert(child.id(), parent.id());
                        held.push(child);
                    }
                }
                3 => world.pass(seconds(who as u64 * 10)),
                _ => {}
            }
            if at.index(8) != 0 {
                continue;
            }
            let Some(today) = policies.next() else { continue };
            let live = || -> BTreeSet<_> {
                world.broker.standing().grants.into_iter().map(|one| one.id).collect()
            };
            let before = live();
            let would = world.broker.preview(&today);
            prop_assert_eq!(&live(), &before, "a preview ends nothing");
            let does = world.broker.reload(&today).unwrap().finish();
            prop_assert_eq!(&would, &does);
            let after = live();
            for id in before {
                let mut line = std::iter::successors(Some(id), |id| parents.get(id).copied());
                let ended = line.any(|id| does.grants.iter().any(|one| one.id == id));
                if ended || after.contains(&id) {
                    prop_assert!(ended != after.contains(&id));
                } else {
                    // Given less time, it is past it: that is not drift.
                    let grant = grants.iter().flatten().find(|grant| grant.id() == id).unwrap();
                    prop_assert_eq!(world.denied(grant, &ping()), Reason::Expired);
                }
            }
        }
    }
}
