//! What a policy says that was probably not meant.

use hallpass::clock::Timestamp;
use hallpass::policy::{Policy, Warning, WarningCode};

/// The warnings about rules that are given as TOML, on a first of July.
fn lint(rules: &str) -> Vec<String> {
    lint_with("", rules)
}

fn lint_with(tools: &str, rules: &str) -> Vec<String> {
    let said = warnings(tools, rules).into_iter();
    // Nearly every rule here stands alone, and its arguments have no type: others ask of that.
    let said = said.filter(|warning| {
        !matches!(
            warning.code(),
            WarningCode::NothingWithheld | WarningCode::UnnamedArgument | WarningCode::UntypedPath
        )
    });
    said.map(|warning| warning.to_string()).collect()
}

/// Every warning, in the order in which they are given.
pub(crate) fn warnings(tools: &str, rules: &str) -> Vec<Warning> {
    let policy = Policy::from_toml(&format!("version = 1\n{tools}\n{rules}")).unwrap();
    policy.lint(Timestamp::parse_rfc3339("2026-07-01T00:00:00Z").unwrap())
}

/// The messages of one kind.
pub(crate) fn of_kind(code: WarningCode, tools: &str, rules: &str) -> Vec<String> {
    let own = warnings(tools, rules).into_iter().filter(|warning| warning.code() == code);
    own.map(|warning| warning.message().to_owned()).collect()
}

/// A permit of the tool `t` with what `more` says.
pub(crate) fn permit(id: &str, more: &str) -> String {
    format!("[[rule]]\nid = \"{id}\"\neffect = \"permit\"\nwhat.tool = \"t\"\n{more}\n")
}

pub(crate) fn guard(effect: &str, id: &str, more: &str) -> String {
    let approval = if effect == "ask" { "approval.confirm = true" } else { "" };
    format!("[[rule]]\nid = \"{id}\"\neffect = \"{effect}\"\n{approval}\n{more}\n")
}

#[test]
fn a_plain_rule_is_no_warning() {
    assert_eq!(lint(&permit("p", "")), [""; 0]);
    assert_eq!(lint(""), [""; 0]);
}

#[test]
fn a_rule_outside_its_validity_is_named_with_the_instant() {
    let until = |at: &str| lint(&permit("p", &format!("valid.until = \"{at}\"")));
    assert_eq!(
        until("2026-07-01T00:00:00Z"),
        ["rule `p`: it ended at 2026-07-01T00:00:00Z (ended)"]
    );
    assert_eq!(until("2026-07-01T00:00:01Z"), [""; 0]);
    let from = |at: &str| lint(&permit("p", &format!("valid.from = \"{at}\"")));
    assert_eq!(
        from("2026-07-01T00:00:01Z"),
        ["rule `p`: it applies from 2026-07-01T00:00:01Z on (not_yet_valid)"]
    );
    assert_eq!(from("2026-07-01T00:00:00Z"), [""; 0]);
}

#[test]
fn a_rule_past_its_review_is_named_with_its_owner() {
    let review = |at: &str| lint(&permit("p", &format!("owner = \"ann\"\nreview_by = \"{at}\"")));
    assert_eq!(
        review("2026-07-01T00:00:00Z"),
        ["rule `p`: it was to be reviewed by `ann` until 2026-07-01T00:00:00Z (review_overdue)"]
    );
    assert_eq!(review("2026-07-01T00:00:01Z"), [""; 0]);
}

#[test]
fn a_forbid_without_conditions_shadows_what_it_forbids() {
    let with = |forbid: &str| lint(&(permit("p", "") + &guard("forbid", "f", forbid)));
    let shadowed = "rule `p`: nothing is left of it: `f` forbids all it speaks of (shadowed)";
    assert_eq!(with("what.tool = \"t\""), [shadowed]);
    assert_eq!(with("what.tool = \"any\""), [shadowed]);
    assert_eq!(with(""), [shadowed]);
    for partial in [
        "what.tool = \"u\"",
        "what = { tool = \"t\", args.a = 1 }",
        "when.env = \"prod\"",
        "on = [\"request\"]",
        "valid.until = \"2026-08-01T00:00:00Z\"",
    ] {
        assert_eq!(with(partial), [""; 0], "{partial}");
    }
}

#[test]
fn an_ask_is_shadowed_too_and_a_forbid_is_not() {
    let all = guard("forbid", "f", "");
    let ask = guard("ask", "a", "what.tool = \"t\"");
    assert_eq!(lint(&(all.clone() + &ask)).len(), 1);
    assert_eq!(lint(&(all + &guard("forbid", "g", "what.tool = \"t\""))), [""; 0]);
}

