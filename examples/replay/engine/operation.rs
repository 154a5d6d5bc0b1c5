//! What a line says: one operation, with the fields it may have and no others.

use hallpass::clock::{Timestamp, parse_duration};
use hallpass::identity::Assertion;
use hallpass::value::{Object, Value};
use hallpass::{Context, Purpose, Resource};
use std::time::Duration;

use super::fields::{Fields, Misread, listed};
use super::statement;
use super::tamper::Tamper;

pub(crate) const HEADER_EXPECTED: &str = "expected the first line to be \
     `{\"op\":\"trace\",\"version\":1,\"start\":\"2026-01-01T00:00:00Z\"}`";

/// The fields that a line of any operation may have.
const OF_ANY: [&str; 3] = ["op", "note", "expect"];

/// A line, before its operation is looked at.
pub(crate) struct Line<'v> {
    pub(crate) op: &'v str,
    /// For whoever reads the answers.
    pub(crate) note: Option<&'v str>,
    /// What the answer must contain.
    pub(crate) expect: Option<&'v Object>,
    object: &'v Object,
}

impl<'v> Line<'v> {
    /// # Errors
    /// [`Misread`] if it is no object, or `op`, `note` or `expect` is not what it should be.
    pub(crate) fn read(value: &'v Value) -> Result<Self, Misread> {
        let Value::Object(object) = value else {
            return Err(Misread("expected an object with `op`".to_owned()));
        };
        // All keys are let through here: which ones are known depends on the operation.
        let keys: Vec<&str> = object.keys().collect();
        let fields = Fields::of("line", object, &keys)?;
        let expect = fields.object_if("expect")?;
        if expect.is_some_and(Object::is_empty) {
            // It would be met by any answer, and so test nothing.
            return Err(Misread("`expect` is empty, expected what the answer must contain".into()));
        }
        Ok(Line { op: fields.text("op")?, note: fields.text_if("note")?, expect, object })
    }

    fn fields(&self, own: &[&[&str]]) -> Result<Fields<'v>, Misread> {
        let mut known = own.concat();
        known.extend(OF_ANY);
        Fields::of(self.op, self.object, &known)
    }
}

/// The first line: which format this is, and when the trace starts.
pub(crate) struct Header {
    pub(crate) start: Timestamp,
}

impl Header {
    /// # Errors
    /// [`Misread`] if this is another operation or another version.
    pub(crate) fn read(line: &Line<'_>) -> Result<Self, Misread> {
        if line.op != "trace" {
            return Err(Misread(HEADER_EXPECTED.to_owned()));
        }
        let fields = line.fields(&[&["version", "start"]])?;
        let version = fields.require("version", "`1`")?;
        if version != &Value::from(1) {
            return Err(Misread(format!("`version` is `{version}`, expected `1`")));
        }
        Ok(Header { start: instant("start", fields.text("start")?)? })
    }
}

/// One operation, ready to be acted on.
pub(crate) enum Operation<'v> {
    Advance(Duration),
    Set(Timestamp),
    Open {
        task: &'v str,
        who: Assertion,
        purpose: Purpose,
    },
    Request {
        task: &'v str,
        alias: &'v str,
        scope: &'v Value,
        context: Context,
        holder: Option<Assertion>,
    },
    Call(Attempt<'v>, Outcome),
    Authorize(Attempt<'v>, &'v str),
    Check(Attempt<'v>),
    Run {
        permit: &'v str,
    },
    Finish {
        permit: &'v str,
        outcome: Outcome,
    },
    Drop {
        permit: &'v str,
    },
    End {
        task: &'v str,
        how: How,
        reason: &'v str,
    },
    Revoke {
        grant: &'v str,
    },
    Reload {
        policy: &'v str,
    },
    Standing,
}

/// A call as somebody presents it at the gate.
pub(crate) struct Attempt<'v> {
    pub(crate) presented: Presented<'v>,
    /// Who presents it, if not the grant's holder.
    pub(crate) who: Option<Assertion>,
    pub(crate) tool: &'v str,
    pub(crate) args: Arguments<'v>,
    pub(crate) resource: Option<Resource>,
    pub(crate) context: Context,
}

pub(crate) enum Presented<'v> {
    /// The token of the grant of this alias.
    Grant(&'v str),
    /// The same, tampered with.
    Tampered(&'v str, Tamper<'v>),
    /// This text.
    Text(&'v str),
}

/// Arguments as they came: whether they are any is the crate's to say.
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

const OUTCOMES: [(&str, Outcome); 3] =
    [("ok", Outcome::Ok), ("error", Outcome::Error), ("panic", Outcome::Panic)];

/// How a task ends.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Completed,
    Failed,
    Dropped,
    Revoked,
}

impl How {
    const ALL: [(&str, How); 4] = [
        ("completed", How::Completed),
        ("failed", How::Failed),
        ("dropped", How::Dropped),
        ("revoked", How::Revoked),
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            How::Completed => "completed",
            How::Failed => "failed",
            How::Dropped => "dropped",
            How::Revoked => "revoked",
        }
    }
}

/// Every operation after the header, as messages list them.
const OPERATIONS: [&str; 13] = [
    "clock",
    "open",
    "request",
    "call",
    "authorize",
    "run",
    "finish",
    "drop",
    "check",
    "end",
    "revoke",
    "reload",
    "standing",
];

const ATTEMPT: &[&str] =
    &["grant", "token", "tamper", "who", "tool", "args", "args_text", "resource", "context"];

