//! Renewal and checkpoints: a fresh decision, under the same ceiling.

use std::sync::Barrier;

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any};
use proptest::prelude::*;

use crate::world::{EVERYWHERE, World, here, ping, pings, policy, seconds, to_ping};

#[test]
fn a_renewal_keeps_the_grant_and_moves_its_time() {
    let world = World::rules([pings("p").ttl(seconds(60)).uses(3)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let (id, expires) = (grant.id(), grant.expires());
    world.call(&grant, &ping()).unwrap();
    world.pass(seconds(50));
    task.renew(&mut grant, &agent, &here()).unwrap();
    assert_eq!((grant.id(), grant.serial()), (id, 2));
    assert_eq!(grant.expires().since(expires), seconds(50));
    world.pass(seconds(59));
    world.call(&grant, &ping()).unwrap();
    world.pass(seconds(1));
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
}

/// attack 92: superseded, from the moment the renewal returns
#[test]
fn the_token_before_a_renewal_is_dead() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let old = Token::from_text(grant.token().expose().to_owned());
    task.renew(&mut grant, &agent, &here()).unwrap();
    let denial = world.gate.authorize(&old, &agent, ping(), &here()).unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::Superseded, Code::InvalidToken));
    world.call(&grant, &ping()).unwrap();
}

#[test]
fn a_permit_handed_out_before_a_renewal_starts_and_before_a_checkpoint_does_not() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let world = World::rules([pings("p").on(everywhere).uses(6)]);
    let (agent, worker) = (world.agent("a"), world.agent("worker"));
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&grant, &worker, to_ping(), &here()).unwrap();
    for checkpoint in [false, true] {
        let permit = world.authorize(&grant, &ping()).unwrap();
        let running = world.authorize(&grant, &ping()).unwrap().start().unwrap();
        let childs = world.authorize(&child, &ping()).unwrap();
        match checkpoint {
            true => task.checkpoint(&mut grant, &agent, &here()).unwrap(),
            false => task.renew(&mut grant, &agent, &here()).unwrap(),
        }
        match permit.start() {
            Ok(running) => assert!(!checkpoint, "{running:?}"),
            Err(denial) => {
                assert!(checkpoint);
                let (reason, code) = (denial.reason(), denial.code());
                assert_eq!((reason, code), (Reason::Superseded, Code::InvalidToken));
            }
        }
        // What was running goes on, and children stay.
        drop(childs.start().unwrap());
        running.succeed();
    }
    // What the dead one held came back.
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
}

/// What a renewal in this context, for an agent with these groups, makes of a permit handed out before.
fn start_after(rules: Vec<Rule>, steps: &[(&str, &[&str])]) -> Option<Reason> {
    let world = World::rules(rules);
    let assert = |groups: &[&str]| {
        let assertion = Assertion::agent("a").groups(groups.iter().copied());
        world.broker.assert_identity(assertion).unwrap()
    };
    let agent = assert(&["g"]);
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &Context::new().with("env", "first")).unwrap();
    let first = Context::new().with("env", "first");
    let permit = world.gate.authorize(&grant, &agent, ping(), &first).unwrap();
    for (env, groups) in steps {
        world.pass(seconds(1));
        let context = Context::new().with("env", *env);
        task.renew(&mut grant, &assert(groups), &context).unwrap();
    }
    permit.start().err().map(|denial| denial.reason())
}