#[test]
fn a_rule_of_several_tools_is_shadowed_only_when_each_is_forbidden() {
    let several = "[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat.tool.one_of = [\"t\", \"u\"]\n";
    let t = guard("forbid", "f", "what.tool = \"t\"");
    let u = guard("forbid", "g", "what.tool = \"u\"");
    assert_eq!(lint(&format!("{several}{t}")), [""; 0]);
    assert_eq!(lint(&format!("{several}{t}{u}")).len(), 1);
}

#[test]
fn rules_that_say_the_same_are_named() {
    let one = permit("one", "who.id = \"a\"\ngrant.ttl = \"60s\"");
    let two = permit("two", "grant.ttl = \"1m\"\nwho.id = { eq = \"a\" }");
    assert_eq!(lint(&(one.clone() + &two)), ["rule `two`: it says the same as `one` (duplicate)"]);
    assert_eq!(lint(&(one + &permit("two", "who.id = \"a\"\ngrant.ttl = \"2m\""))), [""; 0]);
}

/// attack 148
#[test]
fn a_tool_or_label_outside_the_catalogue_is_named_with_the_nearest() {
    let tools = "[[tool]]\nname = \"mail.send\"\nlabels = [\"egress\"]\n[[tool]]\nname = \"db\"";
    let rule = |what: &str| lint_with(tools, &guard("forbid", "f", what));
    assert_eq!(
        rule("what.tool = \"mail.sent\""),
        [
            "rule `f`: the catalogue has no tool `mail.sent`: did you mean `mail.send`? (unknown_tool)"
        ]
    );
    assert_eq!(
        rule("what.tool = { one_of = [\"db\", \"browser\"] }"),
        [
            "rule `f`: the catalogue has no tool `browser`, expected one of `db`, `mail.send` (unknown_tool)"
        ]
    );
    let label = "rule `f`: no tool of the catalogue has the label `egres`: did you mean `egress`? (unknown_label)";
    assert_eq!(rule("what.labels = { has_any = [\"egres\", \"egress\"] }"), [label]);
    assert_eq!(rule("when.seen = { not = { has_all = [\"egres\"] } }"), [label]);
    assert_eq!(
        rule("what = { tool = \"db\", labels = \"any\" }\nwhen.seen = { has_any = [\"egress\"] }"),
        [""; 0]
    );
}

#[test]
fn a_note_of_a_tool_that_the_catalogue_does_not_have_is_named() {
    let tools = "[[tool]]\nname = \"mail.read\"\n[[tool]]\nname = \"t\"\n";
    let known = |of: &str| {
        let rule = format!("what.args.id = {{ one_of = {{ ref = \"notes.{of}#id\" }} }}");
        of_kind(WarningCode::UnknownTool, tools, &permit("p", &rule))
    };
    assert_eq!(known("mail.read"), [""; 0]);
    assert_eq!(
        known("mail.raed"),
        [
            "the catalogue has no tool `mail.raed`, whose calls `notes.mail.raed#id` is of: did you mean `mail.read`?"
        ]
    );
}

#[test]
fn a_guard_on_the_resource_of_no_named_tool_is_named() {
    let acts = "rule `f`: it names no tool and looks at the resource: it acts on every call without a resource, too (acts_without_resource)";
    for (effect, what, expected) in [
        ("forbid", "what.resource.attrs.owner = \"a\"", vec![acts]),
        ("ask", "what = { tool = \"any\", resource.type = \"file\" }", vec![acts]),
        ("forbid", "what = { tool = \"t\", resource.attrs.owner = \"a\" }", vec![]),
        ("forbid", "what.args.a = 1", vec![]),
    ] {
        assert_eq!(lint(&guard(effect, "f", what)), expected, "{what}");
    }
}

#[test]
fn a_permit_of_everything_is_named() {
    let rule = |what: &str| lint(&format!("[[rule]]\nid = \"p\"\neffect = \"permit\"\n{what}"));
    assert_eq!(
        rule("what = { tool = \"any\", args = \"any\" }"),
        ["rule `p`: it permits every tool with any arguments (permits_everything)"]
    );
    assert_eq!(rule("what = { tool = \"any\", args.a = 1 }"), [""; 0]);
    assert_eq!(rule("what = { tool = \"t\", args = \"any\" }"), [""; 0]);
}

