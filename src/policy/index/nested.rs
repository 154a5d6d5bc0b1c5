//! Keys of which one lies wholly in another or outside of it: beginnings of texts, and networks.

use super::heads::Heads;
use super::posted::Posted;
use crate::meter::{Meter, Work};
use crate::scope::Network;

/// A key that takes in all that begins so.
pub(super) trait Nests: Ord + Sized {
    /// What is looked for.
    type Subject: ?Sized;

    /// What keys in their order are searched with.
    type Row: std::fmt::Debug;

    fn row(sorted: &[Self]) -> Self::Row;

    /// How many keys stand at the subject or before it. A key that takes the subject in does, and all between the two
    /// lies in the key.
    fn up_to(row: &Self::Row, sorted: &[Self], subject: &Self::Subject) -> usize;

    /// Whether the subject lies in the key.
    fn takes(&self, subject: &Self::Subject) -> bool;

    /// Whether the other key lies in this one.
    fn holds(&self, other: &Self) -> bool;

    /// What comparing it with a subject takes.
    fn steps(&self) -> usize;
}

impl Nests for Box<str> {
    type Subject = str;
    type Row = Heads;

    fn row(sorted: &[Self]) -> Heads {
        Heads::of(sorted)
    }

    #[inline]
    fn up_to(row: &Heads, sorted: &[Self], subject: &str) -> usize {
        row.rank(sorted, subject)
    }

    fn takes(&self, subject: &str) -> bool {
        subject.starts_with(&**self)
    }

    fn holds(&self, other: &Self) -> bool {
        other.starts_with(&**self)
    }

    fn steps(&self) -> usize {
        1 + self.len() / 32
    }
}

impl Nests for Network {
    type Subject = std::net::IpAddr;
    type Row = ();

    fn row(_: &[Self]) {}

    #[inline]
    fn up_to((): &(), sorted: &[Self], address: &Self::Subject) -> usize {
        sorted.partition_point(|key| key.first() <= *address)
    }

    fn takes(&self, address: &Self::Subject) -> bool {
        self.contains(*address)
    }

    fn holds(&self, other: &Self) -> bool {
        other.is_within(self)
    }

    fn steps(&self) -> usize {
        1
    }
}

/// Rules under keys that nest.
#[derive(Debug)]
pub(super) struct Nested<K: Nests> {
    row: K::Row,
    keys: Box<[K]>,
    /// The place of the narrowest key around each.
    around: Box<[Option<u32>]>,
    posted: Posted,
    /// What looking for a key takes.
    steps: usize,
}

impl<K: Nests> Nested<K> {
    pub(super) fn of(filed: Vec<(K, u32)>) -> Self {
        let (keys, posted) = Posted::of(filed);
        let longest = keys.iter().map(Nests::steps).max().unwrap_or(1);
        let steps = (2 + keys.len().checked_ilog2().unwrap_or(0) as usize) * longest;
        Nested { row: K::row(&keys), around: around(&keys), keys, posted, steps }
    }

    pub(super) fn all(&self) -> Box<[u32]> {
        self.posted.all()
    }

    /// The rules under each key that takes the subject in, the narrowest first.
    #[inline]
    pub(super) fn find(&self, subject: &K::Subject, meter: &Meter, found: &mut impl FnMut(&[u32])) {
        if !meter.charge(self.steps, Work::Visiting) {
            return;
        }
        // Whatever takes it in is the last key up to it, or around that.
        let mut next = K::up_to(&self.row, &self.keys, subject).checked_sub(1);
        while let Some(at) = next {
            match self.keys.get(at) {
                Some(key) if key.takes(subject) => found(self.posted.group(at)),
                _ => {}
            }
            next = self.around.get(at).copied().flatten().map(|around| around as usize);
        }
    }
}

fn around<K: Nests>(keys: &[K]) -> Box<[Option<u32>]> {
    let mut open: Vec<(u32, &K)> = Vec::new();
    let around = (0u32..).zip(keys).map(|(at, key)| {
        while open.last().is_some_and(|(_, outer)| !outer.holds(key)) {
            open.pop();
        }
        let outer = open.last().map(|(outer, _)| *outer);
        open.push((at, key));
        outer
    });
    around.collect()
}

/// How many rules may be met together with those of each key: those of the keys around it and in it.
pub(super) fn crowds<K: Nests>(keys: &[K], sizes: impl Iterator<Item = u32>) -> Vec<u32> {
    let around = around(keys);
    let sizes: Vec<u32> = sizes.collect();
    let of = |counts: &[u32], at: Option<u32>| {
        at.and_then(|at| counts.get(at as usize)).copied().unwrap_or(0)
    };
    // Keys around stand before what is in them.
    let mut outside: Vec<u32> = Vec::with_capacity(keys.len());
    for outer in &around {
        outside.push(of(&outside, *outer) + of(&sizes, *outer));
    }
    let mut inside = sizes;
    for at in (0..keys.len()).rev() {
        let own = inside.get(at).copied().unwrap_or(0);
        let outer = around.get(at).copied().flatten();
        if let Some(sum) = outer.and_then(|outer| inside.get_mut(outer as usize)) {
            *sum += own;
        }
    }
    outside.iter().zip(inside).map(|(outside, inside)| outside + inside).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_beginning_of_a_text_is_found_and_no_other(
            keys in vec("(bbbbbbbbb)?[ab]{1,4}", 0..20), text in "(bbbbbbbbb)?[abc]{0,6}",
        ) {
            let filed = (0u32..).zip(&keys).map(|(at, key)| (key.as_str().into(), at)).collect();
            let mut found = Vec::new();
            Nested::<Box<str>>::of(filed)
                .find(&text, &Meter::ample(), &mut |rules| found.extend_from_slice(rules));
            found.sort_unstable();
            let expected = (0u32..).zip(&keys).filter(|(_, key)| text.starts_with(key.as_str()));
            prop_assert_eq!(found, expected.map(|(at, _)| at).collect::<Vec<_>>());
        }

        #[test]
        fn every_network_of_an_address_is_found_and_no_other(
            keys in vec((0..4_u32, 30..33_u32), 0..20), address in 0..5_u32,
        ) {
            let network = |(bits, prefix): &(u32, u32)| {
                let first = std::net::Ipv4Addr::from_bits(bits >> (32 - prefix) << (32 - prefix));
                Network::parse(&format!("{first}/{prefix}")).unwrap()
            };
            let keys: Vec<Network> = keys.iter().map(network).collect();
            let filed = (0u32..).zip(&keys).map(|(at, key)| (*key, at)).collect();
            let address = std::net::Ipv4Addr::from_bits(address).into();
            let mut found = Vec::new();
            Nested::<Network>::of(filed)
                .find(&address, &Meter::ample(), &mut |rules| found.extend_from_slice(rules));
            found.sort_unstable();
            let expected = (0u32..).zip(&keys).filter(|(_, key)| key.contains(address));
            prop_assert_eq!(found, expected.map(|(at, _)| at).collect::<Vec<_>>());
        }

        #[test]
        fn a_crowd_is_what_lies_around_and_inside(keys in vec("[ab]{1,4}", 1..20)) {
            let filed = (0u32..).zip(&keys).map(|(at, key)| (Box::from(key.as_str()), at)).collect();
            let (sorted, posted) = Posted::of::<Box<str>>(filed);
            let crowds = crowds(&sorted, posted.sizes());
            for (key, crowd) in sorted.iter().zip(crowds) {
                let met = |own: &&String| own.starts_with(&**key) || key.starts_with(own.as_str());
                prop_assert_eq!(crowd as usize, keys.iter().filter(met).count());
            }
        }
    }
}
