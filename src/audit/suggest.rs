//! A tighter policy, from what was used.

mod constraint;
mod report;
mod values;

use std::collections::BTreeMap;

use self::constraint::constraint_of;
pub use self::report::{LeftPart, SeenValue, Suggestion, TightenedPart};
use self::values::Values;
use super::replay::{Recorded, Replayer, Ruled};
use super::{Plain, Record};
use crate::policy::{ArgsPlace, Policy, PolicyError, args_places};

/// Suggests a tighter policy from the calls of a log: records are noted one by one, from the log's first on.
///
/// Only permits are tightened, and only in which arguments they give: to the values, the intervals, or what all texts
/// begin with, of the calls that they gave. What people agreed to, what broke the glass, and what was denied is no evidence. Everything else stays
/// word for word, so that the suggestion can be compared with what it is of. A permit is left as it is where one of its
/// calls is not in the log in plain: it could not be said what it would lose. So is one that limits what another permit
/// gives, too: that would be limited no more.
///
/// ```
/// use hallpass::audit::{MemoryLog, Suggester};
/// use hallpass::prelude::*;
/// use serde_json::json;
///
/// let text = r#"
///     version = 1
///     tool = [{ name = "bank.pay", args = { to = { type = "text", log = "plain" } } }]
///     rule = [{ id = "pay", effect = "permit", what = { tool = "bank.pay", args = { to = "any" } } }]
/// "#;
/// let log = MemoryLog::new();
/// let broker = Broker::builder(Policy::from_toml(text)?).log(log.clone()).build()?;
/// let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("pay-bill"))?;
/// let grant = task.request(Scope::tool("bank.pay").arg("to", hallpass::scope::any()), &Context::new())?;
/// let call = Call::new("bank.pay", json!({ "to": "CH93" }))?;
/// let _permit = broker.gate().authorize(&grant, &agent, call, &Context::new())?;
///
/// let mut suggester = Suggester::new(text)?;
/// for record in log.records() {
///     suggester.note(&record, log.plain_line(record.seq).as_deref());
/// }
/// let suggestion = suggester.finish();
/// assert!(suggestion.policy.contains(r#"args = { to = { eq = "CH93" } }"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Suggester {
    text: String,
    policy: Policy,
    places: BTreeMap<String, ArgsPlace>,
    replayer: Replayer,
    evidence: BTreeMap<String, Evidence>,
    /// Of each permit how many of its calls are not in plain.
    unseen: BTreeMap<String, u64>,
}

/// What a permit gave.
#[derive(Debug, Default)]
struct Evidence {
    calls: u64,
    args: BTreeMap<String, Values>,
}

impl Suggester {
    /// Suggests for the policy of this TOML text.
    ///
    /// # Errors
    /// If the text is no policy.
    pub fn new(policy: &str) -> Result<Self, PolicyError> {
        let parsed = Policy::from_toml(policy)?;
        Ok(Suggester {
            text: policy.to_owned(),
            places: args_places(policy)?,
            replayer: Replayer::under(parsed.clone()),
            policy: parsed,
            evidence: BTreeMap::new(),
            unseen: BTreeMap::new(),
        })
    }

    /// Whether the line next to the record is asked for.
    #[must_use]
    pub fn needs_line(&self, record: &Record) -> bool {
        self.replayer.decides(record)
    }

    /// Follows the log by one record; `plain` is the line next to it, if there is one.
    pub fn note(&mut self, record: &Record, plain: Option<&str>) {
        self.replayer.note(record, plain);
        let Some(recorded) = Recorded::of(record) else { return };
        if recorded.ruled != Ruled::Permitted || recorded.was_approved || recorded.break_glass {
            return;
        }
        let again = self.replayer.permits_again(&recorded, plain);
        let (rules, said) = match (again, recorded.plain) {
            (Ok(Some(rules)), Some(said)) => (rules, said),
            // The policy does not give it any more: nothing is to be kept for it.
            (Ok(_), _) => return,
            (Err(_), _) => {
                for rule in recorded.rules {
                    *self.unseen.entry(rule.clone().into_owned()).or_default() += 1;
                }
                return;
            }
        };
        for rule in rules {
            let evidence = self.evidence.entry(rule).or_default();
            evidence.note(record.seq, said, plain);
        }
    }

    /// What is suggested.
    #[must_use]
    pub fn finish(self) -> Suggestion {
        let mut suggestion = Suggestion::of(self.text.clone());
        let mut edits = Vec::new();
        for (rule, evidence) in &self.evidence {
            let Some(place) = self.places.get(rule) else {
                suggestion.leave(rule, "args", "it stands in no one place of the text");
                continue;
            };
            if let Some(unseen) = self.unseen.get(rule) {
                let why = format!("{unseen} of its calls are not in plain in the log");
                suggestion.leave(rule, "args", &why);
                continue;
            }
            if self.policy.may_limit_others(rule) {
                let why = "it limits what another permit gives, too";
                suggestion.leave(rule, "args", why);
                continue;
            }
            match place {
                ArgsPlace::Any(span) => {
                    let mut parts = Vec::new();
                    for (name, values) in &evidence.args {
                        let own = constraint_of(values, evidence.calls, None);
                        let own = own.unwrap_or_else(|why| {
                            suggestion.leave(rule, &format!("args.{name}"), why);
                            constraint::anything(values, evidence.calls)
                        });
                        parts.push(format!("{} = {own}", constraint::key(name)));
                    }
                    let now = match parts.is_empty() {
                        true => "{}".to_owned(),
                        false => format!("{{ {} }}", parts.join(", ")),
                    };
                    let seen = evidence.args.iter().flat_map(|(name, own)| own.seen(name));
                    let part = TightenedPart::new(rule, "args", "\"any\"", &now);
                    edits.push((span.clone(), part.with(evidence.calls, seen)));
                }
                ArgsPlace::Named(spans) => {
                    for (name, span) in spans {
                        let Some(values) = evidence.args.get(name) else { continue };
                        let was = self.text.get(span.clone()).unwrap_or_default();
                        match constraint_of(values, evidence.calls, Some(was)) {
                            Ok(now) if now == was => {}
                            Ok(now) => {
                                let part =
                                    TightenedPart::new(rule, &format!("args.{name}"), was, &now);
                                let seen = values.seen(name);
                                edits.push((span.clone(), part.with(evidence.calls, seen)));
                            }
                            Err(why) => suggestion.leave(rule, &format!("args.{name}"), why),
                        }
                    }
                }
            }
        }
        suggestion.apply(edits, &self.policy);
        suggestion
    }
}

impl Evidence {
    fn note(&mut self, seq: u64, said: &Plain<'_>, plain: Option<&str>) {
        self.calls += 1;
        for (name, value) in said.open(plain).values {
            if let Some(name) = name.strip_prefix("args.") {
                self.args.entry(name.to_owned()).or_default().note(seq, &value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
