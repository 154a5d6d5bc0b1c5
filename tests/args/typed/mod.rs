//! Arguments that the catalogue gives a type: one spelling, before anything is decided.

mod defaults;
mod optional;
mod paths;
mod schema;
mod scopes;

use hallpass::audit::{Event, MemoryLog};
use hallpass::clock::{Clock, SystemClock, Timestamp};
use hallpass::policy::{ArgType, Moment};
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, eq, glob, has_any, not, one_of, optional, prefix, regex, some, under,
};
use hallpass::token::Presentable;
use serde_json::{Value as Json, json};
use testkit::FlushedLog;

pub(crate) fn mail() -> Tool {
    Tool::new("mail.send").arg("attachment", ArgType::Path)
}

/// A broker, somebody who may send any mail, and the log.
pub(crate) struct World {
    broker: Broker,
    agent: Identity,
    log: FlushedLog,
}

impl World {
    fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        World::with([mail(), Tool::new("note")], rules)
    }

    fn with(tools: impl IntoIterator<Item = Tool>, rules: impl IntoIterator<Item = Rule>) -> Self {
        let policy = Policy::builder().tools(tools).rules(rules).build().unwrap();
        let log = MemoryLog::new();
        let broker = Broker::builder(policy).log(log.clone()).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        World { log: FlushedLog::of(&broker, log), broker, agent }
    }

    fn open(&self) -> Task {
        self.broker.open(&self.agent, Purpose::new("mail")).unwrap()
    }

    /// What the tool gets, or why it gets nothing; a dry run says the same.
    fn attempt(&self, token: &impl Presentable, call: Call) -> Result<Json, Denial> {
        let gate = self.broker.gate();
        let context = Context::new();
        let foretold = gate.check(token, &self.agent, &call, &context);
        let done = gate.authorize(token, &self.agent, call, &context).map(|permit| {
            let receipt = permit.run(|running| Ok::<_, ()>(running.args().to_json())).unwrap();
            let seen = receipt.scrubbed();
            serde_json::from_str(&seen).unwrap()
        });
        let why = |denial: &Denial| (denial.reason(), denial.explain().to_string());
        assert_eq!(foretold.as_ref().err().map(why), done.as_ref().err().map(why));
        done
    }

    fn send(&self, scope: Scope, args: Json) -> Result<Json, Denial> {
        let task = self.open();
        let grant = task.request(scope, &Context::new())?;
        self.attempt(grant.token(), Call::new("mail.send", args).unwrap())
    }
}

pub(crate) fn any_mail() -> Rule {
    Rule::permit("mail").tool("mail.send").any_args()
}

pub(crate) fn attached(constraint: Constraint) -> Scope {
    Scope::tool("mail.send").arg("attachment", constraint)
}

/// What only the scope, only a permit and only a forbid say of a path that a call gives.
fn decisions(constraint: &Constraint, path: &str) -> [Option<Reason>; 3] {
    let args = || json!({ "attachment": path });
    let everything = Scope::tool("mail.send").any_args();
    let scope = World::of([any_mail()]).send(attached(constraint.clone()), args());
    let rule = Rule::permit("p").tool("mail.send").arg("attachment", constraint.clone());
    let permit = World::of([any_mail().on([Moment::Request]), rule.on([Moment::Call])])
        .send(everything.clone(), args());
    let rule = Rule::forbid("f").tool("mail.send").arg("attachment", constraint.clone());
    let forbid = World::of([any_mail(), rule]).send(everything, args());
    [scope, permit, forbid].map(|answer| answer.err().map(|denial| denial.reason()))
}

const COVERED: [Option<Reason>; 3] = [None, None, Some(Reason::Forbidden)];
const OUTSIDE: [Option<Reason>; 3] = [Some(Reason::OutOfScope), Some(Reason::NoPermit), None];
const REFUSED: [Option<Reason>; 3] = [Some(Reason::MalformedCall); 3];

