//! Rules in groups: those that are filed under the same key.

/// Groups of rules, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Posted {
    /// Where each group ends.
    ends: Box<[u32]>,
    rules: Box<[u32]>,
}

impl Posted {
    /// The keys in their order, and the rules filed under each.
    pub(super) fn of<K: Ord>(mut filed: Vec<(K, u32)>) -> (Box<[K]>, Posted) {
        filed.sort_unstable();
        filed.dedup();
        let (mut keys, mut ends, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        for (key, rule) in filed {
            if keys.last() != Some(&key) {
                keys.push(key);
                ends.push(0);
            }
            rules.push(rule);
            if let (Some(end), Ok(count)) = (ends.last_mut(), u32::try_from(rules.len())) {
                *end = count;
            }
        }
        (keys.into(), Posted { ends: ends.into(), rules: rules.into() })
    }

    #[inline]
    pub(super) fn group(&self, at: usize) -> &[u32] {
        let begins = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let ends = self.ends.get(at).copied().unwrap_or_default();
        self.rules
            .get(begins.copied().unwrap_or_default() as usize..ends as usize)
            .unwrap_or_default()
    }

    pub(super) fn sizes(&self) -> impl Iterator<Item = u32> {
        (0..self.ends.len()).map(|at| self.group(at).len() as u32)
    }

    /// Every rule, in the order of rules and each once.
    pub(super) fn all(&self) -> Box<[u32]> {
        let mut all = self.rules.to_vec();
        all.sort_unstable();
        all.dedup();
        all.into()
    }
}
