use crate::clock::Timestamp;
use crate::identity::{Assertion, Attestor, Identity};
use crate::policy::regions::model::{policy, terms};
use crate::policy::{ApprovalTerms, LintOptions, Per, Policy, Reviewers, Rule, Tool};
use crate::policy::{Moment, Warning, WarningCode};
use crate::scope::{any, eq, glob, has_any, max, min, not, one_of, prefix, regex, same_as};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap()
}

fn told(policy: &Policy) -> Vec<String> {
    policy.lint_with(LintOptions::at(now())).warnings().map(Warning::to_string).collect()
}

fn t(id: &str) -> Rule {
    Rule::permit(id.to_owned()).tool("t")
}

#[test]
fn what_no_question_can_be_is_dead() {
    let own = policy([
        t("a").arg("x", prefix("ab").and(regex("b+"))),
        t("b").arg("x", min(3).and(not(min(2)))),
        t("c").arg("x", any()).unless([("args.x", any())]),
        t("d").arg("x", prefix("ab").and(regex("ab+"))),
    ]);
    let dead = |id: &str| {
        format!("rule `{id}`: no question can be all that it says, and so it never applies (dead)")
    };
    let all = told(&own);
    assert!(
        all.contains(&dead("a")) && all.contains(&dead("b")) && all.contains(&dead("c")),
        "{all:?}"
    );
    assert!(!all.contains(&dead("d")), "{all:?}");
}

#[test]
fn a_rule_is_shadowed_by_several_forbids_together() {
    let own = policy([
        t("p").arg("x", min(0).and(max(10))),
        Rule::forbid("high").tool("t").arg("x", min(5)),
        Rule::forbid("low").tool("t").arg("x", max(5)),
        Rule::forbid("other").tool("t").arg("y", eq(1)),
    ]);
    let all = told(&own);
    let expected = "rule `p`: nothing is left of it by `high`, `low` (shadowed)";
    assert!(all.iter().any(|own| own == expected), "{all:?}");
    let half = policy([
        t("p").arg("x", min(0).and(max(10))),
        Rule::forbid("low").tool("t").arg("x", max(5)),
    ]);
    assert!(told(&half).is_empty(), "{:?}", told(&half));
}

#[test]
fn a_rule_that_another_makes_up_for_is_covered_unless_it_gives_something_else() {
    let small = || t("small").arg("x", min(0).and(max(10)));
    let tiny = || t("tiny").arg("x", min(0).and(max(5))).when("env", eq("prod"));
    let covered = "rule `tiny`: all that it does is done by `small` (covered)";
    assert_eq!(told(&policy([small(), tiny()])), [covered]);
    assert!(told(&policy([small(), tiny().uses(5)])).is_empty());
    assert!(told(&policy([small().uses(5), tiny().uses(5)])).is_empty());
    assert!(told(&policy([small().unless([("args.x", eq(3))]), tiny()])).is_empty());
    // Of two that say the same, one is left.
    let twice = told(&policy([t("a").arg("x", one_of([1, 2])), t("b").arg("x", one_of([2, 1]))]));
    assert_eq!(twice, ["rule `b`: it says the same as `a` (duplicate)"]);
    let crossed = [t("a").arg("x", regex("a|b")), t("b").arg("x", regex("[ab]"))];
    assert_eq!(told(&policy(crossed)), ["rule `b`: all that it does is done by `a` (covered)"]);
}

/// What is given with it, when it speaks and who is asked are a part of what a rule does.
#[test]
fn a_rule_that_does_something_else_where_it_acts_makes_up_for_none() {
    let small = || t("small").arg("x", min(0).and(max(10)));
    let tiny = || t("tiny").arg("x", min(0).and(max(5)));
    assert_eq!(told(&policy([small(), tiny()])).len(), 1);
    let at_calls = small().on([Moment::Call]);
    assert!(told(&policy([at_calls, tiny()])).is_empty());
    let minute = std::time::Duration::from_secs(60);
    assert!(told(&policy([small(), tiny().ttl(minute)])).is_empty());
    assert_eq!(told(&policy([small().ttl(minute), tiny().ttl(minute)])).len(), 1);
    let ask = |id: &str, most: i64, terms: ApprovalTerms| {
        Rule::ask(id.to_owned()).tool("t").arg("x", min(0).and(max(most))).approval(terms)
    };
    let leads = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["leads"])));
    let open = || t("open").arg("x", any());
    let own = |its: ApprovalTerms| policy([open(), ask("a", 10, terms()), ask("b", 5, its)]);
    assert_eq!(told(&own(terms())), ["rule `b`: all that it does is done by `a` (covered)"]);
    assert!(told(&own(leads)).is_empty());
}

