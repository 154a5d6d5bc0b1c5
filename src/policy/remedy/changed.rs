//! A question with some of its parts changed.

use std::collections::BTreeMap;

use super::super::compiled::Compiled;
use super::super::decide::Verdict;
use super::super::decision::RulesQuestion;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::{Assertion, Attestor, Identity, Kind};
use crate::purpose::Purpose;
use crate::resource::Resource;
use crate::scope::Fact;
use crate::value::{Object, Value};

/// What parts of a question are to be: `None` of what is not to be there.
pub(super) type Changes = BTreeMap<Fact, Option<Value>>;

/// What the rules say to a question with these changes; `None` where it can't be meant.
pub(super) fn verdict_of(
    policy: &Compiled,
    question: RulesQuestion<'_>,
    changes: &Changes,
) -> Option<Verdict> {
    let setting = (question.who, question.why, question.context, question.now);
    let (who, why, context, now) = setting_of(policy, setting, changes)?;
    let call = call(question.call, changes)?;
    let seen = match changes.get(&Fact::Seen) {
        Some(Some(labels)) => question.seen.with_labels(labels),
        _ => question.seen.clone(),
    };
    let (who, why, call, context, seen) = (&who, &why, &call, &context, &seen);
    RulesQuestion { who, why, call, context, seen, now, ..question }.verdict(policy).ok()
}

/// Who asks, why, in which context and when, with these changes; `None` where that can't be meant.
pub(super) fn setting_of(
    policy: &Compiled,
    (who, why, context, now): (&Identity, &Purpose, &Context, Timestamp),
    changes: &Changes,
) -> Option<(Identity, Purpose, Context, Timestamp)> {
    let now = match changes.get(&Fact::Now) {
        Some(Some(Value::Text(now))) => Timestamp::parse_rfc3339(now).ok()?,
        _ => now,
    };
    let who = identity(policy, who, changes)?;
    Some((who, purpose(why, changes), in_context(context, changes), now))
}

fn text<'c>(changes: &'c Changes, fact: &Fact) -> Option<Option<&'c str>> {
    changes.get(fact).map(|own| own.as_ref().and_then(Value::as_text))
}

fn texts(own: Option<&Option<Value>>) -> Option<Vec<&str>> {
    match own? {
        Some(Value::List(all)) => Some(all.iter().filter_map(Value::as_text).collect()),
        _ => Some(Vec::new()),
    }
}

/// The identity as it would have to be attested: known to no broker.
fn identity(policy: &Compiled, who: &Identity, changes: &Changes) -> Option<Identity> {
    if !changes.keys().any(Fact::is_of_the_asker) {
        return Some(who.clone());
    }
    let id = text(changes, &Fact::WhoId).flatten().unwrap_or(who.subject().as_str());
    let kind = match text(changes, &Fact::WhoKind) {
        Some(Some("human")) => Kind::Human,
        Some(Some("workload")) => Kind::Workload,
        Some(Some("agent")) => Kind::Agent,
        Some(_) => return None,
        None => who.kind(),
    };
    let mut own = match kind {
        Kind::Human => Assertion::human(id),
        Kind::Workload => Assertion::workload(id),
        Kind::Agent => Assertion::agent(id),
    };
    own = match texts(changes.get(&Fact::WhoGroups)) {
        Some(groups) => own.groups(groups),
        None => own.groups(who.groups()),
    };
    for alias in who.aliases() {
        own = own.alias(alias);
    }
    match texts(changes.get(&Fact::WhoActsFor)) {
        Some(others) => {
            for other in others {
                own = own.acts_for(other, Kind::Human);
            }
        }
        None => {
            for other in who.acts_for() {
                own = own.acts_for(other.subject.as_str(), other.kind);
            }
        }
    }
    let is_changed =
        |name: &str| changes.keys().any(|own| matches!(own, Fact::WhoAttr(own) if **own == *name));
    for (name, value) in who.attributes().iter().filter(|(name, _)| !is_changed(name)) {
        own = own.attr(name.to_owned(), value.clone());
    }
    for (fact, value) in changes {
        if let (Fact::WhoAttr(name), Some(value)) = (fact, value) {
            own = own.attr(name.to_string(), value.clone());
        }
    }
    Attestor::folding(0, policy.fold).attest(own).ok()
}

fn purpose(why: &Purpose, changes: &Changes) -> Purpose {
    let own = match text(changes, &Fact::Purpose).flatten() {
        Some(name) => Purpose::new(name),
        None => Purpose::new(why.name()),
    };
    let ticket = match text(changes, &Fact::Ticket) {
        Some(ticket) => ticket,
        None => why.ticket_ref(),
    };
    ticket.into_iter().fold(own, Purpose::ticket)
}

fn in_context(context: &Context, changes: &Changes) -> Context {
    let is_changed =
        |name: &str| changes.keys().any(|own| matches!(own, Fact::Context(own) if **own == *name));
    let mut own = Context::new();
    for (name, value) in context.iter().filter(|(name, _)| !is_changed(name)) {
        own = own.with(name.to_owned(), value.clone());
    }
    for (fact, value) in changes {
        if let (Fact::Context(name), Some(value)) = (fact, value) {
            own = own.with(name.to_string(), value.clone());
        }
    }
    own
}

fn call(call: &Call, changes: &Changes) -> Option<Call> {
    let argument = |name: &str| changes.get(&Fact::arg(name));
    let mut args = Object::new();
    for (name, value) in call.args().object().iter().filter(|(name, _)| argument(name).is_none()) {
        // Each name is there once.
        let _ = args.insert(name.to_owned(), value.clone());
    }
    for (fact, value) in changes {
        if let (Some(name), Some(value)) = (fact.as_argument(), value) {
            let _ = args.insert(name.to_owned(), value.clone());
        }
    }
    let own = Call::new(call.tool(), Value::Object(args)).ok()?;
    let of_type = text(changes, &Fact::ResourceType);
    let of_id = text(changes, &Fact::ResourceId);
    let resource_type = match of_type {
        Some(changed) => changed,
        None => call.resource().map(Resource::resource_type),
    };
    let resource_id = match of_id {
        Some(changed) => changed,
        None => call.resource().map(Resource::id),
    };
    let (Some(resource_type), Some(resource_id)) = (resource_type, resource_id) else {
        return Some(own);
    };
    let mut resource = Resource::new(resource_type, resource_id);
    let is_changed = |name: &str| {
        changes.keys().any(|own| matches!(own, Fact::ResourceAttr(own) if **own == *name))
    };
    let attributes = call.resource().map(Resource::attributes).into_iter().flat_map(Object::iter);
    for (name, value) in attributes.filter(|(name, _)| !is_changed(name)) {
        resource = resource.attr(name.to_owned(), value.clone());
    }
    for (fact, value) in changes {
        if let (Fact::ResourceAttr(name), Some(value)) = (fact, value) {
            resource = resource.attr(name.to_string(), value.clone());
        }
    }
    Some(own.on(resource))
}
