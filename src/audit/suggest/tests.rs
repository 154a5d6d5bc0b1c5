use serde_json::json;

use super::*;
use crate::audit::MemoryLog;
use crate::prelude::*;

const POLICY: &str = r#"
    version = 1

    [[tool]] # the bank
    name = "bank.pay"
    args = { to = { type = "text", log = "plain" }, amount = { type = "number", log = "plain" }, memo = { type = "text", log = "plain" } }

    [[tool]]
    name = "file.read"
    args = { path = { type = "path", log = "plain" }, mode = { type = "text?", log = "plain" }, tags = { type = "list", log = "plain" } }

    [[tool]]
    name = "hidden"
    args = { x = "text" }

    [[rule]] # who pays
    id     = "payers"
    effect = "permit"
    what   = { tool = "bank.pay", args = { to = "any", amount = { max = 500 }, memo = { prefix = "INV" } } }

    [[rule]]
    id     = "readers"
    effect = "permit"
    what   = { tool = "file.read", args = "any" }

    [[rule]]
    id       = "unseen"
    effect   = "permit"
    what     = { tool = "hidden", args = { x = "any" } }

    [[rule]]
    id       = "large-ones"
    effect   = "ask"
    what     = { tool = "bank.pay", args = { amount = { above = 400 } } }
    approval = { review = [{ groups = { has_any = ["owners"] }, count = 1 }] }

    [[rule]]
    id     = "never"
    effect = "forbid"
    what   = { tool = "bank.pay", args = { to = "XX66" } }
"#;

struct Used {
    log: MemoryLog,
    broker: Broker,
    who: Identity,
    grant: Grant,
    _task: Task,
}

impl Used {
    fn new() -> Self {
        let log = MemoryLog::new();
        let policy = Policy::from_toml(POLICY).unwrap();
        let broker = Broker::builder(policy).log(log.clone()).build().unwrap();
        let who = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&who, Purpose::new("errand")).unwrap();
        let any = crate::scope::any;
        let scope = Scope::tool("bank.pay")
            .arg("to", any())
            .arg("amount", crate::scope::max(500))
            .arg("memo", crate::scope::prefix("INV"))
            .and_tool("file.read")
            .any_args()
            .and_tool("hidden")
            .arg("x", any());
        let grant = task.request(scope, &Context::new()).unwrap();
        Used { log, broker, who, grant, _task: task }
    }

    fn call(&self, tool: &str, args: serde_json::Value) -> bool {
        let call = Call::new(tool, args).unwrap();
        self.broker.gate().authorize(&self.grant, &self.who, call, &Context::new()).is_ok()
    }

    fn pay(&self, to: &str, amount: f64, memo: &str) -> bool {
        self.call("bank.pay", json!({ "to": to, "amount": amount, "memo": memo }))
    }

    fn read(&self, path: &str) {
        assert!(self.call("file.read", json!({ "path": path, "tags": ["a"] })));
    }

    fn suggest(&self) -> Suggestion {
        suggest(POLICY, &self.log)
    }
}

fn suggest(text: &str, log: &MemoryLog) -> Suggestion {
    let mut suggester = Suggester::new(text).unwrap();
    for record in log.records() {
        suggester.note(&record, log.plain_line(record.seq).as_deref());
    }
    suggester.finish()
}

/// Which calls of a log another policy would decide otherwise: who asked for more than was used has to ask for less.
fn refused(log: &MemoryLog, text: &str) -> usize {
    let mut replayer = Replayer::under(Policy::from_toml(text).unwrap());
    for record in log.records() {
        replayer.note(&record, log.plain_line(record.seq).as_deref());
    }
    let differences = replayer.finish().differences;
    differences.iter().filter(|own| own.about == crate::audit::Decided::Call).count()
}

