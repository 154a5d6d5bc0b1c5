//! What a policy's own rules cost a call of nothing: a rule that takes more than a question has would deny
//! every call, by any caller.

use std::collections::HashMap;

use super::error::PolicyError;
use super::rule::{Rule, Tools};
use crate::meter::{STEPS, STEPS_PER_RULE};

/// The steps that the rules which may speak of one tool may take beyond those they have of their own. Half
/// of what a question has: the other half is for the call.
const MOST: u64 = STEPS / 2;

/// Whether a call of nothing can be asked of all rules that may speak of its tool.
///
/// # Errors
/// Names the rule that takes the most steps.
pub(super) fn check_price(rules: &[Rule]) -> Result<(), PolicyError> {
    let priced = rules.iter().enumerate().map(|(item, rule)| (item, rule, price(rule)));
    // Hardly any takes more than its own.
    let dear: Vec<_> = priced.filter(|(_, _, price)| *price > 0).collect();
    let mut by_tool: HashMap<&str, u64> = HashMap::new();
    let mut of_all = 0;
    for (_, rule, price) in &dear {
        match &rule.tools {
            Tools::Named(names) => {
                for name in &**names {
                    *by_tool.entry(name).or_default() += price;
                }
            }
            Tools::Unsaid | Tools::Any | Tools::Like(_) => of_all += price,
        }
    }
    let most = by_tool.values().max().copied().unwrap_or_default() + of_all;
    match dear.iter().max_by_key(|(_, _, price)| *price) {
        Some((item, rule, own)) if most > MOST => {
            let problem = format!(
                "rules about one tool take {most} steps to ask of a call without arguments, expected at most \
                 {MOST}; this one takes {own}: name many values in one `one_of` instead of an `any` of `eq`"
            );
            Err(PolicyError::of_rule(&rule.id, "", problem).of_item(*item))
        }
        _ => Ok(()),
    }
}

/// The steps beyond its own that asking a rule takes at most where nothing is there to be asked of.
fn price(rule: &Rule) -> u64 {
    let parts: usize = rule.all_conditions().map(|own| 1 + own.constraint.parts()).sum();
    (parts as u64).saturating_sub(STEPS_PER_RULE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::scope::{any_of, eq, one_of};

    fn built(rules: impl IntoIterator<Item = Rule>) -> Result<Policy, PolicyError> {
        Policy::builder().rules(rules).build()
    }

    /// attack 189
    #[test]
    fn rules_that_no_call_could_pay_for_do_not_load() {
        let many =
            |id: &str, count: i32| Rule::permit(id).tool("t").arg("x", any_of((0..count).map(eq)));
        assert!(built([many("a", 100_000)]).is_ok());
        let error = built([many("a", 150_000), many("b", 60_000)]).unwrap_err();
        assert_eq!(error.rule(), Some("a"));
        assert!(error.problem().contains("one_of"), "{error}");
        // Of different tools, no call meets both.
        assert!(built([many("a", 150_000), many("b", 60_000).tool("u")]).is_ok());
        let any_tool = Rule::forbid("b").arg("x", any_of((0..60_000).map(eq)));
        assert!(built([many("a", 150_000), any_tool]).is_err());
        // As one set it is nearly nothing.
        let set = Rule::permit("a").tool("t").arg("x", one_of(0..300_000));
        assert!(built([set]).is_ok());
    }

    #[test]
    fn many_rules_that_take_no_more_than_their_own_steps_load() {
        let rules = (0..50_000).map(|n| Rule::permit(format!("r{n}")).tool("t").arg("x", eq(n)));
        assert!(built(rules).is_ok());
    }
}
