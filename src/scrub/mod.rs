//! Taking secrets out of what a tool gave, on its way to an agent.
//!
//! What is found of each secret that the task has used, wherever it stands in text, bytes, keys and values, twice or
//! overlapping:
//!
//! - the exact bytes;
//! - their base64 and base64url on one line, at any offset within what was encoded;
//! - their hexadecimal digits, all in lower or all in upper case;
//! - any of these in what percent escapes (`%2F`) and JSON escapes (`\\/`, `\\u002f`) decode to, one within the other up to
//!   two deep.
//!
//! What is not found, and so is left to the host: compressed, encrypted, hashed and reversed forms; base64 or hexadecimal
//! that is wrapped into lines or mixed in case; a secret whose parts stand apart; forms within forms (base64 of
//! base64).

mod containers;
mod encoding;
mod escaped;
mod matcher;
mod reading;
mod scrubber;
mod stream;
#[cfg(test)]
mod tests;
mod used;
mod work;

pub use scrubber::Scrubber;
pub use stream::ScrubStream;

pub(crate) use scrubber::ScrubSource;
pub(crate) use used::{Found, UsedSecrets};

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
