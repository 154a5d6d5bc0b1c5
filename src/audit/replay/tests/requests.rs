//! Requests, delegations, renewals and emergencies, decided again.

use super::bank::{Bank, POLICY, in_group, pay, prod};
use super::*;
use crate::audit::Plain;
use crate::scope::{any, eq, max};

/// A request of each verdict, and one by the requester for another: how many decisions these are.
fn all_requests(bank: &Bank) -> u64 {
    let task = bank.open();
    let reason =
        |scope: Scope, context: &Context| task.request(scope, context).unwrap_err().reason();
    let _grant = task.request(pay(300), &prod()).unwrap();
    assert_eq!(reason(pay(501), &prod()), Reason::NotCovered);
    assert_eq!(reason(pay(300), &Context::new()), Reason::NotCovered);
    assert_eq!(reason(pay(500), &prod()), Reason::ApprovalRequired);
    // The first part that is refused decides, and what waits for people does not hold that up.
    assert_eq!(reason(pay(500).and(pay(501)), &prod()), Reason::NotCovered);
    let out = bank.attest(in_group("out", "payers").group("suspended"));
    let other = task.request_for(&out, pay(300), &prod());
    assert_eq!(other.unwrap_err().reason(), Reason::Forbidden);
    let worker = bank.attest(in_group("worker", "payers"));
    let _grant = task.request_for(&worker, pay(300), &prod()).unwrap();
    let outsider = bank.attest(Assertion::agent("outsider"));
    let other = task.request_for(&outsider, pay(300), &prod());
    assert_eq!(other.unwrap_err().reason(), Reason::NotCovered);
    let mail = task.request(Scope::tool("mail.read").any_args(), &prod()).unwrap();
    let read = Call::new("mail.read", json!({})).unwrap();
    bank.broker
        .gate()
        .authorize(&mail, &bank.agent, read, &prod())
        .unwrap()
        .run(|_| Ok::<_, ()>(()))
        .unwrap();
    assert_eq!(reason(pay(300), &prod()), Reason::Forbidden);
    10
}

#[test]
fn requests_of_every_verdict_come_out_again_under_their_own_policy() {
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let made = all_requests(&bank);
    let again = bank.own(&own);
    assert_eq!(again.differences, []);
    // The call of `mail.read` has arguments that are not listed, of which it has none.
    assert_eq!((again.requests, again.decisions, again.replayed), (made, made + 1, made + 1));
}

#[test]
fn what_another_policy_would_change_of_requests_is_named_with_what_they_were() {
    let bank = Bank::new(&policy(POLICY));
    let task = bank.open();
    let _one = task.request(pay(300), &prod()).unwrap();
    let _two = task.request(pay(200), &prod()).unwrap();
    let lower = POLICY.replace("max = 500", "max = 250");
    let lower = lower.split("    [[rule]]\n    id     = \"nothing-private").next().unwrap();
    let again = bank.replay(Replayer::under(policy(lower)));
    let [found] = &again.differences[..] else { panic!("{again:?}") };
    assert_eq!((found.about, &*found.tools), (Decided::Request, &["bank.pay".to_owned()][..]));
    assert_eq!(found.recorded.to_string(), "permitted by payers");
    assert_eq!(found.replayed.to_string(), "given by no rule");
    assert_eq!((again.replayed, again.requests), (2, 2));
}

/// A record that says something else than its policy is found, whatever it is about.
#[test]
fn a_grant_that_its_policy_does_not_give_is_named() {
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let _grant = bank.open().request(pay(300), &prod()).unwrap();
    bank.broker.flush();
    let changed = |change: fn(&mut Event<'static>)| {
        let mut records = bank.log.records();
        records.iter_mut().for_each(|record| change(&mut record.event));
        replay(&records, |seq| bank.log.plain_line(seq), [own.clone()]).differing
    };
    assert_eq!(changed(|_| {}), 0);
    let other_rules = changed(|event| {
        if let Event::Granted { rules, .. } = event {
            *rules = vec!["readers".into()];
        }
    });
    let wider = changed(|event| {
        if let Event::Granted { scope, .. } = event {
            *scope = std::borrow::Cow::Owned(pay(501).to_value());
        }
    });
    let another = changed(|event| {
        if let Event::Opened { purpose, .. } = event {
            *purpose = "else".into();
        }
    });
    // No rule looks at the purpose.
    assert_eq!((other_rules, wider, another), (1, 1, 0));
}

