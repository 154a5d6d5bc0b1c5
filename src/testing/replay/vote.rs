//! An answer to a question, and a redemption, as a line says them.

use crate::identity::Assertion;
use crate::policy::Width;
use crate::value::{Digest, Value};
use crate::{Call, CallError, Context, Resource};

use super::attempt::Outcome;
use super::fields::{Fields, Misread};
use super::statement;

/// Somebody's answer.
pub(crate) struct Vote<'v> {
    pub(super) question: &'v str,
    pub(super) who: Assertion,
    pub(super) what: What<'v>,
    /// The items of a plan, by number; all of them where it is not said.
    pub(super) items: Option<Vec<u32>>,
}

pub(super) enum What<'v> {
    Approve { stale: bool, width: Width },
    Confirm { stale: bool },
    Reject(&'v str),
}

/// The fields of an answer of this kind.
pub(crate) fn of_vote(op: &str) -> &'static [&'static str] {
    match op {
        "approve" => &["question", "who", "width", "shown", "items"],
        "confirm" => &["question", "who", "shown"],
        _ => &["question", "who", "reason", "items"],
    }
}

/// The items of a plan that an answer is about.
fn items(fields: &Fields<'_>) -> Result<Option<Vec<u32>>, Misread> {
    if fields.get("items").is_none() {
        return Ok(None);
    }
    let number = |value: &Value| {
        let number = value.as_number().and_then(|number| number.to_u64());
        number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| {
            Misread(format!("`items` has `{value}`, expected numbers as the view has them, from 1"))
        })
    };
    fields.list("items")?.iter().map(number).collect::<Result<_, _>>().map(Some)
}

/// The fields of an amendment.
pub(crate) const AMENDED: &[&str] =
    &["question", "as", "who", "shown", "tool", "args", "resource", "material"];

/// What somebody makes of a call that waits.
pub(crate) struct Amended<'v> {
    pub(super) question: &'v str,
    pub(super) alias: &'v str,
    pub(super) who: Assertion,
    pub(super) stale: bool,
    /// The call's own, where it is not said.
    pub(super) tool: Option<&'v str>,
    pub(super) args: Option<&'v Value>,
    pub(super) resource: Option<Resource>,
    pub(super) material: Vec<(&'v str, Digest)>,
}

impl<'v> Amended<'v> {
    /// # Errors
    /// [`Misread`]: a field is missing or of another kind.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        let stale = fields.word("shown", &[("stale", true), ("current", false)])?.unwrap_or(false);
        Ok(Amended {
            question: fields.text("question")?,
            alias: fields.text("as")?,
            who: statement::who("who", fields.require("who", "an object with `id`")?)?,
            stale,
            tool: fields.text_if("tool")?,
            args: fields.get("args"),
            resource: fields.get("resource").map(statement::resource).transpose()?,
            material: statement::material(fields)?,
        })
    }
}

impl Amended<'_> {
    /// The amended call: what is not said of it stays.
    ///
    /// # Errors
    /// What is not part of a call.
    pub(super) fn call(&self, before: &Call) -> Result<Call, CallError> {
        let tool = self.tool.unwrap_or(before.tool());
        let args = match self.args {
            Some(args) => args.clone(),
            None => Value::Object(before.args().object().clone()),
        };
        let call = Call::new(tool, args)?;
        let resource = self.resource.as_ref().or(before.resource());
        let call = resource.cloned().into_iter().fold(call, Call::on);
        let mut stated: Vec<(&str, Digest)> = self.material.clone();
        if stated.is_empty() {
            stated.extend(before.materials().iter().map(|(name, digest)| (name, *digest)));
        }
        let stated = stated.into_iter();
        Ok(stated.fold(call, |call, (name, digest)| call.material(name, digest)))
    }
}

/// The fields of a taking.
pub(crate) const TAKEN: &[&str] = &["question", "as", "context", "part", "ask_as"];

/// What is taken of what people agreed to.
pub(crate) struct Taken<'v> {
    pub(super) question: &'v str,
    pub(super) alias: &'v str,
    pub(super) context: Context,
    /// Whether a part of it will do.
    pub(super) part: bool,
    pub(super) ask_as: Option<&'v str>,
}

impl<'v> Taken<'v> {
    /// # Errors
    /// [`Misread`]: a field is missing or of another kind.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        Ok(Taken {
            question: fields.text("question")?,
            alias: fields.text("as")?,
            context: statement::context(fields)?,
            part: fields.flag("part")?,
            ask_as: fields.text_if("ask_as")?,
        })
    }
}

/// The fields of a redemption.
pub(crate) const REDEMPTION: &[&str] =
    &["question", "grant", "who", "bound", "context", "material", "outcome", "as", "ask_as"];

pub(crate) struct Redemption<'v> {
    pub(super) question: &'v str,
    pub(super) grant: Option<&'v str>,
    pub(super) who: Option<Assertion>,
    pub(super) bound: bool,
    pub(super) context: Context,
    pub(super) material: Vec<(&'v str, Digest)>,
    pub(super) outcome: Outcome,
    /// What the permit is called, if it is kept.
    pub(super) alias: Option<&'v str>,
    pub(super) ask_as: Option<&'v str>,
}

impl<'v> Vote<'v> {
    /// # Errors
    /// [`Misread`]: a field is missing, unknown or of another kind.
    pub(crate) fn read(op: &str, fields: &Fields<'v>) -> Result<Self, Misread> {
        let stale = fields.word("shown", &[("stale", true), ("current", false)])?.unwrap_or(false);
        let what = match op {
            "approve" => {
                let width = fields.text_if("width")?.unwrap_or("call");
                let width = width.parse().map_err(|error| Misread(format!("`width`: {error}")))?;
                What::Approve { stale, width }
            }
            "confirm" => What::Confirm { stale },
            _ => What::Reject(fields.text_if("reason")?.unwrap_or_default()),
        };
        let who = statement::who("who", fields.require("who", "an object with `id`")?)?;
        Ok(Vote { question: fields.text("question")?, who, what, items: items(fields)? })
    }
}

impl<'v> Redemption<'v> {
    /// # Errors
    /// [`Misread`]: a field is missing or of another kind.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        Ok(Redemption {
            question: fields.text("question")?,
            grant: fields.text_if("grant")?,
            who: fields.get("who").map(|who| statement::who("who", who)).transpose()?,
            bound: fields.flag("bound")?,
            context: statement::context(fields)?,
            material: statement::material(fields)?,
            outcome: Outcome::read(fields)?,
            alias: fields.text_if("as")?,
            ask_as: fields.text_if("ask_as")?,
        })
    }
}
