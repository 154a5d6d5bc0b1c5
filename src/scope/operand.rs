//! What a constraint compares with where that is another part of the question, or text joined from parts.

use super::fact::Fact;
use super::order::OrderRef;
use super::relation::{Expected, Relation};
use crate::visible::is_hidden;

/// How many pieces a text may be joined of.
pub(super) const MAX_PIECES: usize = 16;

/// A kind of constraint and the part of the question that stands where its value would.
///
/// It is the constraint with that part in the value's place, and unknown wherever the part is missing, not
/// filled in, or of a kind that the constraint does not take.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Comparison {
    pub(crate) relation: Relation,
    pub(crate) with: Operand,
    /// By which order `min`, `max`, `above` and `below` compare texts; numbers without one.
    pub(crate) order: Option<OrderRef>,
}

/// Where the value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operand {
    Fact(Fact),
    /// Text with one `/` between two pieces.
    Joined(Box<[Piece]>),
}

/// A piece of joined text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    Text(Box<str>),
    /// One segment: text that is not empty, `.` or `..` and has nothing in it that ends one.
    Fact(Fact),
}

impl Comparison {
    /// What has to stand where the reference leads.
    pub(crate) fn expects(&self) -> Expected {
        match self.order {
            Some(_) => Expected::Text,
            None => self.relation.expects(),
        }
    }

    /// The parts of the question that are compared with.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Fact> {
        let (one, pieces) = match &self.with {
            Operand::Fact(fact) => (Some(fact), &[][..]),
            Operand::Joined(pieces) => (None, &**pieces),
        };
        one.into_iter().chain(pieces.iter().filter_map(|piece| match piece {
            Piece::Fact(fact) => Some(fact),
            Piece::Text(_) => None,
        }))
    }
}

/// Adds a piece, with one `/` between what is there and the piece.
pub(super) fn join(out: &mut String, piece: &str) {
    match (out.is_empty(), out.ends_with('/'), piece.strip_prefix('/')) {
        (false, true, Some(rest)) => out.push_str(rest),
        (false, false, None) => {
            out.push('/');
            out.push_str(piece);
        }
        _ => out.push_str(piece),
    }
}

/// Whether a text is one segment of a path, for any reader of it: attested of somebody, and perhaps chosen
/// by them.
pub(super) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && !text.contains(['/', '\\', '%'])
        && !text.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_pieces_stands_one_slash() {
        for (pieces, text) in [
            (&["/home", "ana"][..], "/home/ana"),
            (&["/home/", "ana", "/"], "/home/ana/"),
            (&["/home/", "/ana"], "/home/ana"),
            (&["/", "ana"], "/ana"),
            (&["a", "b", "c"], "a/b/c"),
            (&["https://acme.test/", "ana"], "https://acme.test/ana"),
        ] {
            let mut out = String::new();
            pieces.iter().for_each(|piece| join(&mut out, piece));
            assert_eq!(out, text);
        }
    }

    /// attacks 1, 2, 5, 6
    #[test]
    fn what_leads_out_of_a_segment_is_no_segment() {
        for text in [
            "",
            ".",
            "..",
            "a/b",
            "/",
            "../b",
            "a\\b",
            "%2e%2e",
            "a\0",
            "a\n",
            "\u{202e}a",
            "~\u{200b}",
        ] {
            assert!(!is_segment(text), "{text:?}");
        }
        for text in ["ana", "...", ".ana", "ana.silva@acme.test", "é", "a b"] {
            assert!(is_segment(text), "{text:?}");
        }
    }
}
