//! One `[[rule]]` table.

use super::bare::bare_lists;
use super::terms::{approval, break_glass, grant};
use super::what::what;
use super::who::{set, who};
use crate::clock::Timestamp;
use crate::document::{Misfit, Table, Written, choice, list, text};
use crate::form::Form;
use crate::policy::effect::Effect;
use crate::policy::exception::Exception;
use crate::policy::moment::Moment;
use crate::policy::rule::{Rule, Tools};
use crate::policy::rule_notes::Validity;
use crate::scope::{Condition, Fact, ResourceOpenness, constraint_words, one_of, read_constraint};
use crate::value::{SpannedNode, Value};
use crate::visible::Shown;

pub(super) const KEYS: &[&str] = &[
    "id",
    "effect",
    "on",
    "who",
    "what",
    "why",
    "when",
    "unless",
    "presentation",
    "grant",
    "approval",
    "break_glass",
    "owner",
    "valid",
    "review_by",
];

/// What a rule asks of the purpose.
pub(super) const WHY: &[&str] = &["purpose", "ticket"];

/// When a rule applies.
pub(super) const VALID: &[&str] = &["from", "until"];

/// What an exception is told by.
pub(super) const EXCEPTION: &[&str] = &["who", "what", "why", "when"];

/// Words of other systems, and where here that is said.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["tool", "tools", "action", "actions", "verbs", "verb", "permissions"],
        "`what = { tool = … }`",
    ),
    (&["args", "arguments", "params", "namespace"], "`what = { tool = …, args = { … } }`"),
    (&["labels"], "`what = { labels = { has_any = [ … ] } }`"),
    (&["resource", "resources"], "`what = { tool = …, resource = { type = …, id = … } }`"),
    (&["role", "roles", "group", "groups"], "`who = { groups = { has_any = [ … ] } }`"),
    (
        &["principal", "principals", "subject", "subjects", "user", "users", "agent", "identity"],
        "`who = { id = … }`",
    ),
    (&["not_who", "unless_who", "except_who"], "`unless = { who = { … } }`"),
    (&["purpose", "ticket", "reason"], "`why = { purpose = … }`"),
    (&["condition", "conditions", "context", "if"], "`when = { NAME = … }`"),
    (
        &["ttl", "uses", "max_uses", "rate", "budget", "depth", "limits", "per"],
        "`grant = { ttl = \"5m\", uses = 20 }`",
    ),
    (
        &["expires", "expiry", "not_after"],
        "`valid = { until = … }` for the rule, `grant = { ttl = … }` for what it gives",
    ),
    (&["version"], "it at the top of the file, before the first `[[…]]`"),
    (&["reviewers", "approvers", "review"], "`approval = { review = [ … ] }`"),
    (
        &["weekly", "schedule", "hours", "time", "now", "after", "before"],
        "`when = { now = { weekly = { … } } }`, or `valid = { from = …, until = … }`",
    ),
    (
        &["except", "exception", "exceptions", "not", "if_not"],
        "`unless = { … }`, with `who`, `what`, `why` or `when` in it",
    ),
    (
        &["priority", "order"],
        "nothing: forbid beats ask, ask beats permit, and order means nothing",
    ),
    (&["description", "comment"], "a comment, behind `#`"),
    (&["name", "rule", "title"], "`id`"),
    (
        &["enabled", "disabled", "active", "status"],
        "nothing: a rule that is not to apply is left out, or ends by `valid = { until = … }`",
    ),
    (
        &["log", "audit"],
        "`[log] plain = [ … ]` once for the policy, and of arguments `log = \"plain\"` in the catalogue",
    ),
    (&["url", "path", "host", "amount"], "`what = { tool = …, args = { NAME = … } }`"),
];

/// What stands in an exception as if it were more than one, or less.
const FOREIGN_EXCEPTION: &[(&[&str], &str)] = &[
    (
        &["any", "or", "all", "and", "unless"],
        "a list, of which each is an exception: `unless = [{ … }, { … }]`; all that one says has to hold",
    ),
    (&["not"], "`not` inside of what it excludes, as in `when = { env = { not = \"prod\" } }`"),
    (
        &["valid", "from", "until", "now", "weekly"],
        "`when = { now = { … } }`: an exception holds by the broker's time",
    ),
    (
        &["approved", "approval", "approved_by", "review"],
        "nothing of that: what people have to agree to is a rule of its own, with `effect = \"ask\"`",
    ),
];

/// Words of other systems for what a purpose says.
const FOREIGN_WHY: &[(&[&str], &str)] = &[
    (&["reason", "intent", "justification", "goal"], "`purpose`"),
    (&["issue", "ticket_id", "change"], "`ticket`"),
];

/// Words of other systems for the times at which a rule begins and ends.
const FOREIGN_TIMES: &[(&[&str], &str)] = &[
    (
        &[
            "to",
            "end",
            "ends",
            "expires",
            "expiry",
            "not_after",
            "before",
            "for",
            "ttl",
            "duration",
        ],
        "`until`, an instant",
    ),
    (&["start", "starts", "since", "not_before", "after"], "`from`"),
];

