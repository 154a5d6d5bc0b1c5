//! The record of a question that people are asked.

use super::current::Current;
use super::shared::Shared;
use crate::audit::{Asked, DigestText, Event};
use crate::clock::Timestamp;
use crate::scope::Capability;
use crate::task::{OpenQuestion, ScopePlan};
use crate::value::{Object, Value};

impl Shared {
    pub(super) fn record_asked(
        &self,
        current: &Current,
        open: &OpenQuestion,
        args: Option<DigestText>,
        now: Timestamp,
    ) {
        let mut parties: Vec<_> = Vec::new();
        let others = open.parties().iter().flat_map(|own| own.names());
        for name in open.holder.names().skip(1).chain(others) {
            if !parties.contains(&name) && name != open.holder.subject().as_str() {
                parties.push(name);
            }
        }
        let items = open.plan().map(|plan| Value::List(recorded_items(current, open, plan)));
        let event = Event::Asked(Asked {
            task: (&*open.task).into(),
            generation: open.generation,
            question: open.id.text().as_str().to_owned().into(),
            who: open.holder.subject().as_str().into(),
            parties: parties.into_iter().map(Into::into).collect(),
            tool: open.call().map(|call| call.tool().into()),
            args: args.map(|args| args.as_str().to_owned().into()),
            scope: items.map(std::borrow::Cow::Owned),
            amends: open.amended().map(|own| own.amends.text().as_str().to_owned().into()),
            rules: open.binding.asks.iter().map(|ask| (&*ask.id).into()).collect(),
            vary: open.vary().into_iter().map(Into::into).collect(),
            expires: open.expires,
            epoch: current.epoch,
            sealed: self.sealed_question(current, open).map(Into::into),
            break_glass: open.break_glass,
        });
        self.record(now, &event);
    }
}

/// The items of a plan, as records keep them: as they are, or each its tool and a digest.
fn recorded_items(current: &Current, open: &OpenQuestion, plan: &ScopePlan) -> Vec<Value> {
    let who = open.holder.subject().as_str();
    let digested = |item: &Capability| {
        let digest = current.keys.digests.scope(who, &item.to_value());
        let mut kept = Object::new();
        // Each key is written once.
        let _ = kept.insert("digest", digest.to_string());
        let _ = kept.insert("tool", item.tool.as_str());
        Value::Object(kept)
    };
    plan.withheld()
        .map(|item| if plan.scope.is_digested() { digested(item) } else { item.to_value() })
        .collect()
}
