//! A fast hasher for maps whose keys no caller chooses.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys come from a policy, the host, a counter or a random number. Callers may look anything up
/// but put nothing in, so they cannot crowd a bucket, and nothing has to be defended against.
pub(crate) type SpreadMap<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// Multiplies and rotates, a word at a time.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    #[inline]
    fn finish(&self) -> u64 {
        // The product's upper bits are the mixed ones, and maps look at the lower ones first.
        self.0.rotate_left(26)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word);
        }
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    /// What a map looks at first: the lowest bits for the bucket, the highest seven for its tag.
    fn buckets<K: std::hash::Hash>(keys: impl Iterator<Item = K>) -> usize {
        let hasher = BuildHasherDefault::<Spread>::default();
        keys.map(|key| hasher.hash_one(key) & 0xfff).collect::<HashSet<_>>().len()
    }

    #[test]
    fn keys_that_differ_little_spread_over_many_buckets() {
        // 4096 keys thrown at 4096 buckets at random fill about 2590 of them.
        assert!(buckets(0..4096_u64) > 2000);
        assert!(buckets((0..4096).map(|n| format!("tab{n}"))) > 2000);
        assert!(buckets((0..4096).map(|n| format!("{n}-a-name-of-more-than-one-word"))) > 2000);
        let values = (0..4096_i64).map(crate::value::Value::from);
        assert!(buckets(values) > 2000);
    }
}
