//! The question of a record, put together from it and the values next to it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::NotReplayable;
use super::compare::Said;
use super::outcome::{Decided, Ruled};
use crate::args::Args;
use crate::audit::{DeniedAgain, Event, Plain, PlainValues, Record, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::Reason;
use crate::form::Form;
use crate::identity::{Assertion, Identity, Kind};
use crate::policy::{AskedFacts, Moment, Policy, RecordedQuestion, Seen};
use crate::purpose::Purpose;
use crate::resource::Resource;
use crate::scope::Fact;
use crate::value::{Object, Value};

/// A record of what rules decided about a call.
pub(in crate::audit) struct Recorded<'r> {
    pub(in crate::audit) seq: u64,
    pub(in crate::audit) at: Timestamp,
    pub(in crate::audit) task: &'r str,
    pub(in crate::audit) generation: Option<u64>,
    pub(in crate::audit) who: &'r str,
    pub(in crate::audit) tool: &'r str,
    resource: Option<(&'r str, &'r str)>,
    pub(in crate::audit) epoch: Option<u64>,
    pub(in crate::audit) break_glass: bool,
    pub(in crate::audit) ruled: Ruled,
    pub(in crate::audit) rules: &'r [Cow<'static, str>],
    /// Whether people had agreed to it.
    pub(in crate::audit) was_approved: bool,
    pub(in crate::audit) plain: Option<&'r Plain<'static>>,
}

impl<'r> Recorded<'r> {
    pub(in crate::audit) fn of(record: &'r Record) -> Option<Self> {
        let Record { seq, at, event } = record;
        let pair = |kind: &'r Option<Cow<'static, str>>, id: &'r Option<Cow<'static, str>>| {
            Some((kind.as_deref()?, id.as_deref()?))
        };
        match event {
            Event::Permitted {
                task,
                generation,
                who,
                tool,
                resource_type,
                resource_id,
                rules,
                approvals,
                epoch,
                break_glass,
                plain,
                ..
            } => Some(Recorded {
                seq: *seq,
                at: *at,
                task,
                generation: Some(*generation),
                who,
                tool,
                resource: pair(resource_type, resource_id),
                epoch: Some(*epoch),
                break_glass: *break_glass,
                ruled: Ruled::Permitted,
                rules,
                was_approved: !approvals.is_empty(),
                plain: plain.as_deref(),
            }),
            Event::Denied {
                stage: Stage::Call,
                task: Some(task),
                generation,
                who: Some(who),
                tool: Some(tool),
                resource_type,
                resource_id,
                reason,
                rules,
                epoch,
                break_glass,
                plain,
                ..
            } => Some(Recorded {
                seq: *seq,
                at: *at,
                task,
                generation: *generation,
                who,
                tool,
                resource: pair(resource_type, resource_id),
                epoch: *epoch,
                break_glass: *break_glass,
                ruled: ruled(reason)?,
                rules,
                was_approved: false,
                plain: plain.as_deref(),
            }),
            _ => None,
        }
    }
}

impl<'r> Recorded<'r> {
    pub(super) fn said(&self) -> Said<'r> {
        Said {
            seq: self.seq,
            task: self.task,
            who: self.who,
            about: Decided::Call,
            tools: vec![self.tool.to_owned()],
            ruled: self.ruled,
            rules: self.rules,
            was_approved: self.was_approved,
        }
    }
}

/// Whether equal denials that are counted are decisions of rules about a call, as [`Recorded`] ones are.
pub(super) fn counts_decisions(denials: &DeniedAgain<'_>) -> bool {
    let DeniedAgain { stage, task, who, tool, reason, .. } = denials;
    let is_of_call = *stage == Stage::Call && task.is_some() && who.is_some() && tool.is_some();
    is_of_call && ruled(reason).is_some()
}

/// What rules said, where a denial was theirs.
pub(super) fn ruled(reason: &str) -> Option<Ruled> {
    let said = [
        (Reason::Forbidden, Ruled::Forbidden),
        (Reason::NoPermit, Ruled::NotCovered),
        (Reason::ApprovalRequired, Ruled::Asked),
    ];
    said.into_iter().find(|(own, _)| own.as_str() == reason).map(|(_, ruled)| ruled)
}

/// A question that stands in the log as a whole.
pub(super) struct Whole {
    who: Identity,
    call: Call,
    context: Context,
    seen: Seen,
    now: Timestamp,
    form: Form,
}

impl Whole {
    pub(super) fn ask<'q>(&'q self, why: &'q Purpose, moment: Moment) -> RecordedQuestion<'q> {
        let Whole { who, call, context, seen, now, form } = self;
        RecordedQuestion { who, why, call, context, seen, now: *now, form: *form, moment }
    }
}

