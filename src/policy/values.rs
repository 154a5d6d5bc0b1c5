//! Values that a part of the question can never have.

use super::sets::{self, is_one_text};
use crate::identity::Subject;
use crate::purpose::Purpose;
use crate::resource::Resource;
use crate::scope::{
    Condition, Constraint, Expected, Fact, Node, Operand, Relation, Set, is_reference,
};
use crate::tool::ToolName;
use crate::value::Value;
use crate::visible::Shown;
use crate::visible::{ATTRIBUTE_NAME, is_hidden, not_a_name_char};

/// Why a condition can hold of no question, or only by surprise.
pub(super) fn condition_fault(condition: &Condition) -> Option<String> {
    condition.name_fault().or_else(|| sets::fault(condition)).or_else(|| fault(condition))
}

/// Why a condition compares with what its fact never is: a number where there is text, or a text that
/// no id, group, purpose, ticket or resource can be. A permit of that gives nothing, and a forbid of
/// it refuses nothing, or everything.
fn fault(condition: &Condition) -> Option<String> {
    let Condition { fact, constraint } = condition;
    if *fact == Fact::Now && compares_with_one_text(constraint) {
        let problem = "the time is never exactly one text: say `after` and `before`, or `weekly = { … }` for a time \
                       of day";
        return Some(problem.to_owned());
    }
    if is_one_text(fact)
        && let Some(problem) = not_of_text(constraint)
    {
        return Some(problem);
    }
    let mut found = None;
    constraint.for_each_leaf(&mut |leaf| {
        if found.is_none() {
            found = of_leaf(fact, leaf).or_else(|| of_reference(leaf));
        }
    });
    found
}

fn compares_with_one_text(constraint: &Constraint) -> bool {
    let mut is_one = false;
    constraint.for_each_leaf(&mut |leaf| is_one |= matches!(leaf, Node::Is(_)));
    is_one
}

/// Why a leaf compares with what is never as its kind takes it, or with a table that was meant for a
/// reference.
fn of_reference(leaf: &Node) -> Option<String> {
    let own = match leaf {
        Node::SameAs(fact @ Fact::Note(_)) => {
            return Some(format!(
                "`{fact}` is a list of all that was noted: for one of these write `one_of = {{ ref = … }}`"
            ));
        }
        Node::Compared(own) => own,
        Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) => {
            let written = set.iter().find(|value| is_reference(value))?.to_json();
            return Some(format!(
                "{} in a list is not read as a reference: write `any = [{{ same_as = … }}, … ]` \
                 (`fields` for an object with such a key)",
                Shown(&written)
            ));
        }
        _ => return None,
    };
    let word = own.relation.as_str();
    own.facts().find_map(|fact| match (&own.with, own.expects()) {
        (Operand::Fact(_), Expected::List) if is_one_text(fact) => {
            Some(format!("`{word}` takes a list, and `{fact}` is one text: write `same_as`"))
        }
        (Operand::Fact(_), Expected::Number) if is_one_text(fact) => {
            Some(format!("`{word}` takes a number, and `{fact}` is text"))
        }
        (Operand::Joined(_), _) | (_, Expected::Number | Expected::Text) if fact.is_a_set() => {
            Some(format!("`{word}` takes one value, and `{fact}` is a set: write `one_of`"))
        }
        (Operand::Joined(_), _) | (_, Expected::Number | Expected::Text | Expected::Value)
            if matches!(fact, Fact::Note(_)) =>
        {
            Some(format!(
                "`{word}` takes one value, and `{fact}` is a list of all that was noted: write `one_of`"
            ))
        }
        _ => None,
    })
}

/// Why no tool's name is as a constraint says.
pub(super) fn tool_fault(constraint: &Constraint) -> Option<String> {
    let mut found = not_of_text(constraint);
    constraint.for_each_leaf(&mut |leaf| {
        if found.is_none() {
            found = of_leaf(&Fact::Tool, leaf);
        }
    });
    found
}

