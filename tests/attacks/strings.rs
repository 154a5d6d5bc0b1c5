//! Names, arguments and numbers.
//!
//! Attacks on paths (1 to 7) and URLs (32 to 36) on arguments that have a type are in `typed_args` and `urls`. Windows paths (8) and command
//! lines (20, 21) are not gated as text: `parsed_again` shows what is done instead. Nor are paths inside texts
//! (17): `docs/policy.md`, "Types of arguments".

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, all_of, any_of, contains, each, eq, fields, glob, has_all, has_any, not, one_of,
    prefix, present, subset_of, suffix,
};
use serde_json::json;

use crate::world::{World, broad, call, policy};

/// What a call comes to if a grant's scope says so of the argument `x`.
pub(crate) fn by_scope(constraint: &Constraint, args: &str) -> Result<(), Reason> {
    let world = World::new([Rule::permit("p").tool("t").arg("x", constraint.clone())]);
    let task = world.open();
    let scope = Scope::tool("t").arg("x", constraint.clone());
    let grant = task.request(scope, &world.context).unwrap();
    world.attempt(&grant, Call::from_json("t", args).unwrap())
}

/// What a call comes to if only a permit says so of the argument `x`.
fn by_rule(constraint: &Constraint, args: &str) -> Result<(), Reason> {
    let world = World::new([
        broad().on([Moment::Request]),
        Rule::permit("p").tool("t").arg("x", constraint.clone()).on([Moment::Call]),
    ]);
    let (_task, grant) = world.granted();
    world.attempt(&grant, Call::from_json("t", args).unwrap())
}

/// What a call comes to if a forbid says so of the argument `x`.
fn by_forbid(constraint: &Constraint, args: &str) -> Result<(), Reason> {
    let world = World::new([broad(), Rule::forbid("f").tool("t").arg("x", constraint.clone())]);
    let (_task, grant) = world.granted();
    world.attempt(&grant, Call::from_json("t", args).unwrap())
}

pub(crate) const PASSES: bool = true;
pub(crate) const DENIED: bool = false;

/// Rows of: constraint on `x`, arguments, whether scope and permit let it pass, and whether a forbid
/// with the same constraint lets it pass.
pub(crate) fn check(rows: &[(Constraint, &str, bool, bool)]) {
    for (constraint, args, covered, not_forbidden) in rows {
        let of = |passes: &bool, reason| if *passes { Ok(()) } else { Err(reason) };
        let row = format!("{constraint:?} of {args}");
        assert_eq!(by_scope(constraint, args), of(covered, Reason::OutOfScope), "scope: {row}");
        assert_eq!(by_rule(constraint, args), of(covered, Reason::NoPermit), "permit: {row}");
        let forbidden = of(not_forbidden, Reason::Forbidden);
        assert_eq!(by_forbid(constraint, args), forbidden, "forbid: {row}");
    }
}

