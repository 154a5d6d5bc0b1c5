//! What may be asked for: guards that speak of it, what it may cost, and what is left when it is trimmed.

use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{
    above, all_of, any, any_of, contains, eq, glob, has_any, max, not, optional, prefix, present,
    same_as,
};
use serde_json::json;

fn pay(amount: i64) -> Call {
    Call::new("bank.pay", json!({ "amount": amount })).unwrap()
}

fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

/// P3: what is granted under a comparison is permitted at the calls, those with a list, too
#[test]
fn what_is_compared_with_means_at_the_calls_what_it_means_at_the_request() {
    let rule = |constraint| Rule::permit("own").tool("file.read").arg("owner", constraint);
    let same = || same_as("who.id");
    for (permit, asked, owners, permitted) in [
        (rule(same()), eq("robot"), json!("robot"), true),
        (rule(same()), eq("robot"), json!(["robot", "robot"]), true),
        (rule(not(same())), eq("ada"), json!(["ada"]), true),
        (rule(not(same())), any(), json!(["ada", "robot"]), false),
    ] {
        // What is asked for and not covered is not granted; then the call is tried under all there is.
        let broker = Broker::new(policy([
            permit,
            Rule::permit("ask").tool("file.read").any_args().on([Moment::Request]),
        ]))
        .unwrap();
        let robot = broker.assert_identity("robot").unwrap();
        let task = broker.open(&robot, Purpose::new("read")).unwrap();
        let scope = Scope::tool("file.read").arg("owner", asked);
        let grant = task.request(scope, &Context::new()).unwrap();
        assert_eq!(grant.rules().any(|rule| rule == "own"), permitted, "{owners}");
        let call = Call::new("file.read", json!({ "owner": owners })).unwrap();
        let answer = broker.gate().authorize(grant.token(), &robot, call, &Context::new());
        assert_eq!(answer.is_ok(), permitted, "{owners}: {answer:?}");
    }
}

/// P3: what stands next to a comparison with a list looks at whole lists, and so covers none that are
/// asked element by element
#[test]
fn a_scope_of_elements_does_not_lie_in_a_comparison_with_a_whole_list() {
    let either = any_of([same_as("who.groups"), prefix("p")]);
    let broker = Broker::new(policy([
        Rule::permit("own").tool("file.read").arg("owner", either).on([Moment::Request]),
        Rule::permit("read").tool("file.read").any_args().on([Moment::Call]),
    ]))
    .unwrap();
    let robot = broker.assert_identity(Assertion::agent("robot").group("crew")).unwrap();
    let task = broker.open(&robot, Purpose::new("read")).unwrap();
    let ask = |owner| task.request(Scope::tool("file.read").arg("owner", owner), &Context::new());
    assert_eq!(ask(prefix("p")).unwrap_err().reason(), Reason::NotCovered);
    assert!(ask(eq(vec!["crew"])).is_ok());
}

/// P5: an argument compared with may be a list; next to that, `eq` can't tell of a list what it is
#[test]
fn a_forbid_acts_on_a_list_beside_a_comparison_with_a_list() {
    let forbid = all_of([eq("boss"), same_as("args.from")]);
    let broker = Broker::new(policy([
        Rule::permit("send").tool("mail.send").any_args(),
        Rule::forbid("own").tool("mail.send").arg("to", forbid),
    ]))
    .unwrap();
    let robot = broker.assert_identity("robot").unwrap();
    let task = broker.open(&robot, Purpose::new("send")).unwrap();
    let grant = task.request(Scope::tool("mail.send").any_args(), &Context::new()).unwrap();
    let answer = |to, from| {
        let call = Call::new("mail.send", json!({ "to": to, "from": from })).unwrap();
        broker.gate().authorize(grant.token(), &robot, call, &Context::new())
    };
    assert!(answer(json!("ada"), json!("ada")).is_ok());
    for (to, from) in [(json!("boss"), json!("boss")), (json!(["ada"]), json!(["ada"]))] {
        assert_eq!(answer(to, from).unwrap_err().reason(), Reason::Forbidden);
    }
}

/// P5: a forbid that does not speak at calls can't wait for them
#[test]
fn asking_for_more_does_not_get_past_a_forbid_that_speaks_before_the_calls_only() {
    let none = Context::new();
    for moment in [Moment::Request, Moment::Delegate] {
        let broker = Broker::new(policy([
            Rule::permit("pay").tool("bank.pay").any_args(),
            Rule::permit("hand-on").tool("bank.pay").any_args().on([Moment::Delegate]),
            Rule::forbid("small").tool("bank.pay").arg("amount", above(100)).on([moment]),
        ]))
        .unwrap();
        let [planner, worker] = ["planner", "worker"].map(|id| broker.assert_identity(id).unwrap());
        let task = broker.open(&planner, Purpose::new("pay")).unwrap();
        let scope = |most: i64| Scope::tool("bank.pay").arg("amount", max(most));
        let ask = |most: i64| match moment {
            Moment::Delegate => {
                let parent = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
                task.delegate(&parent, &worker, scope(most), &none)
            }
            _ => task.request_for(&worker, scope(most), &none),
        };
        assert!(ask(100).is_ok());
        assert_eq!(ask(1000).unwrap_err().reason(), Reason::Forbidden, "{moment:?}");
    }
}

