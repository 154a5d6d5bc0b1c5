//! Taking secrets out of what a tool gave, on its way to an agent.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// What can be shown to an agent: anything out of which secrets can be taken.
///
/// Units, numbers, text, bytes, JSON and containers of these have it. A type of the host's own says how
/// its parts are scrubbed:
///
/// ```
/// use hallpass::scrub::{Scrub, Scrubber};
///
/// struct Page { title: String, body: Vec<u8> }
///
/// impl Scrub for Page {
///     fn scrub(self, scrubber: &Scrubber) -> Self {
///         Page { title: self.title.scrub(scrubber), body: self.body.scrub(scrubber) }
///     }
/// }
/// ```
///
/// A future has it not, so that what is not done yet is never taken for a result: run such a tool with
/// [`run_async`](crate::Permit::run_async).
///
/// ```compile_fail,E0599
/// # use hallpass::Permit;
/// fn too_early(permit: Permit) {
///     let receipt = permit.run(|_| Ok::<_, ()>(async { 1 }));
///     let _ = receipt.map(|receipt| receipt.scrubbed());
/// }
/// ```
/// ```
/// # use hallpass::Permit;
/// async fn in_time(permit: Permit) {
///     let receipt = permit.run_async(async |_| Ok::<_, ()>(1)).await;
///     let _ = receipt.map(|receipt| receipt.scrubbed());
/// }
/// ```
pub trait Scrub: Sized {
    /// The same without the secrets that `scrubber` knows.
    #[must_use]
    fn scrub(self, scrubber: &Scrubber) -> Self;

    /// The same of a list: one by one, but for bytes, in which a secret is a run of them.
    #[doc(hidden)]
    #[must_use]
    fn scrub_list(list: Vec<Self>, scrubber: &Scrubber) -> Vec<Self> {
        list.into_iter().map(|one| one.scrub(scrubber)).collect()
    }
}

/// Knows the secrets that a task has used, and takes them out of text and bytes.
///
/// Tools have no secrets from a broker yet, so there is none to take out, and all is given as it is.
#[derive(Debug, Default)]
pub struct Scrubber(());

impl Scrubber {
    /// Of a task that has used no secret.
    pub(crate) const IDLE: Scrubber = Scrubber(());

    /// The text without the secrets.
    pub fn text(&self, text: String) -> String {
        text
    }

    /// The bytes without the secrets.
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

macro_rules! holds_no_text {
    ($($plain:ty),*) => {$(
        impl Scrub for $plain {
            fn scrub(self, _: &Scrubber) -> Self {
                self
            }
        }
    )*};
}

holds_no_text!(
    (),
    bool,
    char,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    u16,
    u32,
    u64,
    u128,
    usize,
    f32,
    f64
);

impl Scrub for u8 {
    fn scrub(self, _: &Scrubber) -> Self {
        self
    }

    fn scrub_list(list: Vec<Self>, scrubber: &Scrubber) -> Vec<Self> {
        scrubber.bytes(list)
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
            plain => plain,
        }
    }
}
