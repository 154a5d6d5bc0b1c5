//! Names that no call, identity, context or resource can have.

use super::constraint::{Constraint, Node};
use super::cover::Condition;
use super::fact::Fact;
use crate::args::check_key;
use crate::tool::ToolName;
use crate::visible::ATTRIBUTE_NAME;
use crate::visible::Shown;

impl Condition {
    /// Why it names something that no question has: an argument or a field that no call may have, an
    /// attribute that nothing may state, in the condition itself or in what it compares with.
    pub(crate) fn name_fault(&self) -> Option<String> {
        let of_call = matches!(self.fact, Fact::Arg(_));
        self.fact.name_fault().or_else(|| of_constraint(&self.constraint, of_call))
    }
}

impl Fact {
    /// Why no question has this fact.
    pub(crate) fn name_fault(&self) -> Option<String> {
        match self {
            Fact::Arg(path) => path.iter().find_map(|name| of_key("argument", name)),
            Fact::WhoAttr(name) => of_attribute("identity", name),
            Fact::Asker(own) => own.name_fault(),
            Fact::Context(name) => of_attribute("context", name),
            Fact::ResourceAttr(name) => of_attribute("resource", name),
            Fact::Note(name) => note_parts(name).err(),
            _ => None,
        }
    }
}

/// `of_call`: the fields are those of an argument, and not of an attribute or of a JSON text, whose
/// keys may be any.
fn of_constraint(constraint: &Constraint, of_call: bool) -> Option<String> {
    match &constraint.0 {
        leaf @ (Node::SameAs(_) | Node::Compared(_)) => {
            let fault = leaf.facts().find_map(Fact::name_fault)?;
            Some(format!("`{}`: {fault}", constraint.word()))
        }
        Node::All(parts) | Node::AnyOf(parts) => {
            parts.iter().find_map(|part| of_constraint(part, of_call))
        }
        Node::Not(inner) | Node::Each(inner) | Node::Some(inner) => of_constraint(inner, of_call),
        Node::Items(items) => items.iter().find_map(|item| of_constraint(item, of_call)),
        Node::Json(inner) => of_constraint(inner, false),
        Node::Fields(fields) => fields.iter().find_map(|(name, field)| {
            let own = if of_call { of_key("field", name) } else { None };
            own.or_else(|| of_constraint(field, of_call))
        }),
        _ => None,
    }
}

/// The tool and the field of a note's name, `TOOL#FIELD`.
///
/// # Errors
/// Why it is no such name, for its author.
pub(crate) fn note_parts(name: &str) -> Result<(&str, &str), String> {
    let shown = Shown(name);
    let (tool, field) = name.split_once('#').ok_or_else(|| {
        format!("{shown} is not the name of a note, expected `TOOL#FIELD`, as in `mail.read#id`")
    })?;
    ToolName::new(tool).map_err(|error| format!("of the note {shown}: {error}"))?;
    ATTRIBUTE_NAME
        .check(field)
        .map_err(|fault| format!("of the note {shown}: the field {fault}"))?;
    Ok((tool, field))
}

fn of_key(noun: &str, name: &str) -> Option<String> {
    let fault = check_key(name).err()?;
    Some(format!("no call has the {noun} {}: the name is {fault}", Shown(name)))
}

fn of_attribute(whose: &str, name: &str) -> Option<String> {
    let fault = ATTRIBUTE_NAME.check(name).err()?;
    Some(format!("no {whose} has the attribute: its name {fault}"))
}
