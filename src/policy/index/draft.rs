//! What could be filed in one drawer, before it is told which of it is.

use super::demand::{Key, Kind, Topic};
use super::drawer::Drawer;
use super::intervals::{self, Interval, Intervals};
use super::keys::{Keys, Values};
use super::nested::{self, Nested};
use super::posted::Posted;
use crate::policy::kinds::Kinds;
use crate::scope::{Network, Reader};

/// Keys of one topic, and the number of the demand that each belongs to.
#[derive(Debug)]
pub(super) enum Draft {
    Values(Vec<(u64, u32)>),
    Beginnings(Vec<(Box<str>, u32)>),
    Intervals(Vec<(Interval, u32)>),
    Networks(Vec<(Network, u32)>),
    There(Vec<((), u32)>),
}

impl Draft {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Value(_) => Draft::Values(Vec::new()),
            Kind::Beginning(_) => Draft::Beginnings(Vec::new()),
            Kind::Number | Kind::Instant => Draft::Intervals(Vec::new()),
            Kind::Address => Draft::Networks(Vec::new()),
            Kind::There => Draft::There(Vec::new()),
        }
    }

    pub(super) fn add(&mut self, key: Key, demand: u32) {
        match (self, key) {
            (Draft::Values(all), Key::Value(key)) => all.push((key, demand)),
            (Draft::Beginnings(all), Key::Beginning(key)) => all.push((key, demand)),
            (Draft::Intervals(all), Key::Interval(key)) => all.push((key, demand)),
            (Draft::Networks(all), Key::Network(key)) => all.push((key, demand)),
            (Draft::There(all), Key::There) => all.push(((), demand)),
            // A topic has keys of its own kind.
            _ => {}
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Draft::Values(all) => all.len(),
            Draft::Beginnings(all) => all.len(),
            Draft::Intervals(all) => all.len(),
            Draft::Networks(all) => all.len(),
            Draft::There(all) => all.len(),
        }
    }

    /// Visits each demand with how many may be met together with it, itself included.
    pub(super) fn crowds(&self, visit: &mut impl FnMut(u32, u32)) {
        match self {
            Draft::Values(all) => crowds(all, visit, |_, sizes| sizes.collect()),
            Draft::Beginnings(all) => crowds(all, visit, |keys, sizes| nested::crowds(keys, sizes)),
            Draft::Intervals(all) => {
                crowds(all, visit, |keys, sizes| intervals::crowds(keys, sizes));
            }
            Draft::Networks(all) => crowds(all, visit, |keys, sizes| nested::crowds(keys, sizes)),
            Draft::There(all) => crowds(all, visit, |_, sizes| sizes.collect()),
        }
    }

    /// The drawer of the demands that rules are filed by: `filed` has the rule of each.
    pub(super) fn drawer(
        self,
        topic: Topic<'_>,
        filed: &impl Fn(u32) -> Option<u32>,
    ) -> Option<Drawer> {
        let Topic { kind, fact, members } = topic;
        let (keys, all) = match self {
            Draft::Values(all) => {
                let kinds = if let Kind::Value(kinds) = kind { kinds } else { Kinds::NONE };
                let values = Values::of(of_rules(all, filed), kinds);
                let all = values.all();
                (Keys::Values(values), all)
            }
            Draft::Beginnings(all) => {
                let reader = if let Kind::Beginning(reader) = kind { reader } else { Reader::Text };
                let nested = Nested::of(of_rules(all, filed));
                let all = nested.all();
                (Keys::Beginnings(nested, reader), all)
            }
            Draft::Intervals(all) => {
                let intervals = Intervals::of(of_rules(all, filed));
                let all = intervals.all();
                let is_time = kind == Kind::Instant;
                (if is_time { Keys::Instants(intervals) } else { Keys::Numbers(intervals) }, all)
            }
            Draft::Networks(all) => {
                let nested = Nested::of(of_rules(all, filed));
                let all = nested.all();
                (Keys::Addresses(nested), all)
            }
            Draft::There(all) => (Keys::There, Posted::of(of_rules(all, filed)).1.all()),
        };
        (!all.is_empty()).then(|| Drawer { fact: fact.clone(), members, keys, all })
    }
}

fn of_rules<K>(all: Vec<(K, u32)>, filed: &impl Fn(u32) -> Option<u32>) -> Vec<(K, u32)> {
    all.into_iter().filter_map(|(key, demand)| Some((key, filed(demand)?))).collect()
}

fn crowds<K: Ord + Clone>(
    all: &[(K, u32)],
    visit: &mut impl FnMut(u32, u32),
    of_keys: impl FnOnce(&[K], &mut dyn Iterator<Item = u32>) -> Vec<u32>,
) {
    let (keys, posted) = Posted::of(all.to_vec());
    for (group, crowd) in of_keys(&keys, &mut posted.sizes()).into_iter().enumerate() {
        posted.group(group).iter().for_each(|demand| visit(*demand, crowd));
    }
}
