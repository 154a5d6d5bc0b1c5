//! The broker and its handles: each holds the power of one party and no more.
//!
//! | handle | held by | can |
//! |---|---|---|
//! | [`Broker`] | the host | attest identities, open tasks, reload the policy, see what stands |
//! | [`Task`] | the code that runs the errand | ask for grants, revoke them, end the task |
//! | [`Session`] | a host that would have all of an errand kept for it | ask, call, delegate, end |
//! | [`Gate`] | the tool side | authorize calls |
//! | [`Attestor`] | what authenticates callers | attest identities |
//! | [`Control`] | operators | halt, resume, revoke |
//! | [`Reviews`] | what shows questions to people | list them, take answers |
//!
//! An agent holds none of them: it gets tokens.
//!
//! No handle reaches into the power of another:
//!
//! ```compile_fail,E0599
//! # use hallpass::prelude::*;
//! fn gate_opens(gate: Gate, who: &Identity) {
//!     let _ = gate.open(who, Purpose::new("errand"));
//! }
//! ```
//! ```compile_fail,E0599
//! # use hallpass::prelude::*;
//! fn gate_halts(gate: Gate) {
//!     gate.halt(hallpass::Halt::Everything);
//! }
//! ```
//! ```compile_fail,E0599
//! # use hallpass::prelude::*;
//! fn control_attests(control: Control) {
//!     let _ = control.assert_identity("agent-7");
//! }
//! ```
//! ```compile_fail,E0599
//! # use hallpass::prelude::*;
//! fn task_authorizes(task: Task, token: &Token, who: &Identity, call: Call, context: &Context) {
//!     let _ = task.authorize(token, who, call, context);
//! }
//! ```
//! ```
//! # use hallpass::prelude::*;
//! fn each_has_its_own(broker: Broker, who: &Identity, token: &Token, call: Call, now: &Context) {
//!     let _ = broker.open(who, Purpose::new("errand"));
//!     broker.control().halt(hallpass::Halt::Everything);
//!     let _ = broker.assert_identity("agent-7");
//!     let _ = broker.gate().authorize(token, who, call, now);
//! }
//! ```

mod alert;
mod amend;
mod answerer;
mod answering;
mod askable;
mod asked_record;
mod asking;
mod authority_ended;
mod authorize;
mod authorize_async;
mod break_glass;
mod broker_error;
mod build;
mod builder;
mod call_request;
mod calls_done;
mod changes;
mod charged_call;
mod clamp;
mod close;
mod control;
mod could_request;
mod covering;
mod credentials;
mod current;
mod debt;
mod debts;
mod decided;
mod delegate;
mod denial_hook;
mod denied_call;
mod docket;
mod downstream;
mod drift_scan;
mod eligible;
mod ended;
mod errand;
mod find_pending;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(feature = "fleet")]
mod fleet_calls;
mod flight;
mod flush;
mod gate;
mod grant;
mod grant_request;
mod judge;
mod kept;
mod keys;
mod leak;
mod lease_terms;
mod left_owed;
mod lend;
mod lifetime;
mod lint;
mod listing;
mod look;
mod member;
mod mint;
mod mint_credential;
mod moment;
mod new_grant;
mod not_counted;
mod note;
mod offer;
mod open;
mod open_call;
mod parking;
mod pending;
mod permit;
mod plain_record;
mod plain_request;
mod presented;
mod provider_text;
mod readers;
mod reaper;
mod reaping;
mod receipt;
mod redeem;
mod reload;
mod reload_error;
mod remains;
mod renew;
mod request;
mod request_async;
mod request_record;
mod restate;
mod resume;
mod resumed;
mod retire;
mod review_events;
mod reviews;
mod running;
mod session;
mod settings;
mod settlement;
mod shared;
mod shared_limits;
mod source;
mod standing;
mod stats;
mod sweep;
mod take;
mod take_up;
mod task;
mod tend;
mod tokens;
mod trim;
mod tripwire;
mod waits;
mod watchers;

use std::sync::Arc;

