//! What an operator knows of subjects and resources, whatever is asked about them.

use std::collections::BTreeMap;
use std::path::Path;

use hallpass::identity::{Assertion, Kind};
use hallpass::value::{Object, Value};
use hallpass::{Broker, Resource};

use super::authzen::Entity;
use super::options::Kinds;
use super::stated::Stated;
use crate::policy::text_of;

/// Subjects and resources, with what is known of them. What is known goes before what a request says.
#[derive(Debug, Default)]
pub(super) struct Entities {
    /// By the kind and the id that the broker knows them by: an id may have several spellings.
    subjects: BTreeMap<(Kind, Box<str>), Known>,
    resources: BTreeMap<(Box<str>, Box<str>), Object>,
    /// What may be done, as far as searches look.
    actions: Vec<Box<str>>,
    /// What events have stated since, which goes before all else.
    stated: Stated,
}

#[derive(Debug)]
struct Known {
    of_type: Box<str>,
    id: Box<str>,
    groups: Vec<Box<str>>,
    properties: Object,
}

impl Entities {
    /// Reads a file: JSON, `{ "subjects": [{ "type", "id", "groups", "properties" }], "resources": [{ "type", "id",
    /// "properties" }], "actions": ["NAME"] }`.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(super) fn read(path: &Path, kinds: &Kinds, broker: &Broker) -> Result<Self, String> {
        let text =
            text_of(path).map_err(|error| format!("{}: can't be read: {error}", path.display()))?;
        Entities::of(&text, kinds, broker).map_err(|why| format!("{}: {why}", path.display()))
    }

    fn of(text: &str, kinds: &Kinds, broker: &Broker) -> Result<Self, String> {
        let file = Value::from_json(text).map_err(|error| error.to_string())?;
        let file = file.as_object().ok_or("expected an object")?;
        only(file, &["subjects", "resources", "actions"], "the file")?;
        let mut entities = Entities::default();
        for (at, own) in list(file, "subjects")?.iter().enumerate() {
            let place = format!("subject {}", at + 1);
            let own = own.as_object().ok_or(format!("{place}: expected an object"))?;
            only(own, &["type", "id", "groups", "properties"], &place)?;
            let Entity { of_type, id, properties } = entity(own, &place)?;
            let kind = kinds
                .of(&of_type)
                .ok_or(format!("{place}: no kind is told of type `{of_type}`"))?;
            let groups = list(own, "groups")?.iter().map(|group| group.as_text().map(Box::from));
            let groups: Option<Vec<_>> = groups.collect();
            let groups = groups.ok_or(format!("{place}: `groups` has what is not text"))?;
            let known = Known { of_type, id, groups, properties };
            let who = assertion(kind, &known.id).groups(known.groups.iter().cloned());
            let properties = known.properties.iter();
            let who =
                properties.fold(who, |who, (name, own)| who.attr(name.to_owned(), own.clone()));
            let who = broker.assert_identity(who).map_err(|error| format!("{place}: {error}"))?;
            let key = (kind, Box::from(who.subject().as_str()));
            if let Some(twice) = entities.subjects.insert(key, known) {
                return Err(format!("{place}: `{}` is there twice", twice.id));
            }
        }
        for (at, own) in list(file, "resources")?.iter().enumerate() {
            let place = format!("resource {}", at + 1);
            let own = own.as_object().ok_or(format!("{place}: expected an object"))?;
            only(own, &["type", "id", "properties"], &place)?;
            let Entity { of_type, id, properties } = entity(own, &place)?;
            if entities.resources.insert((of_type, id.clone()), properties).is_some() {
                return Err(format!("{place}: `{id}` is there twice"));
            }
        }
        let actions = list(file, "actions")?.iter().map(|own| own.as_text().map(Box::from));
        let actions: Option<Vec<Box<str>>> = actions.collect();
        entities.actions = actions.ok_or("`actions` has what is not text")?;
        Ok(entities)
    }

    /// The subjects of a type, as requests name them.
    pub(super) fn subjects_of(&self, of_type: &str) -> impl Iterator<Item = &str> {
        let own = self.subjects.values().filter(move |own| &*own.of_type == of_type);
        own.map(|own| &*own.id)
    }

    /// The resources of a type.
    pub(super) fn resources_of(&self, of_type: &str) -> impl Iterator<Item = &str> {
        let own = self.resources.keys().filter(move |(own, _)| &**own == of_type);
        own.map(|(_, id)| &**id)
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(|own| &**own)
    }

    /// An assertion with what is known of this subject, and what a request says that is not known better.
    pub(super) fn subject(&self, kind: Kind, id: &str, as_known: &str, said: &Object) -> Assertion {
        self.with_stated(kind, (id, as_known), &self.stated.of(kind, as_known), said)
    }

    /// As [`subject`](Self::subject), with what an event states now.
    pub(super) fn restated(&self, kind: Kind, id: &str, as_known: &str, now: &Object) -> Assertion {
        let before = self.stated.of(kind, as_known);
        let all = merged(now, &before).map(|(name, own)| (name.to_owned(), own.clone()));
        let all = Object::from_pairs(all).unwrap_or_default();
        self.with_stated(kind, (id, as_known), &all, &Object::new())
    }

    pub(super) fn stated(&self) -> &Stated {
        &self.stated
    }

    fn with_stated(
        &self,
        kind: Kind,
        (id, as_known): (&str, &str),
        stated: &Object,
        said: &Object,
    ) -> Assertion {
        let nothing = Object::new();
        let known = self.subjects.get(&(kind, as_known.into()));
        let who =
            assertion(kind, id).groups(known.iter().flat_map(|own| own.groups.iter().cloned()));
        let known = known.map_or(&nothing, |own| &own.properties);
        let known = merged(stated, known).map(|(name, own)| (name.to_owned(), own.clone()));
        let known = Object::from_pairs(known).unwrap_or_default();
        merged(&known, said).fold(who, |who, (name, own)| who.attr(name.to_owned(), own.clone()))
    }

    /// A resource with what is known of it, and what a request says that is not known better.
    pub(super) fn resource(&self, said: &Entity) -> Resource {
        let resource = Resource::new(said.of_type.clone(), said.id.clone());
        let nothing = Object::new();
        let key = (said.of_type.clone(), said.id.clone());
        let known = self.resources.get(&key).unwrap_or(&nothing);
        merged(known, &said.properties)
            .fold(resource, |resource, (name, own)| resource.attr(name.to_owned(), own.clone()))
    }
}

