//! Arguments for which a value stands where a call leaves them out.

use std::io;

use hallpass::policy::{ArgType, PolicyError};
use hallpass::prelude::*;
use hallpass::scope::{absent, any, eq, max, min, optional};
use serde_json::json;

use super::World;

fn logs() -> Tool {
    Tool::new("mail.send").arg("file", ArgType::Text).default_arg("lines", ArgType::Integer, 100)
}

fn reader() -> Rule {
    Rule::permit("readers").tool("mail.send").arg("file", any())
}

fn asked() -> Scope {
    Scope::tool("mail.send").arg("file", any())
}

#[test]
fn what_a_call_leaves_out_is_judged_as_its_default_and_the_tool_gets_that() {
    let up_to = |most: i64| World::with([logs()], [reader().arg("lines", min(1).and(max(most)))]);
    let scope = |most: i64| asked().arg("lines", min(1).and(max(most)));
    let got = json!({ "file": "a", "lines": 100 });
    for given in [json!({ "file": "a" }), json!({ "file": "a", "lines": null }), got.clone()] {
        assert_eq!(up_to(100).send(scope(100), given.clone()).unwrap(), got, "{given}");
        let denial = up_to(99).send(scope(99), given.clone()).unwrap_err();
        assert_eq!(denial.reason(), Reason::OutOfScope, "{given}");
    }
    // A forbid sees it, too.
    let refused = Rule::forbid("not-a-hundred").tool("mail.send").arg("lines", eq(100));
    let own = World::with([logs()], [reader().arg("lines", any()), refused]);
    let all = || asked().arg("lines", any());
    assert!(own.send(all(), json!({ "file": "a" })).is_err());
    assert!(own.send(all(), json!({ "file": "a", "lines": 99 })).is_ok());
}

#[test]
fn a_permit_and_a_scope_that_do_not_name_it_cover_its_default_and_nothing_else() {
    let own = World::with([logs()], [reader()]);
    let got = json!({ "file": "a", "lines": 100 });
    for given in [
        json!({ "file": "a" }),
        json!({ "file": "a", "lines": 100 }),
        json!({ "file": "a", "lines": null }),
    ] {
        assert_eq!(own.send(asked(), given.clone()).unwrap(), got, "{given}");
    }
    for lines in [json!(99), json!(101), json!("100"), json!([100])] {
        assert!(own.send(asked(), json!({ "file": "a", "lines": lines })).is_err(), "{lines}");
    }
    // More than that has to be permitted.
    for more in [any(), max(100), eq(99), optional(eq(101))] {
        let task = own.open();
        assert!(task.request(asked().arg("lines", more), &Context::new()).is_err());
    }
    // Where the permit lets more be there, a scope that does not name it is still of the default alone.
    let open = World::with([logs()], [reader().arg("lines", any())]);
    assert!(open.send(asked(), json!({ "file": "a", "lines": 99 })).is_err());
    assert!(open.send(asked(), json!({ "file": "a" })).is_ok());
}

/// An agent that asks for exactly the call it will make can make it, however it leaves the argument out.
#[test]
fn a_scope_that_asks_for_calls_without_it_asks_for_the_default() {
    let own = World::with([logs()], [reader()]);
    for args in [json!({ "file": "a" }), json!({ "file": "a", "lines": null })] {
        let call = Call::new("mail.send", args).unwrap();
        let task = own.open();
        let grant = task.request(Scope::exactly(&call), &Context::new()).unwrap();
        assert_eq!(own.attempt(grant.token(), call).unwrap(), json!({ "file": "a", "lines": 100 }));
        let other = Call::new("mail.send", json!({ "file": "a", "lines": 5 })).unwrap();
        assert_eq!(own.attempt(grant.token(), other).unwrap_err().reason(), Reason::OutOfScope);
    }
    for pinned in [absent(), eq(hallpass::value::Value::Null)] {
        let scope = asked().arg("lines", pinned);
        assert!(own.send(scope, json!({ "file": "a" })).is_ok());
    }
}

