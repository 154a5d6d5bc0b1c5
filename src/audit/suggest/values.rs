//! The values that an argument had.

use std::collections::BTreeMap;

use super::SeenValue;
use crate::value::{Number, Value};

/// Up to this many different values are a set; of more, what they have in common is said.
const MOST: usize = 16;

/// What an argument was in the calls that a permit gave.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// How many calls had it.
    pub(super) calls: u64,
    /// Each value by its JSON, as long as they are few: the first record and how many.
    each: BTreeMap<String, (Value, u64, u64)>,
    too_many: bool,
    /// The least and the greatest, where all are numbers, and the first record of each.
    pub(super) numbers: Option<((Number, u64), (Number, u64))>,
    /// What all begin with, where all are texts, and the record of the first one.
    pub(super) beginning: Option<(String, u64)>,
    /// Some value is a list, an object or nothing.
    pub(super) others: bool,
}

impl Values {
    pub(super) fn note(&mut self, seq: u64, value: &Value) {
        let is_first = self.calls == 0;
        self.calls += 1;
        match value {
            Value::Number(own) => {
                self.numbers = match self.numbers {
                    _ if is_first => Some(((*own, seq), (*own, seq))),
                    Some((least, most)) => Some((
                        if *own < least.0 { (*own, seq) } else { least },
                        if *own > most.0 { (*own, seq) } else { most },
                    )),
                    None => None,
                };
                self.beginning = None;
            }
            Value::Text(own) => {
                self.beginning = match self.beginning.take() {
                    _ if is_first => Some((own.to_string(), seq)),
                    Some((before, first)) => Some((common(&before, own), first)),
                    None => None,
                };
                self.numbers = None;
            }
            other => {
                (self.numbers, self.beginning) = (None, None);
                self.others |= !matches!(other, Value::Bool(_));
            }
        }
        let json = value.to_json();
        if let Some((_, _, calls)) = self.each.get_mut(&json) {
            *calls += 1;
        } else if self.each.len() < MOST {
            self.each.insert(json, (value.clone(), seq, 1));
        } else {
            self.too_many = true;
        }
    }

    /// All values, where they are few.
    pub(super) fn few(&self) -> Option<impl ExactSizeIterator<Item = &Value>> {
        (!self.too_many).then(|| self.each.values().map(|(value, ..)| value))
    }

    /// What a reader is shown: each value, or what stands for them, with the record that it comes from.
    pub(super) fn seen(&self, name: &str) -> Vec<SeenValue> {
        let shown = |value: String, first: u64, calls: u64| SeenValue {
            argument: name.to_owned(),
            value,
            first,
            calls,
        };
        if let Some((least, most)) = self.numbers {
            let ends = [("from", least), ("to", most)];
            return ends
                .map(|(word, (number, first))| shown(format!("{word} {number}"), first, self.calls))
                .to_vec();
        }
        match (self.few(), &self.beginning) {
            (None, Some((beginning, first))) => {
                vec![shown(format!("texts like {beginning}…"), *first, self.calls)]
            }
            _ => self
                .each
                .iter()
                .map(|(json, (_, first, calls))| shown(json.clone(), *first, *calls))
                .collect(),
        }
    }
}

/// What both texts begin with, whole characters.
fn common(one: &str, other: &str) -> String {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}