/// The question, if all that rules look at of it is there.
pub(super) fn question_of(
    recorded: &Recorded<'_>,
    kept: Option<&str>,
    (policy, asked, is_own): (&Policy, &AskedFacts, bool),
) -> Result<Whole, NotReplayable> {
    let plain = recorded.plain.ok_or(NotReplayable::NotPlain)?;
    // Another policy may have another catalogue, which reads what the caller wrote in its own way.
    if plain.respelled && !is_own {
        return Err(NotReplayable::NotPlain);
    }
    // A permit looks at the names of all arguments.
    let all_args =
        plain.other_args == 0 && !plain.digest_only.iter().any(|name| name.starts_with("args."));
    if !all_args {
        return Err(NotReplayable::NotPlain);
    }
    let PlainValues { values, erased, changed, .. } = plain.open(kept);
    let is_asked = |name: &String| {
        // An argument counts whether or not a rule names it.
        name.starts_with("args.") || asked.facts.iter().any(|fact| fact.to_string() == *name)
    };
    if changed.iter().any(is_asked) {
        return Err(NotReplayable::Changed);
    }
    if erased.iter().any(is_asked) {
        return Err(NotReplayable::Erased);
    }
    for fact in &asked.facts {
        if !is_known(fact, plain, &values, is_own) {
            return Err(NotReplayable::NotPlain);
        }
    }
    put_together(recorded, policy, plain, values).ok_or(NotReplayable::NotPlain)
}

/// Whether the log says what the fact was, or that it was not there.
fn is_known(
    fact: &Fact,
    plain: &Plain<'_>,
    values: &BTreeMap<String, Value>,
    is_own: bool,
) -> bool {
    match fact {
        // Of the record itself, or of the policy.
        Fact::WhoId
        | Fact::Purpose
        | Fact::Ticket
        | Fact::Now
        | Fact::Tool
        | Fact::Labels
        | Fact::ResourceType
        | Fact::ResourceId
        | Fact::Arg(_) => true,
        // Another policy may have given other labels to what was called before.
        Fact::Seen if !is_own => false,
        fact => {
            let name = fact.to_string();
            values.contains_key(&name) || plain.absent.iter().any(|own| *own == name)
        }
    }
}

fn put_together(
    recorded: &Recorded<'_>,
    policy: &Policy,
    plain: &Plain<'_>,
    mut values: BTreeMap<String, Value>,
) -> Option<Whole> {
    let seen = values.remove("when.seen").unwrap_or(Value::List(Vec::new()));
    let noted = values.iter().filter_map(|(name, list)| Some((name.strip_prefix("notes.")?, list)));
    let seen = Seen::told_of(&seen, noted).ok()?;
    values.retain(|name, _| !name.starts_with("notes."));
    let who = identity_of(policy, recorded.who, "who", &mut values)?;
    let (mut args, mut context) = (Object::new(), Object::new());
    let mut resource = recorded.resource.map(|(kind, id)| Resource::new(kind, id));
    for (name, value) in values {
        match name.split_once('.')? {
            ("args", name) => args.insert(name.to_owned(), value).ok()?,
            ("when", name) => context.insert(name.to_owned(), value).ok()?,
            ("resource", name) => {
                let name = name.strip_prefix("attrs.")?.to_owned();
                resource = Some(resource?.attr(name, value));
            }
            _ => return None,
        };
    }
    let call = Call::new(recorded.tool, Args::try_from(args).ok()?).ok()?;
    Some(Whole {
        who,
        call: resource.into_iter().fold(call, Call::on),
        context: Context::from(context),
        seen,
        now: plain.decided.unwrap_or(recorded.at),
        form: if plain.call_bound { Form::CallBound } else { Form::Bearer },
    })
}

/// Who asked, as far as rules look at that: what the record says under names that begin with `prefix` is taken out.
pub(super) fn identity_of(
    policy: &Policy,
    id: &str,
    prefix: &str,
    values: &mut BTreeMap<String, Value>,
) -> Option<Identity> {
    let kind = values.remove(&format!("{prefix}.kind"));
    let kind = kind.as_ref().and_then(Value::as_text).unwrap_or(Kind::Agent.as_str());
    let mut who = match kind {
        kind if kind == Kind::Human.as_str() => Assertion::human(id),
        kind if kind == Kind::Workload.as_str() => Assertion::workload(id),
        _ => Assertion::agent(id),
    };
    for group in texts(values.remove(&format!("{prefix}.groups")))? {
        who = who.group(group);
    }
    // Rules see the names alone of those acted for.
    for id in texts(values.remove(&format!("{prefix}.acts_for")))? {
        who = who.acts_for(id, Kind::Agent);
    }
    let attributes = format!("{prefix}.attrs.");
    let named = values.keys().filter(|name| name.starts_with(&attributes));
    for name in named.cloned().collect::<Vec<_>>() {
        if let (Some(own), Some(value)) = (name.strip_prefix(&attributes), values.remove(&name)) {
            who = who.attr(own.to_owned(), value);
        }
    }
    policy.attest_for_rules(who).ok()
}

/// The texts of a list; none of what is absent.
fn texts(value: Option<Value>) -> Option<Vec<Box<str>>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::List(elements)) => {
            elements.iter().map(|own| own.as_text().map(Box::from)).collect()
        }
        Some(_) => None,
    }
}
