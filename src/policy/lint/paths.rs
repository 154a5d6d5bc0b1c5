//! Patterns of paths: on arguments that come in any spelling, and of folders without the folder itself.

use super::probe::holds_of;
use super::types::Types;
use super::warning::{Findings, WarningCode};
use crate::policy::effect::Effect;
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::scope::{Condition, Fact, Node, Stance, Truth};
use crate::spelling::ArgType;
use crate::value::Value;
use crate::visible::Shown;

/// Warns of patterns of paths on arguments without a type, and of `glob = "/data/**"`, which leaves out
/// `/data`.
pub(super) fn paths(rule: &Rule, types: &Types<'_>, findings: &mut Findings<'_>) {
    for condition in rule.conditions.iter().filter(|own| matches!(own.fact, Fact::Arg(_))) {
        let is_typed = types.all_give(rule, &condition.fact, ArgType::Path);
        let (fact, is_guard) = (&condition.fact, rule.effect != Effect::Permit);
        let mut untyped = None;
        condition.constraint.for_each_leaf(&mut |leaf| {
            let pattern = match leaf {
                Node::Glob(glob) => glob.as_str(),
                Node::Regex(regex) => regex.as_str(),
                Node::Prefix(text) | Node::Contains(text) => text,
                // A permit of one path is of that spelling; a forbid of it misses the others.
                Node::Is(set) if is_guard => {
                    set.iter().filter_map(Value::as_text).find(|text| is_path(text)).unwrap_or_default()
                }
                _ => "",
            };
            if !is_typed && is_path(pattern) {
                untyped.get_or_insert(pattern);
            }
            if let Node::Glob(glob) = leaf
                && let Some(folder) = folder_of(glob.as_str())
                && leaves_out(condition, folder, rule.effect)
            {
                let message = format!(
                    "{} does not match {} itself: `under = \"{folder}\"` is the folder and what lies in it",
                    Shown(glob.as_str()),
                    Shown(folder)
                );
                findings.add(WarningCode::FolderLeftOut, &place_of(fact), message);
            }
        });
        if let Some(pattern) = untyped {
            let message = format!(
                "`{fact}` is compared with {} in whatever spelling it comes, and `//`, `%2e` or another \
                 case lead to the same file: give it the type `path` in the catalogue",
                Shown(pattern)
            );
            findings.add(WarningCode::UntypedPath, &place_of(fact), message);
        }
    }
}

/// Whether a pattern is one of paths, and not of names that have a `/` in them, such as `image/*`.
fn is_path(pattern: &str) -> bool {
    (pattern.starts_with('/') && !pattern.starts_with("//"))
        || pattern.starts_with("./")
        || pattern.starts_with("../")
        || pattern.starts_with("**/")
        || (pattern.ends_with("/**") && !pattern.contains("://"))
}

/// `/data` of `/data/**`.
fn folder_of(pattern: &str) -> Option<&str> {
    let folder = pattern.strip_suffix("/**")?;
    (!folder.is_empty() && !folder.contains(['*', '?', '\\', ':'])).then_some(folder)
}

/// Whether a rule says of a folder something else than of what lies in it.
fn leaves_out(condition: &Condition, folder: &str, effect: Effect) -> bool {
    let stance = if effect == Effect::Permit { Stance::Cover } else { Stance::Guard };
    let holds = |path: &str| {
        let (alone, listed) = (Value::from(path), Value::List(vec![Value::from(path)]));
        let ask = |value| holds_of(&condition.constraint, &condition.fact, Some(value), stance);
        match ask(&alone) {
            // Asked of a list itself.
            Truth::Unknown => ask(&listed),
            known => known,
        }
    };
    let own = holds(folder);
    own != Truth::Unknown && own != holds(&format!("{folder}/x"))
}
