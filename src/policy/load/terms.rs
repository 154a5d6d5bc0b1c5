//! A rule's `grant` and `approval` tables.

use std::time::Duration;

use super::who::identity;
use crate::approval::pin::{Part, Pin};
use crate::approval::width::{Width, WidthError};
use crate::clock::{DurationError, parse_duration};
use crate::document::{
    Misfit, Table, Written, choice, is_quoted_number, list, text, value, whole_number,
};
use crate::policy::approval::{ApprovalTerms, Line, Per, Reviewers};
use crate::policy::break_glass::BreakGlassTerms;
use crate::policy::limits::Limits;
use crate::scope::Condition;
use crate::value::{Number, SpannedNode, Value};
use crate::visible::Shown;

pub(super) const GRANT: &[&str] =
    &["ttl", "max_life", "idle", "uses", "rate", "budget", "depth", "per", "refund", "tail"];
/// Words of other systems for limits, and what they are called here.
const FOREIGN: &[(&[&str], &str)] = &[
    (&["max_uses", "max_calls", "calls", "count", "limit", "times"], "`uses`"),
    (&["expires", "expiry", "lifetime", "duration", "timeout", "max_ttl", "valid_for"], "`ttl`"),
    (&["max_lifetime", "total", "max_age"], "`max_life`"),
    (&["idle_timeout", "inactivity"], "`idle`"),
    (&["rate_limit", "throttle", "quota"], "`rate = \"10/1m\"`"),
    (&["max_amount", "sum", "spend"], "`budget = { \"args.NAME\" = … }`"),
    (
        &["max_depth", "delegations", "hops", "delegate", "delegable"],
        "`depth`, next to `on = [\"request\", \"call\", \"delegate\"]` of the rule",
    ),
    (
        &["reference", "ref", "team", "group"],
        "numbers: limits are the same for all, and counted for each task or, by `per = \"identity\"`, for each identity",
    ),
];

pub(super) const APPROVAL: &[&str] = &[
    "review",
    "confirm",
    "per",
    "expires",
    "good_for",
    "cool_down",
    "material",
    "offer",
    "vary",
    "same",
    "cut",
];
/// What a line asks of a reviewer.
pub(super) const REVIEWERS: &[&str] = &["id", "groups", "kind", "attrs", "count"];
pub(super) const BREAK_GLASS: &[&str] = &["review", "due", "alert", "while_open"];
/// Words of other systems for the terms of an approval, and what they are called here.
const FOREIGN_TERMS: &[(&[&str], &str)] = &[
    (&["approvers", "reviewers", "approval_by"], "`review = [{ groups = { has_any = [ … ] } }]`"),
    (&["timeout", "ttl", "deadline"], "`expires`"),
    (
        &["quorum", "threshold", "min_approvals", "count", "min", "required", "approvals"],
        "`count` in a line of `review`, as in `review = [{ groups = { has_any = [ … ] }, count = 2 }]`",
    ),
    (&["remember", "always", "scope"], "`offer = [\"call\", \"calls:5\"]`"),
];

pub(super) fn grant(written: &Written) -> Result<Limits, Misfit> {
    let example = "a table such as `{ ttl = \"5m\", uses = 1 }`";
    let table = Table::read_translated(written, GRANT, FOREIGN, example)?.said()?;
    let mut limits = Limits {
        ttl: table.read_at("ttl", duration)?,
        max_life: table.read_at("max_life", duration)?,
        idle: table.read_at("idle", duration)?,
        tail: table.read_at("tail", duration)?,
        rate: table.read_at("rate", rate)?,
        depth: table.read_at("depth", depth)?,
        ..Limits::default()
    };
    match table.read_at("uses", uses)? {
        Some((uses, None)) => limits.uses = Some(uses),
        Some((uses, Some(window))) => limits.uses_within = Some((uses, window)),
        None => {}
    }
    for (argument, (most, window)) in table.read_at("budget", budgets)?.unwrap_or_default() {
        limits.add_budget(argument, Some(most), window);
    }
    let per = table.read_at("per", counted_by)?;
    limits.per_identity = per.unwrap_or(false);
    limits.keeps_abandoned = !table.read_at("refund", boolean)?.unwrap_or(true);
    Ok(limits)
}

