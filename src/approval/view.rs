//! A view: what people are shown of a call or a scope before they agree to it.
//!
//! It is made from the structured request alone, one line a fact, in a fixed order. What the agent says of
//! itself comes last and is marked. The same request has the same view, whenever it is rendered.

mod changed;
mod examples;
mod line;
mod shown;

use std::fmt;
use std::time::Duration;

use crate::call::Call;
use crate::clock::format_duration;
use crate::identity::{Actor, Identity};
use crate::purpose::CheckedPurpose;
use crate::resource::Resource;
use crate::scope::{Capability, Fact, ResourceOpenness, Scope};
use crate::value::{Digest, Object, Value};

pub use line::ViewLine;
use shown::Shown;

/// How many arguments have a line each: no one reads more. The rest is one line, marked as cut.
const MOST_ARGUMENTS: usize = 64;

/// What sets the digest of a view apart from all other digests.
const DOMAIN: &[u8] = b"hallpass/v1/view\0";

/// What people are asked to agree to, as text that is safe to show.
///
/// Controls, bidirectional and invisible characters are escaped, texts stand in quotes, and a long value is its
/// beginning and its end, with length and digest behind it. No value can look like a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    lines: Box<[ViewLine]>,
    digest: Digest,
}

/// What a view is made of: all of it was fixed when the question was asked.
pub(crate) struct Source<'a> {
    pub(crate) asked: Asked<'a>,
    /// Who is to run it.
    pub(crate) holder: &'a Identity,
    /// Who requested it, and who delegated to the holder, where these are others.
    pub(crate) parties: &'a [Identity],
    /// The people who amended it, by id.
    pub(crate) amended_by: &'a [&'a str],
    pub(crate) task: (&'a str, u64),
    pub(crate) purpose: &'a CheckedPurpose,
    pub(crate) rules: &'a [RuleShown<'a>],
    /// Digests of what the arguments refer to.
    pub(crate) material: &'a [(&'a str, &'a Digest)],
    /// The call that was amended.
    pub(crate) before: Option<&'a Call>,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// One call.
    Call(&'a Call),
    /// What calls may be, item by item, and the scope that they are of, which says for how long.
    Scope(&'a [Capability], &'a Scope),
}

/// A rule that decided.
#[derive(Clone, Debug)]
pub(crate) struct RuleShown<'a> {
    /// `ask` or `permit`.
    pub(crate) effect: &'static str,
    pub(crate) id: &'a str,
    pub(crate) owner: Option<&'a str>,
    /// What it limits, and how far an approval under it reaches, as the rule says it.
    pub(crate) limits: Vec<(&'static str, String)>,
}

impl View {
    pub(crate) fn of(source: &Source<'_>) -> View {
        let mut lines = Vec::new();
        match source.asked {
            Asked::Call(call) => call_lines(call, &mut lines),
            Asked::Scope(items, scope) => {
                scope_lines(items, &mut lines);
                times_and_places(scope, &mut lines);
            }
        }
        if let (Some(before), Asked::Call(after)) = (source.before, source.asked) {
            lines.extend(changed::changes(before, after));
        }
        party("who", source.holder, &mut lines);
        for own in source.parties {
            party("asked for by", own, &mut lines);
        }
        lines.extend(source.amended_by.iter().map(|id| ViewLine::text("amended by", id)));
        let (task, generation) = source.task;
        lines.push(ViewLine::text("task", task).note(&format!("opening {generation}")));
        lines.push(ViewLine::text("purpose", source.purpose.name()));
        lines.extend(source.purpose.ticket().map(|ticket| ViewLine::text("ticket", ticket)));
        source.rules.iter().for_each(|rule| rule_lines(rule, &mut lines));
        lines.extend(source.material.iter().map(|(name, digest)| {
            let label = format!("material {}", name_shown(name));
            ViewLine::material(&label, digest)
        }));
        let reason = source.purpose.intent();
        lines.extend(reason.map(|own| ViewLine::text("reason of the agent", own).untrusted()));
        View::of_lines(lines)
    }

    fn of_lines(lines: Vec<ViewLine>) -> View {
        let mut view = View { lines: lines.into(), digest: Digest::of(&[]) };
        view.digest = Digest::of(&[DOMAIN, view.to_string().as_bytes()].concat());
        view
    }

    /// The lines, in their fixed order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &ViewLine> {
        self.lines.iter()
    }

    /// The digest of exactly the bytes that [`Display`](fmt::Display) writes: SHA-256 of `hallpass/v1/view`, a
    /// zero byte, and these.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The first line that does not show the whole of what will run. Material is a digest by its nature, and
    /// bound by it.
    pub(crate) fn unshown(&self) -> Option<&ViewLine> {
        let mut lines =
            self.lines.iter().filter(|line| !line.is_untrusted() && !line.is_material());
        lines.find(|line| line.is_cut() || line.is_uninspectable())
    }
}

