//! One attempt to call, and how it is refused.

use std::cell::Cell;
use std::sync::Arc;

use super::current::Current;
use super::pending::Pending;
use super::plain_record::PlainDecision;
use super::shared::Shared;
use crate::audit::{DeniedQuestion, DigestKey, DigestText, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::{Context, TraceParent};
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::sync::Apart;
use crate::task::{OpenQuestion, TaskCell};
use crate::value::Digest;

/// What a caller asks for: by a token, or one bound to the call, and of a question that people agreed to, if it is
/// redeemed.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) text: &'a str,
    pub(super) caller: &'a Identity,
    pub(super) call: &'a Call,
    pub(super) redeeming: Option<&'a Pending>,
}

/// One attempt to call.
#[derive(Clone, Copy)]
pub(super) struct CallRequest<'a> {
    pub(super) shared: &'a Shared,
    /// The same, as handles keep it.
    pub(super) owner: &'a Arc<Apart<Arc<Shared>>>,
    /// What was presented: a token, or one bound to a call.
    pub(super) text: &'a str,
    pub(super) caller: &'a Identity,
    pub(super) call: &'a Call,
    /// The same, as it was made: what a presentation is bound to.
    pub(super) made: &'a Call,
    pub(super) context: &'a Context,
    pub(super) now: Timestamp,
    /// What was digested of it when it was judged.
    pub(super) digested: &'a Digested,
    /// The question that the call is redeemed of.
    pub(super) redeeming: Option<&'a Arc<OpenQuestion>>,
}

/// The digests of a call's arguments and context, if it came to be judged: its denial has the same in its record.
#[derive(Default)]
pub(super) struct Digested(Cell<Option<JudgedDigests>>);

struct JudgedDigests {
    key: Arc<DigestKey>,
    epoch: u64,
    arguments: DigestText,
    context: DigestText,
}

impl Digested {
    pub(super) fn note(&self, current: &Current, (arguments, context): (DigestText, DigestText)) {
        let (key, epoch) = (current.keys.digests.clone(), current.epoch);
        self.0.set(Some(JudgedDigests { key, epoch, arguments, context }));
    }

    /// They, unless what is in force now digests otherwise, or has the call spelled otherwise.
    fn under(&self, current: &Current) -> Option<(DigestText, DigestText)> {
        let own = self.0.take()?;
        let is_same = own.epoch == current.epoch && Arc::ptr_eq(&own.key, &current.keys.digests);
        is_same.then_some((own.arguments, own.context))
    }
}

/// A denial, and which grant it was about, if the token told.
pub(super) struct Refusal {
    pub(super) denial: Denial,
    pub(super) about: Option<(Arc<TaskCell>, GrantId)>,
    /// Whether what was presented has the signature of one of our keys. Of a call without, the log keeps
    /// no digest: anyone may make such calls, and could try arguments until a digest is one of another's.
    pub(super) signed: bool,
}

impl CallRequest<'_> {
    /// The digest of a call's arguments that the log keeps.
    pub(super) fn arguments(&self, current: &Current, call: &Call) -> Digest {
        let who = self.caller.subject().as_str();
        current.keys.digests.arguments(who, call.tool(), call.args().object())
    }

    /// Records the denial, and hands it on.
    pub(super) fn record(&self, refusal: Refusal) -> Denial {
        let Refusal { mut denial, about, signed } = refusal;
        if denial.reason() == Reason::Forked {
            let question = DeniedQuestion {
                who: Some(self.caller.subject().as_str()),
                tool: Some(self.call.tool().into()),
                ..DeniedQuestion::at(Stage::Call)
            };
            self.shared.record_denial(self.now, &denial, question);
            return denial;
        }
        // Held until the record has its place, so that its digest is under the key that it says.
        let current = self.shared.current();
        let epoch = current.epoch;
        // The log speaks of arguments as tools get them, as long as they can be spelled so.
        let canonical = match current.policy.catalogue.get(self.call.tool()) {
            Some(listed) => listed.typed.canonical_call(self.call).ok().flatten(),
            None => None,
        };
        let call = canonical.as_ref().unwrap_or(self.call);
        let (arguments, context) = match self.digested.under(&current) {
            Some((arguments, context)) => (Some(arguments), Some(context)),
            None => {
                let context = self.context.checked().ok();
                let context = context.map(|context| current.keys.digests.context(context));
                (signed.then(|| self.arguments(&current, call).text()), context)
            }
        };
        // What can't be meant is not kept: it may be of any length.
        let resource = call.resource().filter(|resource| resource.checked().is_ok());
        let is_of_glass =
            |(cell, grant): &(Arc<TaskCell>, GrantId)| cell.life.lock().is_of_glass(*grant);
        let break_glass = about.as_ref().is_some_and(is_of_glass);
        let grant = about.as_ref().map(|(_, grant)| grant.text());
        let recorded = denial.take_recorded().and_then(|own| own.downcast::<PlainDecision>().ok());
        // What was decided under a policy that is in force no more is not what the record says.
        let recorded = recorded.filter(|own| own.epoch == epoch);
        let (plain, values) = recorded.map(|own| own.recorded_at(self.now)).unzip();
        let question = DeniedQuestion {
            stage: Stage::Call,
            task: about.as_ref().map(|(cell, _)| (&*cell.name).into()),
            generation: about.as_ref().map(|(cell, _)| cell.generation),
            grant: grant.as_ref().map(|grant| grant.as_str().into()),
            who: Some(self.caller.subject().as_str()),
            tool: Some(self.call.tool().into()),
            resource: resource.map(|resource| (resource.resource_type(), resource.id())),
            args: arguments.as_ref().map(|digest| digest.as_str().into()),
            scope: None,
            context: context.as_ref().map(|digest| digest.as_str().into()),
            epoch: Some(epoch),
            break_glass,
            trace: self.context.trace().map(TraceParent::as_str),
            plain,
        };
        let event = question.record(&denial);
        self.shared.place_denial_with(self.now, &denial, &event, values);
        drop(current);
        self.shared.tell_denial(&denial, &event);
        self.shared.journal.write_if_many();
        self.shared.trip(self.caller, &denial, self.now);
        denial
    }
}
