//! The nearest yes: the smallest changes of a question after which the rules permit it.

mod changed;
mod nearer;
mod request;
mod search;

use std::fmt;
use std::sync::Arc;

use super::Policy;
use super::decision::RulesQuestion;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::purpose::Purpose;
use crate::value::{Value, object_of};
use crate::visible::{Shown, Visible};
pub(crate) use search::remedies;

/// Changes of a question after which the rules permit it: see [`Policy::nearest_yes`].
///
/// It is for operators. An agent that is told what would be permitted is told what to claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    rule: Arc<str>,
    changes: Vec<Change>,
    approvals: Vec<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    part: Box<str>,
    was: Option<Value>,
    is: Option<Value>,
}

impl Policy {
    /// The smallest changes of a question after which the rules permit it, or ask people about it: of a value, an
    /// attribute, the purpose, the time, or an approval. At most three, the smallest first; none where it is permitted
    /// as it is, and none where no change of at most a few parts is found.
    ///
    /// Each was asked of the rules. It is for operators, never for an agent, which would learn what to claim.
    ///
    /// ```
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::{Policy, Rule};
    /// use hallpass::prelude::*;
    /// use hallpass::scope::{eq, max, min};
    ///
    /// let payers = Rule::permit("payers").tool("bank.pay").arg("amount", min(0).and(max(500)));
    /// let policy = Policy::builder().rule(payers.when("env", eq("prod"))).build()?;
    /// # let broker = Broker::new(policy.clone())?;
    /// let agent = broker.assert_identity("agent-7")?;
    /// let call = Call::new("bank.pay", serde_json::json!({ "amount": 900, "note": "rent" }))?;
    /// let now = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z")?;
    /// let context = Context::new().with("env", "test");
    /// let found = policy.nearest_yes(&agent, &Purpose::new("pay-bill"), &call, &context, now)?;
    /// assert_eq!(
    ///     found[0].to_string(),
    ///     "`payers` permits it with `when.env` \"prod\" in the place of \"test\", with `args.amount` 500 in the \
    ///      place of 900, and without `args.note`",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub fn nearest_yes(
        &self,
        who: &Identity,
        why: &Purpose,
        call: &Call,
        context: &Context,
        now: Timestamp,
    ) -> Result<Vec<Remedy>, Denial> {
        remedies(&self.0, RulesQuestion::first_call(who, why, call, context, now))
    }
}

impl Remedy {
    /// The id of the permit that gives it then.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What has to be another: the part of the question, named as in a policy, what it was and what it would be; `None`
    /// of what is not there.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Value>, Option<&Value>)> {
        self.changes.iter().map(|own| (&*own.part, own.was.as_ref(), own.is.as_ref()))
    }

    /// The ids of the asks that people have to answer then, if any do.
    pub fn approvals(&self) -> impl ExactSizeIterator<Item = &str> {
        self.approvals.iter().map(|id| &**id)
    }

    /// All of it, for programs.
    pub fn to_value(&self) -> Value {
        let said = |own: &Option<Value>| own.clone().unwrap_or(Value::Null);
        let changes = self.changes.iter().map(|own| {
            object_of([
                ("part", Value::from(&*own.part)),
                ("was", said(&own.was)),
                ("is", said(&own.is)),
            ])
        });
        object_of([
            ("rule", Value::from(&*self.rule)),
            ("changes", Value::List(changes.collect())),
            ("approvals", Value::List(self.approvals().map(Value::from).collect())),
        ])
    }

    /// How many things have to be done.
    fn size(&self) -> usize {
        self.changes.len() + self.approvals.len()
    }
}

/// For operators.
impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told: Vec<String> = self.changes.iter().map(Change::to_string).collect();
        if !self.approvals.is_empty() {
            let ids: Vec<String> = self.approvals().map(|id| format!("`{id}`")).collect();
            told.push(format!("with the approval that {} asks for", ids.join(", ")));
        }
        write!(f, "`{}` permits it ", self.rule)?;
        let last = told.pop().unwrap_or_else(|| "as it is".to_owned());
        match told.is_empty() {
            true => f.write_str(&last),
            false => write!(f, "{}, and {last}", told.join(", ")),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.part;
        let shown = |own: &Value| match own {
            Value::Text(text) => format!("\"{}\"", Shown(text).to_string().trim_matches('`')),
            other => Visible(other).to_string(),
        };
        match (&self.was, &self.is) {
            (_, None) => write!(f, "without `{part}`"),
            (None, Some(is)) => write!(f, "with `{part}` {}", shown(is)),
            (Some(was), Some(is)) => {
                write!(f, "with `{part}` {} in the place of {}", shown(is), shown(was))
            }
        }
    }
}

#[cfg(test)]
mod tests;
