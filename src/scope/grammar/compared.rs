//! `{ ref = … }` and `{ join = [ … ] }` in the place of a value.

use crate::document::{Misfit, Table, Written, list, text};
use crate::scope::constraint::Constraint;
use crate::scope::describe::{JOIN, REF};
use crate::scope::operand::Piece;
use crate::scope::reference::{Reference, parse, reference};
use crate::scope::relation::Relation;
use crate::value::SpannedNode;
use crate::visible::Shown;

/// A kind of constraint of what a reference names where one is written, else as `read` reads it.
pub(super) fn or_compared(
    written: &Written,
    relation: Relation,
    read: impl FnOnce() -> Result<Constraint, Misfit>,
) -> Result<Constraint, Misfit> {
    let SpannedNode::Object(entries) = &written.node else { return read() };
    let has = |key: &str| entries.iter().any(|(_, own, _)| &**own == key);
    // An object to be equal to may have such a key among others.
    let is_reference = match relation {
        Relation::Eq => entries.len() == 1 && (has(REF) || has(JOIN)),
        _ => has(REF) || has(JOIN),
    };
    if is_reference {
        return operand(written).map(|own| own.compared(relation));
    }
    if relation != Relation::Eq && has("same_as") {
        let word = relation.as_str();
        let problem =
            format!("in the place of a value it is `ref`: write `{word} = {{ ref = … }}`");
        return Err(Misfit::new(written.span.start, problem));
    }
    read()
}

/// The reference that is written, if one is.
pub(super) fn operand_of(written: &Written) -> Result<Option<Reference>, Misfit> {
    match &written.node {
        SpannedNode::Object(_) => operand(written).map(Some),
        _ => Ok(None),
    }
}

fn operand(written: &Written) -> Result<Reference, Misfit> {
    let example = "a table such as `{ ref = \"who.attrs.NAME\" }`";
    let table = Table::read_some(written, &[REF, JOIN], example)?;
    match (table.get(REF), table.read_at(JOIN, pieces)?) {
        (Some(_), Some(_)) => Err(Misfit::new(
            table.at,
            "`ref` and `join` together: a reference stands among the pieces",
        )),
        (_, Some(pieces)) => Ok(Reference::of_pieces(pieces)),
        (named, None) => Ok(reference(text(named.unwrap_or(written))?)),
    }
}

fn pieces(written: &Written) -> Result<Vec<Piece>, Misfit> {
    let piece = |own: &Written| match &own.node {
        SpannedNode::Text(text) if parse(text).is_ok() => {
            let shown = Shown(text);
            let problem = format!(
                "{shown} would stand here as a text: a part of the question is `{{ ref = … }}`"
            );
            Err(Misfit::new(own.span.start, problem))
        }
        SpannedNode::Text(text) => Ok(Piece::Text(text.clone())),
        _ => {
            let table = Table::read_some(own, &[REF], "a text or `{ ref = … }`")?;
            let named = table.require(REF, "name a part of the question", text)?;
            parse(named)
                .map(Piece::Fact)
                .map_err(|error| Misfit::new(own.span.start, error.to_string()))
        }
    };
    let pieces = list(written)?.iter().enumerate();
    pieces.map(|(at, own)| piece(own).map_err(|error| error.of_element(at))).collect()
}
