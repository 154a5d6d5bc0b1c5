//! What a line says: one operation, with the fields it may have and no others.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::identity::Assertion;
use crate::value::Value;
use crate::{Context, Halt, Purpose};

use super::attempt::{ATTEMPT, Attempt, Outcome, PRESENTED, Presented};
use super::cue::{CUE, Cue};
use super::fields::{Fields, Misread, instant, length, listed};
use super::line::Line;
use super::noting::{NOTING, Noting};
use super::review::{REVIEW, Review};
use super::statement;
use super::vote::{AMENDED, Amended, REDEMPTION, Redemption, TAKEN, Taken, Vote, of_vote};

/// One operation, ready to be acted on.
pub(crate) enum Operation<'v> {
    Advance(Duration),
    Set(Timestamp),
    Open {
        task: &'v str,
        who: Assertion,
        purpose: Purpose,
    },
    Request(Wish<'v>),
    /// As a request, and takes what is covered.
    Trim(Wish<'v>),
    Delegate(Wish<'v>, &'v str),
    Renew(Afresh<'v>),
    Checkpoint(Afresh<'v>),
    Attenuate {
        grant: &'v str,
        alias: &'v str,
        scope: &'v Value,
        until: Option<Until>,
    },
    Present(Attempt<'v>, &'v str),
    Tools(Presented<'v>, Context),
    Call(Attempt<'v>, Outcome),
    Authorize(Attempt<'v>, &'v str),
    Check(Attempt<'v>),
    Run {
        permit: &'v str,
    },
    Notes(Noting<'v>),
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
    Revoke(Revoked<'v>),
    Halt(Halt),
    Resume(Halt),
    Reload {
        policy: &'v str,
    },
    Preview {
        policy: &'v str,
    },
    Restate(Assertion),
    Unrestate {
        who: &'v str,
    },
    Sweep,
    Stats,
    Standing,
    Answer(Vote<'v>),
    Cancel {
        question: &'v str,
    },
    Redeem(Redemption<'v>),
    Take(Taken<'v>),
    Amend(Amended<'v>),
    Questions(Assertion),
    BreakGlass(Wish<'v>, &'v str),
    Debts,
    CloseDebt(Review<'v>),
    Cue(Cue<'v>),
    Tend,
    Obligations,
    Crash,
}

/// What is asked for: at a request, or out of another grant.
pub(crate) struct Wish<'v> {
    pub(crate) task: &'v str,
    pub(crate) alias: &'v str,
    pub(crate) scope: &'v Value,
    pub(crate) context: Context,
    /// Who is to hold it, if not the task's requester.
    pub(crate) holder: Option<Assertion>,
    /// For how long at most, and from when on.
    pub(crate) ttl: Option<Duration>,
    pub(crate) start: Option<Timestamp>,
    /// What the question is called that it may park.
    pub(crate) ask_as: Option<&'v str>,
}

/// A grant to be decided again.
pub(crate) struct Afresh<'v> {
    pub(crate) grant: &'v str,
    pub(crate) context: Context,
    /// The holder as it is attested now, if anything has changed.
    pub(crate) who: Option<Assertion>,
    /// What the question is called that it may park.
    pub(crate) ask_as: Option<&'v str>,
}

/// When an attenuated token is worth nothing any more.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    At(Timestamp),
    In(Duration),
}

/// What an operator takes away.
pub(crate) enum Revoked<'v> {
    Grant(&'v str),
    Identity(&'v str),
    Tool(&'v str),
}

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
const OPERATIONS: [&str; 43] = [
    "clock",
    "open",
    "request",
    "trim",
    "delegate",
    "renew",
    "checkpoint",
    "attenuate",
    "present",
    "call",
    "authorize",
    "run",
    "notes",
    "finish",
    "drop",
    "check",
    "tools",
    "end",
    "revoke",
    "halt",
    "resume",
    "reload",
    "preview",
    "restate",
    "unrestate",
    "sweep",
    "stats",
    "standing",
    "approve",
    "confirm",
    "reject",
    "cancel",
    "redeem",
    "take",
    "amend",
    "questions",
    "break_glass",
    "debts",
    "close_debt",
    "credential",
    "tend",
    "obligations",
    "crash",
];

const WISH: &[&str] = &["task", "as", "scope", "context", "holder", "ask_as", "ttl", "start"];
const AFRESH: &[&str] = &["grant", "context", "who", "ask_as"];
const HALT: &[&str] = &["what", "identity", "task", "tool"];

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
            "request" => Ok(Operation::Request(wish(&line.fields(&[WISH])?)?)),
            "trim" => Ok(Operation::Trim(wish(&line.fields(&[WISH])?)?)),
            "delegate" => {
                let fields = line.fields(&[WISH, &["from"]])?;
                // A child without a holder of its own would be the parent once more.
                fields.require("holder", "an object with `id`")?;
                Ok(Operation::Delegate(wish(&fields)?, fields.text("from")?))
            }
            "renew" => Ok(Operation::Renew(afresh(&line.fields(&[AFRESH])?)?)),
            "checkpoint" => Ok(Operation::Checkpoint(afresh(&line.fields(&[AFRESH])?)?)),
            "attenuate" => attenuate(&line.fields(&[&["grant", "as", "scope", "expires", "in"]])?),
            "present" => {
                let fields = line.fields(&[&["grant", "tool", "args", "args_text", "as"]])?;
                Ok(Operation::Present(Attempt::read(&fields)?, fields.text("as")?))
            }
            "tools" => {
                let fields = line.fields(&[PRESENTED, &["context"]])?;
                Ok(Operation::Tools(Presented::read(&fields)?, statement::context(&fields)?))
            }
            "call" => {
                let fields = line.fields(&[PRESENTED, ATTEMPT, &["outcome", "notes", "ask_as"]])?;
                Ok(Operation::Call(Attempt::read(&fields)?, Outcome::read(&fields)?))
            }
            "authorize" => {
                let fields = line.fields(&[PRESENTED, ATTEMPT, &["as", "ask_as"]])?;
                Ok(Operation::Authorize(Attempt::read(&fields)?, fields.text("as")?))
            }
            // A line of `call` can be asked about by changing its `op` alone.
            "check" => {
                let fields = line.fields(&[PRESENTED, ATTEMPT, &["outcome", "notes", "ask_as"]])?;
                Ok(Operation::Check(Attempt::read(&fields)?))
            }
            "run" => Ok(Operation::Run { permit: line.fields(&[&["permit"]])?.text("permit")? }),
            "notes" => Noting::read(&line.fields(&[NOTING])?).map(Operation::Notes),
            "finish" => {
                let fields = line.fields(&[&["permit", "outcome"]])?;
                Ok(Operation::Finish {
                    permit: fields.text("permit")?,
                    outcome: Outcome::read(&fields)?,
                })
            }
            "drop" => Ok(Operation::Drop { permit: line.fields(&[&["permit"]])?.text("permit")? }),
            "end" => end(&line.fields(&[&["task", "how", "reason"]])?),
            "revoke" => {
                let fields = line.fields(&[&["grant", "identity", "tool"]])?;
                Ok(Operation::Revoke(match fields.one_text(&["grant", "identity", "tool"])? {
                    ("grant", alias) => Revoked::Grant(alias),
                    ("identity", id) => Revoked::Identity(id),
                    (_, tool) => Revoked::Tool(tool),
                }))
            }
            "halt" => Ok(Operation::Halt(halt(&line.fields(&[HALT])?)?)),
            "resume" => Ok(Operation::Resume(halt(&line.fields(&[HALT])?)?)),
            "reload" => {
                Ok(Operation::Reload { policy: line.fields(&[&["policy"]])?.text("policy")? })
            }
            "preview" => {
                Ok(Operation::Preview { policy: line.fields(&[&["policy"]])?.text("policy")? })
            }
            "restate" => {
                let fields = line.fields(&[&["who"]])?;
                let who = fields.require("who", "an object with `id`")?;
                Ok(Operation::Restate(statement::who("who", who)?))
            }
            "unrestate" => Ok(Operation::Unrestate { who: line.fields(&[&["who"]])?.text("who")? }),
            "sweep" => line.fields(&[]).map(|_| Operation::Sweep),
            "stats" => line.fields(&[]).map(|_| Operation::Stats),
            "standing" => line.fields(&[]).map(|_| Operation::Standing),
            "approve" | "confirm" | "reject" => {
                let fields = line.fields(&[of_vote(line.op)])?;
                Vote::read(line.op, &fields).map(Operation::Answer)
            }
            "cancel" => {
                let fields = line.fields(&[&["question"]])?;
                Ok(Operation::Cancel { question: fields.text("question")? })
            }
            "redeem" => Redemption::read(&line.fields(&[REDEMPTION])?).map(Operation::Redeem),
            "take" => Taken::read(&line.fields(&[TAKEN])?).map(Operation::Take),
            "amend" => Amended::read(&line.fields(&[AMENDED])?).map(Operation::Amend),
            "questions" => {
                let fields = line.fields(&[&["who"]])?;
                let who = fields.require("who", "an object with `id`")?;
                Ok(Operation::Questions(statement::who("who", who)?))
            }
            "break_glass" => {
                let own = &["task", "as", "scope", "context", "justification", "ask_as"];
                let fields = line.fields(&[own])?;
                Ok(Operation::BreakGlass(wish(&fields)?, fields.text("justification")?))
            }
            "debts" => line.fields(&[]).map(|_| Operation::Debts),
            "close_debt" => Review::read(&line.fields(&[REVIEW])?).map(Operation::CloseDebt),
            "credential" => Cue::read(&line.fields(&[CUE])?).map(Operation::Cue),
            "tend" => line.fields(&[]).map(|_| Operation::Tend),
            "obligations" => line.fields(&[]).map(|_| Operation::Obligations),
            "crash" => line.fields(&[]).map(|_| Operation::Crash),
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
        (Some(span), None) => length("advance", span).map(Operation::Advance),
        (None, Some(at)) => instant("set", at).map(Operation::Set),
        _ => Err(Misread("`clock` needs exactly one of `advance` and `set`".to_owned())),
    }
}

fn wish<'v>(fields: &Fields<'v>) -> Result<Wish<'v>, Misread> {
    let holder = fields.get("holder").map(|who| statement::who("holder", who));
    Ok(Wish {
        task: fields.text("task")?,
        alias: fields.text("as")?,
        scope: fields.require("scope", "a list of capabilities")?,
        context: statement::context(fields)?,
        holder: holder.transpose()?,
        ask_as: fields.text_if("ask_as")?,
        ttl: fields.text_if("ttl")?.map(|own| length("ttl", own)).transpose()?,
        start: fields.text_if("start")?.map(|own| instant("start", own)).transpose()?,
    })
}

fn afresh<'v>(fields: &Fields<'v>) -> Result<Afresh<'v>, Misread> {
    Ok(Afresh {
        grant: fields.text("grant")?,
        context: statement::context(fields)?,
        who: fields.get("who").map(|who| statement::who("who", who)).transpose()?,
        ask_as: fields.text_if("ask_as")?,
    })
}

fn attenuate<'v>(fields: &Fields<'v>) -> Result<Operation<'v>, Misread> {
    let until = match (fields.text_if("expires")?, fields.text_if("in")?) {
        (None, None) => None,
        (Some(at), None) => Some(Until::At(instant("expires", at)?)),
        (None, Some(span)) => Some(Until::In(length("in", span)?)),
        _ => return Err(Misread("expected at most one of `expires` and `in`".to_owned())),
    };
    Ok(Operation::Attenuate {
        grant: fields.text("grant")?,
        alias: fields.text("as")?,
        scope: fields.require("scope", "a list of capabilities")?,
        until,
    })
}

fn halt(fields: &Fields<'_>) -> Result<Halt, Misread> {
    match fields.one_text(HALT)? {
        ("identity", id) => Halt::identity(id).map_err(|error| Misread(error.to_string())),
        ("task", name) => Halt::task(name).map_err(|error| Misread(error.to_string())),
        ("tool", name) => Halt::tool(name).map_err(|error| Misread(error.to_string())),
        (_, "everything") => Ok(Halt::Everything),
        (_, other) => {
            Err(Misread(format!("`what` is `{}`, expected `everything`", other.escape_debug())))
        }
    }
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