/// P5: nor does it get past an ask that does not speak at calls, per call or not
#[test]
fn asking_for_more_does_not_get_past_an_ask_that_speaks_at_requests_only() {
    let people = Reviewers::in_groups(has_any(["owners"]));
    let broker = Broker::new(policy([
        Rule::permit("pay").tool("bank.pay").any_args(),
        Rule::ask("large")
            .tool("bank.pay")
            .arg("amount", above(100))
            .approval(ApprovalTerms::per(Per::Call).review(people))
            .on([Moment::Request]),
    ]))
    .unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let ask =
        |most: i64| task.request(Scope::tool("bank.pay").arg("amount", max(most)), &Context::new());
    assert!(ask(100).is_ok());
    assert_eq!(ask(1000).unwrap_err().reason(), Reason::ApprovalRequired);
}

/// What speaks at calls may wait for them: a forbid that only overlaps withholds no grant
#[test]
fn a_forbid_that_speaks_at_calls_acts_on_those_it_forbids() {
    let broker = Broker::new(policy([
        Rule::permit("pay").tool("bank.pay").any_args(),
        Rule::forbid("large").tool("bank.pay").arg("amount", above(100)),
    ]))
    .unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let none = Context::new();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
    let call = |amount| broker.gate().authorize(grant.token(), &payer, pay(amount), &none);
    assert!(call(100).is_ok());
    assert_eq!(call(101).unwrap_err().reason(), Reason::Forbidden);
}

