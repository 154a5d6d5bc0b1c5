//! The catalogue as a schema: of which kind each argument is, and which arguments there are.

use hallpass::policy::ArgType;
use hallpass::prelude::*;
use hallpass::scope::{any, eq, has_any, items, max, prefix, reference};
use serde_json::{Value as Json, json};

use super::World;

const TYPES: [(ArgType, &[&str]); 7] = [
    (ArgType::Text, &["\"\"", "\"a\""]),
    (ArgType::Number, &["1", "-0.5"]),
    (ArgType::Integer, &["1", "2.0"]),
    (ArgType::Bool, &["true"]),
    (ArgType::List, &["[]", "[1,\"a\",null]", "[\"a\"]"]),
    (ArgType::Texts, &["[]", "[\"a\"]"]),
    (ArgType::Object, &["{}", "{\"a\":1}"]),
];

/// attacks 14, 15: a value of another kind is refused, whatever the rules say.
#[test]
fn a_call_has_each_argument_in_the_kind_that_is_listed() {
    let all = TYPES.iter().flat_map(|(_, own)| own.iter());
    let all: Vec<&str> = all.copied().chain(["null", "0.5", "[[\"a\"]]"]).collect();
    for (of, taken) in TYPES {
        for optional in [false, true] {
            let tool = Tool::new("mail.send");
            let tool = match optional {
                true => tool.optional_arg("x", of),
                false => tool.arg("x", of),
            };
            let world = World::with([tool], [Rule::permit("p").tool("mail.send").any_args()]);
            for text in &all {
                let value: Json = serde_json::from_str(text).unwrap();
                let answer = world.send(Scope::tool("mail.send").any_args(), json!({ "x": value }));
                let is_number = matches!(of, ArgType::Number) && value.is_number();
                let is_list = matches!(of, ArgType::List) && value.is_array();
                let is_left_out = optional && value.is_null();
                let is_text = matches!(of, ArgType::Integer) && *text == "1";
                let fits = taken.contains(text) || is_number || is_list || is_left_out || is_text;
                match answer {
                    Ok(_) => assert!(fits, "{of:?} {text}"),
                    Err(denial) => {
                        assert!(!fits, "{of:?} {text}: {}", denial.explain());
                        assert_eq!(denial.reason(), Reason::MalformedCall);
                    }
                }
            }
        }
    }
}

fn loads(rules: &str) -> Result<Policy, String> {
    let tools = "version = 1\n[[tool]]\nname = \"pay\"\nargs = { to = \"text\", amount = \"number\", file = \"path?\", tags = [\"text\"] }\n\
                 [[tool]]\nname = \"note\"\n[[tool]]\nname = \"log\"\nargs = { line = \"text\" }\n";
    Policy::from_toml(&format!("{tools}{rules}")).map_err(|error| error.to_string())
}

fn permit(tools: &str, args: &str) -> String {
    format!(
        "[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat = {{ tool = {{ one_of = [{tools}] }}, args = {{ {args} }} }}\n"
    )
}

#[test]
fn a_rule_names_no_argument_that_its_tools_do_not_have() {
    let refused = |tools: &str, args: &str| loads(&permit(tools, args)).unwrap_err();
    let told = "line 13, column 57: rule `r`: `what.args.amuont`: `pay` has no argument `amuont`: did you mean `amount`?";
    assert_eq!(refused("\"pay\"", "amuont = { max = 5, min = 0 }"), told);
    assert!(refused("\"pay\", \"log\"", "x = 1").contains("`log` or `pay` has no argument `x`"));
    assert!(
        refused("\"pay\"", "to = { same_as = \"args.form\" }").contains("has no argument `form`")
    );
    assert!(refused("\"pay\"", "to = { prefix = { ref = \"args.form\" } }").contains("`form`"));
    let budget = permit("\"pay\"", "to = \"any\"") + "grant = { budget = { \"args.sum\" = 5 } }\n";
    assert!(loads(&budget).unwrap_err().contains("`grant.budget`: `pay` has no argument `sum`"));
    // Where one of the tools may have it, or lists nothing, it may be meant.
    for (tools, args) in [
        ("\"pay\", \"log\"", "line = \"any\""),
        ("\"pay\", \"note\"", "anything = 1"),
        ("\"note\"", "anything = 1"),
    ] {
        assert!(loads(&permit(tools, args)).is_ok(), "{tools} {args}");
    }
    // A list of spellings alone is not a list of all arguments.
    let typed = "version = 1\n[[tool]]\nname = \"t\"\nargs = { file = \"path\" }\n";
    let rule =
        "[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = { x = 1 } }\n";
    assert!(Policy::from_toml(&format!("{typed}{rule}")).is_ok());
}

