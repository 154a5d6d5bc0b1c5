//! An answer to a question, and a redemption, as a line says them.

use crate::Context;
use crate::identity::Assertion;
use crate::policy::Width;
use crate::value::Digest;

use super::attempt::Outcome;
use super::fields::{Fields, Misread};
use super::statement;

/// Somebody's answer.
pub(crate) struct Vote<'v> {
    pub(super) question: &'v str,
    pub(super) who: Assertion,
    pub(super) what: What<'v>,
}

pub(super) enum What<'v> {
    Approve { stale: bool, width: Width },
    Confirm { stale: bool },
    Reject(&'v str),
}

/// The fields of an answer of this kind.
pub(crate) fn of_vote(op: &str) -> &'static [&'static str] {
    match op {
        "approve" => &["question", "who", "width", "shown"],
        "confirm" => &["question", "who", "shown"],
        _ => &["question", "who", "reason"],
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
        Ok(Vote { question: fields.text("question")?, who, what })
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