#[test]
fn a_pattern_written_where_texts_are_taken_as_they_are_is_named() {
    let named = |fact: &str, text: &str| {
        format!(
            "rule `f`: `{fact}` is compared with `{text}` as it is written: a pattern is said with `glob` (pattern_as_text)"
        )
    };
    for (what, fact, text) in [
        ("what.args.path = \"/data/*\"", "args.path", "/data/*"),
        ("what.args.path = { one_of = [\"/a\", \"/b/*\"] }", "args.path", "/b/*"),
        ("what.args.path = { not = { suffix = \"*.key\" } }", "args.path", "*.key"),
        ("what.args.path = { under = \"/data/*\" }", "args.path", "/data/*"),
        ("what.args.to = { each = { prefix = \"a*\" } }", "args.to", "a*"),
        ("what.args.to = { subset_of = [\"*@acme.test\"] }", "args.to", "*@acme.test"),
        ("what.args.o = { fields = { id = \"7*\" } }", "args.o", "7*"),
        ("what.args.o = { json = { any = [{ eq = 1 }, { eq = \"7*\" }] } }", "args.o", "7*"),
        ("who.id = \"agent-*\"", "who.id", "agent-*"),
        ("who.id = { prefix = \"agent-*\" }", "who.id", "agent-*"),
    ] {
        assert_eq!(lint(&guard("forbid", "f", what)), [named(fact, text)], "{what}");
    }
    for meant in [
        "what.args.path = { glob = \"/data/*\" }",
        "what.args.path = { regex = \"/data/.*\" }",
        "what.args.columns = \"*\"",
        "what.args.query = { contains = \"*\" }",
    ] {
        assert_eq!(lint(&guard("forbid", "f", meant)), [""; 0], "{meant}");
    }
}

/// attack 197
#[test]
fn a_placeholder_that_nothing_is_put_in_for_is_named() {
    for (what, fact, text, placeholder) in [
        (
            "what.args.path = { prefix = \"/home/${who.id}/\" }",
            "args.path",
            "/home/${who.id}/",
            "${who.id}",
        ),
        (
            "what.args.path = { under = \"/home/{{user}}\" }",
            "args.path",
            "/home/{{user}}",
            "{{user}}",
        ),
        ("what.args.path = { contains = \"/$USER/\" }", "args.path", "/$USER/", "$USER"),
        ("what.args.path = { not = { suffix = \"<% x %>\" } }", "args.path", "<% x %>", "<% x %>"),
        ("what.args.q = { one_of = [\"a\", \"$(id)\"] }", "args.q", "$(id)", "$(id)"),
        ("what.args.o = { eq = { k = [\"${a}\"] } }", "args.o", "${a}", "${a}"),
        ("who.groups = { has_any = [\"${team}\"] }", "who.groups", "${team}", "${team}"),
        ("who.attrs.team = \"{{team}}\"", "who.attrs.team", "{{team}}", "{{team}}"),
    ] {
        let expected = format!(
            "rule `f`: `{fact}` is compared with `{text}` as it is written, and nothing is put in for `{placeholder}`: in the place of a value write `{{ ref = \"who.id\" }}`, or `{{ join = [ … ] }}` (template)"
        );
        assert_eq!(lint(&guard("forbid", "f", what)), [expected], "{what}");
    }
    for meant in [
        "what.args.q = { contains = \"$where\" }",
        "what.args.price = \"$5\"",
        "what.args.q = { regex = '\\$\\{[a-z]+\\}' }",
    ] {
        assert_eq!(lint(&guard("forbid", "f", meant)), [""; 0], "{meant}");
    }
}

#[test]
fn a_kind_that_no_identity_is_of_is_named() {
    let of = |kind: &str| lint(&guard("forbid", "f", &format!("who.kind = {kind}")));
    assert_eq!(
        of("\"humna\""),
        [
            "rule `f`: no identity is of the kind `humna`, expected `agent`, `workload`, `human`: did you mean `human`? (unknown_kind)"
        ]
    );
    assert_eq!(of("{ not = { one_of = [\"agent\", \"bot\"] } }").len(), 1);
    for known in ["\"agent\"", "{ one_of = [\"workload\", \"human\"] }", "{ prefix = \"h\" }"] {
        assert_eq!(of(known), [""; 0], "{known}");
    }
}

#[test]
fn an_attribute_that_no_context_may_state_is_named() {
    let when = |when: &str| lint(&guard("forbid", "f", when));
    assert_eq!(
        when("when.time = { after = \"2026-01-01T00:00:00Z\" }"),
        ["rule `f`: no context states `when.time`: the broker's time is `when.now` (never_stated)"]
    );
    assert_eq!(when("when.now = { after = \"2026-01-01T00:00:00Z\" }"), [""; 0]);
    assert_eq!(when("when.times = 3"), [""; 0]);
    let compared = "what.args.at = { not = { same_as = \"when.time\" } }";
    assert_eq!(
        when(compared),
        ["rule `f`: no context states `when.time`: the broker's time is `when.now` (never_stated)"]
    );
}

#[test]
fn a_warning_is_data_for_tools_as_well_as_text() {
    let text = "version = 1\nrule = [{ id = \"p\", effect = \"permit\", what = { tool = \"any\", args = \"any\" } }]";
    let warnings = Policy::from_toml(text).unwrap().lint(Timestamp::MIN);
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!(warning.code(), WarningCode::PermitsEverything);
    assert_eq!(warning.code().as_str(), "permits_everything");
    assert_eq!((warning.rule(), warning.at()), ("p", "what"));
    assert_eq!(warning.message(), "it permits every tool with any arguments");
}