#[test]
fn a_permit_of_several_tools_covers_a_default_that_all_of_them_have() {
    let other = |lines| {
        Tool::new("mail.draft").arg("file", ArgType::Text).default_arg(
            "lines",
            ArgType::Integer,
            lines,
        )
    };
    let both = || Rule::permit("readers").tools(["mail.send", "mail.draft"]).arg("file", any());
    let is_read = |tools: [Tool; 2]| {
        World::with(tools, [both()]).send(asked(), json!({ "file": "a" })).is_ok()
    };
    assert!(is_read([logs(), other(100)]));
    assert!(!is_read([logs(), other(10)]));
    assert!(!is_read([logs(), Tool::new("mail.draft").arg("file", ArgType::Text)]));
}

#[test]
fn what_is_compared_with_it_is_compared_with_the_default() {
    let same = Rule::permit("p")
        .tool("mail.send")
        .arg("file", any())
        .arg("lines", hallpass::scope::same_as("when.lines"));
    let own = World::with([logs()], [same]);
    let task = own.open();
    let context = |lines: i64| Context::new().with("lines", lines);
    assert!(task.request(asked(), &context(100)).is_ok());
    assert!(task.request(asked(), &context(99)).is_err());
}

#[test]
fn it_is_part_of_what_a_policy_says() -> Result<(), PolicyError> {
    let digest = |tool| Policy::builder().tool(tool).rule(reader()).build().map(|own| own.digest());
    let optional =
        Tool::new("mail.send").arg("file", ArgType::Text).optional_arg("lines", ArgType::Integer);
    let ten = Tool::new("mail.send").arg("file", ArgType::Text).default_arg(
        "lines",
        ArgType::Integer,
        10,
    );
    assert_ne!(digest(logs())?, digest(optional)?);
    assert_ne!(digest(logs())?, digest(ten)?);
    let text = "version = 1\n[[tool]]\nname = \"mail.send\"\nargs = { file = \"text\", lines = { type = \"integer\", default = 100 } }\n\
                [[rule]]\nid = \"readers\"\neffect = \"permit\"\nwhat = { tool = \"mail.send\", args = { file = \"any\" } }\n";
    assert_eq!(Policy::from_toml(text)?.digest(), digest(logs())?);
    // Built again from its rules, it is the same.
    let policy = Policy::from_toml(text)?;
    let again = Policy::builder().tool(logs()).rules(policy.rules().cloned()).build()?;
    assert_eq!(again.digest(), policy.digest());
    Ok(())
}

#[test]
fn a_default_that_no_call_could_have_does_not_load() {
    let problem = |args: &str| {
        let text = format!("version = 1\n[[tool]]\nname = \"mail.send\"\nargs = {args}\n");
        Policy::from_toml(&text).unwrap_err().to_string()
    };
    for (args, said) in [
        (
            "{ lines = { type = \"integer\", default = 1.5 } }",
            "has a fraction, expected an integer",
        ),
        (
            "{ lines = { type = \"integer\", default = \"100\" } }",
            "is of the kind text, expected integer",
        ),
        ("{ file = { type = \"path\", default = \"/data/./a\" } }", "write `\"/data/a\"`"),
        ("{ lines = { default = 100 } }", "say `type`, too"),
        ("{ lines = { type = \"integer\", minimum = 1 } }", "in the rules"),
    ] {
        assert!(problem(args).contains(said), "{args}: {}", problem(args));
    }
    let long = format!("{{ file = {{ type = \"text\", default = \"{}\" }} }}", "x".repeat(5_000));
    assert!(problem(&long).contains("at most 4096 bytes"));
}

