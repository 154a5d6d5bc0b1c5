//! Records of requests: of what was granted, and of what was denied.

use std::borrow::Cow;

use super::current::Current;
use super::grant_request::{GrantRequest, Occasion};
use super::mint::Made;
use super::offer::Offer;
use super::plain_record::PlainDecision;
use crate::audit::{DeniedQuestion, Event, Plain};
use crate::clock::Timestamp;
use crate::context::TraceParent;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::scope::Scope;
use crate::value::{Object, Value};

/// The longest scope, in bytes of JSON, that the record of a denial keeps: what people write is far
/// shorter, and a denied agent may ask again and again.
const LONGEST_RECORDED: usize = 16 * 1024;

impl GrantRequest<'_> {
    pub(super) fn event<'e>(
        &'e self,
        current: &'e Current,
        made: &Made,
        (parent, starts): (Option<GrantId>, Option<Timestamp>),
        scope: &Scope,
        given: &'e Offer,
        plain: Option<Box<Plain<'static>>>,
    ) -> Event<'e> {
        Event::Granted {
            task: (&*self.cell.name).into(),
            generation: self.cell.generation,
            grant: made.id.to_string().into(),
            serial: u64::from(made.serial),
            parent: parent.map(|parent| parent.to_string().into()),
            requester: self.cell.requester.subject().as_str().into(),
            holder: self.holder.subject().as_str().into(),
            acts_for: self
                .holder
                .acts_for()
                .iter()
                .map(|own| own.subject.as_str().into())
                .collect(),
            // Whom somebody delegates to can't answer its questions, under no name.
            aliases: parent.iter().flat_map(|_| self.holder.aliases().map(Into::into)).collect(),
            scope: Cow::Owned(self.granted(current, scope)),
            rules: given.rules.iter().map(|rule| (&**rule).into()).collect(),
            approvals: given
                .approvals
                .iter()
                .map(|own| own.id.text().as_str().to_owned().into())
                .collect(),
            epoch: current.epoch,
            policy: (&*current.digest).into(),
            starts,
            expires: made.expires,
            trace: self.context.trace().map(|own| own.as_str().into()),
            plain,
        }
    }

    /// What is granted, as its record keeps it.
    fn granted(&self, current: &Current, scope: &Scope) -> Value {
        match scope.is_digested() {
            true => self.digested(current, scope),
            false => scope.to_value(),
        }
    }

    /// A scope of which a record keeps the tools and a digest.
    fn digested(&self, current: &Current, scope: &Scope) -> Value {
        let who = self.holder.subject().as_str();
        let digest = current.keys.digests.scope(who, &scope.to_value());
        let mut kept = Object::new();
        // Each key is written once.
        let _ = kept.insert("digest", digest.to_string());
        let _ = kept.insert("tools", Value::List(scope.tools().map(Value::from).collect()));
        Value::Object(kept)
    }

    /// Records that it was denied: what is told of that.
    pub(super) fn record(&self, mut denial: Denial) -> Denial {
        let Occasion { stage, grant, break_glass } = self.occasion;
        if denial.reason() == Reason::Forked {
            let who = Some(self.holder.subject().as_str());
            let question = DeniedQuestion { who, ..DeniedQuestion::at(stage) };
            self.shared.record_denial(self.now, &denial, question);
            return denial;
        }
        let current = self.shared.current();
        let epoch = current.epoch;
        let context = self.context.checked().ok();
        let context = context.map(|context| current.keys.digests.context(context));
        let is_meant = denial.reason() != Reason::MalformedScope;
        let scope = is_meant.then(|| match self.scope.is_digested() {
            true => self.digested(&current, self.scope),
            false => recorded(self.scope),
        });
        let recorded = denial.take_recorded().and_then(|own| own.downcast::<PlainDecision>().ok());
        // What was decided under a policy that is in force no more is not what the record says.
        let recorded = recorded.filter(|own| own.epoch == epoch);
        let (plain, values) = recorded.map(|own| own.recorded_at(self.now)).unzip();
        drop(current);
        let question = DeniedQuestion {
            task: Some((&*self.cell.name).into()),
            generation: Some(self.cell.generation),
            who: Some(self.holder.subject().as_str()),
            scope,
            context: context.as_ref().map(|digest| digest.as_str().into()),
            epoch: Some(epoch),
            grant: grant.map(|grant| grant.to_string().into()),
            break_glass,
            trace: self.context.trace().map(TraceParent::as_str),
            plain,
            ..DeniedQuestion::at(stage)
        };
        let event = question.record(&denial);
        self.shared.place_denial_with(self.now, &denial, &event, values);
        self.shared.tell_denial(&denial, &event);
        self.shared.journal.write_if_many();
        self.shared.trip(&self.cell.requester, &denial, self.now);
        denial
    }
}

/// A scope that was asked for, as a record keeps it.
fn recorded(scope: &Scope) -> Value {
    let value = scope.to_value();
    let bytes = value.to_json().len();
    if bytes <= LONGEST_RECORDED {
        return value;
    }
    let mut short = Object::new();
    // Each key is written once.
    let _ = short.insert("bytes", bytes as u64);
    let _ = short.insert("digest", value.digest().to_string());
    Value::Object(short)
}