/// attacks 1 to 7, 9: a path in another spelling is judged by the one that the tool gets, and one that
/// others may read as something else is refused whatever the rules say
#[test]
fn paths_are_judged_in_the_spelling_the_tool_gets() {
    let data = under("/data");
    let project = under("/home/u/project");
    for (constraint, path, expected) in [
        (&data, "/data/a", COVERED),
        (&data, "/data/./a", COVERED),
        (&data, "//data//a/", COVERED),
        (&data, "/data/../etc/passwd", REFUSED),
        (&data, "/data/a/../../etc/shadow", REFUSED),
        (&data, "/data//../x", REFUSED),
        (&data, "/data/./../x", REFUSED),
        (&data, "/data/a/..", REFUSED),
        (&data, r"/tmp/evil\..\..\data/s", REFUSED),
        (&data, "/data/a\0", REFUSED),
        (&data, "/data/a\n", REFUSED),
        (&data, "/data/a\r", REFUSED),
        (&data, "/data/\u{1b}[2J", REFUSED),
        (&data, "/data/%2e%2e/etc", REFUSED),
        (&data, "/data/%61", REFUSED),
        (&data, "~/data", REFUSED),
        (&data, "", REFUSED),
        (&data, "/DATA/x", OUTSIDE),
        (&data, "/database", OUTSIDE),
        (&project, "/home/u/project/k", COVERED),
        (&project, "/home/u/project-secrets/k", OUTSIDE),
        (&glob("/data/*"), "/data/./a", COVERED),
        (&glob("/data/*"), "/data/../etc/passwd", REFUSED),
        (&prefix("/data/"), "/data/.//a", COVERED),
        (&eq("/data/a"), "/data/./a/", COVERED),
    ] {
        assert_eq!(decisions(constraint, path), expected, "{constraint} of {path:?}");
    }
}

/// attack 7: the tool gets the canonical form only, and so does the log
#[test]
fn the_tool_and_the_log_get_the_canonical_form() {
    let world = World::of([any_mail(), Rule::forbid("f").tool("mail.send").arg("no", eq(true))]);
    let everything = || Scope::tool("mail.send").any_args();
    // What a tool gets, and how the log knows it.
    let sent = |args: Json| {
        let got = world.send(everything(), args).ok();
        let logged = world.log.records().into_iter().rev().find_map(|record| match record.event {
            Event::Permitted { args, .. } => Some(args.into_owned()),
            Event::Denied { args, .. } => args.map(|args| args.into_owned()),
            _ => None,
        });
        (got, logged.unwrap())
    };
    for (given, canonical) in [
        (json!({ "attachment": "/data/./a/" }), json!({ "attachment": "/data/a" })),
        (
            json!({ "attachment": ["/a", "b//c", "./d"] }),
            json!({ "attachment": ["/a", "b/c", "d"] }),
        ),
        (
            json!({ "attachment": "//a", "to": "/b/./c", "n": [{ "attachment": "//" }] }),
            json!({ "attachment": "/a", "to": "/b/./c", "n": [{ "attachment": "//" }] }),
        ),
        (json!({ "to": "./x" }), json!({ "to": "./x" })),
        (json!({ "attachment": [] }), json!({ "attachment": [] })),
    ] {
        let (got, logged) = sent(given.clone());
        assert_eq!(got.as_ref(), Some(&canonical));
        assert_eq!((got, &logged), (sent(canonical.clone()).0, &sent(canonical).1), "{given}");
        assert_ne!(sent(json!({ "attachment": "/other" })).1, logged);
    }
    let (denied, logged) = sent(json!({ "attachment": "a/.", "no": true }));
    assert_eq!((denied, logged), sent(json!({ "attachment": "a", "no": true })));
}

/// attack 15: of a list, every element is a path
#[test]
fn what_is_no_path_is_refused_and_the_operator_is_told_which_argument() {
    for (value, told) in [
        (json!("../x"), "argument `attachment` is not a path: the path has a segment `..`"),
        (json!(["/data/a", "/data/../etc/passwd"]), "argument `attachment` is not a path"),
        (json!(7), "argument `attachment` is of the kind number, expected text or a list of texts"),
        (json!(null), "argument `attachment` is of the kind null"),
        (json!(true), "argument `attachment` is of the kind boolean"),
        (json!({ "path": "/a" }), "argument `attachment` is of the kind object"),
        (
            json!(["/a", 1]),
            "argument `attachment` has an element of the kind number, expected text",
        ),
        (json!([["/a"]]), "argument `attachment` has an element of the kind list"),
        (json!("/a\u{202e}"), r"the hidden character `\u{202e}`"),
    ] {
        let world = World::of([any_mail()]);
        let everything = Scope::tool("mail.send").any_args();
        let denial = world.send(everything, json!({ "attachment": value })).unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedCall);
        let explained = denial.explain().to_string();
        assert!(explained.contains(told), "{explained}");
        assert!(!denial.to_string().contains("attachment"), "an agent is not told");
        let logged = world.log.records().into_iter().any(|record| {
            matches!(record.event, Event::Denied { reason, .. } if reason == "malformed_call")
        });
        assert!(logged, "{explained}");
    }
}

