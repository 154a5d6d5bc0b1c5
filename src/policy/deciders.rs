//! The rules that decided.

/// This many rules are kept without allocating. Decisions with more than a few deciders are rare: a
/// policy in which many permits give the same call says the same thing many times.
const FEW: usize = 6;

/// Rules, by their place in the policy: each once, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deciders {
    few: [u32; FEW],
    count: usize,
    /// All of them, once they are more than a few.
    many: Vec<u32>,
}

/// Rules as they are found: in any order, now and then one twice.
#[derive(Debug, Default)]
pub(crate) struct Found(Deciders);

impl Found {
    #[inline]
    pub(crate) fn add(&mut self, rule: u32) {
        match &mut self.0 {
            // Mostly the only one.
            Deciders { few: [first, ..], count: count @ 0, .. } => {
                *first = rule;
                *count = 1;
            }
            _ => self.add_another(rule),
        }
    }

    #[inline(never)]
    fn add_another(&mut self, rule: u32) {
        let Deciders { few, count, many } = &mut self.0;
        if !many.is_empty() {
            // Put in order at the end: of a hundred thousand, none is to move all the others along.
            many.push(rule);
            return;
        }
        let Err(at) = few.get(..*count).unwrap_or_default().binary_search(&rule) else { return };
        match few.get_mut(at..=*count) {
            Some(room) => {
                room.rotate_right(1);
                if let Some(first) = room.first_mut() {
                    *first = rule;
                }
                *count += 1;
            }
            None => {
                many.extend_from_slice(few);
                many.push(rule);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(crate) fn in_order(mut self) -> Deciders {
        if !self.0.many.is_empty() {
            self.0.many.sort_unstable();
            self.0.many.dedup();
        }
        self.0
    }
}

impl Deciders {
    pub(crate) fn new() -> Self {
        Deciders::default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// Takes those of the other, too.
    pub(crate) fn join(&mut self, other: &Deciders) {
        *self = self.iter().chain(other.iter()).copied().collect();
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, u32> {
        self.as_slice().iter()
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        if self.many.is_empty() {
            self.few.get(..self.count).unwrap_or_default()
        } else {
            &self.many
        }
    }
}

impl FromIterator<u32> for Deciders {
    fn from_iter<I: IntoIterator<Item = u32>>(rules: I) -> Self {
        let mut found = Found::default();
        rules.into_iter().for_each(|rule| found.add(rule));
        found.in_order()
    }
}

impl PartialEq for Deciders {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Deciders {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_rule_stands_once_and_in_order(rules in proptest::collection::vec(0_u32..20, 0..40)) {
            let mut found = Found::default();
            rules.iter().for_each(|rule| found.add(*rule));
            let deciders = found.in_order();
            let model: BTreeSet<u32> = rules.into_iter().collect();
            prop_assert!(deciders.iter().eq(&model));
            prop_assert_eq!(deciders.is_empty(), model.is_empty());
        }
    }
}