/// Of what it speaks of, permits give only what a forbid takes.
#[test]
fn an_ask_is_not_reached_where_a_forbid_takes_what_permits_give_of_it() {
    let rules = |most: i64| {
        policy([
            t("p").arg("x", min(0).and(max(500))),
            Rule::ask("q").tool("t").arg("x", min(100)).approval(terms()),
            Rule::forbid("f").tool("t").arg("x", min(100).and(max(most))),
        ])
    };
    let all = told(&rules(500));
    assert!(all.iter().any(|own| own.ends_with("(unreached)")), "{all:?}");
    assert!(told(&rules(400)).is_empty(), "{:?}", told(&rules(400)));
}

/// Where there is a catalogue, there are no other tools.
#[test]
fn a_rule_is_shadowed_where_each_tool_of_the_catalogue_is_forbidden() {
    let rules = || {
        [
            Rule::permit("p").tool_like(glob("*")).arg("x", eq(1)),
            Rule::forbid("f").tool("get").arg("x", max(1)),
            Rule::forbid("g").tool("drop").arg("x", max(1)),
        ]
    };
    let shadowed = "rule `p`: nothing is left of it by `f`, `g` (shadowed)";
    let tools = [Tool::new("get"), Tool::new("drop")];
    let listed = Policy::builder().tools(tools).rules(rules()).build().unwrap();
    assert_eq!(told(&listed), [shadowed]);
    assert!(told(&policy(rules())).is_empty(), "{:?}", told(&policy(rules())));
}

#[test]
fn an_ask_that_no_permit_leads_to_is_never_reached() {
    let ask = || Rule::ask("q").tool("t").arg("x", min(100)).approval(terms());
    // Neither excludes it by one fact alone.
    let texts = t("p").arg("x", regex("[a-f]+").and(not(prefix("b"))));
    let begins = Rule::ask("q").tool("t").arg("x", regex("b[a-z]")).approval(terms());
    let all = told(&policy([texts, begins]));
    assert!(
        all.len() == 1 && all[0].starts_with("rule `q`: no call that a permit gives"),
        "{all:?}"
    );
    let own = policy([t("p").arg("x", min(0).and(max(500))), ask()]);
    assert!(told(&own).is_empty(), "{:?}", told(&own));
    // A permit that speaks at requests alone gives what an ask holds up there.
    let at_request = t("p").on([Moment::Request]).arg("x", eq(200));
    assert!(told(&policy([at_request, ask()])).is_empty());
    // What is refused is not asked about.
    let forbid = Rule::forbid("f").tool("t").arg("x", min(50));
    let all = told(&policy([t("p").arg("x", min(0).and(max(500))), ask(), forbid]));
    assert_eq!(all, ["rule `q`: nothing is left of it by `f` (shadowed)"]);
}

#[test]
fn overlaps_are_told_where_they_are_asked_for_each_with_a_question() {
    let own = policy([
        t("p").arg("x", min(0).and(max(10))),
        Rule::forbid("low").tool("t").arg("x", max(5)),
        Rule::forbid("far").tool("t").arg("x", min(50)).when("env", eq("prod")),
    ]);
    let report = own.lint_with(LintOptions::at(now()).overlaps());
    let overlaps = report.warnings().filter(|own| own.code() == WarningCode::Overlap);
    let told: Vec<String> = overlaps.map(Warning::to_string).collect();
    let [only] = &told[..] else { panic!("{told:?}") };
    assert!(only.starts_with("rule `p`: `low` forbids where {\"id\":\"anyone\""), "{only}");
}

#[test]
fn at_most_a_thousand_findings_are_kept_and_the_rest_counted() {
    let rules = (0..1_200).map(|n| t(&format!("r{n:04}")).arg("x", prefix("ab").and(regex("b+"))));
    let report = policy(rules.chain([t("z").arg("x", eq(1))])).lint_with(LintOptions::at(now()));
    assert_eq!(report.warnings().len(), 1_000);
    assert!(
        report.more() >= 200
            && report.to_string().ends_with(&format!("and {} more\n", report.more()))
    );
}

fn who(assertion: Assertion) -> Identity {
    Attestor::of(0).attest(assertion).unwrap()
}

fn of_people(rules: impl IntoIterator<Item = Rule>, people: &[Identity]) -> Vec<String> {
    let own = policy(rules);
    let report = own.lint_with(LintOptions::at(now()).people(people));
    report.warnings().map(|own| format!("{} {}", own.rule(), own.code())).collect()
}

#[test]
fn rules_that_match_none_of_those_who_are_there_are_told() {
    let people =
        [who(Assertion::agent("a").group("g")), who(Assertion::human("ana").attr("team", "x"))];
    let rules = [
        t("by-group").who_groups(has_any(["g"])).arg("x", eq(1)),
        t("by-other").who_groups(has_any(["h"])).arg("x", eq(2)),
        t("by-team").who_attr("team", eq("y")).arg("x", eq(3)),
        t("of-call")
            .who_id(same_as("resource.attrs.owner"))
            .resource_type(any())
            .resource_id(any())
            .resource_attr("owner", any())
            .arg("x", eq(4)),
        // A guard acts where an attribute is not stated.
        Rule::forbid("f").tool("t").who_attr("level", eq(1)),
        Rule::forbid("g").tool("t").who_kind(eq("workload")),
    ];
    assert_eq!(
        of_people(rules, &people),
        ["by-other matches_no_one", "by-team matches_no_one", "g matches_no_one"]
    );
}