#[test]
fn permits_are_tightened_to_what_they_gave_and_nothing_else_is_touched() {
    let used = Used::new();
    for (to, amount) in [("CH93", 98.0), ("CH94", 12.5), ("CH93", 300.0)] {
        assert!(used.pay(to, amount, "INV-1"));
    }
    // Neither is evidence: it waits for people, and it is forbidden.
    assert!(!used.pay("DE11", 450.0, "INV-9") && !used.pay("XX66", 1.0, "INV-9"));
    for file in 0..30 {
        used.read(&format!("/data/reports/{file}"));
    }
    used.broker.flush();
    let suggestion = used.suggest();
    let expected = POLICY
        .replace("to = \"any\"", "to = { one_of = [\"CH93\", \"CH94\"] }")
        .replace(
            "amount = { max = 500 }",
            "amount = { all = [{ max = 500 }, { min = 12.5, max = 300 }] }",
        )
        .replace(
            "memo = { prefix = \"INV\" }",
            "memo = { all = [{ prefix = \"INV\" }, { eq = \"INV-1\" }] }",
        )
        .replace(
            "args = \"any\"",
            "args = { path = { prefix = \"/data/reports/\" }, tags = { present = true } }",
        );
    assert_eq!(suggestion.policy, expected);
    assert_eq!(refused(&used.log, &suggestion.policy), 1, "the question alone is asked no more");
    let payments: Vec<_> = suggestion.tightened.iter().filter(|own| own.rule == "payers").collect();
    let amounts: Vec<_> = payments
        .iter()
        .flat_map(|own| &own.seen)
        .map(|own| (&*own.argument, &*own.value, own.first, own.calls))
        .collect();
    let first = amounts[2].2;
    assert_eq!(
        amounts,
        [
            ("amount", "from 12.5", first + 2, 3),
            ("amount", "to 300", first + 4, 3),
            ("memo", "\"INV-1\"", first, 3),
            ("to", "\"CH93\"", first, 2),
            ("to", "\"CH94\"", first + 2, 1),
        ]
    );
    let left: Vec<_> = suggestion.left.iter().map(|own| (&*own.rule, &*own.part)).collect();
    assert_eq!(left, [("readers", "args.tags")]);
    // What is signed off loads as it stands, and a second look finds nothing more to say.
    let signed = suggestion.to_string();
    assert!(Policy::from_toml(&signed).is_ok(), "{signed}");
    let again = suggest(&suggestion.policy, &used.log);
    assert_eq!((again.tightened, again.policy), (vec![], suggestion.policy));
}

#[test]
fn an_argument_that_some_calls_leave_out_may_still_be_left_out() {
    let used = Used::new();
    used.read("/data/a");
    assert!(used.call("file.read", json!({ "path": "/data/a", "tags": [], "mode": "raw" })));
    let suggestion = used.suggest();
    let mode = "mode = { any = [{ present = false }, { eq = \"raw\" }] }";
    assert!(suggestion.policy.contains(mode), "{}", suggestion.policy);
    assert_eq!(refused(&used.log, &suggestion.policy), 0);
}

/// A permit whose calls can't be seen would lose calls of which it can't be told what they were.
#[test]
fn a_permit_whose_calls_are_not_in_plain_is_left_as_it_is() {
    let used = Used::new();
    assert!(used.call("hidden", json!({ "x": "a" })));
    assert!(used.pay("CH93", 98.0, "INV-1"));
    assert!(used.pay(&"CH".repeat(1000), 98.0, "INV-1"));
    let suggestion = used.suggest();
    assert_eq!(suggestion.policy, POLICY);
    assert_eq!(suggestion.left[0].why, "1 of its calls are not in plain in the log");
    used.log.erase_plain(u64::MAX);
    assert_eq!(used.suggest(), Suggestion::of(POLICY.to_owned()));
}

/// What agents write ends up in a text that people sign: it can't end a comment, nor hide.
#[test]
fn what_callers_chose_is_escaped_in_the_policy_and_in_its_comments() {
    let used = Used::new();
    let hostile = "a\"] }\n\u{202e}# \\ '''\u{e0041}";
    assert!(used.pay(hostile, 1.0, "INV-1"));
    let suggestion = used.suggest();
    let signed = suggestion.to_string();
    let is_hidden = |own: char| crate::visible::is_hidden(own) && own != '\n';
    assert!(!signed.chars().any(is_hidden), "{signed}");
    let head = signed.strip_suffix(&suggestion.policy).unwrap();
    assert!(head.trim_end().lines().all(|line| line.starts_with('#')), "{head}");
    assert_eq!(refused(&used.log, &signed), 0);
}