/// P10: a pattern is asked of a text of bounded length, and a scope's patterns are bounded together:
/// both may be an agent's, and matching costs one times the other.
#[test]
fn patterns_of_an_agent_are_bounded_in_what_they_cost() {
    use hallpass::scope::{MAX_PATTERN_TEXT, MAX_SCOPE_PATTERNS, any_of, glob};
    let policy = Policy::builder().rule(Rule::permit("read").tool("fs.read").any_args());
    let broker = Broker::new(policy.build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reading")).unwrap();
    let context = Context::new();
    let dear = || glob(&format!("*{}b", "a".repeat(900)));
    let grant_of =
        |pattern| task.request(Scope::tool("fs.read").arg("path", pattern), &context).unwrap();
    let grant = grant_of(glob(&format!("*{}b", "a".repeat(40))));
    let path = |length: usize| {
        let text = format!("{}b", "a".repeat(length - 1));
        Call::new("fs.read", serde_json::json!({ "path": text })).unwrap()
    };
    let gate = broker.gate();
    let ask = |length| gate.check(grant.token(), &agent, &path(length), &context);
    assert!(ask(MAX_PATTERN_TEXT).is_ok());
    assert_eq!(ask(MAX_PATTERN_TEXT + 1).unwrap_err().reason(), Reason::OutOfScope);
    assert_eq!(ask(1_000_000).unwrap_err().reason(), Reason::OutOfScope);
    // As long as it may be, of as many repetitions as it may have.
    let grant = grant_of(dear());
    let denial = gate.check(grant.token(), &agent, &path(MAX_PATTERN_TEXT), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::TooCostly);
    let denial = gate.check(grant.token(), &agent, &path(100), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::OutOfScope, "a short text is told");

    let many = MAX_SCOPE_PATTERNS / 902 + 1;
    let scope = Scope::tool("fs.read").arg("path", any_of((0..many).map(|_| dear())));
    let denial = task.request(scope, &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedScope, "{}", denial.explain());
}

/// P10: all comparisons of one request have one bound together; past it nothing is shown to be
/// covered, and the request is denied as that.
#[test]
fn a_request_is_bounded_in_what_its_comparisons_cost() {
    let permits = (0..40).map(|n| {
        Rule::permit(format!("p{n}"))
            .tool("t")
            .arg("path", glob(&format!("*/{n}*x*y?z*/**/*{n}*a*b/*")))
    });
    let plain = Rule::permit("plain").tool("t").arg("path", eq("here"));
    let broker = Broker::new(policy(permits.chain([plain]))).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reading")).unwrap();
    // No text that is easy to name is one of these.
    let others = not(contains("aaa"));
    let dear = || all_of([glob("*a*?b0?c*?d*?e*/**/*a?????b*?????c*/*0*"), others.clone()]);
    let denial = task.request(Scope::tool("t").arg("path", dear()), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::TooCostly);
    let trimmed = task.request_trimmed(Scope::tool("t").arg("path", dear()), &Context::new());
    assert_eq!(trimmed.unwrap_err().reason(), Reason::TooCostly);
    // The next request has steps of its own.
    assert!(task.request(Scope::tool("t").arg("path", eq("here")), &Context::new()).is_ok());
}

#[test]
fn a_trimmed_scope_names_no_part_that_covers_no_call() {
    // What both say of the resource, a file and none at all, no call is.
    let of_files = Rule::permit("of-files")
        .tool("t")
        .resource_type(eq("file"))
        .resource_id(any())
        .arg("a", max(3));
    let small = Rule::permit("small").tool("t").any_resource().arg("a", max(5));
    let broker = Broker::new(policy([of_files, small])).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let wanted = Scope::tool("t").arg("a", any());
    let (trimmed, cuts) = task.request_trimmed(wanted, &Context::new()).unwrap();
    assert_eq!(cuts[0].given.len(), 1, "{cuts:?}");
    assert_eq!(trimmed.scope().check(), Ok(()));
}

/// A grant of nothing would be handed out without an approval of what was asked for.
#[test]
fn a_trimmed_scope_that_no_call_fits_is_denied() {
    let permit = Rule::permit("some").tool("t").arg("b", max(5)).other_args();
    let broker = Broker::new(policy([permit])).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let no_value = all_of([eq(1), eq(2)]);
    let wanted = Scope::tool("t").arg("a", no_value).other_args();
    let denial = task.request_trimmed(wanted, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
}

/// What a permit is closed to must not be there, as `null` neither: a part of the request does without it
/// if it may, and is not part otherwise.
#[test]
fn a_trimmed_scope_leaves_out_what_the_permit_is_closed_to() {
    let closed = Rule::permit("closed").tool("t").arg("a", max(5));
    let broker = Broker::new(policy([closed])).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let (context, gate) = (Context::new(), broker.gate());
    let noted = |note| Scope::tool("t").arg("a", any()).arg("note", note);

    let (trimmed, cuts) = task.request_trimmed(noted(optional(max(1))), &context).unwrap();
    assert_eq!(cuts[0].given.len(), 1, "{cuts:?}");
    assert!(!cuts[0].given[0].to_string().contains("note"), "{cuts:?}");
    let may = |args| {
        let call = Call::new("t", args).unwrap();
        gate.check(trimmed.token(), &agent, &call, &context).is_ok()
    };
    assert!(may(json!({ "a": 5 })));
    assert!(!may(json!({ "a": 6 })) && !may(json!({ "a": 5, "note": null })));

    // One that has to be there leaves nothing that both cover.
    let denial = task.request_trimmed(noted(max(1)), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
}

/// A part that no call fits would not be about what people are asked of, and be given without them.
#[test]
fn a_trimmed_scope_does_not_pass_by_a_review_with_a_part_that_fits_no_call() {
    let closed = Rule::permit("closed").tool("t").arg("a", max(5));
    let review = Rule::ask("review").tool("t").arg("b", eq("x"));
    let review = review.approval(ApprovalTerms::per(Per::Task).confirm());
    let open = Rule::permit("open").tool("t").arg("note", any()).other_args();
    let broker = Broker::new(policy([closed, review, open])).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let wanted = Scope::tool("t").arg("note", any()).other_args();
    let denial = task.request_trimmed(wanted, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
}

/// What keeps the request from being covered, as operators read it.
fn gap(rule: Rule, asked: Scope) -> String {
    let broker = Broker::new(policy([rule])).unwrap();
    let caller = Assertion::agent("agent-7").attr("team", "red");
    let agent = broker.assert_identity(caller).unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let denial = task.request(asked, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    let nearest = denial.nearest().unwrap().to_string();
    nearest.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn an_argument_that_is_not_asked_for_by_its_name_is_said_to_be_missing() {
    let rule = || Rule::permit("read").tool("files.read").arg("path", eq("/a")).other_args();
    assert_eq!(
        gap(rule(), Scope::tool("files.read").arg("file", eq("/a"))),
        "`args.path` is not named in what is asked for: expected {\"eq\":\"/a\"}; it does not cover {\"file\":\"/a\"}"
    );
    let open = gap(rule(), Scope::tool("files.read").any_args());
    let left = "`args.path` is left open by what is asked for: expected {\"eq\":\"/a\"}";
    assert!(open.starts_with(left), "{open}");
}

#[test]
fn what_a_reference_comes_to_is_said_beside_it() {
    let team = || same_as("who.attrs.team");
    let rule = Rule::permit("own").tool("files.read").arg("team", team());
    let told = "`args.team`: what is asked for is not shown to lie within {\"same_as\":\"who.attrs.team\"}, here {\"eq\":\"red\"}";
    let open = same_as("args.other");
    let said = gap(rule.clone(), Scope::tool("files.read").arg("team", open));
    assert_eq!(said, told);
    let said = gap(rule, Scope::tool("files.read").arg("team", eq("blue")));
    assert_eq!(said, format!("{told}; it does not cover {{\"team\":\"blue\"}}"));
}

/// P3: two that take lists in two ways have no one way in which both are asked
#[test]
fn a_trimmed_scope_covers_no_list_that_the_wish_or_the_permit_does_not() {
    let whole = || any_of([eq(vec!["z"]), any()]);
    let elements = || any_of([prefix("p"), present()]);
    // This one is true of all that is there, too: what both cover would lie within it.
    let all = || any_of([prefix("p"), any()]);
    for (asked, permitted, given) in
        [(whole(), elements(), false), (whole(), all(), false), (elements(), whole(), true)]
    {
        let broker = Broker::new(policy([
            Rule::permit("own").tool("file.read").arg("owner", permitted).on([Moment::Request]),
            Rule::permit("read").tool("file.read").any_args().on([Moment::Call]),
        ]))
        .unwrap();
        let robot = broker.assert_identity("robot").unwrap();
        let task = broker.open(&robot, Purpose::new("read")).unwrap();
        let scope = Scope::tool("file.read").arg("owner", asked);
        // What both cover takes lists in two ways at once, and is not given.
        let answer = task.request_trimmed(scope, &Context::new());
        assert_eq!(answer.is_ok(), given, "{answer:?}");
        let Ok((trimmed, _)) = answer else { continue };
        let call = Call::new("file.read", json!({ "owner": [null] })).unwrap();
        let answer = broker.gate().authorize(trimmed.token(), &robot, call, &Context::new());
        assert!(answer.is_err(), "{} covers", trimmed.scope());
    }
}

/// A `same_as` says nothing of an empty list, wherever it stands in what is asked for: a forbid that speaks at
/// requests alone acts there, since it will not act at the calls.
#[test]
fn a_comparison_may_meet_an_empty_list_in_what_is_asked_for() {
    use hallpass::scope::{all_of, any, count, each, eq, has_any, one_of, prefix, same_as};
    use hallpass::value::Value;
    let list = |text: &str| eq(Value::from_json(text).unwrap());
    for compared in [same_as("who.id"), all_of([same_as("who.id")])] {
        let forbid = Rule::forbid("own").tool("mail.send").arg("y", compared).on([Moment::Request]);
        let permit = Rule::permit("broad").tool("mail.send").any_args();
        let policy = Policy::builder().rules([forbid, permit]).build().unwrap();
        let broker = Broker::new(policy).unwrap();
        let task =
            broker.open(&broker.assert_identity("agent/a").unwrap(), Purpose::new("x")).unwrap();
        let asked = |y| task.request(Scope::tool("mail.send").arg("y", y), &Context::new());
        for (y, name) in [
            (list("[]"), "empty"),
            (list("[[]]"), "nested"),
            (list(r#"["b",[["c"],[]]]"#), "deep"),
            (one_of(["[1]", "[[]]"].map(|text| Value::from_json(text).unwrap())), "one of two"),
            (count(2..), "counted"),
            (has_any(["b"]), "has any"),
            (each(any()), "each"),
            (any(), "any"),
        ] {
            assert_eq!(asked(y).unwrap_err().reason(), Reason::Forbidden, "{name}");
        }
        for (y, name) in
            [(eq("b"), "text"), (list(r#"["b","c"]"#), "list"), (prefix("b"), "prefix")]
        {
            assert!(asked(y).is_ok(), "{name}");
        }
    }
}

/// What compares with an argument that no call in the scope has can't be told of any of them: a forbid acts on
/// all, and says so at the request.
#[test]
fn a_comparison_with_an_argument_that_is_never_there_is_unknown_at_the_request() {
    let compared = [hallpass::scope::same_as("args.y")];
    let compared = hallpass::scope::all_of(compared);
    let forbid = Rule::forbid("named").tool("mail.send").purpose(compared);
    let permit = Rule::permit("broad").tool("mail.send").any_args();
    let broker = Broker::new(Policy::builder().rules([forbid, permit]).build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent/a").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let asked = |scope| task.request(scope, &Context::new()).map(drop).map_err(|own| own.reason());
    assert_eq!(asked(Scope::tool("mail.send")), Err(Reason::Forbidden));
    assert_eq!(
        asked(Scope::tool("mail.send").arg("y", hallpass::scope::eq("reporting"))),
        Err(Reason::Forbidden)
    );
    assert_eq!(asked(Scope::tool("mail.send").arg("y", hallpass::scope::eq("other"))), Ok(()));
    assert_eq!(asked(Scope::tool("mail.send").other_args()), Ok(()), "the calls tell");
}
