//! Names of people, in the form in which two of them are one person's.
//!
//! This form is for *exclusion*, and for counting people once: there, a name taken for another's denies.
//! Who may review is decided by names as they are stated, byte for byte.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::identity::{Identity, Kind};

/// How often a name is folded at most. Three rounds are enough for every character; a name that needed more
/// would be compared as it is by then.
const MOST_ROUNDS: usize = 8;

/// A name trimmed, case-folded, in Unicode's form NFKC, and without a mailbox's `+tag`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PersonName(Box<str>);

impl PersonName {
    pub(crate) fn of(name: &str) -> PersonName {
        // Nearly all names are ASCII, which one round folds for good.
        if name.is_ascii() {
            return PersonName(without_tag(name.trim()).to_ascii_lowercase().into());
        }
        let mut folded = fold(name);
        for _ in 1..MOST_ROUNDS {
            let again = fold(&folded);
            if again == folded {
                break;
            }
            folded = again;
        }
        PersonName(folded.into())
    }
}

/// Full case folding has no function in the standard library. Upper case and then lower case, each
/// character for itself, takes all characters for one that case folding does (`ß` and `ss`, `ς` and `σ`),
/// and few more (`ı` and `i`): two that look so alike are not two reviewers.
fn fold(name: &str) -> String {
    let upper = name.nfkc().flat_map(char::to_uppercase);
    let folded: String = upper.flat_map(char::to_lowercase).collect();
    without_tag(folded.trim())
}

/// `alice+bills@acme.test` is the mailbox of `alice@acme.test`. A `+` at the beginning starts no tag: it is a
/// telephone number's.
fn without_tag(name: &str) -> String {
    let Some((local, domain)) = name.rsplit_once('@') else { return name.to_owned() };
    match local.split_once('+') {
        Some((mailbox, _)) if !mailbox.is_empty() => format!("{mailbox}@{domain}"),
        _ => name.to_owned(),
    }
}

/// The names by which somebody is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(BTreeSet<PersonName>);

impl Names {
    /// One who answers, to be counted once: id, aliases, and the people acted for.
    pub(crate) fn of_person(identity: &Identity) -> Names {
        let people = identity.acts_for().iter().filter(|actor| actor.kind == Kind::Human);
        let people = people.map(|actor| actor.subject.as_str());
        let own = std::iter::once(identity.subject().as_str()).chain(identity.aliases());
        Names(own.chain(people).map(PersonName::of).collect())
    }

    /// One who takes part in the call, or may not: id, aliases, and all that are acted for.
    pub(crate) fn of_party(identity: &Identity) -> Names {
        Names(identity.names().map(PersonName::of).collect())
    }

    /// These names, of one person.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Names {
        Names(names.into_iter().map(PersonName::of).collect())
    }

    /// With the names of all `others` that are one person with it, those that are so through a third included.
    pub(crate) fn linked_by<'n>(
        mut self,
        others: impl Iterator<Item = &'n Names> + Clone,
    ) -> Names {
        loop {
            let known = self.0.len();
            for other in others.clone() {
                if self.meet(other) {
                    self.0.extend(other.0.iter().cloned());
                }
            }
            if self.0.len() == known {
                return self;
            }
        }
    }

    /// The names of both.
    pub(crate) fn and(mut self, other: Names) -> Names {
        self.add(other);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of the names.
    pub(crate) fn include(&self, name: &str) -> bool {
        self.0.contains(&PersonName::of(name))
    }

    /// The names of both.
    pub(crate) fn add(&mut self, other: Names) {
        self.0.extend(other.0);
    }

    /// Whether some name is one of both: they are, or act for, one person.
    pub(crate) fn meet(&self, other: &Names) -> bool {
        let (fewer, more) =
            if self.0.len() <= other.0.len() { (self, other) } else { (other, self) };
        fewer.0.iter().any(|name| more.0.contains(name))
    }
}

