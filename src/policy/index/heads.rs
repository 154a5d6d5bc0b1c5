//! The bytes in which sorted texts begin to differ, in a row of their own: most of a search among them looks at no text.

use std::cmp::Ordering;

/// How many bytes of each text stand in the row.
const HEAD: usize = size_of::<u64>();

/// Of texts in their order: what all begin with, and the first bytes of each behind it.
#[derive(Debug)]
pub(super) struct Heads {
    /// How many bytes all begin with.
    shared: usize,
    /// The next bytes of each as a number; behind the end of a text stand zeros.
    row: Box<[u64]>,
}

impl Heads {
    pub(super) fn of(sorted: &[Box<str>]) -> Self {
        let shared = match sorted {
            // All between them begin as both do.
            [first, .., last] => common(first.as_bytes(), last.as_bytes()),
            _ => 0,
        };
        Heads { shared, row: sorted.iter().map(|text| head(behind(text, shared))).collect() }
    }

    /// How many of the texts, which are those it was made of, are up to this one.
    #[inline]
    pub(super) fn rank(&self, sorted: &[Box<str>], text: &str) -> usize {
        let all = sorted.first().and_then(|own| own.as_bytes().get(..self.shared));
        let own = text.as_bytes();
        match own.get(..self.shared).unwrap_or(own).cmp(all.unwrap_or_default()) {
            Ordering::Less => return 0,
            Ordering::Greater => return self.row.len(),
            Ordering::Equal => {}
        }
        let head = head(behind(text, self.shared));
        // A smaller number is a smaller text; texts of the same number are compared.
        let below = self.row.partition_point(|own| *own < head);
        if self.row.get(below) != Some(&head) {
            return below;
        }
        let same = self.row.get(below..).unwrap_or_default().partition_point(|own| *own == head);
        let same = sorted.get(below..below + same).unwrap_or_default();
        below + same.partition_point(|own| **own <= *text)
    }
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

fn behind(text: &str, shared: usize) -> &[u8] {
    text.as_bytes().get(shared..).unwrap_or_default()
}

fn head(bytes: &[u8]) -> u64 {
    if let Some(head) = bytes.first_chunk::<HEAD>() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; HEAD];
    head.iter_mut().zip(bytes).for_each(|(head, byte)| *head = *byte);
    u64::from_be_bytes(head)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_rank_is_what_comparing_all_gives(
            shared in "x{0,3}",
            texts in vec("[a\u{0}é]{0,3}[ab]{0,10}", 0..12),
            text in "x{0,4}[a\u{0}bé]{0,12}",
        ) {
            let mut sorted: Vec<Box<str>> =
                texts.iter().map(|own| format!("{shared}{own}").into()).collect();
            sorted.sort();
            let ranked = |text: &str| Heads::of(&sorted).rank(&sorted, text);
            let expected = |text: &str| sorted.iter().filter(|own| &***own <= text).count();
            prop_assert_eq!(ranked(&text), expected(&text));
            for own in &sorted {
                prop_assert_eq!(ranked(own), expected(own));
                prop_assert_eq!(ranked(&format!("{own}a")), expected(&format!("{own}a")));
            }
        }
    }
}
