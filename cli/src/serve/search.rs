//! The three searches: which of the subjects, resources or actions that the operator has named would be permitted.
//!
//! They ask the policy, and neither the broker nor its log: nothing is granted, and what is halted is found all the same.
//! What people would have to agree to is not found.

use hallpass::Call;
use hallpass::clock::{Clock as _, SystemClock};
use hallpass::value::{Object, Value};
use serde_json::json;

use super::authzen::{
    Entity, Malformed, document, entity, missing, object_in, properties, text_in, wrong,
};
use super::evaluate::Evaluator;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    Subject,
    Resource,
    Action,
}

/// A search. What is sought has no id in it, or none that counts.
#[derive(Debug)]
pub(super) struct Search {
    sought: Sought,
    subject: Entity,
    action: (Box<str>, Object),
    resource: Entity,
    context: Object,
    page: Page,
}

/// Which of the results are given.
#[derive(Debug)]
struct Page {
    /// Whether the request speaks of pages.
    is_said: bool,
    from: usize,
    most: usize,
    /// What all requests for pages of one search have in common.
    digest: String,
}

/// The most results of a page.
const MOST: usize = 1000;

impl Search {
    /// Reads the request of a search.
    ///
    /// # Errors
    /// What it lacks, or has in another type; a page that is of another search.
    pub(super) fn read(sought: Sought, body: &[u8]) -> Result<Self, Malformed> {
        let request = document(body)?;
        let part = |name: &str, is_sought: bool| {
            let own = object_in(&request, name)?.ok_or_else(|| missing(name))?;
            match is_sought {
                false => entity(name, own),
                true => {
                    let (of_type, id) = (text_in(name, own, "type")?, Box::from(""));
                    Ok(Entity { of_type, id, properties: properties(name, own)? })
                }
            }
        };
        let action = match (sought, object_in(&request, "action")?) {
            (Sought::Action, _) => (Box::from(""), Object::new()),
            (_, None) => return Err(missing("action")),
            (_, Some(own)) => (text_in("action", own, "name")?, properties("action", own)?),
        };
        Ok(Search {
            sought,
            subject: part("subject", sought == Sought::Subject)?,
            resource: part("resource", sought == Sought::Resource)?,
            action,
            context: object_in(&request, "context")?.cloned().unwrap_or_default(),
            page: Page::read(&request)?,
        })
    }
}

impl Page {
    fn read(request: &Object) -> Result<Self, Malformed> {
        let page = object_in(request, "page")?;
        let own = |name: &str| page.and_then(|page| page.get(name));
        let others = page.into_iter().flat_map(Object::iter).filter(|(name, _)| *name != "token");
        let others = others.map(|(name, own)| (name.to_owned(), own.clone()));
        let others = Object::from_pairs(others).unwrap_or_default();
        let request = request.iter().filter(|(name, _)| *name != "page");
        let request = request.map(|(name, own)| (name.to_owned(), own.clone()));
        let request = request.chain([("page".to_owned(), Value::Object(others))]);
        let digest = Object::from_pairs(request).unwrap_or_default().digest().to_string();
        let most = match own("limit") {
            None => MOST,
            Some(limit) => {
                let number = limit.as_number().and_then(|limit| limit.to_u64());
                let number = number.ok_or_else(|| wrong("page.limit", limit, "a whole number"))?;
                usize::try_from(number).unwrap_or(MOST).min(MOST)
            }
        };
        let from = match own("token") {
            None => 0,
            Some(token) => {
                let parts = token.as_text().and_then(|token| token.split_once('.'));
                let from =
                    parts.filter(|(_, of)| *of == digest).and_then(|(from, _)| from.parse().ok());
                from.ok_or_else(|| Malformed("`page.token` is not of this search".to_owned()))?
            }
        };
        Ok(Page { is_said: page.is_some(), from, most, digest })
    }

    fn written(&self, found: Vec<serde_json::Value>) -> serde_json::Value {
        let total = found.len();
        let results: Vec<_> = found.into_iter().skip(self.from).take(self.most).collect();
        let (count, next) = (results.len(), self.from.saturating_add(results.len()));
        if !self.is_said && count == total {
            return json!({ "results": results });
        }
        let token = if next < total { format!("{next}.{}", self.digest) } else { String::new() };
        json!({ "page": { "next_token": token, "count": count, "total": total }, "results": results })
    }
}

impl Evaluator {
    /// Looks through what the operator has named.
    ///
    /// # Errors
    /// What no identity can be.
    pub(super) fn search(&self, search: &Search) -> Result<serde_json::Value, Malformed> {
        let Search { sought, subject, action: (action, args), resource, .. } = search;
        let mut found = Vec::new();
        match sought {
            Sought::Subject => {
                for id in self.entities.subjects_of(&subject.of_type) {
                    let subject = Entity { id: id.into(), ..subject.clone() };
                    if self.would_permit(search, &subject, action, args, resource)? {
                        found.push(json!({ "type": subject.of_type, "id": id }));
                    }
                }
            }
            Sought::Resource => {
                for id in self.entities.resources_of(&resource.of_type) {
                    let resource = Entity { id: id.into(), ..resource.clone() };
                    if self.would_permit(search, subject, action, args, &resource)? {
                        found.push(json!({ "type": resource.of_type, "id": id }));
                    }
                }
            }
            Sought::Action => {
                for action in self.entities.actions() {
                    if self.would_permit(search, subject, action, args, resource)? {
                        found.push(json!({ "name": action }));
                    }
                }
            }
        }
        Ok(search.page.written(found))
    }

    fn would_permit(
        &self,
        search: &Search,
        subject: &Entity,
        action: &str,
        args: &Object,
        resource: &Entity,
    ) -> Result<bool, Malformed> {
        let Some(kind) = self.kinds.of(&subject.of_type) else { return Ok(false) };
        let who = self.identity(kind, subject).map_err(Malformed)?;
        let Ok(call) = Call::from_json(action, &args.to_json()) else { return Ok(false) };
        let call = call.on(self.entities.resource(resource));
        let (context, Ok(now)) = (self.context(&search.context, None), SystemClock::new().read())
        else {
            return Ok(false);
        };
        // A fleet has another policy by now: what the file's would permit says nothing.
        if self.broker.epoch().1 != self.policy.digest() {
            return Ok(false);
        }
        let decided = self.policy.decide(&who, &self.purpose, &call, &context, now.wall);
        Ok(decided.is_ok_and(|decision| decision.is_permit()))
    }
}