#[test]
fn values_become_a_value_a_set_an_interval_or_what_all_begin_with() {
    let constraint = |values: &[serde_json::Value]| {
        let mut own = Values::default();
        for (at, value) in values.iter().enumerate() {
            own.note(at as u64, &crate::value::Value::from_json(&value.to_string()).unwrap());
        }
        constraint_of(&own, own.calls, None).unwrap_or_else(str::to_owned)
    };
    let texts = |from: &str, count: usize| -> Vec<serde_json::Value> {
        (0..count).map(|at| json!(format!("{from}{at}"))).collect()
    };
    assert_eq!(constraint(&[json!(1), json!(1.0)]), "{ eq = 1 }");
    assert_eq!(constraint(&[json!(3), json!(-1.5), json!(2)]), "{ min = -1.5, max = 3 }");
    assert_eq!(constraint(&[json!(true)]), "{ eq = true }");
    assert_eq!(constraint(&[json!("a"), json!(1)]), "{ one_of = [\"a\", 1] }");
    assert_eq!(constraint(&texts("INV-", 17)), "{ prefix = \"INV-\" }");
    assert_eq!(constraint(&texts("/data/x", 17)), "{ prefix = \"/data/\" }");
    assert_eq!(constraint(&texts("ab", 17)), "it has many values that have nothing in common");
    assert_eq!(constraint(&texts("/a", 17)), "it has many values that have nothing in common");
    let mut mixed = texts("INV-", 17);
    mixed.push(json!(1));
    assert_eq!(constraint(&mixed), "it has many values of several kinds");
    assert_eq!(constraint(&[json!([1])]), "some of its values are lists, objects or null");
}

/// Where it stands, a suggestion gives nothing that the permit did not.
#[test]
fn what_would_give_more_is_not_written() {
    let text = r#"
        version = 1
        rule = [{ id = "r", effect = "permit", what = { tool = "t", args = { x = { max = 1 } } } }]
    "#;
    let policy = Policy::from_toml(text).unwrap();
    let at = text.find("{ max").unwrap();
    let edit = |now: &str| (at..at + 11, TightenedPart::new("r", "args.x", "{ max = 1 }", now));
    for (now, is_written) in
        [("{ max = 2 }", false), ("\"any\"", false), ("{ max = 0 }", true), ("{ max = }", false)]
    {
        let mut suggestion = Suggestion::of(text.to_owned());
        suggestion.apply(vec![edit(now)], &policy);
        assert_eq!(
            (suggestion.policy != text, suggestion.left.is_empty()),
            (is_written, is_written)
        );
    }
}

/// A permit that gives the same as another limits it, too: tightened, it would no longer.
#[test]
fn a_permit_that_limits_what_another_gives_is_left_as_it_is() {
    let text = r#"
        version = 1
        tool = [{ name = "t", args = { x = { type = "number", log = "plain" } } }]

        [[rule]]
        id     = "few"
        effect = "permit"
        what   = { tool = "t", args = { x = { max = 10 } } }
        grant  = { rate = "3/1h" }

        [[rule]]
        id     = "wide"
        effect = "permit"
        what   = { tool = "t", args = { x = { max = 100 } } }
    "#;
    let (small, large) =
        (crate::scope::max(10), crate::scope::max(100).and(crate::scope::above(10)));
    let given = |text: &str, log: &MemoryLog, of: crate::scope::Constraint, calls: &[u32]| {
        let policy = Policy::from_toml(text).unwrap();
        let broker = Broker::builder(policy).log(log.clone()).build().unwrap();
        let who = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&who, Purpose::new("errand")).unwrap();
        let Ok(grant) = task.request(Scope::tool("t").arg("x", of), &Context::new()) else {
            return 0;
        };
        let is_given = |x: &&u32| {
            let call = Call::new("t", json!({ "x": x })).unwrap();
            broker.gate().authorize(&grant, &who, call, &Context::new()).is_ok()
        };
        calls.iter().filter(is_given).count()
    };
    let log = MemoryLog::new();
    assert_eq!(given(text, &log, small.clone(), &[1, 2]), 2);
    let other = MemoryLog::new();
    assert_eq!(given(text, &other, large, &[50, 20]), 2);
    let mut suggester = Suggester::new(text).unwrap();
    for log in [&log, &other] {
        for record in log.records() {
            suggester.note(&record, log.plain_line(record.seq).as_deref());
        }
    }
    let suggested = suggester.finish();
    let of = crate::scope::max(5).and(crate::scope::min(1));
    let count = |text| given(text, &MemoryLog::new(), of.clone(), &[4; 9]);
    assert!(count(&suggested.policy) <= count(text), "{}", suggested.policy);
    let left: Vec<_> = suggested.left.iter().map(|own| (&*own.rule, &*own.why)).collect();
    let why = "it limits what another permit gives, too";
    assert_eq!(left, [("few", why)]);
}
