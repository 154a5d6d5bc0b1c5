//! A question: who asks for what, why, in which context, at which moment.

use super::catalogue::Listed;
use super::moment::Moment;
use super::seen::Seen;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::form::Form;
use crate::identity::Identity;
use crate::meter::Meter;
use crate::purpose::CheckedPurpose;
use crate::resource::{CheckedResource, Resource};
use crate::scope::{Fact, Facts, Readings};
use crate::value::{Object, Value};

/// Everything one decision about one call looks at. It reads nothing else: no clock, no table.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(crate) setting: Setting<'q>,
    pub(crate) what: What<'q>,
}

/// What is known before any call is made.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'q> {
    pub(crate) moment: Moment,
    pub(crate) who: &'q Identity,
    pub(crate) purpose: &'q CheckedPurpose,
    pub(crate) context: &'q Object,
    /// The labels seen in the task, those of the tool asked for included, and what was noted in it.
    pub(crate) seen: &'q Seen,
    pub(crate) now: Timestamp,
    /// `now` as rules read it: RFC 3339 text, or nothing where no rule reads it.
    pub(crate) now_text: Option<&'q Value>,
    /// What the question may cost.
    pub(crate) meter: &'q Meter,
    pub(crate) readings: &'q Readings<'q>,
}

/// The call.
#[derive(Clone, Copy)]
pub(crate) struct What<'q> {
    pub(crate) tool: &'q str,
    /// How the token was presented.
    pub(crate) form: Form,
    /// The list of the tool's labels.
    pub(crate) labels: &'q Value,
    pub(crate) args: &'q Object,
    pub(crate) resource: Option<CheckedResource<'q>>,
}

impl<'q> What<'q> {
    /// The call as rules see it, its typed arguments in their one spelling.
    ///
    /// # Errors
    /// A [`Denial`] if the resource cannot be meant.
    #[inline]
    pub(crate) fn of(call: &'q Call, listed: &'q Listed) -> Result<Self, Denial> {
        let tool = call.tool();
        let resource = match call.resource().map(Resource::checked).transpose() {
            Ok(resource) => resource,
            Err(error) => return Err(Denial::new(Reason::MalformedCall).because(error)),
        };
        let labels = &listed.labels;
        // As a bearer presents it, unless the gate says otherwise: a rule may ask for more.
        Ok(What { tool, labels, form: Form::Bearer, args: call.args().object(), resource })
    }
}

impl<'q> Facts<'q> for &Question<'q> {
    #[inline]
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        match fact {
            Fact::Arg(path) => argument(self.what.args, path),
            Fact::ResourceType => self.what.resource.map(CheckedResource::type_value),
            Fact::ResourceId => self.what.resource.map(CheckedResource::id_value),
            Fact::ResourceAttr(name) => self.what.resource?.attributes().get(name),
            Fact::Labels => Some(self.what.labels),
            _ => self.setting.fact(fact),
        }
    }

    #[inline]
    fn readings(self) -> Option<&'q Readings<'q>> {
        Some(self.setting.readings)
    }
}

impl<'q> Facts<'q> for &Setting<'q> {
    #[inline]
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        match fact {
            Fact::WhoId | Fact::WhoKind | Fact::WhoGroups | Fact::WhoActsFor | Fact::WhoAttr(_) => {
                self.who.fact(fact)
            }
            Fact::Purpose => Some(self.purpose.name_value()),
            Fact::Ticket => self.purpose.ticket_value(),
            Fact::Context(name) => self.context.get(name),
            Fact::Now => self.now_text,
            Fact::Seen => Some(self.seen.labels()),
            Fact::Note(name) => self.seen.note(name),
            _ => None,
        }
    }

    #[inline]
    fn readings(self) -> Option<&'q Readings<'q>> {
        Some(self.readings)
    }
}

impl Identity {
    /// What rules look at of who asks.
    #[inline]
    pub(crate) fn fact(&self, fact: &Fact) -> Option<&Value> {
        match fact {
            Fact::WhoId => Some(self.subject_value()),
            Fact::WhoKind => Some(self.kind_value()),
            Fact::WhoGroups => Some(self.groups_value()),
            Fact::WhoActsFor => Some(self.acts_for_value()),
            Fact::WhoAttr(name) => self.attributes().get(name),
            _ => None,
        }
    }
}

fn argument<'q>(args: &'q Object, path: &[Box<str>]) -> Option<&'q Value> {
    let (first, inner) = path.split_first()?;
    inner.iter().try_fold(args.get(first)?, |value, name| value.as_object()?.get(name))
}