#[test]
fn a_typed_argument_may_be_left_out_where_the_rules_let_it() {
    let rule = Rule::permit("p").tool("mail.send").arg("attachment", optional(under("/data")));
    let world = World::of([rule]);
    let scope = || attached(optional(under("/data")));
    assert_eq!(world.send(scope(), json!({})).unwrap(), json!({}));
    assert!(world.send(scope(), json!({ "attachment": "/data/a" })).is_ok());
    assert!(world.send(scope(), json!({ "attachment": "/etc/a" })).is_err());
}

/// A presentation is bound to the call as its holder made it, and worth one call in any spelling.
#[test]
fn a_call_bound_presentation_is_bound_to_the_call_as_it_was_made() {
    let world = World::of([any_mail()]);
    let task = world.open();
    let grant = task.request(attached(under("/data")), &Context::new()).unwrap();
    let now = SystemClock::new().read().unwrap().wall;
    let made = Call::new("mail.send", json!({ "attachment": "/data/./a" })).unwrap();
    let canonical = Call::new("mail.send", json!({ "attachment": "/data/a" })).unwrap();
    let bound = grant.token().present(&made, now).unwrap();
    let denial = world.attempt(&bound, canonical).unwrap_err();
    assert_eq!(denial.reason(), Reason::BadSignature);
    let context = Context::new();
    let permit = world.broker.gate().authorize(&bound, &world.agent, made.clone(), &context);
    assert_eq!(permit.unwrap().start().unwrap().args().text("attachment"), Some("/data/a"));
    let again = world.broker.gate().authorize(&bound, &world.agent, made, &context);
    assert_eq!(again.unwrap_err().reason(), Reason::Replayed);
}