/// The whole view: a line for each fact, each with a line break behind it.
impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// All of an argument, escaped as in a view and not cut.
pub(crate) fn whole_argument(call: &Call, name: &str) -> Option<String> {
    call.args().get(name).map(Shown::whole)
}

fn call_lines(call: &Call, lines: &mut Vec<ViewLine>) {
    lines.push(ViewLine::text("tool", call.tool()));
    let args = call.args();
    let shown = args.iter().take(MOST_ARGUMENTS);
    lines.extend(shown.map(|(name, value)| ViewLine::stated(&argument(name), value)));
    if let Some(more) = args.len().checked_sub(MOST_ARGUMENTS).filter(|more| *more > 0) {
        let value = format!("{more} more, of {}", args.len());
        lines.push(ViewLine::left_out("arguments", value, &args.digest()));
    }
    lines.extend(call.resource().map(|own| ViewLine::stated("resource", &resource_value(own))));
}

fn scope_lines(scope: &[Capability], lines: &mut Vec<ViewLine>) {
    for (at, item) in scope.iter().enumerate() {
        let label = format!("item {}", at + 1);
        lines.push(ViewLine::text(&format!("{label} tool"), item.tool.as_str()));
        for condition in &item.conditions {
            let fact = match condition.fact.as_argument() {
                Some(name) => argument(name),
                None => fact_label(&condition.fact),
            };
            let value = condition.constraint.to_value();
            lines.push(ViewLine::stated(&format!("{label} {fact}"), &value));
        }
        if item.openness.other_args {
            lines.push(ViewLine::said(&format!("{label} other arguments"), "any"));
        }
        if item.openness.resource == ResourceOpenness::Any {
            lines.push(ViewLine::said(&format!("{label} resource"), "any, or none"));
        }
        lines.extend(examples::examples(item, &label));
    }
}

/// For how long and from when on a scope is asked for, and where else than at the gate its token is taken.
fn times_and_places(scope: &Scope, lines: &mut Vec<ViewLine>) {
    let (ttl, starts) = scope.asked_times();
    // In whole milliseconds, as a question is kept.
    let ttl = ttl.and_then(|own| u64::try_from(own.as_millis()).ok()).map(Duration::from_millis);
    lines.extend(ttl.map(|own| ViewLine::said("for at most", format_duration(own))));
    lines.extend(starts.map(|own| ViewLine::said("usable from", own)));
    let verifiers = scope.verifiers().iter();
    lines.extend(verifiers.map(|audience| ViewLine::text("also taken at", audience)));
}

fn rule_lines(rule: &RuleShown<'_>, lines: &mut Vec<ViewLine>) {
    let line = ViewLine::text(rule.effect, rule.id);
    lines.push(match rule.owner {
        Some(owner) => line.note(&format!("owner {}", Shown::of_text(owner).text)),
        None => line,
    });
    for (limit, value) in &rule.limits {
        lines.push(ViewLine::said(&format!("{} {limit}", rule.effect), value));
    }
}

/// Somebody, and whom they act for.
fn party(label: &str, who: &Identity, lines: &mut Vec<ViewLine>) {
    lines.push(ViewLine::text(label, who.subject().as_str()).note(who.kind().as_str()));
    lines.extend(who.acts_for().iter().map(|Actor { subject, kind }| {
        ViewLine::text(&format!("{label}, acting for"), subject.as_str()).note(kind.as_str())
    }));
}

fn argument(name: &str) -> String {
    format!("argument {}", name_shown(name))
}

fn fact_label(fact: &Fact) -> String {
    match fact {
        Fact::ResourceAttr(name) => format!("resource attribute {}", name_shown(name)),
        Fact::ResourceType => "resource type".to_owned(),
        Fact::ResourceId => "resource id".to_owned(),
        other => Shown::of_text(&other.to_string()).text,
    }
}

/// A name as it is where it is a word, and else in quotes: one with a colon in it looks like a label.
pub(crate) fn name_shown(name: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !name.is_empty() && name.bytes().all(is_word) {
        return name.to_owned();
    }
    Shown::whole(&Value::Text(name.into()))
}

fn resource_value(resource: &Resource) -> Value {
    let mut shown = Object::new();
    // Each key is written once.
    let _ = shown.insert("type", resource.resource_type());
    let _ = shown.insert("id", resource.id());
    if !resource.attributes().is_empty() {
        let _ = shown.insert("attributes", Value::Object(resource.attributes().clone()));
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests;
