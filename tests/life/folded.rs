//! Names whatever the case of their letters: `[identity] fold = "ascii"`.

use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::{Constraint, contains, eq, has_any, one_of, prefix, regex, some, suffix};
use hallpass::{Halt, QuestionState, ReloadError};

use crate::world::{World, here, ping, pings, policy, to_ping};

fn world(rules: impl IntoIterator<Item = Rule>) -> World {
    World::new(Policy::builder().fold_names().rules(rules).build().unwrap())
}

fn asks(world: &World, who: impl Into<Assertion>) -> Result<(), Reason> {
    let who = world.broker.assert_identity(who).unwrap();
    let task = world.open(&who);
    let grant = task.request(to_ping(), &here()).map_err(|denial| denial.reason())?;
    world.call(&grant, &ping()).map_err(|denial| denial.reason())
}

/// attack 104
#[test]
fn a_rule_is_of_a_name_in_any_case_whoever_wrote_the_capitals() {
    let world = world([
        pings("ana").who_id(eq("Ana.Silva@acme.test")),
        pings("staff").who_groups(has_any(["STAFF"])),
        Rule::forbid("suspended").who_id(one_of(["ben@acme.test"])).any_tool(),
        Rule::forbid("contractors").who_groups(has_any(["contractors"])).any_tool(),
        Rule::forbid("for-eve").who_acts_for(has_any(["Eve"])).any_tool(),
    ]);
    for name in ["ana.silva@acme.test", "Ana.Silva@acme.test", "ANA.SILVA@ACME.TEST"] {
        assert_eq!(asks(&world, Assertion::human(name)), Ok(()), "{name}");
        let one = Assertion::human(name).group("Contractors");
        assert_eq!(asks(&world, one), Err(Reason::Forbidden), "{name}");
    }
    assert_eq!(asks(&world, Assertion::human("ana").group("Staff")), Ok(()));
    for name in ["Ben@acme.test", "BEN@acme.test"] {
        let one = Assertion::human(name).group("staff");
        assert_eq!(asks(&world, one), Err(Reason::Forbidden), "{name}");
    }
    let hers = Assertion::agent("bot").group("staff").acts_for("EVE", Kind::Human);
    assert_eq!(asks(&world, hers), Err(Reason::Forbidden));
    assert_eq!(asks(&world, "cy"), Err(Reason::NotCovered));
    // Without it, each spelling is a name.
    let apart = World::rules([pings("ana").who_id(eq("ana"))]);
    assert_eq!(asks(&apart, "Ana"), Err(Reason::NotCovered));
}

/// A SPIFFE id has one spelling, in which case counts; an attribute is compared as it is.
#[test]
fn spiffe_ids_and_attributes_are_not_folded() {
    let own = "spiffe://acme.test/Agent/a";
    let world = world([
        pings("a").who_id(prefix("spiffe://acme.test/Agent/")),
        pings("b").who_attr("team", eq("Red")),
    ]);
    assert_eq!(asks(&world, own), Ok(()));
    assert_eq!(asks(&world, "spiffe://acme.test/agent/a"), Err(Reason::NotCovered));
    assert_eq!(asks(&world, Assertion::agent("x").attr("team", "Red")), Ok(()));
    assert_eq!(asks(&world, Assertion::agent("x").attr("team", "red")), Err(Reason::NotCovered));
}

/// attacks 104, 139: a counter, a halt, a revocation, a restatement and a token are of the name, not of a spelling.
#[test]
fn what_is_counted_halted_and_revoked_is_so_in_any_case() {
    let world = world([pings("p").uses(2).per_identity()]);
    assert_eq!(asks(&world, "ana"), Ok(()));
    assert_eq!(asks(&world, "Ana"), Ok(()));
    assert_eq!(asks(&world, "ANA"), Err(Reason::UsesSpent));
    world.control.halt(Halt::identity("Ben").unwrap());
    let ben = world.agent("bEN");
    let refused = world.broker.open(&ben, Purpose::new("errand")).map(drop);
    assert_eq!(refused.unwrap_err().reason(), Reason::Halted);
    assert_eq!(world.control.halts(), [Halt::identity("ben").unwrap()]);
    assert!(world.control.resume(&Halt::identity("BEN").unwrap()));
    let task = world.open(&ben);
    let grant = task.request(to_ping(), &here()).unwrap();
    // The same caller, as another directory writes it.
    let other = world.agent("ben");
    let permit = world.gate.authorize(grant.token(), &other, ping(), &here()).unwrap();
    drop(permit);
    assert!(!world.control.revoke_identity("BEN").unwrap().is_empty());
    assert_eq!(world.denied(&grant, &ping()), Reason::TaskOver);
}

