//! A question to the rules of a policy, as `[[test]]` tables say one, of which parts may be left open.

use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::Identity;
use crate::policy::Policy;
use crate::purpose::Purpose;
use crate::testing::replay::{Fields, Misread, context, purpose, resource, who};
use crate::value::Value;

const KEYS: [&str; 7] = ["who", "purpose", "tool", "args", "resource", "context", "at"];

/// A question to the rules of a policy, in the words of a `[[test]]` table, of which parts may be left out: what tools
/// read that answer for policy authors.
///
/// The identities in it are attested for such questions alone: no broker knows them.
///
/// ```
/// use hallpass::Policy;
/// use hallpass::testing::PolicyQuestion;
///
/// let policy = Policy::from_toml("version = 1")?;
/// let text = r#"{"who": {"id": "agent-7", "groups": ["payers"]}, "purpose": "pay-bill", "tool": "bank.pay"}"#;
/// let question = PolicyQuestion::from_json(&policy, text)?;
/// assert_eq!((question.tool(), question.call().is_none()), (Some("bank.pay"), true));
/// assert!(question.who().is_some_and(|who| who.in_group("payers")));
///
/// let error = PolicyQuestion::from_json(&policy, r#"{"tols": "bank.pay"}"#).unwrap_err();
/// assert!(error.to_string().starts_with("unknown field `tols` in `question`, expected "), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolicyQuestion {
    who: Option<Identity>,
    why: Purpose,
    tool: Option<Box<str>>,
    call: Option<Call>,
    context: Context,
    at: Option<Timestamp>,
}

/// Why a text is not a [`PolicyQuestion`], or not a list of identities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyQuestionError(Box<str>);

impl PolicyQuestion {
    /// Reads one JSON object with `who`, `purpose`, `tool`, `args`, `resource`, `context` and `at`, each of which may be
    /// left out. The purpose is `question` unless one is said.
    ///
    /// # Errors
    /// [`PolicyQuestionError`]: the text is not such an object, or the identity can't be attested.
    pub fn from_json(policy: &Policy, text: &str) -> Result<Self, PolicyQuestionError> {
        let read = value(text).and_then(|own| read(policy, &own));
        read.map_err(|Misread(problem)| PolicyQuestionError(problem.into()))
    }

    /// The same of the object itself.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_value(policy: &Policy, question: &Value) -> Result<Self, PolicyQuestionError> {
        read(policy, question).map_err(|Misread(problem)| PolicyQuestionError(problem.into()))
    }

    /// Reads identities, one a line: a JSON object as `who` takes it, or an agent's id in quotes. Empty lines are passed
    /// over.
    ///
    /// # Errors
    /// [`PolicyQuestionError`], with the number of the first line that is not one.
    pub fn identities(policy: &Policy, lines: &str) -> Result<Vec<Identity>, PolicyQuestionError> {
        let said = (1..).zip(lines.lines()).filter(|(_, line)| !line.trim().is_empty());
        said.map(|(number, line)| {
            let own = value(line).and_then(|own| identity(policy, &own));
            own.map_err(|Misread(problem)| {
                PolicyQuestionError(format!("line {number}: {problem}").into())
            })
        })
        .collect()
    }

    /// Who asks, if that is said.
    pub fn who(&self) -> Option<&Identity> {
        self.who.as_ref()
    }

    /// What for.
    pub fn purpose(&self) -> &Purpose {
        &self.why
    }

    /// The tool, if one is said.
    pub fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// The call, if its arguments or its resource are said.
    pub fn call(&self) -> Option<&Call> {
        self.call.as_ref()
    }

    /// In which context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// When, if that is said.
    pub fn at(&self) -> Option<Timestamp> {
        self.at
    }
}

fn value(text: &str) -> Result<Value, Misread> {
    Value::from_json(text).map_err(|error| Misread(error.to_string()))
}

fn identity(policy: &Policy, value: &Value) -> Result<Identity, Misread> {
    policy.attest_for_rules(who("who", value)?).map_err(|error| Misread(error.to_string()))
}

fn read(policy: &Policy, question: &Value) -> Result<PolicyQuestion, Misread> {
    let fields = Fields::open("question", question, &KEYS)?;
    let at = fields.text_if("at")?.map(Timestamp::parse_rfc3339);
    let tool = fields.text_if("tool")?;
    let (args, on) = (fields.object_if("args")?, fields.get("resource"));
    let call = match (tool, args.is_some() || on.is_some()) {
        (_, false) => None,
        (None, true) => {
            return Err(Misread(
                "`question` has no `tool`, expected the one that is called".into(),
            ));
        }
        (Some(tool), true) => {
            let call = Call::new(tool, Value::Object(args.cloned().unwrap_or_default()));
            let call = call.map_err(|error| Misread(error.to_string()))?;
            Some(on.map(resource).transpose()?.into_iter().fold(call, Call::on))
        }
    };
    Ok(PolicyQuestion {
        who: fields.get("who").map(|own| identity(policy, own)).transpose()?,
        why: fields.get("purpose").map(purpose).transpose()?.unwrap_or(Purpose::new("question")),
        tool: tool.map(Box::from),
        call,
        context: context(&fields)?,
        at: at.transpose().map_err(|error| Misread(error.to_string()))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_can_not_be_meant_is_refused_with_what_was_expected() {
        let policy = Policy::from_toml("version = 1").unwrap();
        for (text, expected) in [
            (r#"{"args": {}}"#, "`question` has no `tool`"),
            (r#"{"who": 7}"#, "`who` is a number"),
            (r#"{"who": "a b"}"#, "as character 2"),
            (r#"{"at": "noon"}"#, "noon"),
            (r#"{"tool": "a b", "args": {}}"#, "tool name `a b`"),
            ("[]", "`question` is a list"),
            ("{", "expected"),
        ] {
            let error = PolicyQuestion::from_json(&policy, text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let lines = "\"agent-1\"\n\n{\"id\":\"ana\",\"kind\":\"human\"}\n";
        let all = PolicyQuestion::identities(&policy, lines).unwrap();
        assert!(all.iter().map(|own| own.subject().as_str()).eq(["agent-1", "ana"]));
        let error = PolicyQuestion::identities(&policy, "\"a\"\n7\n").unwrap_err().to_string();
        assert!(error.starts_with("line 2: "), "{error}");
    }

    #[test]
    fn a_resource_alone_makes_a_call_and_a_tool_alone_does_not() {
        let policy = Policy::from_toml("version = 1").unwrap();
        let read = |text| PolicyQuestion::from_json(&policy, text).unwrap();
        let on = read(r#"{"tool": "t", "resource": {"type": "doc", "id": "a"}}"#);
        assert_eq!(on.call().unwrap().resource().unwrap().id(), "a");
        assert!(read(r#"{"tool": "t"}"#).call().is_none());
        assert!(read(r#"{"tool": "t", "args": {}}"#).call().is_some());
    }
}
