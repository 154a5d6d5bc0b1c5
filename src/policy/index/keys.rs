//! Keys of one kind: where the rules are found that demand what a value is.

use super::demand::{hash, hash_text, is_plain};
use super::intervals::Intervals;
use super::nested::Nested;
use super::posted::Posted;
use crate::clock::Timestamp;
use crate::meter::{Meter, Work};
use crate::policy::kinds::Kinds;
use crate::scope::{Meant, Network, Reader, address};
use crate::spread::SpreadMap;
use crate::value::{Number, Value};

/// Rules by what they demand a value to be.
#[derive(Debug)]
pub(super) enum Keys {
    Values(Values),
    Numbers(Intervals),
    /// Each text begins with a key, as far as the reader reads texts.
    Beginnings(Nested<Box<str>>, Reader),
    Addresses(Nested<Network>),
    Instants(Intervals),
    There,
}

/// Rules by the hashes of values.
#[derive(Debug)]
pub(super) struct Values {
    groups: SpreadMap<u64, u32>,
    posted: Posted,
    /// Every rule compares with values of each of these kinds: a value of another is unknown to be none of
    /// them.
    kinds: Kinds,
}

/// It is not known that a value is none of those which rules here demand.
#[derive(Debug)]
pub(super) struct Doubt;

impl Keys {
    /// Finds the rules that demand what the value is, which is not a list.
    #[inline]
    pub(super) fn find(
        &self,
        value: &Value,
        meter: &Meter,
        found: &mut impl FnMut(&[u32]),
    ) -> Result<(), Doubt> {
        match (self, value) {
            (_, Value::Text(text)) => self.find_text(text, meter, found),
            (Keys::Values(values), value) => {
                let known = if values.kinds.include(value) { Ok(()) } else { Err(Doubt) };
                if is_plain(value) && meter.charge(1, Work::Visiting) {
                    values.find(hash(value), found);
                }
                known
            }
            (Keys::Numbers(intervals), Value::Number(number)) => {
                intervals.find(*number, meter, found);
                Ok(())
            }
            _ => Err(Doubt),
        }
    }

    /// As [`find`](Self::find), of a text.
    #[inline]
    pub(super) fn find_text(
        &self,
        text: &str,
        meter: &Meter,
        found: &mut impl FnMut(&[u32]),
    ) -> Result<(), Doubt> {
        match self {
            Keys::Values(values) => {
                let known = if values.kinds.include_text() { Ok(()) } else { Err(Doubt) };
                if meter.charge_bytes(text.len(), Work::Visiting) {
                    values.find(hash_text(text), found);
                }
                known
            }
            Keys::Beginnings(nested, reader) => {
                let known = if reader.reads(text, meter) { Ok(()) } else { Err(Doubt) };
                nested.find(text, meter, found);
                known
            }
            Keys::Addresses(networks) => {
                if !meter.charge(8, Work::Reading) {
                    return Err(Doubt);
                }
                let meant = Meant::by(address(text).ok_or(Doubt)?);
                networks.find(&meant.address, meter, found);
                match meant.other {
                    Some(Some(other)) => networks.find(&other, meter, found),
                    Some(None) => return Err(Doubt),
                    None => {}
                }
                Ok(())
            }
            Keys::Instants(intervals) => {
                if !meter.charge(16 + text.len() / 8, Work::Reading) {
                    return Err(Doubt);
                }
                let instant = Timestamp::parse_rfc3339(text).map_err(|_| Doubt)?;
                intervals.find(Number::from(instant.unix_millis()), meter, found);
                Ok(())
            }
            Keys::Numbers(_) | Keys::There => Err(Doubt),
        }
    }
}

impl Values {
    pub(super) fn of(filed: Vec<(u64, u32)>, kinds: Kinds) -> Self {
        let (keys, posted) = Posted::of(filed);
        Values { groups: keys.into_iter().zip(0..).collect(), posted, kinds }
    }

    #[inline]
    fn find(&self, hash: u64, found: &mut impl FnMut(&[u32])) {
        if let Some(group) = self.groups.get(&hash) {
            found(self.posted.group(*group as usize));
        }
    }

    pub(super) fn all(&self) -> Box<[u32]> {
        self.posted.all()
    }
}