pub use crate::approval::view::{View, ViewLine};
pub use crate::task::{Halt, HaltError, QuestionState};
pub use broker_error::BrokerError;
pub use builder::BrokerBuilder;
pub use control::Control;
pub use could_request::Requestable;
pub use credentials::ProviderError;
pub use debt::Debt;
pub use downstream::{Obligation, StandingCredential};
pub use drift_scan::{Drift, DriftScan, Drifted};
pub use ended::Ended;
#[cfg(feature = "fleet")]
pub(crate) use fleet_calls::TokenHome;
pub use flush::FlushError;
pub use gate::{DryRun, Gate};
pub use grant::Grant;
pub use not_counted::{NotCounted, Tally};
pub use note::NoteError;
pub use pending::Pending;
pub use permit::Permit;
pub use readers::ReviewEvent;
pub use reaper::Reaper;
pub use receipt::{Receipt, RunError, ToolError};
pub use reload_error::ReloadError;
pub use review_events::ReviewEvents;
pub use reviews::{Question, Reviews};
pub use running::Running;
pub use session::Session;
pub use standing::{LateCall, Standing, StandingGrant, StandingTask};
pub use stats::BrokerStats;
pub use task::Task;
pub use tend::Tended;
pub use trim::Cut;

use crate::audit::MemoryLog;
use crate::identity::{Assertion, Attestor, Identity, IdentityError};
use crate::policy::Policy;
use crate::value::Digest;
use shared::Shared;

/// Decides who gets what, for which task, until when; and knows at any time what stands.
///
/// Cloning it shares it: every clone can do all that the first can, so hand out [`Gate`] and
/// [`Control`] instead. One broker serves one tenant.
///
/// It is in the process that built it. In the child of a `fork`, its copy denies every question with
/// [`Reason::Forked`](crate::denial::Reason::Forked), and ends, halts, records and lists nothing: build another there.
#[derive(Clone)]
pub struct Broker {
    shared: Arc<Shared>,
    log: Option<Arc<MemoryLog>>,
}

impl Broker {
    /// A broker with the defaults of [`BrokerBuilder`]: random key, system clock, log in memory.
    ///
    /// The log grows for as long as the broker lives: by about half a kilobyte for each permitted call, and
    /// somewhat less for each denial. A bound is left to the host, since both that there are deny or forget
    /// for an agent's asking: a log that [refuses once full](MemoryLog::with_limit) stops everything, and one
    /// that dropped its oldest records would let an agent wash out what it did. What runs for days
    /// writes [elsewhere](BrokerBuilder::log).
    ///
    /// # Errors
    /// [`BrokerError`] if there is no randomness or no clock.
    pub fn new(policy: Policy) -> Result<Self, BrokerError> {
        Broker::builder(policy).build()
    }

    /// Starts building a broker.
    pub fn builder(policy: Policy) -> BrokerBuilder {
        BrokerBuilder::new(policy)
    }

    /// Attests a caller on the host's word. The host must have authenticated it: this is where the
    /// first authority comes from.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let broker = Broker::new(Policy::builder().build()?)?;
    /// let agent = broker.assert_identity("spiffe://acme.test/agent/payer")?;
    /// let human = broker.assert_identity(Assertion::human("ada").group("finance"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`IdentityError`] names the field that is not well formed.
    pub fn assert_identity(
        &self,
        assertion: impl Into<Assertion>,
    ) -> Result<Identity, IdentityError> {
        self.attestor().attest(assertion)
    }

    /// The handle of what authenticates callers.
    pub fn attestor(&self) -> Attestor {
        Attestor::folding(self.shared.id, self.shared.fold)
    }

    /// The tool side's handle.
    pub fn gate(&self) -> Gate {
        Gate::new(self.shared.clone())
    }

    /// The operators' handle.
    pub fn control(&self) -> Control {
        Control::new(self.shared.clone())
    }

    /// The epoch in force and the digest of its policy.
    pub fn epoch(&self) -> (u64, Digest) {
        let current = self.shared.current();
        (current.epoch, current.policy.digest)
    }

    /// The log in memory, if the broker was built without another. What is owed to it is written
    /// first.
    pub fn log(&self) -> Option<&MemoryLog> {
        let log = self.log.as_deref()?;
        self.flush();
        Some(log)
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker")
            .field("issuer", &self.shared.issuer)
            .field("audience", &self.shared.audience)
            .finish_non_exhaustive()
    }
}
