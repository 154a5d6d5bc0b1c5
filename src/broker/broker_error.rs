//! Why a broker could not be built.

use super::credentials::ProviderError;
use super::reload_error::ReloadError;
use crate::audit::SinkError;
use crate::clock::ClockError;
use crate::key::KeyError;
use crate::random::RandomError;

/// Why a broker could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The clock can't be read: there is no broker without time.
    #[error("the clock can't be read: {0}")]
    Clock(#[from] ClockError),
    /// The system gave no random bytes for a key.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The audience can't go into a token, or the ring and the log share a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The log has another writer, or can't be opened.
    #[error("the log can't be opened: {0}")]
    Log(#[from] SinkError),
    /// The policy can't be in force at this broker.
    #[error(transparent)]
    Policy(#[from] ReloadError),
    /// Providers of credentials without what they need.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The system gave no thread for the reaper.
    #[error("the reaper can't be started: {0}")]
    Reaper(std::io::Error),
    /// A setting of zero, or one past its bound: zero never means unlimited. Time is told in whole
    /// milliseconds, so that less than one is zero, too.
    #[error("`{0}` is out of bounds, expected {1}")]
    Setting(&'static str, &'static str),
    /// A name that is empty or too long for a token.
    #[error("`{0}` must be 1 to 255 bytes long")]
    Name(&'static str),
}