pub(super) fn read(written: &Written) -> Result<Rule, Misfit> {
    let in_context = |name: &str| {
        let of_context = matches!(name, "env" | "environment" | "region" | "risk");
        of_context.then(|| format!("what the context says is `when = {{ {name} = … }}`"))
    };
    if let Some(at) = effect_by_another_name(written) {
        return Err(Misfit::new(at, "`action` is not a key here: write `effect`"));
    }
    let table = Table::read_explained(written, KEYS, FOREIGN, &in_context, "a table")?;
    let id = table.require("id", "each rule has a name of its own", text)?;
    let effect = table.require("effect", "\"permit\", \"ask\" or \"forbid\"", effect)?;
    let mut rule = Rule::new(id.into(), effect);
    if let Some(moments) = table.read_at("on", moments)? {
        rule = rule.on(moments);
    }
    for (key, read) in PARTS {
        if let Some(own) = table.get(key) {
            rule = read(rule, own).map_err(|error| error.inside(key))?;
        }
    }
    rule.exceptions = table.read_at("unless", exceptions)?.unwrap_or_default().into();
    rule.presentation = table.read_at("presentation", |own| {
        choice(own, &[Form::Bearer, Form::CallBound].map(|form| (form.as_str(), form)))
    })?;
    if let Some(limits) = table.read_at("grant", grant)? {
        rule.limits = limits.into();
    }
    rule.approval = table.read_at("approval", approval)?.map(Box::new);
    rule.break_glass = table.read_at("break_glass", break_glass)?.map(Box::new);
    if let Some(owner) = table.read_at("owner", said)? {
        rule = rule.owner(owner);
    }
    if let Some((from, until)) = table.read_at("valid", validity)? {
        rule.notes_mut().validity = Validity { from, until };
    }
    if let Some(when) = table.read_at("review_by", instant)? {
        rule = rule.review_by(when);
    }
    let bare = bare_lists(written);
    if !bare.is_empty() {
        rule.notes_mut().bare_lists = bare;
    }
    Ok(rule)
}

/// Where `action` says what `effect` does here.
fn effect_by_another_name(written: &Written) -> Option<usize> {
    let SpannedNode::Object(entries) = &written.node else { return None };
    let (span, ..) = entries.iter().find(|(_, key, own)| {
        let word = matches!(&own.node, SpannedNode::Text(word) if EFFECTS.contains(&&**word));
        &**key == "action" && word
    })?;
    Some(span.start)
}

/// Words for effects, here and elsewhere.
const EFFECTS: &[&str] =
    &["permit", "ask", "forbid", "allow", "deny", "Allow", "Deny", "block", "ALLOW", "DENY"];

/// Adds to a rule what one of its tables says.
type Part = fn(Rule, &Written) -> Result<Rule, Misfit>;

const PARTS: [(&str, Part); 4] = [("who", who), ("what", what), ("why", why), ("when", when)];

/// One exception, or a list of them.
fn exceptions(written: &Written) -> Result<Vec<Exception>, Misfit> {
    match &written.node {
        SpannedNode::List(_) => list(written)?
            .iter()
            .enumerate()
            .map(|(at, own)| exception(own).map_err(|error| error.of_element(at)))
            .collect(),
        _ => Ok(vec![exception(written)?]),
    }
}

/// What a rule says of who, what, why and when, said of what is left out.
fn exception(written: &Written) -> Result<Exception, Misfit> {
    let example = "a table such as `{ when = { … } }`";
    let in_context = |name: &str| {
        Some(format!(
            "what the context says is `when = {{ {name} = … }}`, expected `who`, `what`, `why` or `when`"
        ))
    };
    let foreign = &[FOREIGN_EXCEPTION, FOREIGN].concat();
    let table = Table::read_explained(written, EXCEPTION, foreign, &in_context, example)?.said()?;
    // As a forbid says it: it looks only at what it names.
    let mut said = Rule::new("unless".into(), Effect::Forbid);
    for (key, read) in PARTS {
        if let Some(own) = table.get(key) {
            said = read(said, own).map_err(|error| error.inside(key))?;
        }
    }
    let opens_args = said.openness.other_args;
    if opens_args || said.tools == Tools::Any || said.openness.resource == ResourceOpenness::Any {
        let problem = "an exception looks only at what it names: leave `any` out";
        return Err(Misfit::new(written.span.start, problem).inside("what"));
    }
    let tools = match said.tools {
        Tools::Named(names) => Some(one_of(names.iter().cloned().map(Value::Text))),
        Tools::Like(constraint) => Some(*constraint),
        Tools::Unsaid | Tools::Any => None,
    };
    let tools = tools.map(|own| Condition::new(Fact::Tool, own));
    let said = said.conditions.iter().cloned();
    Ok(Exception::from_conditions(tools.into_iter().chain(said).collect()))
}