#[test]
fn a_rule_compares_no_argument_with_another_kind_of_value() {
    for args in [
        "to = 5",
        "to = { max = 5 }",
        "to = { has_any = [\"a\"] }",
        "to = { each = { prefix = \"a\" } }",
        "to = { max = { ref = \"args.amount\" } }",
        "amount = \"5\"",
        "amount = { one_of = [1, \"2\"] }",
        "amount = { not = { prefix = \"5\" } }",
        "amount = { len = 3 }",
        "tags = { max = 5 }",
        "tags = { has_any = [1] }",
        "tags = { fields = { a = 1 } }",
    ] {
        assert!(loads(&permit("\"pay\"", args)).is_err(), "{args}");
    }
    for args in [
        "to = { one_of = [\"a\"], len = { max = 5 } }",
        "amount = { min = 0, max = { ref = \"who.attrs.limit\" } }",
        "amount = { any = [5, { above = 7, max = 9 }] }",
        "tags = { has_any = [\"a\"], count = { max = 3 } }",
        "tags = { items = [\"a\"], rest = \"any\" }",
        "tags = { eq = [\"a\", \"b\"] }",
        "tags = { prefix = \"a\" }",
        "file = { any = [{ present = false }, { under = \"/a\" }] }",
        "to = { one_of = { ref = \"when.words\" } }",
    ] {
        assert_eq!(loads(&permit("\"pay\"", args)).err(), None, "{args}");
    }
}

/// An agent that asks for what no call can be is told so.
#[test]
fn a_scope_of_another_kind_is_refused() {
    let tool = Tool::new("mail.send").arg("to", ArgType::Text).arg("tags", ArgType::Texts);
    let world = World::with([tool], [Rule::permit("p").tool("mail.send").any_args()]);
    let task = world.open();
    let asked = |name: &str, constraint| {
        task.request(Scope::tool("mail.send").arg(name, constraint), &Context::new())
            .map(drop)
            .map_err(|denial| denial.reason())
    };
    for odd in [eq(5), max(5), has_any(["a"]), items([any()]), reference("args.tags").as_max()] {
        assert_eq!(asked("to", odd.clone()), Err(Reason::MalformedScope), "{odd}");
    }
    for fits in [eq("a"), prefix("a"), reference("args.tags").as_one_of()] {
        assert_eq!(asked("to", fits.clone()), Ok(()), "{fits}");
    }
    assert_eq!(asked("tags", has_any(["a"])), Ok(()));
    assert_eq!(asked("tags", has_any([1])), Err(Reason::MalformedScope));
}

#[test]
fn words_of_other_systems_are_told_what_they_are_called_here() {
    for (word, own) in [
        ("\"string\"", "the word here is `text`"),
        ("\"decimal\"", "the word here is `number`"),
        ("\"array\"", "the word here is `list`"),
        ("[\"number\"]", "a list of one type is `[\"text\"]`"),
        ("[\"text\", \"text\"]", "a list of one type is `[\"text\"]`"),
        ("\"txet\"", "did you mean `text`?"),
    ] {
        let text = format!("version = 1\n[[tool]]\nname = \"t\"\nargs = {{ a = {word} }}\n");
        let error = Policy::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(own), "{error}");
    }
}