/// attacks 89 and 92: only what confirms a permit lets it start.
#[test]
fn a_renewal_confirms_permits_only_if_it_gives_no_less_to_the_same() {
    let of = |id: &str, env: &str| pings(id).when("env", eq(env));
    let confirmed = |first: fn(Rule) -> Rule, second: fn(Rule) -> Rule| {
        start_after(vec![first(of("1", "first")), second(of("2", "second"))], &[("second", &["g"])])
            .is_none()
    };
    let plain: fn(Rule) -> Rule = |rule| rule;
    assert!(confirmed(plain, plain));
    assert!(confirmed(|rule| rule.uses(3), plain), "a limit less");
    assert!(!confirmed(plain, |rule| rule.uses(3)), "a limit more");
    assert!(!confirmed(|rule| rule.uses(3), |rule| rule.uses(3)), "of another counter");
    assert!(!confirmed(plain, |rule| rule.rate(9, seconds(60))));
    assert!(!confirmed(plain, |rule| rule.budget("args.n", 5)));
    assert!(!confirmed(plain, |rule| rule.idle(seconds(60))));
    assert!(confirmed(|rule| rule.idle(seconds(60)), plain));
    assert!(!confirmed(plain, |rule| rule.depth(1)));
    assert!(
        !confirmed(|rule| rule.ttl(seconds(60)), |rule| rule.ttl(seconds(58))),
        "an earlier end"
    );
    assert!(
        confirmed(|rule| rule.ttl(seconds(60)), |rule| rule.ttl(seconds(59))),
        "no earlier end"
    );
    assert!(!confirmed(plain, |rule| rule.max_life(seconds(3000))), "an end of the whole life");

    let same = || vec![pings("p").uses(3)];
    assert_eq!(start_after(same(), &[("first", &["g"])]), None);
    assert_eq!(start_after(same(), &[("x", &["g", "h"])]), Some(Reason::Superseded), "other facts");
    // What a renewal has ended, no later one brings back.
    let twice: [(&str, &[&str]); 2] = [("x", &["h"]), ("x", &["g"])];
    assert_eq!(start_after(same(), &twice), Some(Reason::Superseded));
    let [less, more] = [of("1", "first"), of("2", "second").uses(9)];
    let rules = vec![less, more, pings("always").when("env", eq("never"))];
    let steps: [(&str, &[&str]); 2] = [("second", &["g"]), ("first", &["g"])];
    assert_eq!(start_after(rules, &steps), Some(Reason::Superseded));
}

#[test]
fn a_confirmed_permit_is_the_callers_whose_facts_were_attested_again() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let with_more = world.broker.assert_identity(Assertion::agent("a").group("g")).unwrap();
    let permit = world.gate.authorize(&grant, &with_more, ping(), &here()).unwrap();
    task.renew(&mut grant, &agent, &here()).unwrap();
    assert_eq!(permit.start().unwrap_err().reason(), Reason::Superseded);
}

