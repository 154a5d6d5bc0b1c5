//! Rules that other rules leave nothing to, and limits that can't be had.

use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::policy::{Policy, WarningCode};

use crate::lint::{guard, of_kind, permit};

fn named(code: WarningCode, rules: &str) -> Vec<String> {
    of_kind(code, "", rules)
}

/// attack 197: such a forbid loads, as one that is to outlive its permits, and strict loading refuses it.
#[test]
fn a_guard_on_an_argument_that_no_permit_names_is_named_with_the_nearest() {
    let pay = permit("p", "what.args = { amount = { min = 0, max = 500 }, to = \"any\" }");
    let on = |what: &str| {
        named(WarningCode::UnnamedArgument, &(pay.clone() + &guard("forbid", "f", what)))
    };
    let misspelt = "what = { tool = \"t\", args.amonut = { above = 100 } }";
    assert_eq!(
        on(misspelt),
        ["no permit of its tools lets `args.amonut` be there: did you mean `amount`?"]
    );
    for other in [
        "what.args.amonut = { above = 100 }",
        "what = { tool = { prefix = \"t\" }, args.amonut = 5 }",
        "what = { tool = \"t\", args.note = { contains = \"x\" } }",
        "what = { tool = \"t\", args.bcc = { not = { eq = \"x\" } } }",
    ] {
        assert_eq!(on(other).len(), 1, "{other}");
    }
    for known in ["what = { tool = \"t\", args.amount = { above = 100 } }", "what.args.to = \"x\""]
    {
        assert_eq!(on(known), [""; 0], "{known}");
    }
    // Where a permit leaves arguments open, any may be there.
    for open in ["what.args = \"any\"", "what.args.a = 1\nwhat.other_args = \"any\""] {
        let rules = pay.clone() + &permit("q", open) + &guard("forbid", "f", misspelt);
        assert_eq!(named(WarningCode::UnnamedArgument, &rules), [""; 0], "{open}");
    }
    let any_tool =
        "[[rule]]\nid = \"q\"\neffect = \"permit\"\nwhat = { tool = \"any\", args = \"any\" }\n";
    let rules = pay.clone() + any_tool + &guard("forbid", "f", misspelt);
    assert_eq!(named(WarningCode::UnnamedArgument, &rules), [""; 0]);

    let text = format!("version = 1\n{pay}{}", guard("forbid", "f", misspelt));
    assert!(Policy::from_toml(&text).is_ok());
    let error = Policy::strict_from_toml(&text, Timestamp::MIN).unwrap_err();
    assert_eq!((error.rule(), error.at()), (Some("f"), "what.args.amonut"));
}

#[test]
fn a_guard_that_no_permit_leaves_anything_to_is_named() {
    let pay = permit("p", "what.args.amount = { min = 0, max = 500 }");
    let on = |effect: &str, what: &str| {
        named(WarningCode::NothingWithheld, &(pay.clone() + &guard(effect, "f", what)))
    };
    for effect in ["forbid", "ask"] {
        for dead in [
            "what.tool = \"u\"",
            "what.tool = { prefix = \"x\" }",
            "what = { tool = \"t\", args.amount = { above = 1000 } }",
            "what = { tool = \"t\", args.amount = { max = -1 } }",
            "what.args.amount = { above = 500 }",
        ] {
            assert_eq!(on(effect, dead).len(), 1, "{effect} {dead}");
        }
        for alive in [
            "what.tool = \"t\"",
            "what.tool = { prefix = \"t\" }",
            "what = { tool = \"t\", args.amount = { above = 499 } }",
            "what = { tool = \"t\", args.amount = { not = { eq = \"x\" } } }",
            "when.env = \"prod\"",
        ] {
            assert_eq!(on(effect, alive), [""; 0], "{effect} {alive}");
        }
    }
    // What the permit says of who asks counts as well.
    let ada = permit("p", "who.id = \"ada\"");
    let bob = |id: &str| ada.clone() + &guard("forbid", "f", &format!("who.id = \"{id}\""));
    assert_eq!(named(WarningCode::NothingWithheld, &bob("bob")).len(), 1);
    assert_eq!(named(WarningCode::NothingWithheld, &bob("ada")), [""; 0]);
    assert_eq!(named(WarningCode::NothingWithheld, &guard("forbid", "f", "")).len(), 1);
}