#[test]
fn delegations_and_renewals_are_decided_again_for_all_who_take_part() {
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let task = bank.open();
    let mut root = task.request(pay(300), &prod()).unwrap();
    let worker = bank.attest(in_group("worker", "payers"));
    let mut child = task.delegate(&root, &worker, pay(200), &prod()).unwrap();
    let helper = bank.attest(in_group("helper", "payers"));
    let _grandchild = task.delegate(&child, &helper, pay(100), &prod()).unwrap();
    // Refused by rules: what the helper is not permitted. Not by rules: more than the parent has.
    let outsider = bank.attest(Assertion::agent("outsider"));
    let refused = task.delegate(&root, &outsider, pay(100), &prod()).unwrap_err();
    assert_eq!(refused.reason(), Reason::NotCovered);
    assert!(task.delegate(&root, &worker, pay(301), &prod()).is_err());
    task.renew(&mut root, &bank.agent, &prod()).unwrap();
    task.renew(&mut child, &worker, &prod()).unwrap();
    let again = bank.own(&own);
    assert_eq!(again.differences, []);
    assert_eq!((again.requests, again.replayed), (6, 6));
    let of = |record: &Record| match &record.event {
        Event::Denied { stage, grant, .. } => Some((stage.as_str(), grant.is_some())),
        _ => None,
    };
    let denied: Vec<_> = bank.log.records().iter().filter_map(of).collect();
    assert_eq!(denied, [("delegate", true), ("delegate", true)]);

    // Each of those above had to be permitted to delegate.
    let others = POLICY.replace("team = \"north\"", "team = \"south\"");
    let others = others.split("    [[rule]]\n    id     = \"nothing-private").next().unwrap();
    let again = bank.replay(Replayer::under(policy(others)));
    let named: Vec<_> = again.differences.iter().map(|own| own.about).collect();
    assert_eq!(named, [Decided::Delegation, Decided::Delegation, Decided::Renewal]);

    // What is refused at a renewal ends the grant, and is decided again as well.
    assert!(task.renew(&mut child, &worker, &Context::new()).is_err());
    let again = bank.own(&own);
    assert_eq!((again.requests, again.replayed, again.differing), (7, 7, 0));

    // Who is above is known from the log alone.
    let mut records = bank.log.records();
    records.retain(|record| !matches!(&record.event, Event::Granted { parent: None, .. }));
    let again = replay(&records, |seq| bank.log.plain_line(seq), [own]);
    assert_eq!(again.not_replayable[&NotReplayable::NoGrant], 5);
}

/// A delegator that was restated is decided about as it is seen then.
#[test]
fn those_who_were_restated_are_asked_about_as_they_were_seen() {
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let task = bank.open();
    let root = task.request(pay(300), &prod()).unwrap();
    let worker = bank.attest(in_group("worker", "payers"));
    let other = Assertion::agent("agent-7").group("payers").attr("team", "south");
    bank.broker.control().restate(other).unwrap().finish();
    let refused = task.delegate(&root, &worker, pay(200), &prod()).unwrap_err();
    assert_eq!(refused.reason(), Reason::NotCovered);
    let again = bank.own(&own);
    assert_eq!((again.requests, again.replayed, again.differing), (2, 2, 0));
}

#[test]
fn emergencies_are_decided_again_by_the_rules_that_speak_then() {
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let human = |id: &str, group: &str| bank.attest(Assertion::human(id).group(group));
    let (ada, bob) = (human("ada", "sre"), human("bob", "payers"));
    let breaks = |who: &Identity, most: u64| {
        let task = bank.broker.open(who, Purpose::new("incident")).unwrap();
        task.break_glass(pay(most), "orders are down", &prod()).map(drop)
    };
    breaks(&ada, 900).unwrap();
    assert_eq!(breaks(&ada, 901).unwrap_err().reason(), Reason::NotCovered);
    assert_eq!(breaks(&bob, 900).unwrap_err().reason(), Reason::NotCovered);
    let again = bank.own(&own);
    assert_eq!((again.requests, again.replayed), (3, 3));
    assert_eq!(again.differences, []);
    let less = POLICY.replace("max = 900", "max = 800");
    let less = less.split("    [[rule]]\n    id     = \"nothing-private").next().unwrap();
    let again = bank.replay(Replayer::under(policy(less)));
    assert_eq!(again.differences[0].about, Decided::Emergency);
    assert_eq!(again.differing, 1);
}

#[test]
fn what_people_agreed_to_of_a_scope_is_given_again() {
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let task = bank.open();
    let asked = task.request(pay(500), &prod()).unwrap_err();
    let pending = asked.pending().unwrap();
    let owner = bank.attest(Assertion::human("eve").group("owners"));
    let reviews = bank.broker.reviews();
    let question = reviews.list(&owner).remove(0);
    // Nothing that rules say: it is not agreed to yet.
    assert!(task.take(pending, &prod()).is_err());
    reviews
        .approve(&question, &owner, &question.view().digest(), crate::policy::Width::CALL)
        .unwrap();
    let _grant = task.take(pending, &prod()).unwrap();
    let again = bank.own(&own);
    assert_eq!(again.differences, []);
    assert_eq!((again.requests, again.replayed), (2, 2));
}

