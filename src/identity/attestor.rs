//! The attestor: the handle that vouches for callers.

use super::{Assertion, Fold, Identity, IdentityError};

/// A handle that attests identities to one broker, and can do nothing else: what authenticates callers
/// holds it, a middleware or the side of the tools, say. From [`Broker::attestor`](crate::Broker::attestor).
///
/// Who holds one can be anyone at the gate, and gets nothing that policy does not give to whom it claims to
/// be. Cloning it shares it.
///
/// ```
/// # use hallpass::prelude::*;
/// # let broker = Broker::new(Policy::builder().build()?)?;
/// let attestor = broker.attestor();
/// let agent = attestor.attest("spiffe://acme.test/agent/payer")?;
/// assert_eq!(agent.kind(), Kind::Agent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It opens nothing:
///
/// ```compile_fail,E0599
/// # use hallpass::{identity::Attestor, prelude::*};
/// fn open(attestor: Attestor, who: &Identity) {
///     let _ = attestor.open(who, Purpose::new("errand"));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Attestor {
    broker: u64,
    fold: Fold,
}

impl Attestor {
    pub(crate) fn of(broker: u64) -> Self {
        Attestor::folding(broker, Fold::None)
    }

    pub(crate) fn folding(broker: u64, fold: Fold) -> Self {
        Attestor { broker, fold }
    }

    /// Attests a caller on the host's word, as
    /// [`Broker::assert_identity`](crate::Broker::assert_identity) does.
    ///
    /// # Errors
    /// [`IdentityError`] names the field that is not well formed.
    pub fn attest(&self, assertion: impl Into<Assertion>) -> Result<Identity, IdentityError> {
        assertion.into().folded(self.fold).attest(self.broker)
    }
}
