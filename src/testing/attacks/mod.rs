//! Attacks on a host's own policy: variants of the calls that it permits.

mod variants;

use std::fmt;

use crate::call::Call;
use crate::policy::{Policy, Rule};
use crate::scope::Node;
use crate::value::{Object, Value};
use crate::visible::Visible;
#[cfg(feature = "proptest")]
pub(super) use variants::variants_of;
#[cfg(not(feature = "proptest"))]
use variants::variants_of;

/// How many attacks that pass are kept.
const MOST_KEPT: usize = 1_000;

/// What came of variants of the calls that a policy permits: see [`attacks`].
#[derive(Clone, Debug, Default)]
pub struct AttackReport {
    tried: usize,
    passing: Vec<PassingAttack>,
    more: usize,
}

/// A variant of a permitted call that is permitted, too.
#[derive(Clone, Debug)]
pub struct PassingAttack {
    kind: &'static str,
    argument: Box<str>,
    rules: Vec<Box<str>>,
    call: Call,
}

/// Tries variants of the calls that a policy permits, and reports each that it permits, too: of paths (`..`, escapes, other
/// separators), of URLs (other hosts that look like the one), of numbers (negative, huge, as text), of letters that look
/// alike or can't be seen, of text that other programs read as commands, lists with one element more, and arguments that
/// no rule names.
///
/// For each permit one call is looked for, and each of its arguments is varied that the permit constrains: of one
/// that it lets be `"any"`, that any value passes is what it says. What passes need not be wrong (`max = 500` lets `-1`
/// pass, and may be meant to); it is what somebody should have looked at. Nothing is called: the rules are asked.
///
/// ```
/// use hallpass::policy::{Policy, Rule};
/// use hallpass::scope::{prefix, under};
/// use hallpass::testing::attacks;
///
/// let read = |path| Policy::builder().rule(Rule::permit("read").tool("file.read").arg("path", path)).build();
/// let report = attacks(&read(prefix("/data"))?);
/// assert!(report.passing().any(|own| own.call().args().to_json() == r#"{"path":"/data-other/x"}"#), "{report}");
/// assert_eq!(attacks(&read(under("/data"))?).passing().count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn attacks(policy: &Policy) -> AttackReport {
    let mut report = AttackReport::default();
    let Ok(nothing) = Policy::builder().build() else { return report };
    let permitted = nothing.diff(policy);
    for witness in permitted.wider().witnesses() {
        let Some(rule) = policy.rules().find(|own| own.id() == witness.rule()) else { continue };
        let constrained = |name: &str| constrains(rule, name);
        let args = witness.call().args().object();
        let named = args.iter().filter(|(name, _)| constrained(name));
        let mut calls: Vec<(&'static str, &str, Option<Object>)> = Vec::new();
        for (name, value) in named {
            for (kind, variant) in variants_of(value) {
                let mut own = args.clone();
                if let Some(value) = own.get_mut(name) {
                    *value = variant;
                }
                calls.push((kind, name, Some(own)));
            }
        }
        let mut more = args.clone();
        let unnamed = more.insert("unnamed_argument", Value::from("x"));
        if !rule.openness.other_args {
            calls.push(("unnamed", "unnamed_argument", unnamed.ok().map(|()| more)));
        }
        for (kind, argument, args) in calls {
            let Some(call) = args.and_then(|own| varied(witness.call(), own)) else { continue };
            report.tried += 1;
            if let Some(rules) = witness.permits(policy, &call) {
                report.keep(PassingAttack { kind, argument: argument.into(), rules, call });
            }
        }
    }
    report
}

/// Whether a permit says of an argument more than that it is there.
fn constrains(rule: &Rule, name: &str) -> bool {
    let own = rule.conditions.iter().find(|own| own.fact.as_argument() == Some(name));
    own.is_some_and(|own| !matches!(own.constraint.0, Node::Any))
}

fn varied(call: &Call, args: Object) -> Option<Call> {
    let own = Call::new(call.tool(), Value::Object(args)).ok()?;
    Some(call.resource().cloned().into_iter().fold(own, Call::on))
}

impl AttackReport {
    /// How many variants were tried.
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// Those that are permitted, at most 1,000.
    pub fn passing(&self) -> impl ExactSizeIterator<Item = &PassingAttack> {
        self.passing.iter()
    }

    /// How many more are permitted.
    pub fn more(&self) -> usize {
        self.more
    }

    fn keep(&mut self, own: PassingAttack) {
        match self.passing.len() < MOST_KEPT {
            true => self.passing.push(own),
            false => self.more += 1,
        }
    }
}

impl PassingAttack {
    /// Of which kind: `path`, `url`, `number`, `confusable`, `injection`, `list` or `unnamed`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The argument that is another.
    pub fn argument(&self) -> &str {
        &self.argument
    }

    /// The ids of the permits that give it.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rules.iter().map(|id| &**id)
    }

    /// The call.
    pub fn call(&self) -> &Call {
        &self.call
    }
}

/// For people, an attack a line.
impl fmt::Display for AttackReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for own in &self.passing {
            writeln!(f, "{own}")?;
        }
        if self.more > 0 {
            writeln!(f, "and {} more", self.more)?;
        }
        writeln!(f, "{} of {} variants pass", self.passing.len() + self.more, self.tried)
    }
}

impl fmt::Display for PassingAttack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PassingAttack { kind, argument, rules, call } = self;
        let ids: Vec<String> = rules.iter().map(|id| format!("`{id}`")).collect();
        let args = Visible(call.args().object());
        write!(
            f,
            "{kind} in `{argument}`: {} permits `{}` with {args}",
            ids.join(", "),
            call.tool()
        )
    }
}

#[cfg(test)]
mod tests;