#[test]
fn a_budget_on_what_no_call_has_is_named() {
    let on = |args: &str, budget: &str| {
        let rule = format!("what.args = {args}\ngrant.budget = {{ \"{budget}\" = 500 }}");
        named(WarningCode::BudgetOfNothing, &permit("p", &rule))
    };
    assert_eq!(
        on("{ amount = { min = 0, max = 100 } }", "args.amonut"),
        [
            "the budget on `args.amonut` is spent by none and denies every call: no call that it permits has the argument: did you mean `amount`?"
        ]
    );
    for (args, budget) in [
        ("{ a = \"x\" }", "args.a"),
        ("{ a = { prefix = \"x\" } }", "args.a"),
        ("{ a = { present = false } }", "args.a"),
        ("{ a = { fields = { b = 1 } } }", "args.a.c"),
        ("{ a = { fields = { b = \"x\" } } }", "args.a.b"),
        ("{ a = 1 }", "args.b"),
    ] {
        assert_eq!(on(args, budget).len(), 1, "{args} {budget}");
    }
    for (args, budget) in [
        ("\"any\"", "args.a"),
        ("{ a = \"any\" }", "args.a"),
        ("{ a = { any = [{ present = false }, { min = 0, max = 5 }] } }", "args.a"),
        ("{ a = { fields = { b = { min = 0, max = 5 } } } }", "args.a.b"),
        ("{ a = { fields = {}, other_fields = \"any\" } }", "args.a.c"),
        ("{ a = { one_of = [1, 2] } }", "args.a"),
    ] {
        assert_eq!(on(args, budget), [""; 0], "{args} {budget}");
    }
}

