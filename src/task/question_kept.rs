//! A question as a log keeps it, sealed: what it takes to ask it again under another broker, in the same words.
//!
//! The parts that the question's records say in plain are not in it. What it is bound to are digests, so that a
//! question which comes back under another rule, tool or spelling is found to be void, and not asked anew.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::{Item, ScopePlan};
use super::question::OpenQuestion;
use super::question_id::QuestionId;
use super::question_parked::BoundRule;
use super::question_subject::{Amendment, OtherCalls, Subject};
use crate::base64;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::{Fold, Identity, KeptIdentity};
use crate::resource::Resource;
use crate::scope::{Scope, decode_scope, encode_scope};
use crate::value::{Digest, Object, PackedObject, Value};

/// The longest text that is kept. What is longer comes back as void.
const LONGEST: usize = 64 * 1024;

/// What has to outlive the process of a question.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptQuestion {
    holder: KeptIdentity,
    parties: Vec<KeptIdentity>,
    asks: Vec<KeptRule>,
    permits: Vec<KeptRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<KeptAsked>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<KeptPlan>,
}

/// The id of a rule, and its digest.
type KeptRule = (Box<str>, Box<str>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCall {
    tool: Box<str>,
    /// JSON, in which numbers stand exactly: so are all values here.
    args: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<(Box<str>, Box<str>, Box<str>)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    material: Vec<(Box<str>, Box<str>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptAsked {
    call: KeptCall,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Option<KeptCall>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<Box<str>>,
    context: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amended: Option<KeptAmendment>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptAmendment {
    before: KeptCall,
    amends: Box<str>,
    by: Vec<KeptIdentity>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptPlan {
    /// The byte form of each capability. It is one by one, since that of several has an order of its own.
    capabilities: Vec<Box<str>>,
    verifiers: Vec<Box<str>>,
    digested: bool,
    /// For how many milliseconds it is asked for at most, and from when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts: Option<Timestamp>,
    items: Vec<KeptItem>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptItem {
    at: usize,
    asks: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<Box<str>>,
}

/// What a question is about and bound to, and who takes part in it, as it was kept.
pub(crate) struct Recalled {
    pub(crate) holder: Identity,
    pub(crate) parties: Box<[Identity]>,
    pub(crate) subject: Subject,
    pub(crate) asks: Box<[BoundRule]>,
    pub(crate) permits: Box<[BoundRule]>,
    /// Of the entry in the catalogue of a call's tool.
    pub(crate) listed: Option<Digest>,
}

impl OpenQuestion {
    /// What is kept of it; `None` of what can't be asked again: a text that is too long, and a plan of a delegation,
    /// whose parent no other broker has.
    pub(crate) fn to_kept(&self) -> Option<String> {
        let (call, plan) = match &self.subject {
            Subject::Scope(plan) => (None, Some(KeptPlan::of(plan)?)),
            Subject::Call { call, context, other } => {
                let asked = KeptAsked {
                    call: KeptCall::of(call),
                    made: other.as_ref().and_then(|own| own.made.as_ref()).map(KeptCall::of),
                    listed: self.binding.listed.as_ref().map(spelled),
                    context: context.unpack()?.to_json().into(),
                    amended: self.amended().map(KeptAmendment::of),
                };
                (Some(asked), None)
            }
        };
        let kept = KeptQuestion {
            holder: KeptIdentity::of(&self.holder),
            parties: self.parties().iter().map(KeptIdentity::of).collect(),
            asks: self.binding.asks.iter().map(kept_rule).collect(),
            permits: self.binding.permits.iter().map(kept_rule).collect(),
            call,
            plan,
        };
        serde_json::to_string(&kept).ok().filter(|text| text.len() <= LONGEST)
    }
}

impl KeptQuestion {
    pub(crate) fn parse(text: &str) -> Option<KeptQuestion> {
        serde_json::from_str(text).ok()
    }

    /// What it says, under the broker of this number, which folds names so. `None` of what no broker would have kept.
    pub(crate) fn recall(self, broker: u64, fold: Fold) -> Option<Recalled> {
        let attest = |own: KeptIdentity| own.attest(broker, fold);
        let (subject, listed) = match (self.call, self.plan) {
            (Some(asked), None) => {
                let listed = parse_listed(asked.listed.as_deref())?;
                (asked.recall(&attest)?, listed)
            }
            (None, Some(plan)) => (Subject::Scope(Box::new(plan.recall()?)), None),
            _ => return None,
        };
        Some(Recalled {
            holder: attest(self.holder)?,
            parties: self.parties.into_iter().map(attest).collect::<Option<_>>()?,
            subject,
            asks: self.asks.iter().map(bound_rule).collect::<Option<_>>()?,
            permits: self.permits.iter().map(bound_rule).collect::<Option<_>>()?,
            listed,
        })
    }
}

impl KeptCall {
    fn of(call: &Call) -> KeptCall {
        let resource = call.resource().map(|own| {
            (own.resource_type().into(), own.id().into(), own.attributes().to_json().into())
        });
        KeptCall {
            tool: call.tool().into(),
            args: call.args().to_json().into(),
            resource,
            material: call
                .materials()
                .iter()
                .map(|(name, digest)| (name.into(), spelled(digest)))
                .collect(),
        }
    }

    fn recall(self) -> Option<Call> {
        let mut call = Call::from_json(&self.tool, &self.args).ok()?;
        if let Some((kind, id, attributes)) = self.resource {
            let attributes = parse_object(&attributes)?;
            let resource = attributes.iter().fold(Resource::new(kind, id), |own, (name, value)| {
                own.attr(name.to_owned(), value.clone())
            });
            resource.checked().ok()?;
            call = call.on(resource);
        }
        for (name, digest) in self.material {
            call = call.material(&name, parse_digest(&digest)?);
        }
        Some(call)
    }
}

impl KeptAsked {
    fn recall(self, attest: &impl Fn(KeptIdentity) -> Option<Identity>) -> Option<Subject> {
        let context = Context::from(parse_object(&self.context)?);
        let context = PackedObject::of(context.checked().ok()?);
        let amended = match self.amended {
            Some(own) => Some(own.recall(attest)?),
            None => None,
        };
        let made = match self.made {
            Some(own) => Some(own.recall()?),
            None => None,
        };
        let other = OtherCalls::of(made, amended);
        Some(Subject::Call { call: self.call.recall()?, context, other })
    }
}

impl KeptAmendment {
    fn of(own: &Amendment) -> KeptAmendment {
        KeptAmendment {
            before: KeptCall::of(&own.before),
            amends: own.amends.text().as_str().into(),
            by: own.by.iter().map(KeptIdentity::of).collect(),
        }
    }

    fn recall(self, attest: &impl Fn(KeptIdentity) -> Option<Identity>) -> Option<Amendment> {
        Some(Amendment {
            before: self.before.recall()?,
            amends: QuestionId::parse(&self.amends)?,
            by: self.by.into_iter().map(attest).collect::<Option<_>>()?,
        })
    }
}

impl KeptPlan {
    fn of(plan: &ScopePlan) -> Option<KeptPlan> {
        if plan.parent.is_some() {
            return None;
        }
        let bytes = plan.capabilities.iter().map(|own| encode_scope(&[own]).ok());
        let text = |bytes: Vec<u8>| {
            let mut text = String::new();
            base64::encode_to(&bytes, &mut text);
            text.into_boxed_str()
        };
        Some(KeptPlan {
            capabilities: bytes.map(|own| own.map(text)).collect::<Option<_>>()?,
            verifiers: plan.scope.verifiers().iter().cloned().collect(),
            digested: plan.scope.is_digested(),
            ttl: plan
                .scope
                .asked_ttl()
                .map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
            starts: plan.scope.asked_times().1,
            items: plan
                .items
                .iter()
                .map(|item| KeptItem {
                    at: item.at,
                    asks: item.asks.iter().map(|ask| (**ask).into()).collect(),
                    listed: item.listed.as_ref().map(spelled),
                })
                .collect(),
        })
    }

    fn recall(self) -> Option<ScopePlan> {
        let mut capabilities = Vec::with_capacity(self.capabilities.len());
        for text in &self.capabilities {
            let mut bytes = vec![0; base64::decoded_length(text)?];
            base64::decode(text, &mut bytes)?;
            capabilities.append(&mut decode_scope(&bytes).ok()?);
        }
        let scope = Scope::of(&capabilities, self.verifiers.into_iter().collect());
        let scope = if self.digested { scope.digested() } else { scope };
        let scope = self.ttl.map(Duration::from_millis).into_iter().fold(scope, Scope::ttl);
        let scope = self.starts.into_iter().fold(scope, Scope::starting);
        let item = |own: KeptItem| {
            capabilities.get(own.at)?;
            Some(Item {
                at: own.at,
                asks: own.asks.iter().map(|ask| Arc::from(&**ask)).collect(),
                listed: parse_listed(own.listed.as_deref())?,
            })
        };
        let items = self.items.into_iter().map(item).collect::<Option<Box<[Item]>>>()?;
        Some(ScopePlan { capabilities: capabilities.into(), scope, parent: None, items })
    }
}

fn kept_rule(rule: &BoundRule) -> KeptRule {
    ((*rule.id).into(), spelled(&rule.digest))
}

fn bound_rule((id, digest): &KeptRule) -> Option<BoundRule> {
    Some(BoundRule { id: Arc::from(&**id), digest: parse_digest(digest)? })
}

fn spelled(digest: &Digest) -> Box<str> {
    digest.text().as_str().into()
}

fn parse_digest(text: &str) -> Option<Digest> {
    let mut bytes = [0; 32];
    base64::decode(text, &mut bytes)?;
    Some(Digest::from(bytes))
}

/// The entry of a tool in the catalogue: that there was none is something to be bound to, too.
fn parse_listed(text: Option<&str>) -> Option<Option<Digest>> {
    match text {
        None => Some(None),
        Some(text) => parse_digest(text).map(Some),
    }
}

fn parse_object(text: &str) -> Option<Object> {
    match Value::from_json(text).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}
