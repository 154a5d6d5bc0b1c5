//! Policies that compare with what the host noted of results: what a gate says of every call of a small universe, of a task in
//! which it was noted, is what taking one rule after the other says.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::Policy;
use hallpass::prelude::*;
use hallpass::{Broker, Reason};
use serde_json::{Map, Value as Json, json};

use super::book::{self, Asked, Says};
use super::made::{Rule, Source};
use super::{CONTEXTS, VALUES, read, value};

/// As rules name what is noted.
pub(super) const NAME: &str = "notes.t#id";

pub fn noted(bytes: &[u8]) {
    is_noted(bytes);
}

/// Whether a policy was made of the bytes that loads, and was asked.
pub fn is_noted(bytes: &[u8]) -> bool {
    let mut source = Source::with_notes(bytes);
    let ids = source.noted();
    let rules = source.rules();
    let mut text: Vec<Json> = rules.iter().map(Rule::to_json).collect();
    // By which everything is granted, so that the rules above are asked of calls.
    let door = json!({ "tool": "any", "args": "any" });
    text.push(json!({ "id": "zz", "effect": "permit", "on": ["request"], "what": door }));
    let Ok(policy) = Policy::from_json(&json!({ "version": 1, "rule": text }).to_string()) else {
        return false;
    };
    let task = Noted::new(ids.as_deref());
    task.broker.reload(&policy).expect("no credentials");
    for a in VALUES.map(|own| own.map(read)) {
        for (w, tool) in CONTEXTS.iter().flat_map(|w| [(w, "t"), (w, "u")]) {
            let (mut args, w) = (Map::new(), w.map(read));
            args.extend(a.clone().map(|a| ("a".to_owned(), a)));
            let call = Call::new(tool, Json::Object(args.clone())).expect("few arguments");
            let context = w.iter().fold(Context::new(), |all, w| all.with("w", value(w)));
            let (args, groups) = (&args, json!(["g"]));
            let asked = Asked { tool, args, groups, w: w.as_ref(), noted: ids.as_deref() };
            let Says(effect, by) = book::decide(&rules, &asked);
            let told = task.asks(&call, &context);
            assert_eq!(told, (effect, by), "{tool} {args:?} {w:?} after {ids:?}\n{text:?}");
        }
    }
    true
}

/// A task that may call everything, in which this was noted.
struct Noted {
    broker: Broker,
    caller: Identity,
    grant: Grant,
    _task: Task,
}

impl Noted {
    fn new(ids: Option<&[Json]>) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_millis(0).expect("an instant"));
        let open =
            Policy::builder().rule(hallpass::policy::Rule::permit("open").any_tool().any_args());
        let open = open.build().expect("one rule");
        let broker = Broker::builder(open).clock(clock).ceiling(Duration::from_secs(60));
        let broker = broker.build().expect("a broker");
        let caller = Assertion::agent("a").groups(["g"]);
        let caller = broker.assert_identity(caller).expect("a group has a name");
        let task = broker.open(&caller, Purpose::new("p")).expect("a task");
        let all = Scope::tool("t").any_args().and_tool("u").any_args();
        let grant = task.request(all, &Context::new()).expect("all may be called");
        if let Some(ids) = ids {
            let call = Call::new("t", json!({})).expect("a call");
            let permit = broker.gate().authorize(&grant, &caller, call, &Context::new());
            let running = permit.and_then(|permit| permit.start()).expect("all may be called");
            running.note("t#id", Json::from(ids)).expect("ids");
            running.succeed();
        }
        Noted { broker, caller, grant, _task: task }
    }

    /// Which effect, if any rule acts, and by which rules.
    fn asks(&self, call: &Call, context: &Context) -> (Option<&'static str>, Vec<String>) {
        let gate = self.broker.gate();
        match gate.check(self.grant.token(), &self.caller, call, context) {
            Ok(dry) => (Some("permit"), dry.rules().map(ToOwned::to_owned).collect()),
            Err(denial) => {
                let effect = match denial.reason() {
                    Reason::Forbidden => Some("forbid"),
                    Reason::ApprovalRequired => Some("ask"),
                    Reason::NoPermit => None,
                    _ => panic!("{}", denial.explain()),
                };
                (effect, denial.rules().map(ToOwned::to_owned).collect())
            }
        }
    }
}
