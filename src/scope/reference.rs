//! References: parts of the question that stand where a constraint takes a value.

use super::constraint::{Constraint, Node};
use super::constraint_error::ConstraintError;
use super::fact::Fact;
use super::operand::{Comparison, MAX_PIECES, Operand, Piece, join};
use super::order::OrderRef;
use super::path::canonical_path;
use super::relation::{Expected, Relation};
use crate::visible::{SHOWN, escape_for_people};

/// Another part of the question, or text joined from such parts, in the place of a value: see
/// [`reference()`] and [`joined`].
///
/// What it names may be missing, not filled in or of a kind that the constraint does not take. Then nothing
/// is known: a permit does not apply, a forbid or an ask does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a reference says nothing until a kind of constraint takes it"]
pub struct Reference {
    operand: Result<Operand, ConstraintError>,
    order: Option<OrderRef>,
}

/// A part of the question, named as in a policy: `who.attrs.limit`, `args.from`.
///
/// ```
/// use hallpass::policy::{Policy, Rule};
/// use hallpass::scope::{above, reference};
///
/// let own_limit = above(0).and(reference("who.attrs.limit").as_max());
/// let rule = Rule::permit("own-limit").tool("bank.pay").arg("amount", own_limit);
/// # Policy::builder().rule(rule).build()?;
/// # Ok::<(), hallpass::policy::PolicyError>(())
/// ```
pub fn reference(fact: &str) -> Reference {
    Reference::to(parse(fact).map(Operand::Fact))
}

/// Text that begins with `text`, for pieces that follow: between two of them stands one `/`.
///
/// ```
/// use hallpass::policy::{Policy, Rule};
/// use hallpass::scope::joined;
///
/// let own_folder = joined("/home").and_part("who.attrs.user").as_under();
/// let rule = Rule::permit("own-folder").tool("file.read").arg("path", own_folder);
/// # Policy::builder().rule(rule).build()?;
/// # Ok::<(), hallpass::policy::PolicyError>(())
/// ```
pub fn joined(text: &str) -> Reference {
    Reference::to(Ok(Operand::Joined([Piece::Text(text.into())].into())))
}

pub(super) fn parse(fact: &str) -> Result<Fact, ConstraintError> {
    Fact::parse(fact).map_err(|error| ConstraintError::UnknownFact(error.to_string()))
}

impl Reference {
    fn to(operand: Result<Operand, ConstraintError>) -> Self {
        Reference { operand, order: None }
    }

    pub(super) fn of(fact: Fact) -> Self {
        Reference::to(Ok(Operand::Fact(fact)))
    }

    pub(super) fn of_pieces(pieces: Vec<Piece>) -> Self {
        Reference::to(Ok(Operand::Joined(pieces.into())))
    }

    /// Compared by an order that the policy has under this name, instead of as a number: for
    /// [`as_min`](Self::as_min), [`as_max`](Self::as_max), [`as_above`](Self::as_above) and
    /// [`as_below`](Self::as_below). See [`max_in`](super::max_in).
    pub fn in_order(self, order: &str) -> Self {
        self.by_order(OrderRef::Named(order.into()))
    }

    pub(super) fn by_order(self, order: OrderRef) -> Self {
        Reference { order: Some(order), ..self }
    }

    /// Followed by this text.
    pub fn and_text(self, text: &str) -> Self {
        self.and_piece(Ok(Piece::Text(text.into())))
    }

    /// Followed by a part of the question: text that is one segment, without `/`, `\`, `%` and hidden
    /// characters and neither `.` nor `..`. Any other is unknown.
    pub fn and_part(self, fact: &str) -> Self {
        self.and_piece(parse(fact).map(Piece::Fact))
    }

    fn and_piece(self, piece: Result<Piece, ConstraintError>) -> Self {
        let operand = self.operand.and_then(|operand| {
            let mut pieces = match operand {
                Operand::Fact(fact) => vec![Piece::Fact(fact)],
                Operand::Joined(pieces) => pieces.into_vec(),
            };
            pieces.push(piece?);
            Ok(Operand::Joined(pieces.into()))
        });
        Reference { operand, ..self }
    }

    /// Equal to it, as [`same_as`](super::same_as) is.
    pub fn as_eq(self) -> Constraint {
        self.compared(Relation::Eq)
    }

    /// One of the values of the list that it names.
    pub fn as_one_of(self) -> Constraint {
        self.compared(Relation::OneOf)
    }

    /// At least the number that it names.
    pub fn as_min(self) -> Constraint {
        self.compared(Relation::Min)
    }

    /// At most the number that it names.
    pub fn as_max(self) -> Constraint {
        self.compared(Relation::Max)
    }

    /// More than the number that it names.
    pub fn as_above(self) -> Constraint {
        self.compared(Relation::Above)
    }

    /// Less than the number that it names.
    pub fn as_below(self) -> Constraint {
        self.compared(Relation::Below)
    }

