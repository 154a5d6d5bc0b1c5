//! One `[[test]]` table: a question, and what the rules are to say to it.

use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::Assertion;
use crate::policy::{Effect, KEYS_OF_TESTS, Policy, Seen};
use crate::purpose::Purpose;
use crate::resource::Resource;
use crate::scope::note_parts;
use crate::testing::replay::{Fields, Misread, context, purpose, resource, text, who};
use crate::value::{Object, Value};

/// The time of a test that says none: a Thursday, 2026-01-01T12:00:00Z.
const USUAL_TIME: i64 = 1_767_268_800_000;

/// A question and what is expected.
#[derive(Clone, Debug)]
pub(super) struct Case {
    name: String,
    who: Assertion,
    why: Purpose,
    call: Call,
    context: Context,
    seen: Seen,
    at: Timestamp,
    expect: Expected,
    rules: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Permit,
    Ask,
    Deny,
}

/// What a test came to under one policy.
#[derive(Clone, Debug)]
pub(super) struct Judgement {
    pub(super) name: String,
    pub(super) is_met: bool,
    /// The rules that decided.
    pub(super) rules: Vec<String>,
    /// All that was answered.
    pub(super) says: String,
    /// Why it is not met.
    pub(super) wrong: Option<String>,
}

impl Case {
    /// # Errors
    /// What can't be meant, and what was expected instead.
    pub(super) fn read(value: &Value, number: usize) -> Result<Self, String> {
        read(value, number).map_err(|Misread(problem)| problem)
    }

    pub(super) fn judge(&self, policy: &Policy) -> Judgement {
        let (found, rules) = self.found(policy);
        let rules_met = self.rules.as_ref().is_none_or(|own| *own == rules);
        let is_met = found.as_ref().is_ok_and(|found| *found == self.expect) && rules_met;
        let by = if rules.is_empty() { String::new() } else { format!(" by {}", rules.join(", ")) };
        let says = match &found {
            Ok(found) => format!("{}{by}", found.as_str()),
            Err(problem) => problem.clone(),
        };
        let wrong = (!is_met).then(|| {
            let by = match &self.rules {
                Some(own) if !own.is_empty() => format!(" by {}", own.join(", ")),
                _ => String::new(),
            };
            format!("expected {}{by}, found {says}", self.expect.as_str())
        });
        Judgement { name: self.name.clone(), is_met, rules, says, wrong }
    }

    fn found(&self, policy: &Policy) -> (Result<Expected, String>, Vec<String>) {
        let who = match policy.attest_for_rules(self.who.clone()) {
            Ok(who) => who,
            Err(error) => return (Err(error.to_string()), Vec::new()),
        };
        let question = (&who, &self.why, &self.call, &self.context);
        match policy.decide_after(question, &self.seen, self.at) {
            Ok(decision) => {
                let found = match decision.effect() {
                    Some(Effect::Permit) => Expected::Permit,
                    Some(Effect::Ask) => Expected::Ask,
                    Some(Effect::Forbid) | None => Expected::Deny,
                };
                (Ok(found), decision.rules().map(str::to_owned).collect())
            }
            // What is refused before any rule is asked, as of a tool outside the catalogue.
            Err(_) => (Ok(Expected::Deny), Vec::new()),
        }
    }
}

impl Expected {
    const ALL: [(&'static str, Expected); 3] =
        [("permit", Expected::Permit), ("ask", Expected::Ask), ("deny", Expected::Deny)];

    fn as_str(self) -> &'static str {
        Expected::ALL.iter().find(|(_, own)| *own == self).map_or("deny", |(word, _)| word)
    }
}

fn read(value: &Value, number: usize) -> Result<Case, Misread> {
    let fields = Fields::open("test", value, KEYS_OF_TESTS)?;
    let tool = fields.text("tool")?;
    let args = fields.object_if("args")?.cloned().unwrap_or_default();
    let call = Call::new(tool, Value::Object(args)).map_err(|error| Misread(error.to_string()))?;
    let on = fields.get("resource").map(resource).transpose()?;
    let at = match fields.text_if("at")? {
        None => Timestamp::from_unix_millis(USUAL_TIME),
        Some(text) => {
            Some(Timestamp::parse_rfc3339(text).map_err(|error| Misread(error.to_string()))?)
        }
    };
    let texts = |key: &'static str| -> Result<Vec<String>, Misread> {
        fields.list(key)?.iter().map(|own| text(key, own).map(str::to_owned)).collect()
    };
    let expect = fields.word("expect", &Expected::ALL)?;
    let expect = expect.ok_or_else(|| {
        Misread("`test` has no `expect`, expected `permit`, `ask` or `deny`".to_owned())
    })?;
    let mut rules = texts("rules")?;
    rules.sort_unstable();
    Ok(Case {
        name: fields.text_if("name")?.map_or_else(|| format!("test {}", number + 1), str::to_owned),
        who: who("who", fields.require("who", "an id, or an object with one")?)?,
        why: fields.get("purpose").map(purpose).transpose()?.unwrap_or(Purpose::new("test")),
        call: on.into_iter().fold(call, |call, on: Resource| call.on(on)),
        context: context(&fields)?,
        seen: seen(&fields, texts("seen")?)?,
        at: at.unwrap_or(Timestamp::MIN),
        expect,
        rules: fields.get("rules").map(|_| rules),
    })
}

/// The labels that the task has seen, and what was noted in it.
fn seen(fields: &Fields<'_>, labels: Vec<String>) -> Result<Seen, Misread> {
    let notes = fields.object_if("notes")?;
    let notes: Vec<_> = notes.map(Object::iter).into_iter().flatten().collect();
    for (name, _) in &notes {
        note_parts(name).map_err(|fault| Misread(format!("`notes`: {fault}")))?;
    }
    let labels = Value::List(labels.into_iter().map(Value::from).collect());
    Seen::told_of(&labels, notes).map_err(|fault| Misread(format!("`notes`: {fault}")))
}