/// What is asked of a number, a list or an object where there is always text.
fn not_of_text(constraint: &Constraint) -> Option<String> {
    match &constraint.0 {
        Node::All(parts) | Node::AnyOf(parts) => parts.iter().find_map(not_of_text),
        Node::Not(inner) => not_of_text(inner),
        Node::Is(set) => set.iter().find_map(|value| match value {
            Value::Text(_) => None,
            Value::List(_) => {
                Some("a text is never equal to a list: say `one_of = [ … ]`".to_owned())
            }
            Value::Null => {
                Some("a text is never null: where there is none, say `present = false`".to_owned())
            }
            Value::Bool(said) => Some(format!(
                "a text is never equal to a boolean: whether there is one is `{{ present = {said} }}`, and the text \
                 itself `\"{said}\"` in quotes"
            )),
            other => {
                let shown = other.to_json();
                let kind = other.kind_name();
                Some(format!("a text is never equal to a {kind}: say `\"{shown}\"` in quotes"))
            }
        }),
        Node::Compared(own) if own.expects() == Expected::Number => {
            let word = constraint.word();
            Some(format!("this is text, and `{word}` is asked of a number"))
        }
        Node::Compared(own)
            if matches!(own.relation, Relation::SubsetOf | Relation::HasAny | Relation::HasAll) =>
        {
            let word = constraint.word();
            Some(format!(
                "this is one text, and `{word}` is asked of a list: say `one_of = {{ ref = … }}`"
            ))
        }
        Node::Each(_)
        | Node::Items(_)
        | Node::Some(_)
        | Node::Count(_)
        | Node::SubsetOf(_)
        | Node::HasAny(_)
        | Node::HasAll(_) => {
            let word = constraint.word();
            Some(format!("this is one text, and `{word}` is asked of a list: say `one_of = [ … ]`"))
        }
        Node::Range(_) => {
            let word = constraint.word();
            Some(format!(
                "this is text, and `{word}` is asked of a number: for texts there are `one_of`, \
                 `prefix`, `glob` and `len`"
            ))
        }
        Node::Fields(_) => Some("this is text, and `fields` is asked of an object".to_owned()),
        _ => None,
    }
}

fn of_leaf(fact: &Fact, leaf: &Node) -> Option<String> {
    let refuses = characters_of(fact);
    match leaf {
        Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) => {
            texts_of(set).find_map(|text| {
                let fault = of_text(fact, text)?;
                let pattern =
                    if text.contains('*') { ": a pattern is said with `glob`" } else { "" };
                Some(format!("{fault}{pattern}"))
            })
        }
        Node::Prefix(text) | Node::Suffix(text) | Node::Contains(text) => {
            never_has(fact, text, refuses?(text)?)
        }
        Node::Glob(glob) => {
            // A wildcard stands for any character, and is taken for one that is allowed.
            let letters = glob.as_str().replace(['*', '?', '\\'], "a");
            never_has(fact, glob.as_str(), refuses?(&letters)?)
        }
        _ => None,
    }
}

/// The texts of a set, and of the lists in it.
fn texts_of(set: &Set) -> impl Iterator<Item = &str> {
    set.iter()
        .flat_map(|value| match value {
            Value::List(elements) => elements.as_slice(),
            one => std::slice::from_ref(one),
        })
        .filter_map(Value::as_text)
}

/// Why no question states this text.
fn of_text(fact: &Fact, text: &str) -> Option<String> {
    match fact {
        Fact::WhoId => Subject::new(text).err().map(|fault| fault.to_string()),
        Fact::WhoActsFor => Subject::new(text).err().map(|fault| fault.to_string()),
        Fact::WhoGroups => ATTRIBUTE_NAME.check(text).err().map(|fault| format!("group {fault}")),
        Fact::Purpose => Purpose::new(text).checked().err().map(|fault| fault.to_string()),
        Fact::Ticket => Purpose::new("p").ticket(text).checked().err().map(|own| own.to_string()),
        Fact::ResourceType => Resource::new(text, "i").checked().err().map(|own| own.to_string()),
        Fact::ResourceId => Resource::new("t", text).checked().err().map(|own| own.to_string()),
        Fact::Labels | Fact::Seen => {
            ToolName::new(text).err().map(|_| format!("no tool has the label {}", Shown(text)))
        }
        _ => None,
    }
}

/// Finds the first character that a fact never has.
type Refuses = fn(&str) -> Option<usize>;

fn characters_of(fact: &Fact) -> Option<Refuses> {
    match fact {
        Fact::Tool | Fact::Purpose | Fact::ResourceType | Fact::Labels | Fact::Seen => {
            Some(not_a_name_char)
        }
        Fact::WhoId | Fact::WhoActsFor => {
            Some(|text| text.chars().position(|c| !c.is_ascii_graphic()))
        }
        Fact::Ticket => Some(|text| text.chars().position(|c| !matches!(c, ' '..='~'))),
        Fact::WhoGroups => Some(|text| text.chars().position(is_hidden)),
        Fact::ResourceId => Some(|text| text.chars().position(char::is_control)),
        _ => None,
    }
}

fn never_has(fact: &Fact, text: &str, at: usize) -> Option<String> {
    let found = text.chars().nth(at)?;
    let (shown, place) = (Shown(text), at + 1);
    Some(match found {
        '*' => format!("`{fact}` never has a `*`, and {shown} has: a pattern is said with `glob`"),
        _ => {
            let found = found.escape_unicode();
            format!("{shown} has `{found}` as character {place}, which `{fact}` never has")
        }
    })
}