    /// Text that is an instant: the one that it names, or a later.
    pub fn as_after(self) -> Constraint {
        self.compared(Relation::After)
    }

    /// Text that is an instant earlier than the one that it names.
    pub fn as_before(self) -> Constraint {
        self.compared(Relation::Before)
    }

    /// Text that begins with it.
    pub fn as_prefix(self) -> Constraint {
        self.compared(Relation::Prefix)
    }

    /// Text that ends with it.
    pub fn as_suffix(self) -> Constraint {
        self.compared(Relation::Suffix)
    }

    /// Text that has it somewhere.
    pub fn as_contains(self) -> Constraint {
        self.compared(Relation::Contains)
    }

    /// A path that is the folder it names, or lies in it.
    pub fn as_under(self) -> Constraint {
        self.compared(Relation::Under)
    }

    /// A list of nothing but values of the list that it names.
    pub fn as_subset_of(self) -> Constraint {
        self.compared(Relation::SubsetOf)
    }

    /// A list with at least one value of the list that it names.
    pub fn as_has_any(self) -> Constraint {
        self.compared(Relation::HasAny)
    }

    /// A list with all values of the list that it names.
    pub fn as_has_all(self) -> Constraint {
        self.compared(Relation::HasAll)
    }

    pub(super) fn compared(self, relation: Relation) -> Constraint {
        if self.order.is_some()
            && let Some(fault) = order_fault(relation, &self.operand)
        {
            return Constraint(Node::Faulty(Box::new(ConstraintError::Pattern(fault))));
        }
        let order = self.order;
        Constraint(match self.operand {
            Ok(Operand::Fact(fact)) if relation == Relation::Eq => Node::SameAs(fact),
            Ok(Operand::Joined(pieces)) => match pieces_fault(relation, &pieces) {
                Some(fault) => Node::Faulty(Box::new(ConstraintError::Pattern(fault))),
                None => comparison(relation, Operand::Joined(pieces), None),
            },
            Ok(with) => comparison(relation, with, order),
            Err(error) => Node::Faulty(Box::new(error)),
        })
    }
}

fn comparison(relation: Relation, with: Operand, order: Option<OrderRef>) -> Node {
    Node::Compared(Box::new(Comparison { relation, with, order }))
}

/// Why an order does not go with a kind, or with what is compared.
fn order_fault(relation: Relation, operand: &Result<Operand, ConstraintError>) -> Option<String> {
    if relation.expects() != Expected::Number {
        let word = relation.as_str();
        return Some(format!(
            "`order` goes with `min`, `max`, `above` and `below`, not with `{word}`"
        ));
    }
    matches!(operand, Ok(Operand::Joined(_)))
        .then(|| "`order` goes with a level, and `join` makes a text of several parts".to_owned())
}

/// Why these pieces do not make a text that such a kind can be asked of.
fn pieces_fault(relation: Relation, pieces: &[Piece]) -> Option<String> {
    let word = relation.as_str();
    let instants = matches!(relation, Relation::After | Relation::Before);
    if instants || !matches!(relation.expects(), Expected::Text | Expected::Value) {
        return Some(format!("`join` makes text, and `{word}` takes none: write `{{ ref = … }}`"));
    }
    if pieces.len() > MAX_PIECES {
        return Some(format!("`join` of {} pieces, expected at most {MAX_PIECES}", pieces.len()));
    }
    let is_part = |piece: Option<&Piece>| matches!(piece, Some(Piece::Fact(_)));
    if !pieces.iter().any(|piece| is_part(Some(piece))) {
        return Some("`join` without a reference is a text: write the text".to_owned());
    }
    // What a part is cut off behind, or before, is otherwise left to the value: `/home/an` begins
    // `/home/ana/x`, too.
    let open_end =
        matches!(relation, Relation::Prefix | Relation::Contains) && is_part(pieces.last());
    if open_end {
        return Some(format!(
            "`{word}` of text that ends with a reference: a longer value begins so, too; add the piece \
             `\"/\"`, or write `eq` for that text alone"
        ));
    }
    let open_start =
        matches!(relation, Relation::Suffix | Relation::Contains) && is_part(pieces.first());
    if open_start {
        return Some(format!(
            "`{word}` of text that begins with a reference: a longer value ends so, too; put the piece \
             `\"/\"` before it"
        ));
    }
    let mut sample = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) if text.is_empty() => {
                return Some("an empty piece of `join` says nothing: leave it out".to_owned());
            }
            Piece::Text(text) => join(&mut sample, text),
            Piece::Fact(_) => join(&mut sample, "x"),
        }
    }
    if relation == Relation::Under
        && let Err(fault) = canonical_path(&sample)
    {
        let given = escape_for_people(&sample, SHOWN);
        return Some(format!("`{given}` is not a folder: {fault}"));
    }
    None
}