/// Which of these are one person: for each the number of the person, counted from 0. Two that share a name
/// with a third are one person, too.
pub(crate) fn people(names: &[&Names]) -> Vec<usize> {
    let mut person: Vec<usize> = (0..names.len()).collect();
    for (at, own) in names.iter().enumerate() {
        for (before, other) in names.iter().enumerate().take(at) {
            if let (Some(&one), Some(&two)) = (person.get(before), person.get(at))
                && one != two
                && own.meet(other)
            {
                person.iter_mut().filter(|own| **own == two).for_each(|own| *own = one);
            }
        }
    }
    let numbers: BTreeSet<usize> = person.iter().copied().collect();
    let place = |own: usize| numbers.range(..own).count();
    person.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::identity::Assertion;

    fn attested(assertion: Assertion) -> Identity {
        assertion.attest(1).unwrap()
    }

    /// attack 104: the same person in another spelling
    #[test]
    fn spellings_of_one_name_are_one_name() {
        let alice = PersonName::of("alice@acme.test");
        for spelling in [
            "ALICE@acme.test",
            " alice@acme.test",
            "alice@acme.test\t",
            "alice+1@acme.test",
            "Alice+a+b@ACME.test",
            // Full width, letter by letter and as a whole.
            "\u{ff41}lice@acme.test",
            "ａｌｉｃｅ＠ａｃｍｅ．ｔｅｓｔ",
            "alice＋bills@acme.test",
            "\u{3000}alice@acme.test\u{a0}",
            // Mathematical letters, a ligature's parts, the sign for Kelvin.
            "𝐚lice@acme.test",
            "al\u{2170}ce@acme.test",
        ] {
            assert_eq!(PersonName::of(spelling), alice, "{spelling:?}");
        }
        assert_eq!(PersonName::of("Straße"), PersonName::of("STRASSE"));
        assert_eq!(PersonName::of("STRAẞE"), PersonName::of("strasse"));
        assert_eq!(PersonName::of("ΟΔΥΣΣΕΥΣ"), PersonName::of("οδυσσευς"));
        assert_eq!(PersonName::of("\u{212a}elvin"), PersonName::of("kelvin"));
        assert_eq!(PersonName::of("o\u{fb00}ice"), PersonName::of("OFFICE"));
        assert_eq!(PersonName::of("e\u{301}"), PersonName::of("É"));
    }

    #[test]
    fn names_of_two_people_stay_two() {
        for (one, two) in [
            ("alice@acme.test", "bob@acme.test"),
            ("alice@acme.test", "alice@other.test"),
            ("alice.b@acme.test", "aliceb@acme.test"),
            // No mailbox, or no tag.
            ("team+a", "team+b"),
            ("+41791234567@sms.test", "+41790000000@sms.test"),
            ("a@x+1", "a@x+2"),
            ("spiffe://acme.test/a", "spiffe://acme.test/b"),
            // A letter of another script is shown to look alike, and is another.
            ("alice", "\u{430}lice"),
        ] {
            assert_ne!(PersonName::of(one), PersonName::of(two), "{one:?} {two:?}");
        }
    }

    #[test]
    fn every_character_is_folded_for_good_and_in_either_case_alike() {
        let changes = |c: &char| {
            !c.to_uppercase().eq([*c]) || !c.to_lowercase().eq([*c]) || !c.nfkc().eq(c.nfd())
        };
        for c in (char::MIN..=char::MAX).filter(changes) {
            // In front of a tag, so that none is trimmed away.
            let of = |cased: String| PersonName::of(&format!("a{cased}b"));
            let own = of(c.to_string());
            assert_eq!(own, of(c.to_uppercase().collect()), "{c:?}");
            assert_eq!(own, of(c.to_lowercase().collect()), "{c:?}");
            assert_eq!(own, of(c.nfkc().collect()), "{c:?}");
            assert_eq!(own, of(c.nfd().collect()), "{c:?}");
            assert_eq!(fold(&own.0), *own.0, "{c:?}");
        }
    }

    #[test]
    fn a_person_is_known_by_aliases_and_by_the_people_acted_for() {
        let agent = attested(
            Assertion::agent("spiffe://acme.test/bot")
                .alias("bot@acme.test")
                .acts_for("spiffe://acme.test/planner", Kind::Agent)
                .acts_for("alice@acme.test", Kind::Human),
        );
        let party = Names::of_party(&agent);
        let named = |id: &str| Names::of_person(&attested(Assertion::human(id)));
        for own in ["bot@acme.test", "ALICE+x@acme.test", "spiffe://acme.test/planner"] {
            assert!(party.meet(&named(own)), "{own}");
        }
        assert!(!party.meet(&named("bob@acme.test")));
        // By an alias of the other side.
        let other = attested(Assertion::human("a.smith").alias("Alice@acme.test"));
        assert!(party.meet(&Names::of_person(&other)));
        // Agents that act for one human answer once; that they came through one planner does not matter.
        let counted = Names::of_person(&agent);
        assert!(counted.meet(&named("alice@acme.test")));
        assert!(!counted.meet(&named("spiffe://acme.test/planner")));
    }

    /// attack 107: linked through a third name
    #[test]
    fn names_are_linked_by_whatever_chain_in_whatever_order() {
        let known = [["e", "d"], ["d", "c"], ["c", "b"], ["y", "z"]].map(Names::of);
        let all = Names::of(["a", "b"]).linked_by(known.iter());
        assert_eq!(all, Names::of(["a", "b", "c", "d", "e"]));
    }

    #[test]
    fn people_linked_by_a_third_are_one() {
        let of = |names: &[&str]| Names(names.iter().map(|name| PersonName::of(name)).collect());
        let all = [of(&["a"]), of(&["c"]), of(&["d"]), of(&["A", "c"])];
        let counted = people(&all.iter().collect::<Vec<_>>());
        assert_eq!(counted, [0, 0, 1, 0]);
        assert_eq!(people(&[]), Vec::<usize>::new());
    }

    proptest! {
        /// attack 104: whatever the name, folding it again changes nothing
        #[test]
        fn a_folded_name_is_its_own_form(name in any::<String>(), ascii in "[ -~]{0,12}") {
            for name in [name, ascii] {
                let own = PersonName::of(&name);
                prop_assert_eq!(fold(&own.0), &*own.0);
                prop_assert_eq!(PersonName::of(&name.to_uppercase()), PersonName::of(&name.to_lowercase()));
            }
        }

        /// attack 107: two are one person exactly where a chain of shared names leads from one to the other
        #[test]
        fn one_person_is_what_shared_names_connect(names in vec(vec(0..8_u8, 1..3), 0..7)) {
            let all: Vec<Names> = names
                .iter()
                .map(|own| Names(own.iter().map(|n| PersonName::of(&n.to_string())).collect()))
                .collect();
            let counted = people(&all.iter().collect::<Vec<_>>());
            let count = all.len();
            let mut linked = vec![vec![false; count]; count];
            for (one, row) in linked.iter_mut().enumerate() {
                for (two, link) in row.iter_mut().enumerate() {
                    *link = names[one].iter().any(|name| names[two].contains(name));
                }
            }
            for middle in 0..count {
                for one in 0..count {
                    for two in 0..count {
                        linked[one][two] |= linked[one][middle] && linked[middle][two];
                    }
                }
            }
            for one in 0..count {
                for two in 0..count {
                    prop_assert_eq!(counted[one] == counted[two], linked[one][two]);
                }
            }
        }
    }
}