#[test]
fn asks_that_those_who_are_there_can_not_answer_are_told() {
    let lead = |id: &str| who(Assertion::human(id.to_owned()).group("leads"));
    let ask = |id: &str, terms: ApprovalTerms| {
        Rule::ask(id.to_owned()).tool("t").arg("x", any()).approval(terms)
    };
    let of = |count: u32| {
        ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["leads"])).count(count))
    };
    let manager =
        ApprovalTerms::per(Per::Call).review(Reviewers::with_id(same_as("asker.attrs.manager")));
    let rules = || {
        [t("p").arg("x", any()), ask("one", of(1)), ask("two", of(2)), ask("boss", manager.clone())]
    };
    let found = |people: &[Identity]| {
        let all = of_people(rules(), people);
        all.into_iter().filter(|own| own.ends_with("quorum_of_none")).collect::<Vec<_>>()
    };
    let agent = who(Assertion::agent("a").attr("manager", "ana"));
    assert_eq!(found(&[lead("ana")]), ["boss quorum_of_none", "two quorum_of_none"]);
    assert_eq!(found(&[lead("ana"), agent.clone()]), ["two quorum_of_none"]);
    assert!(found(&[lead("ana"), lead("ben"), agent]).is_empty());
}

#[test]
fn a_rule_of_every_tool_is_looked_at_at_each_tool_of_the_catalogue() {
    let permit = || Rule::permit("p").any_tool().any_args().labels(has_any(["read"]));
    let of = |rules: Vec<Rule>| {
        let tools = [Tool::new("get").label("read"), Tool::new("drop")];
        told(&Policy::builder().tools(tools).rules(rules).build().unwrap())
    };
    let forbid = |id: &str| Rule::forbid(id.to_owned());
    let wide = "rule `p`: it permits every tool with any arguments (permits_everything)";
    assert_eq!(of(vec![permit(), forbid("f").tool("get").when("w", eq(1))]), [wide]);
    let all = of(vec![permit(), forbid("f").tool_like(glob("g*"))]);
    assert_eq!(all, [wide, "rule `p`: nothing is left of it by `f` (shadowed)"]);
}

/// However many rules there are, of one tool or of many, each takes a few searches.
#[test]
fn each_rule_takes_a_few_searches_however_many_there_are() {
    let of = |rules: Vec<Rule>| {
        let many = rules.len();
        let own = policy(rules);
        let mut proofs = super::Proofs::of(&own.0);
        let mut findings = super::Findings::new();
        for rule in own.rules() {
            proofs.look_at(rule, findings.of_rule(rule.id()));
        }
        assert!(findings.into_warnings().is_empty());
        (super::LEAST_SEARCHES - proofs.searches, many)
    };
    let by_group =
        |n: usize| t(&format!("p{n:04}")).who_groups(has_any([format!("g{n}")])).arg("x", any());
    let by_value = |n: usize| t(&format!("v{n:04}")).arg("x", eq(n as u64)).arg("y", any());
    let guard = |n: usize| {
        Rule::forbid(format!("f{n:04}")).tool("t").arg("x", eq(n as u64)).when("w", eq(1))
    };
    let permits = (0..400).map(by_group).chain((0..400).map(by_value));
    let (searches, many) = of(permits.chain((0..100).map(guard)).collect());
    assert!(searches <= 4 * many, "{searches} for {many}");
    let apart = (0..600).map(|n| {
        Rule::permit(format!("p{n:04}")).tool(&format!("t{}", n % 60)).arg("x", eq(n as u64))
    });
    let (searches, many) = of(apart.collect());
    assert!(searches <= 2 * many, "{searches} for {many}");
}

/// What is to be taken out is not what makes up for others: of three, the widest does for both.
#[test]
fn a_rule_that_another_makes_up_for_makes_up_for_none() {
    let up_to = |id: &str, most: i64| t(id).arg("x", min(0).and(max(most)));
    let own = policy([up_to("a-middle", 20), up_to("b-small", 10), up_to("c-wide", 30)]);
    let covered = |id: &str| format!("rule `{id}`: all that it does is done by `c-wide` (covered)");
    assert_eq!(told(&own), [covered("a-middle"), covered("b-small")]);
}

/// A rule that looks at more may say the same of each call, and still be asked otherwise at a request.
#[test]
fn a_rule_that_names_more_makes_up_for_none_that_names_less() {
    let kinds = one_of(["agent", "human", "workload"]);
    let own = policy([t("b").any_args().who_kind(kinds), t("z").any_args()]);
    assert!(told(&own).is_empty(), "{:?}", told(&own));
}
