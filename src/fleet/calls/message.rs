//! What nodes say to each other, once it is known who says it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seen::{Look, Seen};
use crate::call::Call;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::KeptIdentity;
use crate::resource::Resource;
use crate::value::{Object, Value};

/// What a node asks the home of a task.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// Whether a call may run, and to permit it.
    Call(Box<AskedCall>),
    /// What became of a call that was permitted.
    Told {
        call: [u8; 16],
        outcome: Told,
        /// Its request was sent more than once, or got no answer: a copy may come later.
        copies: bool,
    },
    /// What there is at the node. It changes nothing.
    Look(Look),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedCall {
    pub(super) token: Box<str>,
    pub(super) caller: KeptIdentity,
    pub(super) call: CarriedCall,
    /// JSON, in which numbers stand exactly.
    pub(super) context: Box<str>,
}

/// What became of a call at the node that asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    Ok,
    Error,
    Interrupted,
    /// It never started, and never will.
    NotStarted,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Reply {
    Permitted(Box<PermittedCall>),
    Denied {
        reason: Box<str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    Noted,
    Seen(Box<Seen>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::fleet) struct PermittedCall {
    /// The call as it was decided about.
    pub(super) call: CarriedCall,
    /// The number of the permit in the home's log.
    pub(super) permit: u64,
    pub(super) rules: Vec<Box<str>>,
    /// The number up to which the home had applied the mark before it decided.
    pub(super) applied: u64,
    /// For how long it may be started, in milliseconds.
    pub(super) leave: u64,
}

/// A call as it is carried: JSON, in which numbers stand exactly.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CarriedCall {
    tool: Box<str>,
    args: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<(Box<str>, Box<str>, Box<str>)>,
}

impl CarriedCall {
    /// `None` of a call that can't be carried: one whose resource is not well formed, or with digests of material.
    pub(super) fn of(call: &Call) -> Option<CarriedCall> {
        if call.materials().iter().len() > 0 {
            return None;
        }
        let resource = match call.resource() {
            None => None,
            Some(own) => {
                own.checked().ok()?;
                let attributes = own.attributes().to_json().into();
                Some((own.resource_type().into(), own.id().into(), attributes))
            }
        };
        Some(CarriedCall { tool: call.tool().into(), args: call.args().to_json().into(), resource })
    }

    pub(super) fn tool(&self) -> &str {
        &self.tool
    }

    pub(super) fn call(&self) -> Option<Call> {
        let call = Call::from_json(&self.tool, &self.args).ok()?;
        let Some((kind, id, attributes)) = &self.resource else { return Some(call) };
        let resource = object(attributes)?
            .iter()
            .fold(Resource::new(kind.clone(), id.clone()), |own, (name, value)| {
                own.attr(name.to_owned(), value.clone())
            });
        resource.checked().is_ok().then(|| call.on(resource))
    }
}

/// A context as it is carried; `None` of one that is not well formed.
pub(super) fn carried_context(context: &Context) -> Option<Box<str>> {
    context.checked().ok().map(|facts| facts.to_json().into())
}

pub(super) fn context(carried: &str) -> Option<Context> {
    let facts = object(carried)?;
    let context = facts
        .iter()
        .fold(Context::new(), |own, (name, value)| own.with(name.to_owned(), value.clone()));
    context.checked().is_ok().then_some(context)
}

fn object(json: &str) -> Option<Object> {
    match Value::from_json(json).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

impl Reply {
    pub(super) fn denied(denial: &Denial) -> Reply {
        let millis = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let (reason, retry_after) =
            (denial.reason().as_str().into(), denial.retry_after().map(millis));
        Reply::Denied { reason, retry_after }
    }
}

/// The denial that a home gave. A reason that this version does not know is a doubt, and denies as one.
pub(super) fn denial_of(home: &str, reason: &str, retry_after: Option<u64>) -> Denial {
    let known = Reason::ALL.into_iter().find(|own| own.as_str() == reason);
    let denial = Denial::new(known.unwrap_or(Reason::Elsewhere))
        .because(format_args!("denied at its home, the node `{home}`: {}", reason.escape_debug()));
    retry_after.map(Duration::from_millis).into_iter().fold(denial, Denial::free_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_carried_as_it_is_and_what_is_none_is_not_read() {
        let resource = Resource::new("doc", "1").attr("level", "open");
        let call = Call::new("fs.read", serde_json::json!({ "path": "/a" })).unwrap().on(resource);
        let carried = CarriedCall::of(&call).unwrap();
        assert_eq!((carried.tool(), carried.call()), ("fs.read", Some(call)));
        let args = CarriedCall { args: "{".into(), resource: None, tool: "fs.read".into() };
        assert!(args.call().is_none());
        let resource = Some(("doc".into(), "1".into(), "[]".into()));
        assert!(CarriedCall { resource, args: "{}".into(), ..args }.call().is_none());
    }
}