impl<'v> Operation<'v> {
    /// # Errors
    /// [`Misread`]: an unknown operation, a field that is missing, unknown or of another kind.
    pub(crate) fn read(line: &Line<'v>) -> Result<Self, Misread> {
        match line.op {
            "clock" => clock(&line.fields(&[&["advance", "set"]])?),
            "open" => {
                let fields = line.fields(&[&["task", "who", "purpose"]])?;
                Ok(Operation::Open {
                    task: fields.text("task")?,
                    who: statement::who("who", fields.require("who", "an object with `id`")?)?,
                    purpose: statement::purpose(
                        fields.require("purpose", "an object with `name`")?,
                    )?,
                })
            }
            "request" => {
                let fields = line.fields(&[&["task", "as", "scope", "context", "holder"]])?;
                let holder = fields.get("holder").map(|who| statement::who("holder", who));
                Ok(Operation::Request {
                    task: fields.text("task")?,
                    alias: fields.text("as")?,
                    scope: fields.require("scope", "a list of capabilities")?,
                    context: statement::context(&fields)?,
                    holder: holder.transpose()?,
                })
            }
            "call" => {
                let fields = line.fields(&[ATTEMPT, &["outcome"]])?;
                Ok(Operation::Call(attempt(&fields)?, outcome(&fields)?))
            }
            "authorize" => {
                let fields = line.fields(&[ATTEMPT, &["as"]])?;
                Ok(Operation::Authorize(attempt(&fields)?, fields.text("as")?))
            }
            // A line of `call` can be asked about by changing its `op` alone.
            "check" => Ok(Operation::Check(attempt(&line.fields(&[ATTEMPT, &["outcome"]])?)?)),
            "run" => Ok(Operation::Run { permit: line.fields(&[&["permit"]])?.text("permit")? }),
            "finish" => {
                let fields = line.fields(&[&["permit", "outcome"]])?;
                Ok(Operation::Finish { permit: fields.text("permit")?, outcome: outcome(&fields)? })
            }
            "drop" => Ok(Operation::Drop { permit: line.fields(&[&["permit"]])?.text("permit")? }),
            "end" => end(&line.fields(&[&["task", "how", "reason"]])?),
            "revoke" => Ok(Operation::Revoke { grant: line.fields(&[&["grant"]])?.text("grant")? }),
            "reload" => {
                Ok(Operation::Reload { policy: line.fields(&[&["policy"]])?.text("policy")? })
            }
            "standing" => line.fields(&[]).map(|_| Operation::Standing),
            "trace" => {
                Err(Misread("`trace` is the first line's, and stands there once".to_owned()))
            }
            other => Err(Misread(format!(
                "unknown op `{}`, expected {}",
                other.escape_debug(),
                listed(&OPERATIONS)
            ))),
        }
    }
}

fn clock<'v>(fields: &Fields<'v>) -> Result<Operation<'v>, Misread> {
    match (fields.text_if("advance")?, fields.text_if("set")?) {
        (Some(span), None) => parse_duration(span)
            .map(Operation::Advance)
            .map_err(|error| Misread(format!("`advance`: {error}"))),
        (None, Some(at)) => instant("set", at).map(Operation::Set),
        _ => Err(Misread("`clock` needs exactly one of `advance` and `set`".to_owned())),
    }
}

fn instant(field: &str, text: &str) -> Result<Timestamp, Misread> {
    Timestamp::parse_rfc3339(text).map_err(|error| Misread(format!("`{field}`: {error}")))
}

fn attempt<'v>(fields: &Fields<'v>) -> Result<Attempt<'v>, Misread> {
    let tamper = fields.get("tamper").map(Tamper::read).transpose()?;
    let who = fields.get("who").map(|who| statement::who("who", who)).transpose()?;
    let presented = match (fields.text_if("grant")?, fields.text_if("token")?, tamper) {
        (Some(grant), None, None) => Presented::Grant(grant),
        (Some(grant), None, Some(tamper)) => Presented::Tampered(grant, tamper),
        (None, Some(_), Some(_)) => {
            return Err(Misread("`tamper` needs a `grant`, whose token it changes".to_owned()));
        }
        (None, Some(_), None) if who.is_none() => {
            return Err(Misread("`token` needs `who`: only a grant tells its holder".to_owned()));
        }
        (None, Some(text), None) => Presented::Text(text),
        _ => return Err(Misread("expected exactly one of `grant` and `token`".to_owned())),
    };
    let args = match (fields.get("args"), fields.text_if("args_text")?) {
        (None, None) => Arguments::None,
        (Some(value), None) => Arguments::Value(value),
        (None, Some(text)) => Arguments::Text(text),
        _ => return Err(Misread("expected at most one of `args` and `args_text`".to_owned())),
    };
    Ok(Attempt {
        presented,
        who,
        tool: fields.text("tool")?,
        args,
        resource: fields.get("resource").map(statement::resource).transpose()?,
        context: statement::context(fields)?,
    })
}

fn outcome(fields: &Fields<'_>) -> Result<Outcome, Misread> {
    Ok(fields.word("outcome", &OUTCOMES)?.unwrap_or(Outcome::Ok))
}

fn end<'v>(fields: &Fields<'v>) -> Result<Operation<'v>, Misread> {
    let how = fields.word("how", &How::ALL)?.unwrap_or(How::Completed);
    let reason = match (fields.text_if("reason")?, how) {
        (reason, How::Failed) => reason.unwrap_or("the trace says so"),
        (None, _) => "",
        (Some(_), _) => return Err(Misread("`reason` belongs to `\"how\":\"failed\"`".to_owned())),
    };
    Ok(Operation::End { task: fields.text("task")?, how, reason })
}
