//! Whether a provider gave a secret before.

use std::collections::{HashSet, VecDeque};

use crate::key::MacKey;
use crate::random::{self, RandomError};
use crate::vault::Secret;

/// How many of the last secrets are known again.
const REMEMBERED: usize = 16_384;

/// Keyed hashes of secrets that were minted: what is compared is not worth stealing.
pub(super) struct Seen {
    key: Box<MacKey>,
    hashes: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

impl Seen {
    pub(super) fn new() -> Result<Seen, RandomError> {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        random::fill(key.as_mut_slice())?;
        let key = MacKey::from_tag(&key).share();
        Ok(Seen { key, hashes: HashSet::new(), order: VecDeque::new() })
    }

    /// Notes a secret; `false` if it was there before.
    pub(super) fn add(&mut self, secret: &Secret) -> bool {
        let tag = self.key.sign(secret.expose());
        let Some(hash) = tag.first_chunk::<16>().copied() else { return false };
        if !self.hashes.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_again_among_the_last_that_are_remembered_and_no_more_are_kept() {
        let mut seen = Seen::new().unwrap();
        let secret = |n: usize| Secret::new(format!("secret-number-{n:08}")).unwrap();
        let all: Vec<Secret> = (0..=REMEMBERED).map(secret).collect();
        assert!(all.iter().all(|one| seen.add(one)), "each is new");
        assert_eq!((seen.hashes.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!seen.add(&all[1]), "the oldest that is kept");
        assert!(seen.add(&all[0]), "it was forgotten");
        assert!(!seen.add(&all[0]) && seen.add(&all[1]), "and is the last now");
    }
}