/// What the counters are kept for: one task, or one identity over all its tasks.
fn counted_by(written: &Written) -> Result<bool, Misfit> {
    choice(written, &[("task", false), ("identity", true)]).map_err(|error| {
        let problem = format!("{}; none is kept for a group or an attribute", error.problem);
        Misfit { problem, ..error }
    })
}

/// What breaking the glass leaves behind.
pub(super) fn break_glass(written: &Written) -> Result<BreakGlassTerms, Misfit> {
    let example = "a table such as `{ review = [{ groups = { has_any = [ … ] } }] }`";
    let table = Table::read(written, BREAK_GLASS, example)?.said()?;
    let mut review = ApprovalTerms::per(Per::Call);
    review.review = table.require("review", "who looks at it afterwards", reviews)?;
    let mut terms = BreakGlassTerms::of(review);
    if let Some(due) = table.read_at("due", duration)? {
        terms = terms.due(due);
    }
    let alert =
        table.read_at("alert", |own| choice(own, &[("required", false), ("best_effort", true)]))?;
    if alert == Some(true) {
        terms = terms.alert_best_effort();
    }
    if table.read_at("while_open", |own| choice(own, &[("refuse", ())]))?.is_some() {
        terms = terms.refuse_while_open();
    }
    Ok(terms)
}

fn duration(written: &Written) -> Result<Duration, Misfit> {
    if let SpannedNode::Number(_) = &written.node {
        let problem = "a length of time needs a unit: expected text like `\"5m\"`";
        return Err(Misfit::new(written.span.start, problem));
    }
    parse_duration(text(written)?)
        .map_err(|error| Misfit::new(written.span.start, error.to_string()))
}

/// `20`, or `20/1d`: at most twenty in any window of one day.
fn uses(written: &Written) -> Result<(u64, Option<Duration>), Misfit> {
    match &written.node {
        SpannedNode::Text(_) => {
            let (uses, window) = per_window(written, "uses", "`20/1d`, or the number `20`")?;
            let digits = uses.bytes().all(|byte| byte.is_ascii_digit());
            let number = uses.parse().ok().filter(|_| digits).ok_or_else(|| {
                let problem =
                    format!("{} is not a number of uses: expected one like `20/1d`", Shown(uses));
                Misfit::new(written.span.start, problem)
            })?;
            Ok((number, Some(window)))
        }
        SpannedNode::Object(_) => Err(Misfit::new(written.span.start, NO_REFERENCE)),
        SpannedNode::Number(number) if number.to_u64().is_none() => {
            let problem = format!("expected a whole number from 1 on, found {number}");
            Err(Misfit::new(written.span.start, problem))
        }
        _ => Ok((whole_number(written)?, None)),
    }
}

/// Limits are the policy's, and the same for everyone.
const NO_REFERENCE: &str = "expected a number, found a table: a limit is a number of the policy, and no part of the \
                            question; where it differs, write a rule for each";

/// What stands before the `/`, and the length of the window behind it.
fn per_window<'w>(
    written: &'w Written,
    what: &str,
    example: &str,
) -> Result<(&'w str, Duration), Misfit> {
    let misfit = |problem: String| Misfit::new(written.span.start, problem);
    let given = text(written)?;
    let wrong = || misfit(format!("{} is not {what} per time: expected {example}", Shown(given)));
    let (most, window) = given.split_once('/').ok_or_else(wrong)?;
    let window = parse_duration(window).map_err(|error| match error {
        DurationError::Empty | DurationError::Malformed { .. } => wrong(),
        other => misfit(other.to_string()),
    })?;
    Ok((most, window))
}