#[test]
fn a_policys_own_decisions_are_about_the_canonical_form() {
    let policy = Policy::builder()
        .tool(mail())
        .rule(Rule::permit("p").tool("mail.send").arg("attachment", eq("/data/a")))
        .build()
        .unwrap();
    let broker = Broker::new(policy.clone()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let decide = |path: &str| {
        let call = Call::new("mail.send", json!({ "attachment": path })).unwrap();
        let why = Purpose::new("mail");
        let decision = policy.decide(&agent, &why, &call, &Context::new(), Timestamp::MIN);
        decision.map(|decision| decision.is_permit()).map_err(|denial| denial.reason())
    };
    assert_eq!(decide("/data/./a"), Ok(true));
    assert_eq!(decide("/data/b"), Ok(false));
    assert_eq!(decide("/data/../a"), Err(Reason::MalformedCall));
}

/// What a rule says stays as it was written, so it has to be written as calls spell it.
#[test]
fn a_rule_that_names_a_path_in_another_spelling_is_refused_with_the_right_one() {
    let build =
        |rule: Rule| Policy::builder().tool(mail()).tool(Tool::new("note")).rule(rule).build();
    for (constraint, told) in [
        (eq("/data/./a"), "`/data/./a` is not how `mail.send` gets a path: write `/data/a`"),
        (not(one_of(["/a", "/b/"])), "`/b/` is not how `mail.send` gets a path: write `/b`"),
        (
            eq("/data/../a"),
            "argument `attachment` of `mail.send`: `/data/../a` is not a path: the path has a segment `..`",
        ),
        (
            eq(7),
            "argument `attachment` of `mail.send`: `7` is of the kind number, expected text or a list of texts",
        ),
        (has_any(["a//b"]), "`a//b` is not how `mail.send` gets a path: write `a/b`"),
        // attack 197: patterns that no spelling fits.
        (
            prefix("/data/./"),
            "`{\"prefix\":\"/data/./\"}` fits no path as `mail.send` gets it: it gets paths without `//`, `.` and `..` as segments, a `/` at the end, `\\`, `%` and a `~` at the beginning: write `/data/`",
        ),
        (
            not(some(glob("/data/../*"))),
            "`{\"glob\":\"/data/../*\"}` fits no path as `mail.send` gets it: it gets paths without `//`, `.` and `..` as segments, a `/` at the end, `\\`, `%` and a `~` at the beginning",
        ),
    ] {
        for rule in [
            Rule::permit("r").tool("mail.send"),
            Rule::permit("r").tool_like(glob("mail.*")),
            Rule::permit("r").any_tool(),
            Rule::forbid("r"),
        ] {
            let error = build(rule.arg("attachment", constraint.clone())).unwrap_err();
            assert_eq!((error.rule(), error.at()), (Some("r"), "what.args.attachment"));
            assert_eq!(error.problem(), told);
        }
        let other = Rule::permit("r").tool("note").arg("attachment", constraint.clone());
        assert!(build(other).is_ok(), "{constraint} of a tool that gives it no type");
        let other =
            Rule::permit("r").tool_like(glob("note*")).arg("attachment", constraint.clone());
        assert!(build(other).is_ok());
    }
    for constraint in [eq("/data/a"), under("/data/"), prefix("/data/."), regex("/data/.*")] {
        let rule = Rule::permit("r").tool("mail.send").arg("attachment", constraint);
        assert!(build(rule).is_ok());
    }
}

#[test]
fn types_are_part_of_what_a_policy_says() {
    let digest = |tool: Tool| Policy::builder().tool(tool).build().unwrap().digest();
    let typed = |names: &[&str]| {
        digest(names.iter().fold(Tool::new("t"), |tool, name| tool.arg(name, ArgType::Path)))
    };
    assert_ne!(typed(&[]), typed(&["a"]));
    assert_ne!(typed(&["a"]), typed(&["b"]));
    assert_eq!(typed(&["a", "b"]), typed(&["b", "a"]));
    let text = "version = 1\n[[tool]]\nname = \"t\"\nargs = { b = \"path\", a = \"path\" }\n";
    assert_eq!(Policy::from_toml(text).unwrap().digest(), typed(&["a", "b"]));
    for name in ["", "a\u{200b}"] {
        assert!(Policy::builder().tool(Tool::new("t").arg(name, ArgType::Path)).build().is_err());
    }
    let twice = Tool::new("t").arg("a", ArgType::Path).arg("a", ArgType::Path);
    let error = Policy::builder().tool(twice).build().unwrap_err();
    assert_eq!(error.to_string(), "tool `t`: `args.a`: argument `a` is given two types");
}

/// A policy that speaks of URLs is never loaded as if it did not.
#[cfg(not(feature = "url"))]
#[test]
fn without_its_feature_the_type_url_is_refused() {
    let tool = Tool::new("web.get").arg("link", ArgType::Url);
    let error = Policy::builder().tool(tool).build().unwrap_err();
    let told =
        "tool `web.get`: `args.link`: this build reads no type `url`: it needs the feature `url`";
    assert_eq!(error.to_string(), told);
    let text = "version = 1\n[[tool]]\nname = \"web.get\"\nargs = { link = \"url\" }";
    assert_eq!(
        Policy::from_toml(text).unwrap_err().to_string(),
        format!("line 4, column 17: {told}")
    );
    let rule = r#"what = { tool = "t", args = { link = { url = { host = "acme.test" } } } }"#;
    let text = format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"forbid\"\n{rule}");
    let error = Policy::from_toml(&text).unwrap_err().to_string();
    assert!(error.contains("this build reads no URLs: it needs the feature `url`"), "{error}");
    for host in [r#""acme.test""#, r#"{"subdomain_of":"acme.test"}"#, r#""any""#] {
        let scope = format!(r#"[{{"tool":"t","args":{{"link":{{"url":{{"host":{host}}}}}}}}}]"#);
        assert!(Scope::from_json(&scope).and_then(|scope| scope.check()).is_err(), "{host}");
    }
}