/// An assertion of an id alone.
pub(super) fn assertion(kind: Kind, id: &str) -> Assertion {
    match kind {
        Kind::Agent => Assertion::agent(id),
        Kind::Human => Assertion::human(id),
        Kind::Workload => Assertion::workload(id),
    }
}

/// What is known, and then what is said of other names.
fn merged<'m>(known: &'m Object, said: &'m Object) -> impl Iterator<Item = (&'m str, &'m Value)> {
    known.iter().chain(said.iter().filter(|(name, _)| known.get(name).is_none()))
}

fn entity(own: &Object, place: &str) -> Result<Entity, String> {
    let text = |name: &str| {
        let text = own.get(name).and_then(Value::as_text).filter(|text| !text.is_empty());
        text.map(Box::from).ok_or(format!("{place}: `{name}` is missing, empty or no text"))
    };
    let properties = match own.get("properties") {
        None => Object::new(),
        Some(Value::Object(properties)) => properties.clone(),
        Some(_) => return Err(format!("{place}: `properties` is not an object")),
    };
    Ok(Entity { of_type: text("type")?, id: text("id")?, properties })
}

fn list<'o>(own: &'o Object, name: &str) -> Result<&'o [Value], String> {
    match own.get(name) {
        None => Ok(&[]),
        Some(value) => value.as_list().ok_or(format!("`{name}` is not a list")),
    }
}

/// Refuses what is misspelled, since it would be missing.
fn only(own: &Object, known: &[&str], place: &str) -> Result<(), String> {
    match own.keys().find(|name| !known.contains(name)) {
        Some(name) => Err(format!("{place}: unknown member `{name}`, expected one of {known:?}")),
        None => Ok(()),
    }
}