/// `10/1m`: at most ten calls in any window of one minute.
fn rate(written: &Written) -> Result<(u64, Duration), Misfit> {
    let misfit = |problem: String| Misfit::new(written.span.start, problem);
    let SpannedNode::Text(given) = &written.node else {
        return Err(misfit("expected calls per time, like `\"10/1m\"`".to_owned()));
    };
    let no_rate =
        || misfit(format!("{} is not a rate: expected calls per time, like `10/1m`", Shown(given)));
    let (calls, window) = given.split_once('/').ok_or_else(no_rate)?;
    let digits = !calls.is_empty() && calls.bytes().all(|byte| byte.is_ascii_digit());
    let calls = calls.parse::<u64>().ok().filter(|_| digits).ok_or_else(|| {
        misfit(format!("{} is not a number of calls: expected a rate like `10/1m`", Shown(calls)))
    })?;
    let window = parse_duration(window).map_err(|error| match error {
        DurationError::Empty | DurationError::Malformed { .. } => no_rate(),
        other => misfit(other.to_string()),
    })?;
    Ok((calls, window))
}

fn depth(written: &Written) -> Result<u8, Misfit> {
    if let SpannedNode::Text(_) = &written.node
        && !is_quoted_number(&written.node)
    {
        let problem = "expected a number of hops, as in `depth = 1`: `depth = 0` is that nothing is delegated";
        return Err(Misfit::new(written.span.start, problem));
    }
    whole_number(written)?.try_into().map_err(|_| {
        Misfit::new(written.span.start, format!("expected at most {} hops of delegation", u8::MAX))
    })
}

/// How much, and within which time.
type Most = (Number, Option<Duration>);

fn budgets(written: &Written) -> Result<Vec<(&str, Most)>, Misfit> {
    let table = Table::open(written, "a table such as `{ \"args.limit\" = 10000 }`")?.said()?;
    for (at, argument, _) in table.entries() {
        let path = argument.strip_prefix("what.").filter(|own| own.starts_with("args."));
        if let Some(path) = path {
            let problem = format!(
                "{} is not an argument: write `\"{}\"`",
                Shown(argument),
                path.escape_debug()
            );
            return Err(Misfit::new(at, problem));
        }
        if ["arg", "argument", "max", "window", "per"].contains(&argument) {
            let problem = format!(
                "{} is not an argument: a budget is said by the argument's name, as in `{{ \"args.cost\" = \"500/1d\" }}`",
                Shown(argument)
            );
            return Err(Misfit::new(at, problem));
        }
    }
    table.each(|argument, own| match (value(own)?, &own.node) {
        (Value::Number(most), _) => Ok((argument, (most, None))),
        (Value::Text(_), _) => {
            let example = "one like `500/1d`, or a number like `500`";
            let (most, window) = per_window(own, "an amount", example)?;
            let most = Number::parse(most).map_err(|_| {
                let problem = format!("{} is not a number: expected {example}", Shown(most));
                Misfit::new(own.span.start, problem)
            })?;
            Ok((argument, (most, Some(window))))
        }
        (_, SpannedNode::Object(_)) if argument == "args" => Err(Misfit::new(
            own.span.start,
            "expected the argument's whole name in quotes, as in `\"args.limit\" = 10000`",
        )),
        (_, SpannedNode::Object(_)) => Err(Misfit::new(own.span.start, NO_REFERENCE)),
        (other, _) => {
            let problem = format!("expected a number, found {}", other.kind_name());
            Err(Misfit::new(own.span.start, problem))
        }
    })
}

pub(super) fn approval(written: &Written) -> Result<ApprovalTerms, Misfit> {
    let example = "a table such as `{ review = [{ groups = { has_any = [ … ] } }] }`";
    let table = Table::read_translated(written, APPROVAL, FOREIGN_TERMS, example)?.said()?;
    let per =
        table.read_at("per", |own| choice(own, &[("call", Per::Call), ("task", Per::Task)]))?;
    // Doubt denies: an approval that does not say how far it reaches is good for one call.
    let mut terms = ApprovalTerms::per(per.unwrap_or(Per::Call));
    terms.review = table.read_at("review", reviews)?.unwrap_or_default();
    terms.confirm = table.read_at("confirm", confirm)?.unwrap_or(false);
    terms.expires = table.read_at("expires", duration)?;
    terms.good_for = table.read_at("good_for", duration)?;
    terms.cool_down = table.read_at("cool_down", duration)?;
    terms.material = table.read_at("material", names)?.unwrap_or_default();
    terms.offer.widths = table.read_at("offer", widths)?.unwrap_or_default();
    terms.offer.variation.vary = table.read_at("vary", names)?.unwrap_or_default();
    terms.offer.variation.same = table.read_at("same", pins)?.unwrap_or_default();
    let cut = table.read_at("cut", |own| choice(own, &[("refuse", true)]))?;
    terms.offer.refuses_cut = cut.unwrap_or(false);
    Ok(terms)
}

