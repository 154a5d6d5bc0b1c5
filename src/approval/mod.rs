//! Approvals, without the broker: names of people, who has agreed, what is shown to them, how far a yes
//! reaches.

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[allow(unreachable_pub, reason = "reached by fuzz targets alone")]
pub mod fuzzing;
pub(crate) mod handle;
pub(crate) mod name;
pub(crate) mod pin;
pub(crate) mod quorum;
pub(crate) mod view;
pub(crate) mod width;

/// How often a permit that never started gives its approval back.
pub(crate) const GIVEN_BACK: u8 = 3;
