//! Whether names of people and programs that differ in case alone are one.

use std::borrow::Cow;

use super::subject::claims_spiffe;

/// How names (ids, aliases, groups) are brought to one spelling before anything looks at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Each spelling is a name of its own.
    #[default]
    None,
    /// The letters `A` to `Z` are `a` to `z`.
    Ascii,
}

impl Fold {
    /// The one spelling of a name. A SPIFFE id has one already, in which case counts.
    pub(crate) fn name(self, name: &str) -> Cow<'_, str> {
        match self {
            Fold::Ascii if !claims_spiffe(name) && name.bytes().any(|b| b.is_ascii_uppercase()) => {
                Cow::Owned(name.to_ascii_lowercase())
            }
            Fold::Ascii | Fold::None => Cow::Borrowed(name),
        }
    }

    /// As [`name`](Self::name), in the same place.
    pub(crate) fn fold(self, name: &mut Box<str>) {
        if let Cow::Owned(folded) = self.name(name) {
            *name = folded.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_ascii_are_folded_and_nothing_else() {
        for (name, folded) in [
            ("Ana.Silva@ACME.test", "ana.silva@acme.test"),
            ("ana", "ana"),
            ("Ägypten-Team", "Ägypten-team"),
            ("spiffe://acme.test/Agent", "spiffe://acme.test/Agent"),
            ("SPIFFE:x", "SPIFFE:x"),
            ("Spiffy", "spiffy"),
        ] {
            assert_eq!(Fold::Ascii.name(name), folded);
            assert_eq!(Fold::None.name(name), name);
        }
    }
}