#[test]
fn what_is_restated_of_a_name_is_seen_of_every_spelling() {
    let world = world([pings("p").who_groups(has_any(["staff"]))]);
    let ana = world.broker.assert_identity(Assertion::human("Ana").group("Staff")).unwrap();
    let task = world.open(&ana);
    assert!(task.request(to_ping(), &here()).is_ok());
    world.control.restate(Assertion::human("ANA").group("former")).unwrap().finish();
    let denial = task.request(to_ping(), &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    assert!(world.control.unrestate("aNa").is_some());
    assert!(task.request(to_ping(), &here()).is_ok());
}

/// attack 104
#[test]
fn reviewers_are_known_in_any_case_and_nobody_approves_for_themselves() {
    let line = |reviewers: Reviewers| ApprovalTerms::per(Per::Call).review(reviewers);
    let ask =
        Rule::ask("ask").tool("ping").approval(line(Reviewers::in_groups(has_any(["Leads"]))));
    let world = world([pings("p"), ask]);
    let ana = world.broker.assert_identity(Assertion::human("Ana").group("LEADS")).unwrap();
    let task = world.open(&ana);
    let grant = task.request(to_ping(), &here()).unwrap();
    let denial = world.authorize(&grant, &ping()).unwrap_err();
    let pending = denial.pending().unwrap();
    let reviews = world.broker.reviews();
    let question = reviews.open(&pending.id()).unwrap();
    let answer = |name: &str| {
        let who = Assertion::human(name).group("leads");
        let who = world.broker.assert_identity(who).unwrap();
        reviews.approve(&question, &who, &question.view().digest(), Width::CALL)
    };
    assert!(answer("ANA").is_err());
    assert_eq!(answer("Bob").unwrap().state, QuestionState::Approved);
}

#[test]
fn a_chain_that_comes_back_in_another_case_is_a_circle() {
    let world = world([pings("p")]);
    let own = Assertion::agent("Bot").acts_for("ana", Kind::Human).acts_for("BOT", Kind::Agent);
    let error = world.broker.assert_identity(own).unwrap_err().to_string();
    assert!(error.contains("comes back"), "{error}");
    let twice = Assertion::agent("bot").group("A").group("a").alias("X").alias("x");
    let who = world.broker.assert_identity(twice).unwrap();
    assert!(who.groups().eq(["a"]) && who.aliases().eq(["x"]));
}

/// Those who were attested would be known by other names from then on.
#[test]
fn a_reload_that_folds_otherwise_is_refused() {
    let folding = |rule: Rule| Policy::builder().fold_names().rule(rule).build().unwrap();
    let plain = World::rules([pings("p")]);
    assert_eq!(plain.broker.reload(&folding(pings("p"))).err(), Some(ReloadError::Fold));
    let folded = world([pings("p")]);
    assert_eq!(folded.broker.reload(&policy([pings("p")])).err(), Some(ReloadError::Fold));
    assert!(folded.broker.reload(&folding(pings("q"))).is_ok());
    assert_ne!(folding(pings("p")).digest(), policy([pings("p")]).digest());
    // Nor is it claimed that the two permit the same.
    let diff = folding(pings("p")).diff(&policy([pings("p")]));
    assert!(!diff.permits_the_same());
    assert!(diff.wider().undecided().eq(["p"]));
}

/// What of a name and of something else only one is folded compares too seldom: where that lets pass, it does not load.
#[test]
fn a_comparison_that_another_case_would_pass_does_not_load() {
    let loads = |rule: Rule| Policy::builder().fold_names().rule(rule).build().is_ok();
    let same = || hallpass::scope::same_as("who.id");
    let not = hallpass::scope::not;
    assert!(loads(Rule::permit("own").tool("t").arg("owner", same())));
    assert!(!loads(Rule::permit("other").tool("t").arg("owner", not(same()))));
    assert!(!loads(Rule::forbid("own").tool("t").arg("owner", same())));
    assert!(loads(Rule::forbid("other").tool("t").arg("owner", not(same()))));
    assert!(loads(Rule::forbid("own").tool("t").unless([("args.owner", same())])));
    let any = hallpass::scope::any;
    let permit = || Rule::permit("p").tool("t").arg("owner", any());
    assert!(!loads(permit().unless([("args.owner", same())])));
    assert!(loads(permit().unless([("args.owner", not(same()))])));
    // Names with names.
    assert!(loads(Rule::forbid("self").tool("t").who_acts_for(hallpass::scope::some(same()))));
    // Unfolded, all of it loads.
    assert!(
        Policy::builder().rule(Rule::forbid("own").tool("t").arg("owner", same())).build().is_ok()
    );
}

/// Whatever a pattern begins with as it is written: what it matches besides SPIFFE ids is folded, and would pass a forbid
/// that has it in capitals.
#[test]
fn a_pattern_with_capitals_that_matches_other_names_than_spiffe_ids_does_not_load() {
    let loads = |name: Constraint| {
        let rule = Rule::forbid("f").any_tool().who_id(name);
        Policy::builder().fold_names().rule(rule).build().is_ok()
    };
    assert!(loads(regex("spiffe://acme\\.test/(Agent|Bot)/.*")));
    assert!(loads(regex("spiffe://acme\\.test/\\D+|root@corp")));
    assert!(!loads(regex("spiffe://acme\\.test/agent/.*|Root@corp")));
    assert!(!loads(regex("spiffe:?Root")));
    assert!(!loads(contains("spiffe:Root")));
    assert!(loads(suffix("spiffe:root")));
    // A backslash makes a class of a letter in a regular expression alone, and is one itself behind another.
    let of_group = |name: Constraint| {
        let rule = Rule::forbid("f").any_tool().who_groups(some(name));
        Policy::builder().fold_names().rule(rule).build().is_ok()
    };
    assert!(of_group(prefix("corp\\admins")));
    assert!(!of_group(prefix("corp\\Admins")));
    assert!(!of_group(regex("corp\\\\Admins.*")));
}
