//! Intervals of numbers, which may overlap in any way.

use super::posted::Posted;
use crate::meter::{Meter, Work};
use crate::scope::{Bound, Instants, Range};
use crate::value::Number;

/// Where an interval begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Below,
    At(Number, Side),
    Above,
}

/// Just before a number, at it, or just behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Before,
    Here,
    Behind,
}

/// All that lies from one edge to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Interval {
    from: Edge,
    to: Edge,
}

impl Interval {
    pub(super) fn of_range(Range { lower, upper }: &Range) -> Self {
        let edge = |bound: &Bound, excluded| {
            Edge::At(bound.number, if bound.inclusive { Side::Here } else { excluded })
        };
        let from = lower.as_ref().map_or(Edge::Below, |bound| edge(bound, Side::Behind));
        let to = upper.as_ref().map_or(Edge::Above, |bound| edge(bound, Side::Before));
        Interval { from, to }
    }

    /// In milliseconds.
    pub(super) fn of_instants(Instants { after, before }: &Instants) -> Self {
        let millis = |instant: crate::clock::Timestamp| Number::from(instant.unix_millis());
        let from = after.map_or(Edge::Below, |after| Edge::At(millis(after), Side::Here));
        let to = before.map_or(Edge::Above, |before| Edge::At(millis(before), Side::Before));
        Interval { from, to }
    }
}

/// Rules under intervals: a search tree laid out in a row, the root in its middle.
#[derive(Debug)]
pub(super) struct Intervals {
    /// By where they begin.
    own: Box<[Interval]>,
    /// How far any interval of the tree below each reaches.
    reach: Box<[Edge]>,
    posted: Posted,
}

impl Intervals {
    pub(super) fn of(filed: Vec<(Interval, u32)>) -> Self {
        let (own, posted) = Posted::of(filed);
        let mut reach: Box<[Edge]> = own.iter().map(|interval| interval.to).collect();
        reach_below(&mut reach);
        Intervals { own, reach, posted }
    }

    pub(super) fn all(&self) -> Box<[u32]> {
        self.posted.all()
    }

    /// The rules under each interval in which the number lies.
    #[inline]
    pub(super) fn find(&self, number: Number, meter: &Meter, found: &mut impl FnMut(&[u32])) {
        let at = Edge::At(number, Side::Here);
        self.find_among(0, self.own.len(), at, meter, found);
    }

    fn find_among(
        &self,
        from: usize,
        to: usize,
        at: Edge,
        meter: &Meter,
        found: &mut impl FnMut(&[u32]),
    ) {
        let root = middle(from, to);
        let (Some(own), Some(reach)) = (self.own.get(root), self.reach.get(root)) else { return };
        if from >= to || !meter.charge(1, Work::Visiting) || *reach < at {
            return;
        }
        self.find_among(from, root, at, meter, found);
        // What stands behind begins no earlier.
        if own.from <= at {
            if at <= own.to {
                found(self.posted.group(root));
            }
            self.find_among(root + 1, to, at, meter, found);
        }
    }
}

fn middle(from: usize, to: usize) -> usize {
    from + (to - from) / 2
}

/// Makes of how far each interval reaches how far the tree below it does.
fn reach_below(ends: &mut [Edge]) -> Option<Edge> {
    let (before, rest) = ends.split_at_mut_checked(middle(0, ends.len()))?;
    let (root, behind) = rest.split_first_mut()?;
    let below = reach_below(before).max(reach_below(behind));
    *root = below.map_or(*root, |below| below.max(*root));
    Some(*root)
}

/// How many rules may be met together with those of each interval: those of all that overlap with it.
pub(super) fn crowds(own: &[Interval], sizes: impl Iterator<Item = u32>) -> Vec<u32> {
    let sizes: Vec<u32> = sizes.collect();
    let begun = Sums::of(own.iter().map(|interval| interval.from).zip(sizes.iter().copied()));
    let ended = Sums::of(own.iter().map(|interval| interval.to).zip(sizes.iter().copied()));
    own.iter().map(|own| begun.up_to(own.to) - ended.before(own.from)).collect()
}

/// How many rules have an edge up to some point.
struct Sums(Vec<(Edge, u32)>);

impl Sums {
    fn of(edges: impl Iterator<Item = (Edge, u32)>) -> Self {
        let mut edges: Vec<_> = edges.collect();
        edges.sort_unstable();
        let mut sum = 0;
        for (_, count) in &mut edges {
            sum += *count;
            *count = sum;
        }
        Sums(edges)
    }

    fn up_to(&self, edge: Edge) -> u32 {
        self.first(self.0.partition_point(|(own, _)| *own <= edge))
    }

    fn before(&self, edge: Edge) -> u32 {
        self.first(self.0.partition_point(|(own, _)| *own < edge))
    }

    fn first(&self, many: usize) -> u32 {
        many.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |(_, sum)| *sum)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn ranges() -> impl Strategy<Value = Vec<Range>> {
        let bound = || {
            option::of((0..12_i64, any::<bool>()))
                .prop_map(|own| own.map(|(n, inclusive)| Bound { number: n.into(), inclusive }))
        };
        let range = (bound(), bound()).prop_map(|(lower, upper)| Range { lower, upper });
        vec(range.prop_filter("not empty", |range| !range.is_empty()), 0..24)
    }

    proptest! {
        #[test]
        fn every_interval_around_a_number_is_found_and_no_other(ranges in ranges(), number in -1..13_i64) {
            let filed = (0u32..).zip(&ranges).map(|(at, own)| (Interval::of_range(own), at)).collect();
            let mut found = Vec::new();
            let number = Number::from(number);
            Intervals::of(filed)
                .find(number, &Meter::ample(), &mut |rules| found.extend_from_slice(rules));
            found.sort_unstable();
            let expected = (0u32..).zip(&ranges).filter(|(_, own)| own.contains(number));
            prop_assert_eq!(found, expected.map(|(at, _)| at).collect::<Vec<_>>());
        }

        #[test]
        fn a_crowd_is_all_that_overlaps(ranges in ranges()) {
            let filed = (0u32..).zip(&ranges).map(|(at, own)| (Interval::of_range(own), at)).collect();
            let (own, posted) = Posted::of(filed);
            for (one, crowd) in own.iter().zip(crowds(&own, posted.sizes())) {
                let overlaps = |other: &&Range| {
                    let other = Interval::of_range(other);
                    one.from <= other.to && other.from <= one.to
                };
                prop_assert_eq!(crowd as usize, ranges.iter().filter(overlaps).count());
            }
        }
    }

    /// Where intervals lie apart, few are looked at, however many there are.
    #[test]
    fn a_number_among_many_intervals_is_found_without_looking_at_all() {
        let apart = (0..100_000_u32).map(|n| {
            let bound = |n: u32| Some(Bound::at(Number::from(i64::from(n))));
            (Interval::of_range(&Range { lower: bound(10 * n), upper: bound(10 * n + 5) }), n)
        });
        let intervals = Intervals::of(apart.collect());
        let meter = Meter::of(4 * 34);
        let mut found = Vec::new();
        intervals.find(Number::from(500_003), &meter, &mut |rules| found.extend_from_slice(rules));
        intervals.find(Number::from(500_007), &meter, &mut |rules| found.extend_from_slice(rules));
        assert_eq!(found, [50_000]);
        assert!(!meter.is_spent());
    }
}
