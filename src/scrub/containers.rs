//! What can be shown to an agent: plain types, texts, JSON, and containers of these.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::{Scrub, Scrubber};

macro_rules! holds_no_text {
    ($($plain:ty),*) => {$(
        impl Scrub for $plain {
            fn scrub(self, _: &Scrubber) -> Self {
                self
            }
        }
    )*};
}

holds_no_text!((), bool, i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize, f32, f64);

impl Scrub for u8 {
    fn scrub(self, _: &Scrubber) -> Self {
        self
    }

    fn scrub_list(list: Vec<Self>, scrubber: &Scrubber) -> Vec<Self> {
        scrubber.bytes(list)
    }
}

impl Scrub for char {
    fn scrub(self, _: &Scrubber) -> Self {
        self
    }

    fn scrub_list(list: Vec<Self>, scrubber: &Scrubber) -> Vec<Self> {
        scrubber.text(list.into_iter().collect()).chars().collect()
    }
}

impl Scrub for String {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        scrubber.text(self)
    }
}

impl Scrub for Box<str> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        scrubber.text(self.into()).into()
    }
}

impl Scrub for Cow<'_, str> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        Cow::Owned(scrubber.text(self.into_owned()))
    }
}

impl<T: Scrub> Scrub for Vec<T> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        T::scrub_list(self, scrubber)
    }
}

impl<T: Scrub> Scrub for Box<[T]> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        T::scrub_list(self.into(), scrubber).into()
    }
}

impl<T: Scrub> Scrub for Option<T> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        self.map(|one| one.scrub(scrubber))
    }
}

impl<T: Scrub, E: Scrub> Scrub for Result<T, E> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        self.map(|one| one.scrub(scrubber)).map_err(|error| error.scrub(scrubber))
    }
}

impl<A: Scrub, B: Scrub> Scrub for (A, B) {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        (self.0.scrub(scrubber), self.1.scrub(scrubber))
    }
}

impl<A: Scrub, B: Scrub, C: Scrub> Scrub for (A, B, C) {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        (self.0.scrub(scrubber), self.1.scrub(scrubber), self.2.scrub(scrubber))
    }
}

impl<K: Scrub + Ord, V: Scrub> Scrub for BTreeMap<K, V> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        self.into_iter().map(|entry| entry.scrub(scrubber)).collect()
    }
}

impl<K: Scrub + Eq + Hash, V: Scrub> Scrub for HashMap<K, V> {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        self.into_iter().map(|entry| entry.scrub(scrubber)).collect()
    }
}

impl Scrub for serde_json::Value {
    fn scrub(self, scrubber: &Scrubber) -> Self {
        match self {
            serde_json::Value::String(text) => serde_json::Value::String(text.scrub(scrubber)),
            serde_json::Value::Array(list) => serde_json::Value::Array(list.scrub(scrubber)),
            serde_json::Value::Object(object) => serde_json::Value::Object(
                object
                    .into_iter()
                    .map(|(key, value)| (key.scrub(scrubber), value.scrub(scrubber)))
                    .collect(),
            ),
            // No secret is a number, but hexadecimal digits of one may be.
            serde_json::Value::Number(number) => {
                let text = number.to_string();
                match text.clone().scrub(scrubber) {
                    scrubbed if scrubbed == text => serde_json::Value::Number(number),
                    scrubbed => serde_json::Value::String(scrubbed),
                }
            }
            plain @ (serde_json::Value::Null | serde_json::Value::Bool(_)) => plain,
        }
    }
}