/// attacks 1, 2: on an argument that no catalogue types, a pattern of paths knows nothing of a text that
/// leads elsewhere than it says, whichever folder it begins with
#[test]
fn what_climbs_out_of_a_folder_is_in_no_pattern_of_it() {
    for folder in [glob("/data/**"), glob("/data/*"), prefix("/data/"), glob("/*/**")] {
        for path in [
            "/data/../etc/passwd",
            "/data/..",
            "/data/x/../../etc/shadow",
            "/data//../x",
            "/data/./../x",
            "/data/./a",
            "/tmp/../data/a",
        ] {
            check(&[(folder.clone(), &json!({ "x": path }).to_string(), DENIED, DENIED)]);
        }
        check(&[(folder, r#"{"x":"/data/a"}"#, PASSES, DENIED)]);
    }
    check(&[
        (glob("https://acme.test/**"), r#"{"x":"https://acme.test/a/../../b"}"#, DENIED, DENIED),
        (
            prefix("spiffe://acme.test/agent/"),
            r#"{"x":"spiffe://acme.test/agent/.."}"#,
            DENIED,
            DENIED,
        ),
        (glob("/data/**"), r#"{"x":"/data/..a/b..c/.d"}"#, PASSES, DENIED),
        (glob("/data/**"), r#"{"x":"/etc/passwd"}"#, DENIED, PASSES),
        // Without a slash it is a pattern of names, and what speaks of `..` itself means it.
        (glob("*.pdf"), r#"{"x":"..pdf"}"#, PASSES, DENIED),
        (glob("../shared/*"), r#"{"x":"../shared/a"}"#, PASSES, DENIED),
        (prefix("../shared/"), r#"{"x":"../shared/a"}"#, PASSES, DENIED),
    ]);
}

/// attack 5: no wildcard takes a control for a letter, and a forbid is not passed by one
#[test]
fn a_control_is_matched_by_no_wildcard() {
    for (pattern, text, covered, not_forbidden) in [
        ("/data/*", "/data/a\0.txt", DENIED, DENIED),
        ("/data/**", "/data/a\r", DENIED, DENIED),
        ("/data/**", "/data/\u{1b}[2J", DENIED, DENIED),
        ("a?b", "a\u{7f}b", DENIED, DENIED),
        ("a?b", "a\u{85}b", DENIED, DENIED),
        ("/data/*", "/etc/a\r", DENIED, PASSES),
        ("note *", "note a\tb\nc", PASSES, DENIED),
        ("note *", "note a\u{200b}c", PASSES, DENIED),
    ] {
        let args = json!({ "x": text }).to_string();
        check(&[(glob(pattern), &args, covered, not_forbidden)]);
    }
}

/// attack 9, attack 10: text is compared byte for byte, so another case and another Unicode spelling
/// are other texts; matching never cuts a character in two
#[test]
fn another_spelling_is_another_text() {
    check(&[
        (prefix("/data/"), r#"{"x":"/data/x"}"#, PASSES, DENIED),
        (prefix("/data/"), r#"{"x":"/DATA/x"}"#, DENIED, PASSES),
        (glob("/data/*"), r#"{"x":"/DATA/x"}"#, DENIED, PASSES),
        (suffix(".txt"), r#"{"x":"a.TXT"}"#, DENIED, PASSES),
        (prefix("\u{e9}t"), "{\"x\":\"\u{e9}\"}", DENIED, PASSES),
        (prefix("k"), "{\"x\":\"\u{212A}elvin\"}", DENIED, PASSES),
        (suffix("\u{301}"), "{\"x\":\"caf\u{e9}\"}", DENIED, PASSES),
        (eq("caf\u{e9}"), "{\"x\":\"caf\u{e9}\"}", PASSES, DENIED),
        (eq("caf\u{e9}"), "{\"x\":\"cafe\u{301}\"}", DENIED, PASSES),
        (eq("cafe\u{301}"), "{\"x\":\"caf\u{e9}\"}", DENIED, PASSES),
    ]);
}

/// attack 11, attack 12: look-alike and invisible characters are not part of a name
#[test]
fn a_name_that_only_looks_right_is_no_name() {
    let world = World::new([Rule::permit("p").any_tool().any_args()]);
    let task = world.open();
    let hidden = [
        "r\u{435}ad_file",
        "read\u{200B}_file",
        "read_file\u{202E}",
        "read_file\u{FEFF}",
        "read file",
        "",
    ];
    for name in hidden {
        assert!(Call::new(name, json!({})).is_err(), "{name:?} as a call");
        let denial = task.request(Scope::tool(name), &world.context).unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedScope, "{name:?} in a scope");
        let rule = Policy::builder().rule(Rule::permit("p").tool(name).any_args()).build();
        assert!(rule.is_err(), "{name:?} in a rule");
        let tool = Policy::builder().tool(Tool::new(name)).build();
        assert!(tool.is_err(), "{name:?} in the catalogue");
        let text = format!(
            "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = {{ tool = \"{name}\", args = \"any\" }}"
        );
        assert!(Policy::from_toml(&text).is_err(), "{name:?} in text");
    }
    for key in ["pa\u{200B}th", "path\u{202E}", "\u{FEFF}path", "pa\u{AD}th", ""] {
        for args in [json!({ key: 1 }), json!({ "deep": [{ key: 1 }] })] {
            assert!(Call::new("t", args).is_err(), "{key:?} as an argument");
        }
    }
}

/// attack 13, attack 14: a tool is what it is called, byte for byte, and a new name has no rule
#[test]
fn a_tool_under_another_name_has_no_rule() {
    let shell = Rule::permit("shell").tool_like(glob("shell:*")).any_args();
    let reader = Rule::permit("read").tool("read_file").any_args();
    let world = World::new([shell.clone(), reader.clone()]);
    let task = world.open();
    let _shell = task.request(Scope::tool("shell:rm").any_args(), &world.context).unwrap();
    let grant = task.request(Scope::tool("read_file").any_args(), &world.context).unwrap();
    for name in ["Shell:rm", "shell", "xshell:rm", "read_file2", "Read_file", "fs.read_file"] {
        let denial = task.request(Scope::tool(name).any_args(), &world.context).unwrap_err();
        assert_eq!(denial.reason(), Reason::NotCovered, "{name}");
        let call = Call::new(name, json!({})).unwrap();
        assert_eq!(world.attempt(&grant, call), Err(Reason::OutOfScope), "{name}");
    }

    // Where there is a catalogue, the new name is not a tool at all, whatever the rules would say.
    let catalogue = Policy::builder()
        .tool(Tool::new("read_file"))
        .rule(Rule::permit("all").any_tool().any_args())
        .build()
        .unwrap();
    let world = World::of(catalogue, |builder| builder);
    let task = world.open();
    let grant = task.request(Scope::tool("read_file").any_args(), &world.context).unwrap();
    let denial = task.request(Scope::tool("alias").any_args(), &world.context).unwrap_err();
    assert_eq!(denial.reason(), Reason::UnknownTool);
    let call = Call::new("alias", json!({})).unwrap();
    assert_eq!(world.attempt(&grant, call), Err(Reason::UnknownTool));
}

/// attack 31: what is empty is an error when the policy is loaded and when a scope is asked for
#[test]
fn nothing_empty_means_everything() {
    let none = Vec::<&str>::new;
    let constraints = [
        one_of(none()),
        any_of([]),
        all_of([]),
        not(any_of([])),
        prefix(""),
        suffix(""),
        contains(""),
        glob(""),
        has_any(none()),
        has_all(none()),
        subset_of(none()),
        each(one_of(none())),
        fields([("inner", one_of(none()))]),
    ];
    let world = World::new([broad()]);
    let task = world.open();
    for constraint in constraints {
        for rule in [Rule::permit("r"), Rule::forbid("r")] {
            let built = Policy::builder().rule(rule.tool("t").arg("x", constraint.clone())).build();
            assert!(built.is_err(), "{constraint:?} in a rule");
        }
        let scope = Scope::tool("t").arg("x", constraint.clone());
        let denial = task.request(scope, &world.context).unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedScope, "{constraint:?} in a scope");
    }
    let rules = [
        Rule::permit("r").tools([]).any_args(),
        Rule::permit("r").any_args(),
        Rule::permit("r").tool("t").any_args().on([]),
        Rule::permit("").tool("t").any_args(),
    ];
    for rule in rules {
        assert!(Policy::builder().rule(rule.clone()).build().is_err(), "{rule:?}");
    }
    for what in [
        r#"{ tool = [], args = "any" }"#,
        r#"{ tool = "", args = "any" }"#,
        r#"{ args = "any" }"#,
        r#"{ tool = "t", args = { x = { one_of = [] } } }"#,
        r#"{ tool = "t", args = { x = {} } }"#,
        r#"{ tool = "t", args = { x = { any = [] } } }"#,
        r#"{ tool = "t", args = { x = { all = [] } } }"#,
        r#"{ tool = "t", args = { x = { glob = "" } } }"#,
        r#"{ tool = "t", args = "" }"#,
    ] {
        let text = format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat = {what}");
        assert!(Policy::from_toml(&text).is_err(), "{what}");
    }
    let empty = task.request(Scope::default(), &world.context).unwrap_err();
    assert_eq!(empty.reason(), Reason::MalformedScope);
}

/// attack 49: a resource is its type and its id, whole
#[test]
fn a_resource_beside_the_one_granted_is_another() {
    let resource = |rule: Rule, id: &str| rule.resource_type(eq("db")).resource_id(eq(id));
    let users = || Resource::new("db", "db:users");
    let rows: [(Option<Resource>, bool); 8] = [
        (Some(users()), PASSES),
        (None, DENIED),
        (Some(Resource::new("db", "db")), DENIED),
        (Some(Resource::new("db", "db:users:42")), DENIED),
        (Some(Resource::new("db", "db:orders")), DENIED),
        (Some(Resource::new("table", "db:users")), DENIED),
        (Some(Resource::new("db", "")), DENIED),
        (Some(Resource::new("", "db:users")), DENIED),
    ];
    let of = |rules: Vec<Rule>, scope: Scope| {
        let world = World::new(rules);
        let task = world.open();
        let grant = task.request(scope, &world.context).unwrap();
        (world, task, grant)
    };
    let write = |resource: &Option<Resource>| {
        let call = call(json!({}));
        resource.clone().into_iter().fold(call, Call::on)
    };
    let named = Scope::tool("t").resource(eq("db"), eq("db:users"));
    let (scoped, _task, grant) =
        of(vec![Rule::permit("p").tool("t").any_resource()], named.clone());
    let (ruled, _other_task, wide) = of(
        vec![
            broad().any_resource().on([Moment::Request]),
            resource(Rule::permit("p").tool("t"), "db:users").on([Moment::Call]),
        ],
        Scope::tool("t").any_args().any_resource(),
    );
    for (resource, passes) in rows {
        let row = format!("{resource:?}");
        assert_eq!(scoped.attempt(&grant, write(&resource)).is_ok(), passes, "scope: {row}");
        assert_eq!(ruled.attempt(&wide, write(&resource)).is_ok(), passes, "permit: {row}");
    }
    // A scope that says nothing of a resource has none.
    let (silent, _task, none) =
        of(vec![Rule::permit("p").tool("t").any_resource()], Scope::tool("t"));
    assert_eq!(silent.attempt(&none, write(&None)), Ok(()));
    assert_eq!(silent.attempt(&none, write(&Some(users()))), Err(Reason::OutOfScope));
    // A rule that names half a resource is a load error: the other half would be a wildcard.
    for rule in [
        Rule::permit("p").tool("t").resource_type(eq("db")),
        Rule::permit("p").tool("t").resource_id(eq("db:users")),
    ] {
        assert!(Policy::builder().rule(rule).build().is_err());
    }
    // A request for a resource next to the permitted one, or for any, is not covered.
    let world =
        World::of(policy([resource(Rule::permit("p").tool("t"), "db:users")]), |builder| builder);
    let task = world.open();
    for scope in [
        Scope::tool("t").resource(eq("db"), eq("db")),
        Scope::tool("t").resource(eq("db"), present()),
        Scope::tool("t").any_resource(),
        Scope::tool("t"),
    ] {
        let row = format!("{scope:?}");
        let denial = task.request(scope, &world.context).unwrap_err();
        assert_eq!(denial.reason(), Reason::NotCovered, "{row}");
    }
    let _covered = task.request(named, &world.context).unwrap();
}
