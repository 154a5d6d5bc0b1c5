//! What a fleet's members know each other by.

use crate::key::{MacKey, SecretKey};

/// The keys of one fleet, derived from the secret that all of its nodes have. The fleet's name goes into the
/// derivation: an entry of another fleet of the same secret is none of this one.
pub(super) struct FleetKeys {
    pub(super) mark: Box<MacKey>,
    pub(super) node: Box<MacKey>,
    pub(super) call: Box<MacKey>,
    pub(super) counter: Box<MacKey>,
}

impl FleetKeys {
    pub(super) fn of(secret: &SecretKey, fleet: &str) -> Self {
        let [mark, node, call, counter] = secret.fleet_keys(fleet);
        FleetKeys { mark, node, call, counter }
    }
}
