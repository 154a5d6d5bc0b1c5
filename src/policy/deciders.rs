//! The rules that decided.

/// This many rules are kept without allocating. Decisions with more than a few deciders are rare: a
/// policy in which many permits give the same call says the same thing many times.
const FEW: usize = 5;

/// Rules, by their place in the policy: each once, in the order of their ids.
// Small: each permit has them, and is moved a few times before it is run.
#[derive(Clone, Debug)]
pub(crate) enum Deciders {
    Few { count: u32, rules: [u32; FEW] },
    Many(Vec<u32>),
}

/// Rules as they are found: in any order, now and then one twice.
#[derive(Debug, Default)]
pub(crate) struct Found(Deciders);

impl Found {
    #[inline]
    pub(crate) fn add(&mut self, rule: u32) {
        match &mut self.0 {
            // Mostly the only one.
            Deciders::Few { count: count @ 0, rules: [first, ..] } => {
                *first = rule;
                *count = 1;
            }
            _ => self.add_another(rule),
        }
    }

    #[inline(never)]
    fn add_another(&mut self, rule: u32) {
        match &mut self.0 {
            // Put in order at the end: of a hundred thousand, none is to move all the others along.
            Deciders::Many(rules) => rules.push(rule),
            Deciders::Few { count, rules } => {
                let own = *count as usize;
                let Err(at) = rules.get(..own).unwrap_or_default().binary_search(&rule) else {
                    return;
                };
                match rules.get_mut(at..=own) {
                    Some(room) => {
                        room.rotate_right(1);
                        if let Some(first) = room.first_mut() {
                            *first = rule;
                        }
                        *count += 1;
                    }
                    None => {
                        let all = rules.iter().copied().chain([rule]).collect();
                        self.0 = Deciders::Many(all);
                    }
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(crate) fn in_order(mut self) -> Deciders {
        if let Deciders::Many(rules) = &mut self.0 {
            rules.sort_unstable();
            rules.dedup();
        }
        self.0
    }
}

impl Default for Deciders {
    fn default() -> Self {
        Deciders::Few { count: 0, rules: [0; FEW] }
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
        match self {
            Deciders::Few { count, rules } => rules.get(..*count as usize).unwrap_or_default(),
            Deciders::Many(rules) => rules,
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
