//! What `max_life` and `idle` count: access of one holder by one rule within one task, however often it is
//! asked for.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use proptest::prelude::*;

use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

fn reason<T>(answer: Result<T, hallpass::denial::Denial>) -> Option<Reason> {
    answer.err().map(|denial| denial.reason())
}

#[test]
fn asking_again_begins_no_new_life_within_the_task() {
    let world = World::rules([pings("p").ttl(seconds(20)).max_life(seconds(30))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let first = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(20));
    assert_eq!(world.denied(&first, &ping()), Reason::Expired);
    let again = task.request(to_ping(), &here()).unwrap();
    assert_eq!(again.expires().since(first.expires()), seconds(10), "what is left of the life");
    world.pass(seconds(10));
    assert_eq!(reason(task.request(to_ping(), &here())), Some(Reason::Expired));
    // Another task is another errand, asked for and judged anew.
    task.complete();
    let other = world.open(&agent);
    assert_eq!(reason(other.request(to_ping(), &here())), None);
}

#[test]
fn asking_again_begins_no_new_idle_time_and_a_call_does() {
    let world = World::rules([pings("p").ttl(seconds(600)).idle(seconds(20))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let first = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(15));
    let second = task.request(to_ping(), &here()).unwrap();
    world.call(&first, &ping()).unwrap();
    let third = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(5));
    assert_eq!(world.denied(&second, &ping()), Reason::Expired, "unused since the first was given");
    world.pass(seconds(14));
    world.call(&third, &ping()).unwrap();
    world.pass(seconds(20));
    assert_eq!(world.denied(&third, &ping()), Reason::Expired);
    assert_eq!(
        reason(task.request(to_ping(), &here())),
        Some(Reason::Expired),
        "nor after its end"
    );
}

#[test]
fn a_life_is_of_one_rule_and_of_one_holder() {
    let rules = [
        pings("short").max_life(seconds(10)).ttl(seconds(10)).when("env", hallpass::scope::eq("a")),
        pings("long").max_life(seconds(30)).ttl(seconds(30)).when("env", hallpass::scope::eq("b")),
    ];
    let world = World::rules(rules);
    let (agent, worker) = (world.agent("a"), world.agent("worker"));
    let [a, b] = ["a", "b"].map(|env| Context::new().with("env", env));
    let task = world.open(&agent);
    let first = task.request(to_ping(), &a).unwrap();
    world.pass(seconds(10));
    assert_eq!(reason(task.request(to_ping(), &a)), Some(Reason::Expired));
    let other = task.request(to_ping(), &b).unwrap();
    assert_eq!(other.expires().since(first.expires()), seconds(30), "by another rule");
    let by_another = task.request_for(&worker, to_ping(), &a).unwrap();
    assert_eq!(by_another.expires().since(first.expires()), seconds(10), "by another holder");
}

/// attack 91: a whole life that a renewal has begun holds for the renewals after it.
#[test]
fn a_life_that_a_renewal_has_begun_is_not_shaken_off_by_the_next() {
    let of = |id: &str, env: &str| pings(id).when("env", hallpass::scope::eq(env));
    let limited = of("limited", "a").ttl(seconds(20)).max_life(seconds(30));
    let world = World::rules([limited, of("plain", "b").ttl(seconds(20))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let [a, b] = ["a", "b"].map(|env| Context::new().with("env", env));
    let mut grant = task.request(to_ping(), &b).unwrap();
    let start = grant.expires().checked_sub(seconds(20)).unwrap();
    for (context, ends) in [(&a, 30), (&b, 30)] {
        world.pass(seconds(12));
        task.renew(&mut grant, &agent, context).unwrap();
        assert_eq!(grant.expires().since(start), seconds(ends));
    }
}

#[test]
fn delegating_again_begins_no_new_life() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let rule = pings("p").on(everywhere).ttl(seconds(10)).max_life(seconds(15));
    let rule = rule.who_id(hallpass::scope::eq("worker"));
    let world = World::rules([rule, pings("planner").on(everywhere).ttl(seconds(600))]);
    let (agent, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&agent);
    let parent = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    world.pass(seconds(10));
    let again = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    assert_eq!(again.expires().since(child.expires()), seconds(5));
    world.pass(seconds(5));
    assert_eq!(reason(task.delegate(&parent, &worker, to_ping(), &here())), Some(Reason::Expired));
}

#[test]
fn a_reload_changes_how_long_a_life_is_and_not_since_when() {
    let world = World::rules([pings("p").ttl(seconds(20)).max_life(seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let first = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(10));
    let _ = world
        .broker
        .reload(&policy([pings("p").ttl(seconds(20)).max_life(seconds(25))]))
        .unwrap()
        .finish();
    let again = task.request(to_ping(), &here()).unwrap();
    assert_eq!(again.expires().since(first.expires()), seconds(5));
    world.pass(seconds(15));
    assert_eq!(reason(task.request(to_ping(), &here())), Some(Reason::Expired));
}

proptest! {
    /// attack 91, of who asks again where it can't renew: all grants of a task together last no longer than
    /// the rule's `max_life` from the first.
    #[test]
    fn no_order_of_requests_and_renewals_lasts_longer_than_the_life(
        ttl in 1_u64..30,
        more_life in 0_u64..60,
        steps in prop::collection::vec((0_u64..15, any::<bool>(), any::<bool>()), 1..40),
    ) {
        let life = ttl + more_life;
        let world = World::rules([pings("p").ttl(seconds(ttl)).max_life(seconds(life))]);
        let agent = world.agent("a");
        let task = world.open(&agent);
        let mut grant = task.request(to_ping(), &here()).unwrap();
        let mut now = 0;
        for (step, renew, drop) in steps {
            world.pass(seconds(step));
            now += step;
            if drop {
                task.revoke_grant(&grant);
            }
            match renew {
                true => std::mem::drop(task.renew(&mut grant, &agent, &here())),
                false => {
                    let asked = task.request(to_ping(), &here());
                    prop_assert_eq!(asked.is_ok(), now < life, "at {} of {}", now, life);
                    grant = asked.unwrap_or(grant);
                }
            }
            prop_assert!(now < life || world.authorize(&grant, &ping()).is_err());
        }
    }
}