#[test]
fn a_checkpoint_decides_again_and_gives_no_time() {
    let world = World::rules([pings("p").when("env", eq("prod")).idle(seconds(20))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let prod = Context::new().with("env", "prod");
    let mut grant = task.request(to_ping(), &prod).unwrap();
    let expires = grant.expires();
    world.pass(seconds(10));
    task.checkpoint(&mut grant, &agent, &prod).unwrap();
    assert_eq!((grant.serial(), grant.expires()), (2, expires));
    world.pass(seconds(10));
    let idle = task.checkpoint(&mut grant, &agent, &prod).unwrap_err();
    assert_eq!(idle.reason(), Reason::Expired);

    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &prod).unwrap();
    let denial = task.checkpoint(&mut grant, &agent, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    let dead = world.gate.authorize(grant.token(), &agent, ping(), &prod).unwrap_err();
    assert_eq!(dead.reason(), Reason::Revoked);
}

/// attack 88
#[test]
fn what_is_over_cannot_be_renewed() {
    let world = World::rules([pings("p").ttl(seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut expired = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(60));
    let denial = task.renew(&mut expired, &agent, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Expired);

    let mut revoked = task.request(to_ping(), &here()).unwrap();
    assert!(!task.revoke_grant(&revoked).is_empty());
    let denial = task.renew(&mut revoked, &agent, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Revoked);

    let mut over = task.request(to_ping(), &here()).unwrap();
    assert!(!world.control.revoke_task(task.name()).unwrap().is_empty());
    let denial = task.renew(&mut over, &agent, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::TaskOver);
    assert!(world.broker.standing().is_empty());
}

/// attack 89
#[test]
fn a_renewal_is_decided_by_todays_rules_identity_and_context() {
    let rule =
        || pings("p").who_groups(has_any(["staff"])).when("risk", hallpass::scope::below(50));
    let world = World::rules([rule()]);
    let staff = || world.broker.assert_identity(Assertion::agent("a").group("staff")).unwrap();
    let risk = |risk: i64| Context::new().with("risk", risk);
    let agent = staff();
    let task = world.open(&agent);

    let mut grant = task.request(to_ping(), &risk(10)).unwrap();
    task.renew(&mut grant, &staff(), &risk(20)).unwrap();
    let denial = task.renew(&mut grant, &staff(), &risk(90)).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);

    let mut grant = task.request(to_ping(), &risk(10)).unwrap();
    let dismissed = world.agent("a");
    let denial = task.renew(&mut grant, &dismissed, &risk(10)).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);

    let mut grant = task.request(to_ping(), &risk(10)).unwrap();
    let _scan =
        world.broker.reload(&policy([rule(), Rule::forbid("freeze").tool("ping")])).unwrap();
    let denial = task.renew(&mut grant, &staff(), &risk(10)).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
    assert!(world.broker.standing().grants.is_empty(), "a grant that fails to renew has ended");
}

#[test]
fn nobody_renews_what_another_holds() {
    let world = World::rules([pings("p")]);
    let (agent, other) = (world.agent("a"), world.agent("b"));
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let denial = task.renew(&mut grant, &other, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotTheHolder);
}

#[test]
fn another_tasks_grant_is_refused_and_unharmed() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let (task, other) = (world.open(&agent), world.open(&agent));
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let denial = other.renew(&mut grant, &agent, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::UnknownGrant);
    assert!(denial.explain().to_string().contains("it is of another task"), "{}", denial.explain());
    assert!(other.revoke_grant(&grant).is_empty());
    world.call(&grant, &ping()).unwrap();
}

/// attack 90
#[test]
fn a_revoke_that_races_a_renewal_wins() {
    for _ in 0..200 {
        let world = World::rules([pings("p")]);
        let agent = world.agent("a");
        let task = world.open(&agent);
        let mut grant = task.request(to_ping(), &here()).unwrap();
        let (id, start) = (grant.id(), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                let revoked = world.control.revoke_grant(id);
                assert!(!revoked.is_empty() || world.broker.standing().grants.is_empty());
            });
            start.wait();
            // Whatever it answers: the grant is gone afterwards.
            let _ = task.renew(&mut grant, &agent, &here());
        });
        assert_eq!(world.denied(&grant, &ping()), Reason::Revoked);
        assert!(world.broker.standing().grants.is_empty());
    }
}

/// attack 91
#[test]
fn a_child_is_never_renewed_past_its_parent() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let world = World::rules([pings("p").on(everywhere).ttl(seconds(100))]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let mut parent = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(10));
    let mut child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    assert_eq!(child.expires(), parent.expires());
    world.pass(seconds(50));
    task.renew(&mut child, &worker, &here()).unwrap();
    assert_eq!(child.expires(), parent.expires());
    // The child keeps living under its parent's new time, once it is renewed itself.
    task.renew(&mut parent, &planner, &here()).unwrap();
    world.call(&child, &ping()).unwrap();
    task.renew(&mut child, &worker, &here()).unwrap();
    assert_eq!(child.expires(), parent.expires());
}

