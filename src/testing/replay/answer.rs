//! What came of a line.

use crate::clock::format_duration;
use crate::denial::{Code, Denial, Reason};
use crate::value::{Object, Value};
use crate::{CallError, Pending};

/// A refusal as answers tell it: the agent's word and the operators'.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) reason: &'static str,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Refusal { code: reason.code(), reason: reason.as_str() }
    }
}

/// Members in the order in which they are written, and what the summary counts.
#[derive(Default)]
pub(crate) struct Answer {
    members: Vec<(&'static str, Value)>,
    verdict: Option<Verdict>,
    rules: Vec<String>,
    explanation: Option<String>,
    /// What a denial parked.
    pending: Option<Box<Pending>>,
}

/// Whether something that can be denied was.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Permit,
    Deny(Refusal),
}

impl Answer {
    /// An answer to what cannot be denied.
    pub(crate) fn new() -> Self {
        Answer::default()
    }

    pub(crate) fn permit() -> Self {
        let verdict = Some(Verdict::Permit);
        Answer { verdict, ..Answer::default() }.with("decision", "permit")
    }

    /// What the broker denied.
    pub(crate) fn denied(denial: &Denial) -> Self {
        let mut answer = Answer::deny(denial.reason().into()).by_rules(denial.rules());
        if let Some(wait) = denial.retry_after() {
            answer = answer.with("retry_after", format_duration(wait));
        }
        // The explanation of a key that isn't there names the key, which is random in each replay.
        let random = matches!(denial.reason(), Reason::UnknownKey | Reason::RetiredKey);
        answer.pending = denial.pending().cloned().map(Box::new);
        answer.explanation = (!random).then(|| denial.explain().to_string());
        answer
    }

    /// What is denied before the broker is asked.
    pub(crate) fn refused(refusal: Refusal, why: String) -> Self {
        let mut answer = Answer::deny(refusal).by_rules([""; 0]);
        answer.explanation = Some(why);
        answer
    }

    /// An answer of somebody that does not count.
    pub(crate) fn not_counted(reason: &'static str, why: String) -> Self {
        let refused = Answer::new().with("decision", "deny").with("reason", reason);
        Answer { explanation: Some(why), ..refused }
    }

    fn deny(refusal: Refusal) -> Self {
        let verdict = Some(Verdict::Deny(refusal));
        Answer { verdict, ..Answer::default() }
            .with("decision", "deny")
            .with("code", refusal.code.as_str())
            .with("reason", refusal.reason)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Names the rules that decided.
    pub(crate) fn by_rules<R: AsRef<str>>(mut self, rules: impl IntoIterator<Item = R>) -> Self {
        self.rules = rules.into_iter().map(|rule| rule.as_ref().to_owned()).collect();
        let named = Value::from(self.rules.clone());
        self.with("rules", named)
    }

    /// Says why, in full, for operators.
    pub(crate) fn because(self, why: String) -> Self {
        Answer { explanation: Some(why).filter(|why| !why.is_empty()), ..self }
    }

    /// What is not a call.
    pub(crate) fn malformed_call(error: &CallError) -> Self {
        Answer::refused(Reason::MalformedCall.into(), error.to_string())
    }

    /// Says in front which line it answers.
    pub(crate) fn to(mut self, number: usize, op: &str, note: Option<&str>) -> Self {
        let mut members = vec![("line", Value::from(number))];
        members.extend(note.map(|note| ("note", Value::from(note))));
        members.push(("op", Value::from(op)));
        members.append(&mut self.members);
        Answer { members, ..self }
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    pub(crate) fn is_permit(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Permit))
    }

    pub(crate) fn is_denial(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Deny(_)))
    }

    /// Why what this answer denies is denied from here on.
    pub(crate) fn refusal(&self) -> Refusal {
        match self.verdict {
            Some(Verdict::Deny(refusal)) => refusal,
            // Only denials are asked; were another answer, what rests on it would be refused, too.
            _ => Reason::UnknownGrant.into(),
        }
    }

    pub(crate) fn pending(&self) -> Option<&Pending> {
        self.pending.as_deref()
    }

    pub(crate) fn rules(&self) -> &[String] {
        &self.rules
    }

    /// Why it was denied, or would be, in full, for operators.
    pub(crate) fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }

    /// One line of JSON; with `why` at its end, if denials are to be explained.
    pub(crate) fn text(&self, explain: bool) -> String {
        let why = self.explanation.as_deref().filter(|_| explain);
        let why = why.map(|why| ("why", Value::from(why)));
        let mut text = String::with_capacity(160);
        for (name, value) in self.members.iter().chain(&why) {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&Value::from(*name).to_json());
            text.push(':');
            text.push_str(&value.to_json());
        }
        text.push('}');
        text
    }

    /// What of `expected` the answer does not contain, in words.
    pub(crate) fn misses(&self, expected: &Object) -> Vec<String> {
        let mut misses = Vec::new();
        for (name, wanted) in expected.iter() {
            let found = self.members.iter().find(|(member, _)| *member == name);
            compare(name, wanted, found.map(|(_, value)| value), &mut misses);
        }
        misses
    }
}

/// Objects are looked into, and may have more members; everything else must be equal.
fn compare(path: &str, wanted: &Value, found: Option<&Value>, misses: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Some(Value::Object(found))) => {
            for (name, wanted) in wanted.iter() {
                compare(&format!("{path}.{name}"), wanted, found.get(name), misses);
            }
        }
        (wanted, Some(found)) if wanted == found => {}
        (wanted, Some(found)) => {
            misses.push(format!("expected `{path}` to be `{wanted}`, the answer is `{found}`"));
        }
        (wanted, None) => {
            misses.push(format!("expected `{path}` to be `{wanted}`, the answer has none"));
        }
    }
}