/// What a catalogue fills in is read out of what was granted each time anew, and does not stay with the grant.
#[test]
fn a_grant_says_what_it_was_given_as_whichever_catalogues_it_lived_under() {
    let without = || {
        let tool = Tool::new("mail.send").arg("file", ArgType::Text);
        tool.optional_arg("lines", ArgType::Integer)
    };
    let policy = |tool: Tool, lines: i64| {
        let refused = Rule::forbid("so-many").tool("mail.send").arg("lines", eq(lines));
        Policy::builder().tool(tool).rules([reader(), refused]).build().unwrap()
    };
    let here = Context::new();
    for (at, looked_at) in ["not", "by a call", "by a scan", "by a renewal"].iter().enumerate() {
        let own = World::with([without()], [reader()]);
        let task = own.open();
        let mut grant = task.request(asked(), &here).unwrap();
        let calls = |grant: &Grant| {
            let call = Call::new("mail.send", json!({ "file": "a" })).unwrap();
            own.attempt(grant.token(), call)
        };
        assert_eq!(calls(&grant).unwrap(), json!({ "file": "a" }));
        let scan = own.broker.reload(&policy(logs(), 7)).unwrap();
        match at {
            0 => {}
            1 => assert_eq!(calls(&grant).unwrap(), json!({ "file": "a", "lines": 100 })),
            2 => assert!(scan.finish().grants.is_empty()),
            _ => {
                task.renew(&mut grant, &own.agent, &here).unwrap();
                assert_eq!(calls(&grant).unwrap(), json!({ "file": "a", "lines": 100 }));
            }
        }
        // With its default it would be refused here.
        let next = policy(without(), 100);
        assert!(own.broker.preview(&next).grants.is_empty(), "{looked_at}");
        drop(own.broker.reload(&next).unwrap());
        assert_eq!(calls(&grant).unwrap(), json!({ "file": "a" }), "{looked_at}");
        task.renew(&mut grant, &own.agent, &here).unwrap();
        assert_eq!(calls(&grant).unwrap(), json!({ "file": "a" }), "{looked_at}");
    }
}

/// Searches and differences find no call without it, since there is none.
#[test]
fn no_question_is_found_without_it() -> io::Result<()> {
    let policy =
        |rule: Rule| Policy::builder().tool(logs()).rule(rule).build().map_err(io::Error::other);
    let without = policy(reader().arg("lines", absent()))?;
    let with = policy(reader())?;
    assert!(with.diff(&without).wider().is_shown_empty());
    let witness = with.diff(&without);
    let lost = witness.narrower().witnesses().next().map(|own| own.call().args().to_json());
    assert!(lost.is_some_and(|own| own.contains("\"lines\":100")), "{witness}");
    Ok(())
}

/// Each default that a scope does not name is a condition of it.
#[test]
fn a_scope_that_is_too_large_with_the_defaults_of_its_tool_is_refused() {
    let names: Vec<String> = (0..127).map(|at| format!("a{at}")).collect();
    let typed = names.iter().fold(logs(), |tool, name| tool.arg(name, ArgType::Integer));
    let more = typed.clone().default_arg("tail", ArgType::Integer, 1);
    let own = |tool: Tool| {
        let rule = Rule::permit("all").tool("mail.send").any_args();
        World::with([tool], [rule])
    };
    let scope = names.iter().fold(Scope::tool("mail.send"), |scope, name| scope.arg(name, any()));
    // As many as it may have.
    let world = own(typed);
    assert!(world.open().request(scope.clone(), &Context::new()).is_ok());
    let world = own(more);
    let denial = world.open().request(scope.clone(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedScope);
    let told = denial.explain().to_string();
    assert!(
        told.contains("with the defaults of `mail.send` it has more than 128 conditions"),
        "{told}"
    );
    // One that names what is left out, or lets it be anything, has no more than it says.
    assert!(world.open().request(scope.arg("tail", eq(1)), &Context::new()).is_err());
    let open = Scope::tool("mail.send").any_args();
    assert!(world.open().request(open, &Context::new()).is_ok());
}

/// What a guard does not name may be anything, its default and all else.
#[test]
fn a_guard_that_does_not_name_it_acts_whatever_is_given() {
    let guard = Rule::forbid("no-secrets").tool("mail.send").arg("file", eq("secret"));
    let own = World::with([logs()], [reader().arg("lines", any()), guard]);
    let all = || asked().arg("lines", any());
    for lines in [json!(100), json!(1), json!(null)] {
        let args = json!({ "file": "secret", "lines": lines });
        assert_eq!(own.send(all(), args).unwrap_err().reason(), Reason::Forbidden, "{lines}");
    }
    assert!(own.send(all(), json!({ "file": "secret" })).is_err());
    assert!(own.send(all(), json!({ "file": "a", "lines": 1 })).is_ok());
}
