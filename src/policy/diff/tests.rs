use super::*;
use crate::clock::Timestamp;
use crate::policy::regions::model::{policy, terms};
use crate::policy::{Rule, Tool};
use crate::scope::{
    Constraint, above, any, eq, fields, glob, has_all, has_any, max, min, not, one_of, prefix,
    present, same_as, under,
};

fn payers(amount: Constraint) -> Rule {
    Rule::permit("payers").tool("bank.pay").arg("to", any()).arg("amount", amount)
}

fn asks() -> Rule {
    Rule::ask("large").tool("bank.pay").arg("amount", above(100)).approval(terms())
}

/// The rules that make a difference, each way.
fn rules(diff: &PolicyDiff) -> (Vec<&str>, Vec<&str>) {
    assert_eq!(diff.wider().undecided().count() + diff.narrower().undecided().count(), 0, "{diff}");
    (
        diff.wider().witnesses().map(DiffWitness::rule).collect(),
        diff.narrower().witnesses().map(DiffWitness::rule).collect(),
    )
}

#[test]
fn a_wider_bound_is_shown_by_a_call_that_it_lets_through() {
    let diff = policy([payers(max(500))]).diff(&policy([payers(max(1000))]));
    assert_eq!(rules(&diff), (vec!["payers"], vec![]));
    assert_eq!(
        diff.to_string(),
        "rules: 1 differs\n  \
         ~ `payers`: `args.amount` {\"max\":500} -> {\"max\":1000}\n\
         permitted now and not before: \n  \
         `payers`: {\"id\":\"anyone\",\"kind\":\"agent\"} calls `bank.pay` with \
         {\"amount\":1000,\"to\":\"x\"} for `any-purpose`: denied before, permitted now\n\
         permitted before and not now: nothing\n"
    );
    let back = policy([payers(max(1000))]).diff(&policy([payers(max(500))]));
    assert_eq!(rules(&back), (vec![], vec!["payers"]));
}

#[test]
fn rules_under_other_names_and_in_other_parts_permit_the_same() {
    let one = policy([payers(one_of([1, 2, 3]))]);
    let parts = [1, 2, 3].map(|n| {
        Rule::permit(format!("p{n}")).tool("bank.pay").arg("to", any()).arg("amount", eq(n))
    });
    let diff = one.diff(&policy(parts.clone()));
    // A list of two amounts is within the one and within none of the three.
    assert_eq!(rules(&diff), (vec![], vec!["payers"]));
    let renamed =
        Rule::permit("others").tool("bank.pay").arg("to", any()).arg("amount", one_of([3, 2, 1]));
    let diff = one.diff(&policy([renamed.clone()]));
    assert!(diff.permits_the_same(), "{diff}");
    assert_eq!(diff.changes().map(RuleChange::kind).collect::<Vec<_>>(), ["added", "removed"]);
    // What it gives besides is seen, whatever else there is.
    let diff = policy(parts).diff(&policy([renamed]));
    assert_eq!(rules(&diff), (vec!["others"], vec![]));
}

#[test]
fn a_forbid_that_goes_is_named_as_what_withheld() {
    let frozen = Rule::forbid("frozen").when("frozen", eq(true));
    let diff = policy([payers(any()), frozen.clone()]).diff(&policy([payers(any())]));
    assert_eq!(rules(&diff), (vec!["frozen"], vec![]));
    let diff = policy([payers(any())]).diff(&policy([payers(any()), frozen]));
    assert_eq!(rules(&diff), (vec![], vec!["frozen"]));
}

#[test]
fn asking_people_is_less_than_permitting_and_more_than_denying() {
    let open = || policy([payers(max(500))]);
    let asking = || policy([payers(max(500)), asks()]);
    let closed = || policy([payers(max(100))]);
    let told = |diff: &PolicyDiff| {
        let of = |own: &Differences| {
            own.witnesses().map(|w| w.to_string()).collect::<Vec<_>>().join("\n")
        };
        (of(diff.wider()), of(diff.narrower()))
    };
    let (wider, narrower) = told(&open().diff(&asking()));
    assert_eq!(wider, "");
    assert!(narrower.ends_with("permitted before, asked about now"), "{narrower}");
    let (wider, narrower) = told(&closed().diff(&asking()));
    assert!(wider.ends_with("denied before, asked about now"), "{wider}");
    assert_eq!(narrower, "");
}

