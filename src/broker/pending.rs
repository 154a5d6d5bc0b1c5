//! The asker's handle of a question.

use std::sync::Arc;
use std::time::Duration;

use super::answering::Reply;
use super::not_counted::{NotCounted, Tally};
use super::reviews::Question;
use super::shared::Shared;
use crate::approval::handle::Handle;
use crate::call::Material;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::sync::Apart;
use crate::task::{OpenQuestion, QuestionState};
use crate::value::Digest;

/// A call of this asker that waits until people agree: what a denial with
/// [`Code::ApprovalRequired`](crate::Code::ApprovalRequired) carries.
///
/// It grants nothing: what people agreed to is run by [`Gate::redeem`](crate::Gate::redeem), with a live grant
/// of the task. It shows nothing to run from. Dropping it cancels nothing; clones are the same question.
///
/// ```
/// # use hallpass::prelude::*;
/// # use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
/// # use hallpass::scope::has_any;
/// # let terms = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["finance"])));
/// # let rules = [
/// #     Rule::permit("pay").tool("bank.pay").any_args(),
/// #     Rule::ask("four-eyes").tool("bank.pay").approval(terms),
/// # ];
/// # let broker = Broker::new(Policy::builder().rules(rules).build()?)?;
/// # let (gate, context) = (broker.gate(), Context::new());
/// # let agent = broker.assert_identity("agent-7")?;
/// # let task = broker.open(&agent, Purpose::new("pay-bill"))?;
/// # let grant = task.request(Scope::tool("bank.pay").any_args(), &context)?;
/// let call = Call::new("bank.pay", serde_json::json!({ "amount": 98 }))?;
/// let denial = gate.authorize(&grant, &agent, call, &context).unwrap_err();
/// let pending = denial.pending().ok_or("nothing is asked")?;
///
/// // Elsewhere, somebody who may looks at it, and agrees.
/// let ada = broker.assert_identity(Assertion::human("ada@acme.test").group("finance"))?;
/// let reviews = broker.reviews();
/// for question in reviews.list(&ada) {
///     reviews.approve(&question, &ada, &question.view().digest(), Width::CALL)?;
/// }
///
/// let permit = gate.redeem(pending, &grant, &agent, &context)?;
/// permit.run(|running| running.args().number("amount").map(drop).ok_or("no amount"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Pending {
    pub(super) shared: Arc<Apart<Arc<Shared>>>,
    pub(super) open: Arc<OpenQuestion>,
    /// What the host states of the call's material now, if it does.
    pub(super) material: Option<Material>,
}

impl Pending {
    pub(super) fn new(shared: Arc<Apart<Arc<Shared>>>, open: Arc<OpenQuestion>) -> Self {
        Pending { shared, open, material: None }
    }

    /// The question's id, as the log names it. It finds the question and lends no authority.
    pub fn id(&self) -> String {
        self.open.id.text().as_str().to_owned()
    }

    /// The question's text form, which finds it again: with [`Gate::pending`](crate::Gate::pending) and
    /// [`Reviews::open`](crate::Reviews::open), until nothing can come of it any more. It is signed under a key of
    /// the log's own and lends no authority, so a client may keep it. `None` for a broker whose name is longer than
    /// 255 bytes.
    pub fn to_text(&self) -> Option<String> {
        self.shared.time_of_end()?;
        let handle = Handle { question: self.open.id.bytes(), expires: self.open.last_use() };
        let keys = self.shared.log_keys.lock();
        handle.to_text(&self.shared.issuer, keys.active_key())
    }

    /// What was asked in its place, if somebody [amended](crate::Reviews::amend) it.
    pub fn amended(&self) -> Option<Pending> {
        Some(Pending::new(self.shared.clone(), self.open.successor()?))
    }

    /// Which opening of its task asked.
    pub(crate) fn generation(&self) -> u64 {
        self.open.generation
    }

    /// Where it stands, and how many have agreed.
    pub(crate) fn tally(&self) -> Tally {
        self.shared.tally(&self.open)
    }

    /// Its task, by name.
    pub(crate) fn task(&self) -> &str {
        &self.open.task
    }

    /// Who asked.
    pub(crate) fn holder(&self) -> &Identity {
        &self.open.holder
    }

    /// The question as reviewers hold it: for those who drive both sides.
    pub(crate) fn question(&self) -> Question {
        Question { shared: self.shared.clone(), open: self.open.clone() }
    }

    /// Where the question stands.
    pub fn state(&self) -> QuestionState {
        self.shared.look_at(&self.open)
    }

    /// Of a plan each item's number and where it stands; nothing of a call.
    pub fn items(&self) -> Vec<(u32, QuestionState)> {
        self.question().items()
    }

    /// Until when people can answer.
    pub fn expires(&self) -> crate::clock::Timestamp {
        self.open.expires
    }

    /// States anew what an argument of the call refers to: asked with
    /// [`Call::material`](crate::Call::material), the question is redeemed only while that is the same.
    #[must_use = "the material is stated by what is returned"]
    pub fn material(mut self, name: &str, digest: Digest) -> Self {
        self.material.get_or_insert_default().add(name, digest);
        self
    }

    /// Waits until the question is settled, or for `at_most`: where it stands then. It holds up this thread
    /// alone.
    pub fn wait(&self, at_most: Duration) -> QuestionState {
        if let Some(now) = self.shared.time_of_end() {
            self.open.wait(at_most.min(self.open.expires.since(now)));
        }
        self.state()
    }

    /// The asker takes the question back.
    ///
    /// # Errors
    /// [`NotCounted::NotWaiting`] if it does not wait any more.
    pub fn cancel(&self) -> Result<Tally, NotCounted> {
        self.shared.answer(&self.open, &Reply::CANCEL)
    }
}

impl Denial {
    /// What to come back with, where people have to agree first and were asked.
    pub fn pending(&self) -> Option<&Pending> {
        self.kept_pending()?.downcast_ref()
    }
}

/// The id alone.
impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("id", &self.open.id).finish_non_exhaustive()
    }
}
