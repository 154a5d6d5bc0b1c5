//! A call as a line says it: what is presented, by whom, for which tool and arguments.

use crate::identity::Assertion;
use crate::value::{Digest, Object, Value};
use crate::{Call, CallError, Context, Resource};

use super::fields::{Fields, Misread};
use super::statement;
use super::tamper::Tamper;

/// The fields that say what is presented.
pub(crate) const PRESENTED: &[&str] = &["grant", "token", "tamper", "who"];

/// The other fields of a call.
pub(crate) const ATTEMPT: &[&str] =
    &["bound", "tool", "args", "args_text", "resource", "context", "material"];

/// What somebody shows at the gate.
pub(crate) struct Presented<'v> {
    pub(crate) token: Source<'v>,
    /// What a thief does to it first.
    pub(crate) tamper: Option<Tamper<'v>>,
    /// Who presents it, if not the grant's holder.
    pub(crate) who: Option<Assertion>,
}

#[derive(Clone, Copy)]
pub(crate) enum Source<'v> {
    /// The token of this alias.
    Alias(&'v str),
    /// This text.
    Text(&'v str),
}

/// A call as somebody presents it at the gate.
pub(crate) struct Attempt<'v> {
    pub(crate) presented: Presented<'v>,
    /// Whether it is presented for this very call, and for no other.
    pub(crate) bound: bool,
    pub(crate) tool: &'v str,
    pub(crate) args: Arguments<'v>,
    pub(crate) resource: Option<Resource>,
    pub(crate) context: Context,
    pub(crate) material: Vec<(&'v str, Digest)>,
    /// What the question is called that it may park.
    pub(crate) ask_as: Option<&'v str>,
    /// What the host notes of the result.
    pub(crate) notes: Option<&'v Object>,
}

/// Arguments as they came: whether they are any is the crate's to say.
#[derive(Clone, Copy)]
pub(crate) enum Arguments<'v> {
    None,
    Value(&'v Value),
    Text(&'v str),
}

/// What becomes of a call once it runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    Ok,
    Error,
    Panic,
}

impl<'v> Presented<'v> {
    /// # Errors
    /// [`Misread`] unless exactly one token is named, and somebody who presents it.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        let tamper = fields.get("tamper").map(Tamper::read).transpose()?;
        let who = fields.get("who").map(|who| statement::who("who", who)).transpose()?;
        let token = match (fields.text_if("grant")?, fields.text_if("token")?) {
            (Some(grant), None) => Source::Alias(grant),
            (None, Some(_)) if tamper.is_some() => {
                return Err(Misread("`tamper` needs a `grant`, whose token it changes".to_owned()));
            }
            (None, Some(_)) if who.is_none() => {
                return Err(Misread(
                    "`token` needs `who`: only a grant tells its holder".to_owned(),
                ));
            }
            (None, Some(text)) => Source::Text(text),
            _ => return Err(Misread("expected exactly one of `grant` and `token`".to_owned())),
        };
        Ok(Presented { token, tamper, who })
    }
}

impl<'v> Attempt<'v> {
    /// # Errors
    /// [`Misread`]: a field is missing, of another kind, or says twice what is said once.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        let presented = Presented::read(fields)?;
        let bound = fields.flag("bound")?;
        if bound && matches!(presented.token, Source::Text(_)) {
            return Err(Misread("`bound` needs a `grant`, whose token it presents".to_owned()));
        }
        let args = match (fields.get("args"), fields.text_if("args_text")?) {
            (None, None) => Arguments::None,
            (Some(value), None) => Arguments::Value(value),
            (None, Some(text)) => Arguments::Text(text),
            _ => return Err(Misread("expected at most one of `args` and `args_text`".to_owned())),
        };
        Ok(Attempt {
            presented,
            bound,
            tool: fields.text("tool")?,
            args,
            resource: fields.get("resource").map(statement::resource).transpose()?,
            context: statement::context(fields)?,
            material: statement::material(fields)?,
            ask_as: fields.text_if("ask_as")?,
            notes: fields.object_if("notes")?,
        })
    }

    /// The call, if it is one.
    pub(crate) fn call(&self) -> Result<Call, CallError> {
        let call = match self.args {
            Arguments::None => Call::from_json(self.tool, "{}"),
            Arguments::Value(value) => Call::new(self.tool, value.clone()),
            Arguments::Text(text) => Call::from_json(self.tool, text),
        }?;
        let call = match self.resource.clone() {
            None => call,
            Some(resource) => call.on(resource),
        };
        let stated = self.material.iter();
        Ok(stated.fold(call, |call, (name, digest)| call.material(name, *digest)))
    }
}

impl Outcome {
    const ALL: [(&str, Outcome); 3] =
        [("ok", Outcome::Ok), ("error", Outcome::Error), ("panic", Outcome::Panic)];

    /// # Errors
    /// [`Misread`] if there is an outcome that is none of the words.
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, Misread> {
        Ok(fields.word("outcome", &Outcome::ALL)?.unwrap_or(Outcome::Ok))
    }
}
