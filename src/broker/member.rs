//! Whether the broker is a node of a fleet, and what that asks of it. Without the feature `fleet` there is nothing
//! here, and nothing of it in any call.

#[cfg(not(feature = "fleet"))]
pub(crate) use alone::Member;
#[cfg(feature = "fleet")]
pub(crate) use in_fleet::Member;

#[cfg(not(feature = "fleet"))]
mod alone {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::args::Args;
    use crate::clock::{Reading, Timestamp};
    use crate::denial::{Denial, Reason};
    use crate::grant::{SharedCharge, SharedDemand};
    use crate::task::Halt;

    /// A broker that can't be a node of a fleet.
    pub(crate) struct Member;

    impl Member {
        pub(crate) fn of_none() -> Self {
            Member
        }

        #[inline(always)]
        pub(crate) fn check_lease(&self, _: &Reading) -> Result<(), Denial> {
            Ok(())
        }

        #[inline(always)]
        pub(crate) fn is_in_fleet(&self) -> bool {
            false
        }

        #[inline(always)]
        pub(crate) fn check_open(&self) -> Result<(), Denial> {
            Ok(())
        }

        pub(crate) fn begin_halt(&self, _: &Halt) {}

        pub(crate) fn owe_halt(&self, _: &Halt, _: Option<Timestamp>) {}

        pub(crate) fn owe_revoked_identity(&self, _: &str) {}

        pub(crate) fn owe_revoked_tool(&self, _: &str) {}

        pub(crate) fn home_of(&self, _: &str) -> Option<Box<str>> {
            None
        }

        pub(crate) fn charge_shared(
            &self,
            _: &SharedDemand,
            _: &Args,
        ) -> Result<Arc<SharedCharge>, Denial> {
            Err(Denial::new(Reason::LimitUnknown))
        }

        pub(crate) fn probe_shared(&self, _: &SharedDemand, _: &Args) -> Result<(), Denial> {
            Err(Denial::new(Reason::LimitUnknown))
        }

        #[inline(always)]
        pub(crate) fn await_leaves(&self, _: u64, _: impl Fn() -> Option<Duration>) {}
    }
}

#[cfg(feature = "fleet")]
mod in_fleet {
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    use crate::args::Args;
    use crate::clock::{Reading, Timestamp};
    use crate::denial::{Denial, Reason};
    use crate::grant::{SharedCharge, SharedDemand};
    use crate::membership::{Membership, OwedAct};
    use crate::task::Halt;

    /// The node of a fleet that the broker is, once it has joined one.
    pub(crate) struct Member(OnceLock<Arc<Membership>>);

    impl Member {
        /// Of no fleet, so far.
        pub(crate) fn of_none() -> Self {
            Member(OnceLock::new())
        }

        /// Whether access may be given at this reading: always, outside of a fleet.
        ///
        /// # Errors
        /// [`Reason::NoLease`].
        #[inline]
        pub(crate) fn check_lease(&self, at: &Reading) -> Result<(), Denial> {
            match self.0.get() {
                Some(own) if !own.lease.is_good(at) => Err(no_lease()),
                _ => Ok(()),
            }
        }

        #[inline]
        pub(crate) fn is_in_fleet(&self) -> bool {
            self.0.get().is_some()
        }

        /// Whether a task may be opened here.
        ///
        /// # Errors
        /// [`Reason::Draining`].
        pub(crate) fn check_open(&self) -> Result<(), Denial> {
            self.0.get().map_or(Ok(()), |own| own.check_drain())
        }

        /// Makes the broker a node: `false` if it is or was one.
        pub(crate) fn join(&self, own: Arc<Membership>) -> bool {
            self.0.set(own).is_ok()
        }

        /// Notes that this is about to be halted here: no resume that is applied meanwhile takes it off.
        pub(crate) fn begin_halt(&self, what: &Halt) {
            if let Some(own) = self.0.get() {
                own.begin_halt(what);
            }
        }

        /// Notes for the other nodes what was halted here, after [`begin_halt`](Self::begin_halt) and the halt.
        pub(crate) fn owe_halt(&self, what: &Halt, until: Option<Timestamp>) {
            self.owe(|| OwedAct::Halt { what: what.clone(), until });
        }

        pub(crate) fn owe_revoked_identity(&self, id: &str) {
            self.owe(|| OwedAct::RevokeIdentity(id.into()));
        }

        pub(crate) fn owe_revoked_tool(&self, name: &str) {
            self.owe(|| OwedAct::RevokeTool(name.into()));
        }

        /// The node of the fleet that an issuer is.
        pub(crate) fn home_of(&self, issuer: &str) -> Option<Box<str>> {
            self.0.get()?.home_of(issuer).map(|(node, _)| node.into())
        }

        /// Charges a call in the counters that the fleet's nodes share. Called with no lock held: it asks the store.
        ///
        /// # Errors
        /// The [`Denial`] of a limit, or [`Reason::LimitUnknown`].
        pub(crate) fn charge_shared(
            &self,
            demand: &SharedDemand,
            args: &Args,
        ) -> Result<Arc<SharedCharge>, Denial> {
            let own = self.0.get().ok_or_else(|| Denial::new(Reason::LimitUnknown))?;
            own.counting.charge(demand, args)
        }

        /// Whether a call could be charged there. Takes nothing.
        ///
        /// # Errors
        /// As [`charge_shared`](Self::charge_shared).
        pub(crate) fn probe_shared(
            &self,
            demand: &SharedDemand,
            args: &Args,
        ) -> Result<(), Denial> {
            let own = self.0.get().ok_or_else(|| Denial::new(Reason::LimitUnknown))?;
            own.counting.probe(demand, args)
        }

        /// Waits until no call of a task can start at another node any more; nothing to wait for outside of a fleet.
        pub(crate) fn await_leaves(&self, generation: u64, now: impl Fn() -> Option<Duration>) {
            if let Some(own) = self.0.get() {
                own.await_leaves(generation, now);
            }
        }

        fn owe(&self, act: impl FnOnce() -> OwedAct) {
            if let Some(own) = self.0.get() {
                own.owe(act());
            }
        }
    }

    #[cold]
    fn no_lease() -> Denial {
        Denial::new(Reason::NoLease).because(
            "the node has no good lease of its fleet: the store did not answer in time, or has what is not applied here",
        )
    }
}
