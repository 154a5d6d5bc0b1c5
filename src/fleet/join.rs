//! Joining: a broker becomes a node.

use std::sync::Arc;

use super::builder::FleetBuilder;
use super::error::FleetError;
use super::handle::Fleet;
use super::keys::FleetKeys;
use super::name::check_name;
use super::store::Store;
use crate::broker::Broker;
use crate::key::SecretKey;

/// The longest address: one byte says its length in a row.
const MAX_ADDRESS: usize = 255;

impl FleetBuilder {
    /// Makes a broker a node. It gives nothing from now on until it has a lease: drive it with [`Fleet::tend`] or
    /// [`Fleet::start_tending`]. The secret is the fleet's: every node has it, and nothing else uses it.
    ///
    /// Do this before a gate is handed out: what the broker permitted before has no lease to be held to.
    ///
    /// # Errors
    /// [`FleetError`] of a name, of a setting, and of a broker that was a node before.
    pub fn join(
        self,
        broker: &Broker,
        secret: &SecretKey,
        store: impl Store + 'static,
    ) -> Result<Fleet, FleetError> {
        let fleet = check_name("fleet", &self.fleet)?;
        let node = check_name("node", &self.node)?;
        self.terms.check()?;
        if self.address.len() > MAX_ADDRESS {
            return Err(FleetError::Setting("answers_at", "at most 255 bytes"));
        }
        let issuer = format!("{fleet}/{node}");
        if !self.address.is_empty() && broker.issuer() != issuer {
            let (found, expected) = (broker.issuer().into(), issuer.into());
            return Err(FleetError::Issuer { found, expected });
        }
        let keys = Arc::new(FleetKeys::of(secret, &fleet));
        Fleet::new(broker, keys, &fleet, node, self, Arc::new(store))
    }
}