#[test]
fn requests_that_rules_decided_by_more_than_the_log_has_are_counted_with_why() {
    for (left_out, count) in [
        ("\"who.groups\", ", 9),
        ("\"when.env\", ", 9),
        (", \"when.seen\"", 10),
        ("\"who.attrs.team\", ", 0),
    ] {
        let less = policy(&POLICY.replace(left_out, ""));
        let bank = Bank::new(&less);
        let made = all_requests(&bank);
        let again = bank.own(&less);
        // A forbid looks at the groups of all who ask for anything.
        let count = if left_out.contains("groups") { 10 } else { count };
        assert_eq!(again.requests, made);
        let not_plain = again.not_replayable.get(&NotReplayable::NotPlain).copied();
        let of_the_call = u64::from(left_out.contains("groups") || left_out.contains("seen"));
        assert_eq!(not_plain.unwrap_or(0), count + of_the_call, "{left_out}");
        assert_eq!(again.differing, 0);
    }
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let task = bank.open();
    let _one = task.request(pay(300).digested(), &prod()).unwrap();
    let trimmed = task.request_trimmed(Scope::tool("bank.pay").arg("amount", eq(600)), &prod());
    assert!(trimmed.is_err());
    let again = bank.own(&own);
    let counted = [(NotReplayable::ByParts, 1), (NotReplayable::NotPlain, 1)];
    assert_eq!(again.not_replayable, BTreeMap::from(counted));
    let _two = task.request(pay(300), &prod()).unwrap();
    bank.log.erase_plain(u64::MAX);
    assert_eq!(bank.own(&own).not_replayable[&NotReplayable::Erased], 1);
    let mut records = bank.log.records();
    records.retain(|record| !matches!(record.event, Event::Opened { .. }));
    let again = replay(&records, |_| None, [own]);
    assert_eq!(again.not_replayable[&NotReplayable::NoTask], 3);
}

/// Without anything in plain, what rules can say of a scope, a purpose and a name is decided again all the same.
#[test]
fn what_stands_in_the_record_anyway_needs_nothing_listed() {
    let own = policy(
        r#"
        version = 1
        rule = [{ id = "r", effect = "permit", who = { id = "agent-7" }, what = { tool = "t", args = { n = { max = 5 } } }, why = { purpose = "pay-bill" } }]
    "#,
    );
    let bank = Bank::new(&own);
    let task = bank.open();
    let scope = |most: u64| Scope::tool("t").arg("n", max(most));
    let _grant = task.request(scope(5), &Context::new()).unwrap();
    assert!(task.request(scope(6), &Context::new()).is_err());
    let again = bank.own(&own);
    assert_eq!((again.requests, again.replayed, again.differing), (2, 2, 0));
}

/// What a task has seen is listed in both, and kept in the one in which a rule looks at it: in the other it is not absent.
#[test]
fn history_is_kept_where_rules_look_at_it() {
    let less = POLICY.split("    [[rule]]\n    id     = \"nothing-private").next().unwrap();
    for (text, is_kept) in [(POLICY, true), (less, false)] {
        let bank = Bank::new(&policy(text));
        let _grant = bank.open().request(pay(300), &prod()).unwrap();
        bank.broker.flush();
        let records = bank.log.records();
        let mut plain = records.iter().filter_map(|record| match &record.event {
            Event::Granted { plain, .. } => plain.as_deref(),
            _ => None,
        });
        let Plain { values, absent, .. } = plain.next().unwrap();
        assert_eq!(values.contains_key("when.seen"), is_kept);
        assert!(!absent.iter().any(|name| name == "when.seen"));
    }
}

/// What the catalogue spells in another way was not asked for so, which another catalogue may read otherwise.
#[test]
fn a_scope_that_was_respelled_is_not_asked_of_another_policy() {
    let own = policy(POLICY);
    let bank = Bank::new(&own);
    let task = bank.open();
    let to = |path: &str| pay(300).arg("to", eq(path));
    let _one = task.request(to("/data/./x"), &prod()).unwrap();
    let _two = task.request(pay(300).arg("to", any()), &prod()).unwrap();
    assert_eq!(bank.own(&own).replayed, 2);
    let other = POLICY.replace("\"path?\"", "\"text?\"");
    let other = other.split("    [[rule]]\n    id     = \"nothing-private").next().unwrap();
    let again = bank.replay(Replayer::under(policy(other)));
    assert_eq!((again.replayed, again.differing), (1, 0));
    assert_eq!(again.not_replayable[&NotReplayable::NotPlain], 1);
}

/// A renewal says what calls on it mean from then on, and another catalogue may fill in something else.
#[test]
fn a_renewal_under_a_catalogue_that_fills_something_in_is_decided_again_as_it_was() {
    let filled = POLICY.replace("\"path?\"", "{ type = \"path\", default = \"/data/memo\" }");
    let (own, filled) = (policy(POLICY), policy(&filled));
    let bank = Bank::new(&own);
    let task = bank.open();
    let mut grant = task.request(pay(300), &prod()).unwrap();
    bank.broker.reload(&filled).unwrap().finish();
    task.renew(&mut grant, &bank.agent, &prod()).unwrap();
    let again = bank.replay(Replayer::own([own.clone(), filled]));
    assert_eq!((again.differences.len(), again.requests, again.replayed), (0, 2, 2));
    let again = bank.replay(Replayer::under(own));
    assert_eq!((again.differing, again.replayed), (0, 1));
    assert_eq!(again.not_replayable[&NotReplayable::NotPlain], 1);
}
