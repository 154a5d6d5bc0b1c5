//! Why a forbid or an ask acted, for operators: it holds, or it could not be told, and of which fact.

use super::compiled::Compiled;
use super::deciders::Deciders;
use super::question::{Question, Setting};
use super::rule::{Rule, Tools};
use super::wanted::Wanted;
use crate::meter::Meter;
use crate::scope::{Condition, Fact, Facts, Stance, Truth, doubt, held};

/// How many rules are explained: people mend one at a time.
const MOST_RULES: usize = 4;

/// What is told of each rule that acted.
pub(super) fn guards_told(
    policy: &Compiled,
    rules: &Deciders,
    told: impl Fn(&Rule) -> String,
) -> String {
    let told = rules
        .iter()
        .filter_map(|at| policy.rule(*at))
        .take(MOST_RULES)
        .map(|rule| format!("`{}` {}", rule.id, told(rule)))
        .collect::<Vec<_>>()
        .join("; ");
    match rules.as_slice().len().saturating_sub(MOST_RULES) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

/// What the conditions of one guard came to.
#[derive(Default)]
struct Findings {
    held: Vec<String>,
    doubts: Vec<String>,
}

impl Findings {
    fn note<'q>(&mut self, condition: &Condition, facts: impl Facts<'q>, setting: &Setting<'_>) {
        let meter = setting.meter;
        let from = if condition.fact == Fact::Seen { setting.seen.told() } else { String::new() };
        match condition.holds(Stance::Guard, facts, meter) {
            Truth::Unknown => {
                let constraint = &condition.constraint;
                let doubt = doubt(condition, facts);
                self.doubts.push(format!("{doubt}{from}, where {constraint} is asked for"));
            }
            Truth::True | Truth::False => self.held.push(held(condition, facts) + &from),
        }
    }

    /// A guard acts where all that is known of it holds; what is not known is why it could not be passed
    /// over.
    fn told(self) -> String {
        match (&*self.doubts, &*self.held) {
            ([], []) => "holds, for it has no condition".to_owned(),
            ([], held) => format!("holds: {}", held.join(", ")),
            (doubts, _) => format!("could not be told, and so acts: {}", doubts.join(", ")),
        }
    }
}

impl Rule {
    /// Why it acts on a call.
    pub(super) fn told_of_call(&self, question: &Question<'_>) -> String {
        let mut findings = Findings::default();
        let setting = &question.setting;
        self.note_tool(question.what.tool, &mut findings, setting.meter);
        for condition in &self.conditions {
            findings.note(condition, question, setting);
        }
        let doubted = self.exceptions.iter().filter_map(|own| own.doubted(question, setting.meter));
        findings.doubts.extend(doubted);
        findings.told()
    }

    /// Why it acts on what is asked for.
    pub(super) fn told_of_request(&self, wanted: &Wanted<'_>) -> String {
        let mut findings = Findings::default();
        let meter = wanted.setting.meter;
        self.note_tool(wanted.capability.tool.as_str(), &mut findings, meter);
        for condition in &self.conditions {
            let Condition { fact, constraint } = condition;
            if fact.is_of_the_resource() && wanted.is_of_no_resource() {
                let told = format!("`{fact}` is absent, for what is asked for has no resource");
                findings.doubts.push(told);
            } else if fact.is_of_the_call() {
                let how =
                    if self.waits_for_calls(wanted) { "all that is" } else { "some of what is" };
                findings.held.push(format!("`{fact}` of {how} asked for lies in {constraint}"));
            } else {
                findings.note(condition, wanted, &wanted.setting);
            }
        }
        findings.told()
    }

    fn note_tool(&self, tool: &str, findings: &mut Findings, meter: &Meter) {
        if let Tools::Like(constraint) = &self.tools {
            match self.tool_named(tool, Stance::Guard, meter) {
                Truth::Unknown => findings.doubts.push(format!("`what.tool` may be {constraint}")),
                Truth::True | Truth::False => {
                    findings.held.push(format!("`what.tool` is `{tool}`"))
                }
            }
        }
    }
}
