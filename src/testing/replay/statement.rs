//! What the host states in a line: who, why, on what, in which context.

use crate::identity::{Assertion, Kind};
use crate::value::{Digest, Object, Value};
use crate::{Context, Purpose, Resource};

use super::fields::{Fields, Misread, text};

const KINDS: [(&str, Kind); 3] =
    [("agent", Kind::Agent), ("workload", Kind::Workload), ("human", Kind::Human)];

/// Reads who somebody is: an object, or an agent's id alone.
///
/// # Errors
/// [`Misread`] if a field is unknown or of another kind. Whether the identity can be attested is the
/// broker's to say.
pub(crate) fn who(field: &str, value: &Value) -> Result<Assertion, Misread> {
    if let Value::Text(id) = value {
        return Ok(Assertion::agent(id.clone()));
    }
    let known = ["id", "kind", "groups", "attrs", "aliases", "acts_for"];
    let fields = Fields::open(field, value, &known)?;
    let id = fields.text("id")?;
    let mut who = match fields.word("kind", &KINDS)?.unwrap_or(Kind::Agent) {
        Kind::Agent => Assertion::agent(id),
        Kind::Workload => Assertion::workload(id),
        Kind::Human => Assertion::human(id),
    };
    for group in fields.list("groups")? {
        who = who.group(text("groups", group)?);
    }
    for (name, value) in fields.object_if("attrs")?.into_iter().flat_map(Object::iter) {
        who = who.attr(name.to_owned(), value.clone());
    }
    for alias in fields.list("aliases")? {
        who = who.alias(text("aliases", alias)?);
    }
    for link in fields.list("acts_for")? {
        let (id, kind) = acted_for(link)?;
        who = who.acts_for(id, kind);
    }
    Ok(who)
}

/// One link of the chain: an object, or a person's id alone.
fn acted_for(link: &Value) -> Result<(&str, Kind), Misread> {
    if let Value::Text(id) = link {
        return Ok((id, Kind::Human));
    }
    let fields = Fields::open("acts_for", link, &["id", "kind"])?;
    Ok((fields.text("id")?, fields.word("kind", &KINDS)?.unwrap_or(Kind::Human)))
}

/// Reads why a task is opened: an object, or the name alone.
///
/// # Errors
/// [`Misread`] if a field is unknown or no text.
pub(crate) fn purpose(value: &Value) -> Result<Purpose, Misread> {
    if let Value::Text(name) = value {
        return Ok(Purpose::new(name.clone()));
    }
    let fields = Fields::open("purpose", value, &["name", "ticket", "intent"])?;
    let mut purpose = Purpose::new(fields.text("name")?);
    if let Some(ticket) = fields.text_if("ticket")? {
        purpose = purpose.ticket(ticket);
    }
    if let Some(intent) = fields.text_if("intent")? {
        purpose = purpose.intent(intent);
    }
    Ok(purpose)
}

/// Reads what a call acts on.
///
/// # Errors
/// [`Misread`] if a field is missing, unknown or of another kind.
pub(crate) fn resource(value: &Value) -> Result<Resource, Misread> {
    let fields = Fields::open("resource", value, &["type", "id", "attrs"])?;
    let mut resource = Resource::new(fields.text("type")?, fields.text("id")?);
    for (name, value) in fields.object_if("attrs")?.into_iter().flat_map(Object::iter) {
        resource = resource.attr(name.to_owned(), value.clone());
    }
    Ok(resource)
}

/// Reads the attributes of the moment; none if the line has none.
///
/// # Errors
/// [`Misread`] if it is not an object. Which names a context may have is the broker's to say.
pub(crate) fn context(fields: &Fields<'_>) -> Result<Context, Misread> {
    let attributes = fields.object_if("context")?;
    Ok(attributes.map_or_else(Context::new, |attributes| Context::from(attributes.clone())))
}

/// Reads what the arguments refer to: each text's digest, by name.
///
/// # Errors
/// [`Misread`] if it is not an object of texts.
pub(crate) fn material<'v>(fields: &Fields<'v>) -> Result<Vec<(&'v str, Digest)>, Misread> {
    let stated = fields.object_if("material")?.into_iter().flat_map(Object::iter);
    stated.map(|(name, value)| Ok((name, Digest::of(text(name, value)?.as_bytes())))).collect()
}