/// attack 91: the end of the highest came earlier after the others were given
#[test]
fn a_child_is_renewed_no_longer_than_the_highest_that_it_hangs_from() {
    let rule =
        |id, env, ttl| pings(id).when("env", eq(env)).on(EVERYWHERE).depth(2).ttl(seconds(ttl));
    let world = World::rules([rule("long", "first", 100), rule("short", "second", 40)]);
    let (first, second) =
        (Context::new().with("env", "first"), Context::new().with("env", "second"));
    let [planner, worker, helper] = ["planner", "worker", "helper"].map(|name| world.agent(name));
    let task = world.open(&planner);
    let mut highest = task.request(to_ping(), &first).unwrap();
    let parent = task.delegate(&highest, &worker, to_ping(), &first).unwrap();
    let mut child = task.delegate(&parent, &helper, to_ping(), &first).unwrap();
    task.checkpoint(&mut highest, &planner, &second).unwrap();
    assert!(highest.expires() < parent.expires());
    task.renew(&mut child, &helper, &first).unwrap();
    assert_eq!(child.expires(), highest.expires());
}

/// attack 88: what gives it today gives less time than it has been given for already
#[test]
fn a_grant_with_no_time_left_by_todays_permits_ends() {
    let ttl: fn(Rule) -> Rule = |rule| rule.ttl(seconds(20));
    let whole_life: fn(Rule) -> Rule = |rule| rule.max_life(seconds(20));
    for (limit, renewed, renews) in
        [(ttl, 0, false), (whole_life, 0, true), (whole_life, 10, false), (whole_life, 10, true)]
    {
        let of = |id: &str, env: &str| pings(id).when("env", eq(env));
        let world = World::rules([of("1", "first").ttl(seconds(60)), limit(of("2", "second"))]);
        let agent = world.agent("a");
        let task = world.open(&agent);
        let first = Context::new().with("env", "first");
        let mut grant = task.request(to_ping(), &first).unwrap();
        world.pass(seconds(renewed));
        task.renew(&mut grant, &agent, &first).unwrap();
        world.pass(seconds(20 - renewed));
        let second = Context::new().with("env", "second");
        let decided = match renews {
            true => task.renew(&mut grant, &agent, &second),
            false => task.checkpoint(&mut grant, &agent, &second),
        };
        assert_eq!(decided.unwrap_err().reason(), Reason::Expired);
        assert!(world.broker.standing().grants.is_empty());
        assert_eq!(world.kinds().iter().filter(|kind| **kind == "granted").count(), 2);
    }
}

#[test]
fn a_renewal_that_the_log_refuses_ends_the_grant() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    world.sink.fail_next(1);
    let denial = task.renew(&mut grant, &agent, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::LogRefused);
    assert!(world.broker.standing().grants.is_empty());
    assert!(world.authorize(&grant, &ping()).is_err());
}

proptest! {
    /// attack 91
    #[test]
    fn no_renewal_moves_the_whole_life_or_the_ceiling(
        ttl in 1_u64..50,
        more_life in 0_u64..100,
        ceiling in 1_u64..150,
        steps in prop::collection::vec(0_u64..20, 1..40),
    ) {
        let life = ttl + more_life;
        let rule = pings("p").ttl(seconds(ttl)).max_life(seconds(life));
        let world = World::with(policy([rule]), |builder| builder.ceiling(seconds(ceiling)));
        let agent = world.agent("a");
        let task = world.open(&agent);
        let mut grant = task.request(to_ping(), &here()).unwrap();
        let (mut now, mut ends) = (0, ttl.min(life).min(ceiling));
        let start = grant.expires().checked_sub(seconds(ends)).unwrap();
        for step in steps {
            world.pass(seconds(step));
            now += step;
            let alive = now < ends;
            let renewed = task.renew(&mut grant, &agent, &here()).is_ok();
            prop_assert_eq!(renewed, alive, "at {} of {}", now, ends);
            if !alive {
                break;
            }
            ends = (now + ttl).min(life).min(ceiling);
            prop_assert_eq!(grant.expires(), start.checked_add(seconds(ends)).unwrap());
        }
        world.pass(seconds(life.min(ceiling)));
        prop_assert!(world.authorize(&grant, &ping()).is_err());
        prop_assert!(world.broker.standing().grants.is_empty());
    }
}
