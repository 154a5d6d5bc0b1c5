//! Why a broker does not become a node.

use super::name::NameError;

/// Why a broker does not become a node of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// Of the fleet, or of the node.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The length of leases, or the drift of clocks.
    #[error("`{0}` is out of range, expected {1}")]
    Setting(&'static str, &'static str),
    /// Other nodes find the home of a token by its issuer.
    #[error(
        "the broker's issuer is `{found}`, expected `{expected}` of a node that other nodes ask"
    )]
    Issuer {
        /// What the broker was built with.
        found: Box<str>,
        /// The names of fleet and node, with `/` between them.
        expected: Box<str>,
    },
    /// A broker is a node once.
    #[error("the broker is or was a node of a fleet: build another")]
    Joined,
}
