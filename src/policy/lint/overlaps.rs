//! Guards that take some of what a permit gives.

use super::proofs::Proofs;
use super::warning::{Findings, WarningCode};
use crate::form::Form;
use crate::meter::Meter;
use crate::policy::effect::Effect;
use crate::policy::index::Side;
use crate::policy::regions::{Fixed, Outcome};
use crate::policy::rule::{Rule, Tools};

/// How many guards of a tool one permit is compared with.
const MOST_GUARDS: usize = 256;

/// The steps that comparing two rules may take.
const STEPS: u64 = 200_000;

impl<'p> Proofs<'p> {
    /// Tells which guards take some of what a permit gives, each by a question that both speak of.
    pub(super) fn overlaps(&mut self, rule: &'p Rule, findings: &mut Findings<'_>) {
        if rule.effect != Effect::Permit {
            return;
        }
        let first = match &rule.tools {
            Tools::Named(names) => names.iter().map(|name| Some(&**name)).collect(),
            _ => vec![None],
        };
        let mut told: Vec<u32> = Vec::new();
        for tool in first {
            let fixed = Fixed { tool, form: rule.presentation.unwrap_or(Form::Bearer) };
            let meter = Meter::of(STEPS);
            let Some(own) = self.prepared(rule, fixed, &meter) else { continue };
            let policy = self.policy;
            let guards = policy.index.all(Side::Guards, tool.unwrap_or_default());
            for at in guards.take(MOST_GUARDS) {
                let Some(guard) = policy.rule(at).filter(|_| !told.contains(&at)) else { continue };
                let Some(its) = self.prepared(guard, fixed, &meter) else { continue };
                if let Outcome::Found(question) = self.find(&[&own, &its], &[], fixed) {
                    told.push(at);
                    let does = if guard.effect == Effect::Ask { "asks people" } else { "forbids" };
                    let message = format!("`{}` {does} where {question}", guard.id);
                    findings.add(WarningCode::Overlap, "", message);
                }
            }
        }
    }
}
