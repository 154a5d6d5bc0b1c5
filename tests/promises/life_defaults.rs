//! Tools of a life that state a default, and what that changes of calls, scopes and rules, by the book.

use hallpass::policy::Effect;

use crate::model_rules::labels_of;
use crate::universe::*;

/// Labels of tools for which this stands as `x` where a call leaves it out.
pub(crate) const DEFAULTS: [(&str, &str); 2] = [("x-is-a", "a"), ("x-is-b", "b")];

pub(crate) fn default_in(labels: &[String]) -> Option<&'static str> {
    let of = |label: &String| DEFAULTS.iter().find(|(own, _)| own == label);
    labels.iter().find_map(of).map(|(_, default)| *default)
}

pub(crate) fn default_of(policy: &PolicySaid, tool: &str) -> Option<V> {
    let own = default_in(labels_of(policy, tool)?)?;
    Some(V::Text(own.into()))
}

/// The call as rules, scopes and the tool have it.
pub(crate) fn whole(policy: &PolicySaid, call: &CallSaid) -> CallSaid {
    let mut whole = call.clone();
    if let Some(own) = default_of(policy, &call.tool) {
        whole.args.entry("x".into()).or_insert(own);
    }
    whole
}

/// What is asked for lets an argument that it does not name be its default.
pub(crate) fn wanted_whole(policy: &PolicySaid, said: &CapabilitySaid) -> CapabilitySaid {
    let mut whole = said.clone();
    let names = said.args.iter().any(|(name, _)| name == "x");
    if !said.other_args
        && !names
        && let Some(own) = default_of(policy, &said.tool)
    {
        whole.args.push(("x".into(), C::Eq(own)));
    }
    whole
}

/// The policy whose permits say of the defaults that they do not name that they may be there: of named tools alone, that all
/// have the same.
pub(crate) fn ruled_whole(policy: &PolicySaid) -> PolicySaid {
    let ruled = |rule: &RuleSaid| {
        let mut rule = rule.clone();
        let ToolsSaid::Named(tools) = &rule.tools else { return rule };
        let open = rule.effect != Effect::Permit || rule.other_args || rule.any_args;
        let names = rule.conditions.iter().any(|(fact, _)| *fact == F::Arg("x".into()));
        let default = default_of(policy, &tools[0]);
        let same = tools.iter().all(|tool| default_of(policy, tool) == default);
        if !open
            && !names
            && same
            && let Some(own) = default
        {
            rule.conditions.push((F::Arg("x".into()), C::Eq(own)));
        }
        rule
    };
    PolicySaid { rules: policy.rules.iter().map(ruled).collect(), ..policy.clone() }
}