fn names(written: &Written) -> Result<Vec<Box<str>>, Misfit> {
    each_of(written, |own| text(own).map(Into::into))
}

fn widths(written: &Written) -> Result<Vec<Width>, Misfit> {
    each_of(written, |own| {
        let misfit = |error: WidthError| Misfit::new(own.span.start, error.to_string());
        text(own)?.parse().map_err(misfit)
    })
}

/// `[{ arg = "link", part = "origin" }]`.
fn pins(written: &Written) -> Result<Vec<Pin>, Misfit> {
    each_of(written, |own| {
        let table = Table::read(
            own,
            &["arg", "part"],
            "a table such as `{ arg = \"link\", part = \"origin\" }`",
        )?;
        Ok(Pin {
            arg: table.require("arg", "the argument of which a part stays", text)?.into(),
            part: table.require("part", "`origin`, `path`, `query` or `folder`", |own| {
                choice(own, Part::WORDS)
            })?,
        })
    })
}

/// What `read` makes of each element of a list that says something.
fn each_of<'w, T>(
    written: &'w Written,
    read: impl Fn(&'w Written) -> Result<T, Misfit>,
) -> Result<Vec<T>, Misfit> {
    let all = list(written)?;
    all.iter().enumerate().map(|(at, own)| read(own).map_err(|e| e.of_element(at))).collect()
}

/// A list of lines, all of which have to be met; or one line.
fn reviews(written: &Written) -> Result<Vec<Reviewers>, Misfit> {
    match &written.node {
        SpannedNode::List(_) => lines(written),
        _ => Ok(vec![reviewers(written)?]),
    }
}

fn lines(written: &Written) -> Result<Vec<Reviewers>, Misfit> {
    let all = list(written)?.iter().enumerate();
    all.map(|(at, own)| reviewers(own).map_err(|error| error.of_element(at))).collect()
}

fn reviewers(written: &Written) -> Result<Reviewers, Misfit> {
    if let SpannedNode::Object(entries) = &written.node
        && let [(_, key, inner)] = entries.as_slice()
        && matches!(&**key, "any" | "all")
    {
        let inner = lines(inner).map_err(|error| error.inside(key))?;
        return Ok(Reviewers(if &**key == "any" { Line::Any(inner) } else { Line::All(inner) }));
    }
    if let SpannedNode::Text(group) = &written.node {
        let problem = format!(
            "expected a table, found text: of a group write `{{ groups = {{ has_any = [{}] }} }}`, of one person \
             `{{ id = … }}`",
            Value::from(&**group).to_json()
        );
        return Err(Misfit::new(written.span.start, problem));
    }
    let conditions = identity(written, REVIEWERS)?.into_iter();
    let conditions = conditions.map(|(fact, own)| Condition::new(fact, own)).collect();
    let count = Table::read(written, REVIEWERS, "a table")?.read_at("count", |own| {
        whole_number(own)?.try_into().map_err(|_| {
            Misfit::new(own.span.start, format!("expected at most {} people", u32::MAX))
        })
    })?;
    Ok(Reviewers(Line::People { conditions, count: count.unwrap_or(1) }))
}

fn boolean(written: &Written) -> Result<bool, Misfit> {
    match &written.node {
        SpannedNode::Bool(said) => Ok(*said),
        _ => Err(Misfit::new(written.span.start, "expected `true` or `false`")),
    }
}

fn confirm(written: &Written) -> Result<bool, Misfit> {
    match &written.node {
        SpannedNode::Bool(true) => Ok(true),
        _ => Err(Misfit::new(written.span.start, "expected `true`, or leave it out")),
    }
}
