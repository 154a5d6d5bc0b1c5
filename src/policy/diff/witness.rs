//! A question that shows a difference.

use std::fmt;

use super::super::Policy;
use super::super::decide::Verdict;
use super::super::regions::{FoundQuestion, Standing};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::Identity;
use crate::purpose::Purpose;
use crate::value::Value;
use crate::visible::Visible;

/// A question to which two policies give different answers, and the rule that makes the difference.
///
/// What the rules leave open is filled in with names that tell nothing.
#[derive(Clone, Debug)]
pub struct DiffWitness {
    rule: Box<str>,
    question: FoundQuestion,
    old: Standing,
    new: Standing,
}

impl DiffWitness {
    pub(super) fn new(rule: &str, question: FoundQuestion, old: Standing, new: Standing) -> Self {
        DiffWitness { rule: rule.into(), question, old, new }
    }

    /// The id of the rule: of one that gives what the other policy does not give, or of one of the other
    /// policy that withholds it there.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Who asks: attested for the comparison alone, and known to no broker.
    pub fn who(&self) -> &Identity {
        &self.question.who
    }

    /// The call.
    pub fn call(&self) -> &Call {
        &self.question.call
    }

    /// The permits that a policy has for another call in the same question, if it permits that.
    pub(crate) fn permits(&self, policy: &Policy, call: &Call) -> Option<Vec<Box<str>>> {
        let question = FoundQuestion { call: call.clone(), ..self.question.clone() };
        let Some(Verdict::Permit(rules)) = question.verdict(&policy.0) else { return None };
        let rules = rules.as_slice().iter().filter_map(|at| policy.0.rule(*at));
        Some(rules.map(|rule| Box::from(&*rule.id)).collect())
    }

    /// The purpose.
    pub fn purpose(&self) -> &Purpose {
        &self.question.why
    }

    /// The context.
    pub fn context(&self) -> &Context {
        &self.question.context
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        self.question.now
    }

    /// All of it, for programs.
    pub fn to_value(&self) -> Value {
        let mut out = self.question.to_object();
        // The keys are written once each.
        let _ = out.insert("rule", Value::Text(self.rule.clone()));
        let _ = out.insert("old", Value::from(self.old.as_str()));
        let _ = out.insert("new", Value::from(self.new.as_str()));
        Value::Object(out)
    }
}

impl fmt::Display for DiffWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.rule, Visible(&self.question))?;
        write!(f, ": {} before, {} now", self.old.as_str(), self.new.as_str())
    }
}