#[test]
fn all_of_a_question_is_looked_at() {
    let rule = || Rule::permit("p").any_tool().other_args().any_resource();
    let cases: Vec<(&str, Rule)> = vec![
        ("id", rule().who_id(prefix("spiffe://a.test/"))),
        ("kind", rule().who_kind(eq("human"))),
        ("groups", rule().who_groups(has_any(["ops"]))),
        ("acts_for", rule().who_acts_for(has_any(["ana"]))),
        ("attrs", rule().who_attr("level", min(3))),
        ("purpose", rule().purpose(glob("pay-*"))),
        ("ticket", rule().ticket(present())),
        ("context", rule().when("env", eq("prod"))),
        ("time", rule().now(crate::scope::weekly(&["mon"], "09:00", "17:00", "+00:00"))),
        (
            "resource",
            rule().resource_type(eq("doc")).resource_id(any()).resource_attr("tier", eq("gold")),
        ),
        ("arg", rule().arg("n", eq(5)).other_args()),
        ("nested", rule().arg("n", crate::scope::fields([("m", eq(1))])).other_args()),
        ("from", rule().valid_from(Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").unwrap())),
        ("until", rule().valid_until(Timestamp::parse_rfc3339("2025-01-01T00:00:00Z").unwrap())),
        ("form", rule().presentation(crate::token::Form::CallBound)),
        ("tool", Rule::permit("p").tool_like(prefix("db.")).any_args().any_resource()),
    ];
    for (name, narrow) in cases {
        let (wide, narrow) = (policy([rule()]), policy([narrow]));
        let diff = narrow.diff(&wide);
        assert_eq!(rules(&diff), (vec!["p"], vec![]), "{name}: {diff}");
        let diff = wide.diff(&narrow);
        assert_eq!(rules(&diff), (vec![], vec!["p"]), "{name}: {diff}");
        // Within itself, some call is permitted.
        let nothing = policy([]);
        assert_eq!(rules(&nothing.diff(&narrow)), (vec!["p"], vec![]), "{name}");
        assert!(narrow.diff(&narrow).permits_the_same());
    }
}

#[test]
fn the_catalogue_is_a_part_of_what_is_permitted() {
    let with = |tools: &[Tool], rule: Rule| {
        Policy::builder().tools(tools.to_vec()).rule(rule).build().unwrap()
    };
    let reads = || Rule::permit("reads").labels(has_any(["read"])).any_tool().any_args();
    let get = || Tool::new("get").label("read");
    let old = with(&[get()], reads());
    let diff = old.diff(&with(&[get(), Tool::new("list").label("read")], reads()));
    assert_eq!(rules(&diff), (vec!["reads"], vec![]));
    let diff = old.diff(&with(&[get(), Tool::new("drop")], reads()));
    assert!(diff.permits_the_same(), "{diff}");
    // The argument is read otherwise, which can't be compared: it is said, and no difference is claimed.
    let folder = || Rule::permit("reads").tool("get").arg("path", under("/data"));
    let plain = with(&[get()], folder());
    let typed = with(&[get().arg("path", crate::policy::ArgType::Path)], folder());
    let diff = plain.diff(&typed);
    assert!(!diff.permits_the_same(), "{diff}");
}

#[test]
fn an_argument_of_any_type_is_compared() {
    use crate::policy::ArgType;
    let list = |count: u64| crate::scope::count(0..=count);
    let rows: Vec<(ArgType, Constraint, Constraint)> = vec![
        (ArgType::Path, under("/data/a"), under("/data")),
        (ArgType::Text, eq("a"), one_of(["a", "b"])),
        (ArgType::Number, max(1.5), max(2.5)),
        (ArgType::Integer, max(1), max(2)),
        (ArgType::Bool, eq(true), any()),
        (ArgType::List, list(1), list(2)),
        (ArgType::Texts, has_all(["a", "b"]), has_all(["a"])),
        (ArgType::Object, fields([("k", eq(1))]), fields([("k", max(1))])),
    ];
    for (of, less, more) in rows {
        let with = |own: &Constraint| {
            let tool = Tool::new("t").arg("a", of);
            let rule = Rule::permit("p").tool("t").arg("a", own.clone());
            Policy::builder().tools([tool]).rule(rule).build().unwrap()
        };
        let diff = with(&less).diff(&with(&more));
        assert_eq!(rules(&diff), (vec!["p"], vec![]), "{of:?}: {diff}");
    }
}

#[test]
fn what_a_task_has_seen_is_looked_at_with_the_labels_of_the_call_itself() {
    let with = |rules: &[Rule]| {
        let tools = [Tool::new("read").label("secret"), Tool::new("send")];
        Policy::builder().tools(tools).rules(rules.to_vec()).build().unwrap()
    };
    let send = |tool: &str| Rule::permit("send").tool(tool).any_args();
    let unseen = |tool: &str| send(tool).seen(not(has_any(["secret"])));
    let diff = with(&[unseen("send")]).diff(&with(&[send("send")]));
    assert_eq!(rules(&diff), (vec!["send"], vec![]));
    let told = diff.wider().witnesses().next().unwrap().to_string();
    assert!(told.contains(r#", after ["secret"]"#), "{told}");
    // A call of the tool that has the label is never before it was seen.
    assert!(with(&[unseen("read")]).diff(&with(&[])).permits_the_same());
}

/// The same rules under other labels are other rules, where they look back.
#[test]
fn labels_that_differ_are_not_compared_as_one() {
    let with = |labels: &[&str]| {
        let read = Tool::new("read").labels(labels.iter().copied());
        let rule = Rule::permit("p").tool("read").any_args().seen(not(has_any(["secret"])));
        Policy::builder()
            .tools([read, Tool::new("send").label("secret")])
            .rule(rule)
            .build()
            .unwrap()
    };
    assert!(with(&["open"]).diff(&with(&["open"])).permits_the_same());
    assert!(!with(&["secret"]).diff(&with(&["open"])).permits_the_same());
    assert!(!with(&["open"]).diff(&with(&["secret"])).permits_the_same());
}

/// Who somebody is, is told otherwise by a policy that folds names.
#[test]
fn of_policies_that_spell_names_otherwise_nothing_is_claimed() {
    let rule = || Rule::permit("p").tool("t").who_id(eq("ana"));
    let folded = Policy::builder().fold_names().rule(rule()).build().unwrap();
    let diff = policy([rule()]).diff(&folded);
    for own in [diff.wider(), diff.narrower()] {
        assert!(!own.is_shown_empty() && own.undecided().eq(["p"]), "{diff}");
    }
}

#[test]
fn a_comparison_is_made_true_for_the_call_that_is_shown() {
    let own = |amount| {
        Rule::permit("own")
            .tool("t")
            .arg("owner", same_as("who.attrs.name"))
            .arg("amount", max(amount))
    };
    let diff = policy([own(1)]).diff(&policy([own(2)]));
    assert_eq!(rules(&diff), (vec!["own"], vec![]));
    let free = Rule::permit("own").tool("t").arg("owner", any()).arg("amount", max(1));
    let diff = policy([own(1)]).diff(&policy([free]));
    assert_eq!(diff.wider().witnesses().count() + diff.wider().undecided().count(), 1, "{diff}");
    assert!(diff.narrower().is_shown_empty(), "{diff}");
}

/// A search does not know what a list is compared with: what it finds is asked before it is shown.
#[test]
fn what_is_shown_was_asked_of_both() {
    let among = crate::scope::reference("who.attrs.names").as_one_of();
    let own = policy([Rule::permit("p").tool("t").arg("owner", among)]);
    let diff = policy([]).diff(&own);
    assert!(!diff.wider().is_shown_empty());
    for shown in diff.wider().witnesses() {
        let (who, why, call) = (shown.who(), shown.purpose(), shown.call());
        let decision = own.decide(who, why, call, shown.context(), shown.at()).unwrap();
        assert!(decision.is_permit(), "{shown}");
    }
}

#[test]
fn a_guard_that_compares_is_not_taken_to_act_on_everything() {
    let rules = |amount| {
        let forbid = Rule::forbid("own").tool("t").arg("owner", same_as("who.attrs.name"));
        let permit = Rule::permit("p").tool("t").arg("owner", any()).arg("amount", max(amount));
        policy([permit, forbid])
    };
    let diff = rules(1).diff(&rules(2));
    assert!(!diff.wider().is_shown_empty(), "{diff}");
    assert!(diff.narrower().is_shown_empty(), "{diff}");
}

#[test]
fn what_a_grant_gives_is_told_of_the_rule() {
    let ttl = |seconds| payers(any()).ttl(std::time::Duration::from_secs(seconds));
    let diff = policy([ttl(60)]).diff(&policy([ttl(600)]));
    assert!(diff.permits_the_same());
    let change = diff.changes().next().unwrap();
    assert_eq!(change.to_string(), r#"~ `payers`: `grant.ttl` "1m" -> "10m""#);
}

#[test]
fn of_too_many_rules_nothing_is_claimed() {
    let many = |n: i32| {
        (0..n).map(|n| Rule::permit(format!("r{n:03}")).tool("t").arg("a", min(n)).arg("b", max(n)))
    };
    let diff = policy(many(70)).diff(&policy(many(71)));
    assert!(!diff.wider().is_shown_empty());
    assert!(diff.narrower().is_shown_empty(), "{diff}");
}

/// What a catalogue does not list is refused whatever the rules say, and so permitted by one side alone.
#[test]
fn a_tool_that_one_catalogue_leaves_out_makes_a_difference() {
    let listed = |names: &[&str]| {
        let all = Rule::permit("all").any_tool().any_args();
        let tools = names.iter().map(|name| Tool::new(name));
        Policy::builder().tools(tools).rule(all).build().unwrap()
    };
    let (more, less) = (listed(&["t", "u"]), listed(&["t"]));
    assert_eq!(rules(&more.diff(&less)), (vec![], vec!["all"]));
    assert_eq!(rules(&less.diff(&more)), (vec!["all"], vec![]));
}