fn effect(written: &Written) -> Result<Effect, Misfit> {
    let own = match text(written)? {
        "allow" | "grant" | "accept" => "permit",
        "deny" | "block" | "refuse" | "reject" => "forbid",
        "review" | "approve" | "require_approval" | "confirm" => "ask",
        "break_glass" | "emergency" => {
            let problem = "breaking the glass is a permit's: write `effect = \"permit\"` and `on = [\"break_glass\"]`";
            return Err(Misfit::new(written.span.start, problem));
        }
        "warn" | "log" | "audit" | "monitor" => {
            let problem = "a rule permits, asks or forbids: what is decided is on record, whatever decides it";
            return Err(Misfit::new(written.span.start, problem));
        }
        _ => {
            let effects = [Effect::Permit, Effect::Ask, Effect::Forbid];
            return choice(written, &effects.map(|effect| (effect.as_str(), effect)));
        }
    };
    let given = Shown(text(written)?);
    Err(Misfit::new(
        written.span.start,
        format!("{given} is not an effect: the word here is \"{own}\""),
    ))
}

fn moments(written: &Written) -> Result<Vec<Moment>, Misfit> {
    let words = Moment::ALL.map(|moment| (moment.as_str(), moment));
    if let SpannedNode::Text(_) = &written.node {
        let word = choice(written, &words)?.as_str();
        let problem = format!("expected a list, found text: write `[\"{word}\"]`");
        return Err(Misfit::new(written.span.start, problem));
    }
    let own = list(written)?.iter().enumerate();
    own.map(|(at, own)| choice(own, &words).map_err(|error| error.of_element(at))).collect()
}

fn why(rule: Rule, written: &Written) -> Result<Rule, Misfit> {
    let example = "a table such as `{ purpose = \"…\" }`";
    let table = Table::read_translated(written, WHY, FOREIGN_WHY, example)?.said()?;
    let mut rule = rule;
    for (key, fact) in [("purpose", Fact::Purpose), ("ticket", Fact::Ticket)] {
        if let Some(constraint) = table.read_at(key, read_constraint)? {
            rule = rule.condition(fact, constraint);
        }
    }
    Ok(rule)
}

fn when(rule: Rule, written: &Written) -> Result<Rule, Misfit> {
    let conditions =
        Table::open(written, "a table such as `{ env = \"…\" }`")?.said()?.each(|name, own| {
            if let Some(problem) = not_an_attribute(name, own) {
                return Err(Misfit::new(own.span.start, problem));
            }
            let fact = match name {
                "seen" => Fact::Seen,
                "now" => Fact::Now,
                _ => Fact::Context(name.into()),
            };
            let constraint = if fact == Fact::Seen { set(own)? } else { read_constraint(own)? };
            Ok((fact, constraint))
        })?;
    Ok(conditions.into_iter().fold(rule, |rule, (fact, own)| rule.condition(fact, own)))
}

/// What is said of the time, or joins conditions, and stands where an attribute would be compared.
fn not_an_attribute(name: &str, written: &Written) -> Option<String> {
    let has_tables =
        |all: &[Written]| all.iter().any(|own| matches!(own.node, SpannedNode::Object(_)));
    if let (SpannedNode::List(all), "any" | "or" | "all" | "and") = (&written.node, name)
        && has_tables(all)
    {
        let problem = "all that `when` says has to hold: for one of several write a rule for each, and for one \
                       of several values of an attribute `{ any = [ … ] }` of that";
        return Some(problem.to_owned());
    }
    if let Some(own) = name.strip_prefix("context.").or_else(|| name.strip_prefix("when.")) {
        return Some(format!(
            "what the context says is written by its name: `{} = …`",
            own.escape_debug()
        ));
    }
    let SpannedNode::Object(entries) = &written.node else { return None };
    let is_kind = |key: &str| constraint_words().any(|word| word == key);
    if matches!(name, "context" | "attrs") && !entries.iter().any(|(_, key, _)| is_kind(key)) {
        let problem =
            "what the context says stands in `when` itself, as in `when = { env = \"prod\" }`";
        return Some(problem.to_owned());
    }
    let parts = ["days", "from", "until", "offset", "zone"];
    let is_weekly = name == "weekly" && entries.iter().any(|(_, key, _)| parts.contains(&&**key));
    is_weekly.then(|| {
        "a week is of the broker's time: write `when = { now = { weekly = { … } } }`".to_owned()
    })
}

fn validity(written: &Written) -> Result<(Option<Timestamp>, Option<Timestamp>), Misfit> {
    let example = "a table such as `{ until = \"2026-01-01T00:00:00Z\" }`";
    let table = Table::read_translated(written, VALID, FOREIGN_TIMES, example)?.said()?;
    Ok((table.read_at("from", instant)?, table.read_at("until", instant)?))
}

fn instant(written: &Written) -> Result<Timestamp, Misfit> {
    Timestamp::parse_rfc3339(text(written)?)
        .map_err(|error| Misfit::new(written.span.start, error.to_string()))
}

/// Text that is not empty.
fn said(written: &Written) -> Result<&str, Misfit> {
    match text(written)? {
        "" => Err(Misfit::new(written.span.start, "empty text says nothing: leave it out")),
        text => Ok(text),
    }
}