#[test]
fn a_length_of_time_past_the_ceiling_is_named_where_the_ceiling_is_known() {
    let hour = Duration::from_secs(3600);
    let under = |grant: &str, ceiling: Option<Duration>| {
        let text = format!("version = 1\n{}", permit("p", &format!("grant = {grant}")));
        let policy = Policy::from_toml(&text).unwrap();
        let warnings = match ceiling {
            Some(ceiling) => policy.lint_under(Timestamp::MIN, ceiling),
            None => policy.lint(Timestamp::MIN),
        };
        let of_limits = warnings.into_iter().filter(|own| own.code() == WarningCode::PastCeiling);
        of_limits.map(|own| (own.at().to_owned(), own.message().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(
        under("{ ttl = \"12h\", max_life = \"24h\" }", Some(hour)),
        [
            (
                "grant.ttl".to_owned(),
                "`ttl` looks as far as `12h`, and a task ends at its ceiling of `1h`: no grant lives so long".to_owned()
            ),
            (
                "grant.max_life".to_owned(),
                "`max_life` looks as far as `1d`, and a task ends at its ceiling of `1h`: no grant lives so long".to_owned()
            ),
        ]
    );
    for (grant, count) in [
        ("{ ttl = \"1h\" }", 0),
        ("{ ttl = \"3601s\" }", 1),
        ("{ idle = \"2h\" }", 1),
        ("{ idle = \"1h\" }", 0),
        ("{ rate = \"10/1d\" }", 1),
        ("{ rate = \"10/1d\", per = \"identity\" }", 0),
        ("{ uses = 5 }", 0),
    ] {
        assert_eq!(under(grant, Some(hour)).len(), count, "{grant}");
        assert_eq!(under(grant, None).len(), 0, "{grant}");
    }
    assert_eq!(under("{ ttl = \"12h\" }", Some(12 * hour)), []);
}

#[test]
fn a_comparison_that_no_question_meets_is_named() {
    let of = |rules: &str| named(WarningCode::NeverSame, rules);
    for (rule, fact, other) in [
        ("why.ticket = { same_as = \"args.ticket\" }", "why.ticket", "args.ticket"),
        (
            "who.attrs.team = { same_as = \"resource.attrs.team\" }",
            "who.attrs.team",
            "resource.attrs.team",
        ),
        ("what.args.a = { not = { same_as = \"args.b\" } }", "args.a", "args.b"),
        ("what.args.a = { each = { same_as = \"args.b\" } }", "args.a", "args.b"),
        ("what.args.a = { same_as = \"args.a\" }", "args.a", "args.a"),
        ("what.args.a = { max = { ref = \"args.most\" } }", "args.a", "args.most"),
        (
            "what.args.a = { not = { under = { join = [\"/a\", { ref = \"resource.attrs.o\" }] } } }",
            "args.a",
            "resource.attrs.o",
        ),
        ("who.id = { same_as = \"who.groups\" }", "who.id", "who.groups"),
        (
            "why.purpose = { any = [\"x\", { same_as = \"who.acts_for\" }] }",
            "why.purpose",
            "who.acts_for",
        ),
    ] {
        let said = of(&permit("p", rule));
        assert_eq!(said.len(), 1, "{rule}");
        let begins = format!("`{fact}` is compared with `{other}`: ");
        assert!(said[0].starts_with(&begins), "{said:?}");
    }
    for met in [
        "why.ticket = { same_as = \"args.ticket\" }\nwhat.args.ticket = \"any\"",
        "why.ticket = { same_as = \"args.ticket\" }\nwhat.args = \"any\"",
        "what.args.ticket = { same_as = \"why.ticket\" }",
        "what.args = { a = \"any\", b = { not = { same_as = \"args.a\" } } }",
        "who.groups = { some = { same_as = \"who.attrs.team\" } }",
        "what.args.groups = { same_as = \"who.groups\" }",
        "what.args = { most = \"any\", a = { max = { ref = \"args.most\" } } }",
        "what.args.a = { one_of = { ref = \"who.groups\" } }",
        "what.args.o = { fields = { o = { same_as = \"args.o\" } } }",
    ] {
        assert_eq!(of(&permit("p", met)), [""; 0], "{met}");
    }
    // A guard looks only at what it names, and the world is open to it.
    assert_eq!(of(&guard("forbid", "f", "why.ticket = { same_as = \"args.ticket\" }")), [""; 0]);
}

/// attack 200: an event without participants.
#[test]
fn a_permit_of_a_sink_that_constrains_only_what_may_be_left_out_is_named() {
    let tools = "tool = [{ name = \"t\", labels = [\"calendar\", \"egress\"] }]";
    let of = |tools: &str, args: &str| {
        of_kind(WarningCode::OptionalOnly, tools, &permit("p", &format!("what.args = {args}")))
    };
    let invited = "{ any = [{ present = false }, { each = { one_of = [\"a\"] } }] }";
    let event = format!("{{ title = \"any\", participants = {invited} }}");
    let said = of(tools, &event);
    assert!(said.len() == 1 && said[0].contains("labelled `egress`"), "{said:?}");
    let both = format!("{{ participants = {invited}, room = {invited} }}");
    assert_eq!(of(tools, &both).len(), 1);
    for held in [
        format!("{{ title = \"standup\", participants = {invited} }}"),
        "{ title = \"any\", participants = { each = { one_of = [\"a\"] } } }".to_owned(),
        "{ title = \"any\" }".to_owned(),
        "\"any\"".to_owned(),
    ] {
        assert_eq!(of(tools, &held), [""; 0], "{held}");
    }
    // What is not a sink is not looked at; what a guard chooses by its label is one.
    let quiet = "tool = [{ name = \"t\", labels = [\"calendar\"] }]";
    assert_eq!(of(quiet, &event), [""; 0]);
    let rules = permit("p", &format!("what.args = {event}"))
        + &guard(
            "forbid",
            "f",
            "what.labels = { has_any = [\"calendar\"] }\nwhen.seen = { has_any = [\"calendar\"] }",
        );
    assert_eq!(of_kind(WarningCode::OptionalOnly, quiet, &rules).len(), 1);
    let room = permit(
        "p",
        &format!("what = {{ args = {event}, resource = {{ type = \"room\", id = \"r\" }} }}"),
    )
    .replace("what.tool = \"t\"\n", "")
    .replace("what = {", "what = { tool = \"t\",");
    assert_eq!(of_kind(WarningCode::OptionalOnly, tools, &room), [""; 0]);
}

/// Not quadratic: a guard is compared with few permits, and a name with few others.
#[test]
fn lint_of_many_rules_takes_little_more_than_of_few() {
    let many: String = (0..2_000)
        .flat_map(|n| {
            [
                permit(&format!("p{n}"), &format!("what.args = {{ a{n} = \"any\" }}")),
                guard(
                    "forbid",
                    &format!("f{n}"),
                    &format!("what.args.\"b{n}\" = 1\nwho.id = \"u{n}\""),
                ),
                guard("forbid", &format!("g{n}"), &format!("what.tool = {{ glob = \"t{n}.*\" }}")),
            ]
        })
        .collect();
    // A name for each guard, and more would take minutes of this test.
    let said = crate::lint::warnings("", &many);
    let unnamed = said.iter().filter(|own| own.code() == WarningCode::UnnamedArgument).count();
    assert_eq!(unnamed, 2_000);
}

#[test]
fn a_default_that_a_permit_does_not_name_is_no_limit_of_a_sink() {
    let invited = "{ any = [{ present = false }, { each = { one_of = [\"a\"] } }] }";
    let of = |tool: &str, args: &str| {
        let tools = format!(
            "tool = [{{ name = \"t\", labels = [\"egress\"], args = {{ participants = {tool}, room = {{ type = \"text\", default = \"r\" }} }} }}]"
        );
        of_kind(WarningCode::OptionalOnly, &tools, &permit("p", &format!("what.args = {args}")))
    };
    assert_eq!(of("\"list?\"", &format!("{{ participants = {invited} }}")).len(), 1);
    // One that is left out is judged as its default.
    let by_default = "{ type = \"list\", default = [\"a\"] }";
    assert_eq!(of(by_default, &format!("{{ participants = {invited} }}")), [""; 0]);
}

#[test]
fn a_permit_of_any_value_of_what_may_be_left_out_is_named() {
    let of = |typed: &str, args: &str| {
        let tools =
            format!("tool = [{{ name = \"t\", args = {{ to = \"text\", memo = {typed} }} }}]");
        of_kind(WarningCode::OptionalNamed, &tools, &permit("p", &format!("what.args = {args}")))
    };
    let said = of("\"text?\"", "{ to = \"any\", memo = \"any\" }");
    assert!(
        said.len() == 1 && said[0].contains("`{ any = [{ present = false }, \"any\"] }`"),
        "{said:?}"
    );
    for (typed, args) in [
        ("\"text?\"", "{ to = \"any\", memo = { any = [{ present = false }, \"any\"] } }"),
        ("\"text?\"", "{ to = \"any\", memo = { len = { max = 80 } } }"),
        ("\"text?\"", "{ to = \"any\" }"),
        ("\"text\"", "{ to = \"any\", memo = \"any\" }"),
        ("{ type = \"text\", default = \"\" }", "{ to = \"any\", memo = \"any\" }"),
    ] {
        assert_eq!(of(typed, args), [""; 0], "{typed} {args}");
    }
    let forbid = guard("forbid", "f", "what.args = { memo = \"any\" }");
    let tools = "tool = [{ name = \"t\", args = { to = \"text\", memo = \"text?\" } }]";
    assert_eq!(of_kind(WarningCode::OptionalNamed, tools, &forbid), [""; 0]);
}

/// A guard on what may be left out is passed by leaving it out, and the tool takes what it likes.
#[test]
fn a_bound_on_what_may_be_left_out_is_named_in_every_rule() {
    let tools = |typed: &str| {
        format!("tool = [{{ name = \"t\", args = {{ to = \"text\", n = {typed} }} }}]")
    };
    let (optional, stated) = (tools("\"integer?\""), tools("{ type = \"integer\", default = 5 }"));
    let bounds = ["{ min = 0, max = 9 }", "{ above = 9 }", "{ below = { ref = \"who.attrs.n\" } }"];
    for bound in bounds {
        let own = permit("p", &format!("what.args = {{ to = \"any\", n = {bound} }}"));
        let said = of_kind(WarningCode::OptionalNamed, &optional, &own);
        assert!(said.len() == 1 && said[0].contains("the permit does not cover it"), "{said:?}");
        for effect in ["forbid", "ask"] {
            let own = guard(effect, "f", &format!("what = {{ tool = \"t\", args.n = {bound} }}"));
            let said = of_kind(WarningCode::OptionalNamed, &optional, &own);
            assert!(said.len() == 1 && said[0].contains("the rule does not act"), "{said:?}");
            for tools in [&stated, &tools("\"integer\"")] {
                assert_eq!(of_kind(WarningCode::OptionalNamed, tools, &own), [""; 0]);
            }
        }
        assert_eq!(of_kind(WarningCode::OptionalNamed, &stated, &own), [""; 0]);
    }
    let said = permit(
        "p",
        "what.args = { to = \"any\", n = { any = [{ present = false }, { max = 9 }] } }",
    );
    assert_eq!(of_kind(WarningCode::OptionalNamed, &optional, &said), [""; 0]);
    let one = permit("p", "what.args = { to = \"any\", n = 5 }");
    assert_eq!(of_kind(WarningCode::OptionalNamed, &optional, &one), [""; 0]);
}

/// Each call of such a tool has the argument, which a closed permit that does not name it covers none of.
#[test]
fn a_permit_that_lets_no_default_of_a_tool_be_there_is_named() {
    let tools = "tool = [{ name = \"log.read\", labels = [\"ops\"], args = { lines = { type = \"integer\", default = 100 } } }, \
                 { name = \"log.tail\", args = { lines = { type = \"integer\", default = 10 } } }, \
                 { name = \"log.head\", args = { lines = { type = \"integer\", default = 10 } } }, { name = \"mail\" }]";
    let of = |what: &str| {
        let policy = format!("rule = [{{ id = \"p\", effect = \"permit\", what = {what} }}]");
        of_kind(WarningCode::DefaultUnnamed, tools, &policy)
    };
    for (what, tool) in [
        ("{ tool = \"any\" }", "log.head"),
        ("{ tool = \"any\", args = { file = \"any\" } }", "log.head"),
        ("{ tool = { prefix = \"log.\" } }", "log.head"),
        ("{ tool = { suffix = \".read\" } }", "log.read"),
        ("{ tool = \"any\", labels = { has_any = [\"ops\"] } }", "log.read"),
        ("{ tool = { one_of = [\"log.read\", \"log.tail\"] } }", "log.read"),
    ] {
        let said = of(what);
        assert!(said.len() == 1 && said[0].contains(&format!("of `{tool}`")), "{what}: {said:?}");
        assert!(said[0].contains("`lines`"), "{said:?}");
    }
    for what in [
        "{ tool = \"log.read\" }",
        "{ tool = { one_of = [\"log.head\", \"log.tail\"] } }",
        "{ tool = \"mail\", args = { to = \"any\" } }",
        "{ tool = { prefix = \"ma\" } }",
        "{ tool = \"any\", args = \"any\" }",
        "{ tool = \"any\", args = { file = \"any\" }, other_args = \"any\" }",
        "{ tool = \"any\", args = { lines = \"any\" } }",
        "{ tool = \"any\", labels = { has_any = [\"none\"] } }",
    ] {
        assert_eq!(of(what), [""; 0], "{what}");
    }
    let forbid = guard("forbid", "f", "what.tool = \"any\"");
    assert_eq!(of_kind(WarningCode::DefaultUnnamed, tools, &forbid), [""; 0]);
}
