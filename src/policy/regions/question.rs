//! A question that a search found, asked of policies.

use std::fmt;

use super::prepared::Fixed;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::form::Form;
use crate::identity::{Assertion, Attestor, Identity, Kind};
use crate::policy::compiled::Compiled;
use crate::policy::decide::Verdict;
use crate::policy::decision::RulesQuestion;
use crate::policy::effect::Effect;
use crate::policy::index::Side;
use crate::policy::rule::Rule;
use crate::policy::seen::Seen;
use crate::purpose::Purpose;
use crate::resource::Resource;
use crate::scope::{Fact, Found, put_argument};
use crate::value::{Object, Value};
use crate::visible::Visible;

/// Who is named where the rules leave it open.
const ANYONE: &str = "anyone";
/// The same of the purpose and of the tool.
const ANY_PURPOSE: &str = "any-purpose";
/// The same of the resource, of which one part is asked about.
const ANYTHING: &str = "x";
/// The same of the time: a Thursday, 2026-01-01T12:00:00Z.
const ANY_TIME: i64 = 1_767_268_800_000;

/// What a policy makes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Denied,
    Asked,
    Permitted,
}

impl Standing {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Standing::Denied => "denied",
            Standing::Asked => "asked about",
            Standing::Permitted => "permitted",
        }
    }
}

/// A question that was found, and that policies are asked.
#[derive(Clone, Debug)]
pub(crate) struct FoundQuestion {
    pub(crate) who: Identity,
    pub(crate) why: Purpose,
    pub(crate) call: Call,
    pub(crate) context: Context,
    pub(crate) seen: Seen,
    pub(crate) now: Timestamp,
    /// Whether some rule looks at the time.
    pub(crate) is_timed: bool,
    pub(crate) form: Form,
}

impl FoundQuestion {
    /// With names that tell nothing where rules leave one open; `None` where what was chosen can't be meant.
    pub(crate) fn of(found: Found, fixed: Fixed<'_>) -> Option<Self> {
        let text = |fact: Fact| match found.get(&fact) {
            Some(Value::Text(text)) => Some(&**text),
            _ => None,
        };
        let texts = |fact: Fact| match found.get(&fact) {
            Some(Value::List(all)) => all.clone(),
            _ => Vec::new(),
        };
        let id = text(Fact::WhoId).unwrap_or(ANYONE);
        let mut who = match text(Fact::WhoKind) {
            Some("human") => Assertion::human(id),
            Some("workload") => Assertion::workload(id),
            _ => Assertion::agent(id),
        };
        who = who.groups(texts(Fact::WhoGroups).iter().filter_map(Value::as_text));
        for other in texts(Fact::WhoActsFor).iter().filter_map(Value::as_text) {
            who = who.acts_for(other, Kind::Human);
        }
        let mut why = Purpose::new(text(Fact::Purpose).unwrap_or(ANY_PURPOSE));
        if let Some(ticket) = text(Fact::Ticket) {
            why = why.ticket(ticket);
        }
        let mut context = Context::new();
        for (fact, value) in &found.facts {
            match fact {
                Fact::Context(name) => context = context.with(name.to_string(), value.clone()),
                Fact::WhoAttr(name) => who = who.attr(name.to_string(), value.clone()),
                _ => {}
            }
        }
        let call = found_call(&found, fixed.tool)?;
        let seen = Seen::nothing();
        let labels = Value::List(texts(Fact::Seen));
        let now = text(Fact::Now).map(Timestamp::parse_rfc3339);
        Some(FoundQuestion {
            // The answer is given here alone: no broker takes this identity.
            who: Attestor::of(0).attest(who).ok()?,
            why,
            call,
            context,
            seen: seen.with(&labels, ANYTHING, Some(0)).unwrap_or_else(|| seen.clone()),
            is_timed: now.is_some(),
            now: match now {
                Some(now) => now.ok()?,
                None => Timestamp::from_unix_millis(ANY_TIME)?,
            },
            form: fixed.form,
        })
    }

    pub(crate) fn standing(&self, policy: &Compiled) -> Standing {
        match self.verdict(policy) {
            Some(Verdict::Permit(_)) => Standing::Permitted,
            Some(Verdict::Ask { .. }) => Standing::Asked,
            Some(Verdict::Forbid(_) | Verdict::NoPermit) | None => Standing::Denied,
        }
    }

    /// What the rules say; `None` where they are not asked.
    pub(crate) fn verdict(&self, policy: &Compiled) -> Option<Verdict> {
        self.asked().verdict(policy).ok()
    }

    /// Whether a rule of the policy applies, which may speak of the tool.
    pub(crate) fn is_spoken_of(&self, rule: &Rule, policy: &Compiled) -> bool {
        let side = if rule.effect == Effect::Permit { Side::Permits } else { Side::Guards };
        self.asked().ask(policy, |question| rule.applies(question, side)).unwrap_or(false)
    }

    fn asked(&self) -> RulesQuestion<'_> {
        let FoundQuestion { who, why, call, context, seen, now, form, .. } = self;
        let first = RulesQuestion::first_call(who, why, call, context, *now);
        RulesQuestion { seen, form: *form, ..first }
    }

    /// All of it, for programs.
    pub(crate) fn to_object(&self) -> Object {
        let mut out = Object::new();
        let FoundQuestion { call, why, context, .. } = self;
        // The keys are written once each.
        let _ = out.insert("who", self.who_value());
        put_call(&mut out, call);
        let _ = out.insert("purpose", Value::from(why.name()));
        if let Some(ticket) = why.ticket_ref() {
            let _ = out.insert("ticket", Value::from(ticket));
        }
        let context = Object::from_pairs(context.iter().map(|(k, v)| (k.to_owned(), v.clone())));
        let _ = out.insert("context", Value::Object(context.unwrap_or_default()));
        if let Value::List(seen) = self.seen.labels()
            && !seen.is_empty()
        {
            let _ = out.insert("seen", Value::List(seen.clone()));
        }
        let _ = out.insert("at", Value::from(self.now.to_string()));
        out
    }

    fn who_value(&self) -> Value {
        let mut out = Object::new();
        let texts =
            |all: &mut dyn Iterator<Item = &str>| Value::List(all.map(Value::from).collect());
        // The keys are written once each.
        let _ = out.insert("id", Value::from(self.who.subject().as_str()));
        let _ = out.insert("kind", Value::from(self.who.kind().as_str()));
        if self.who.groups().len() > 0 {
            let _ = out.insert("groups", texts(&mut self.who.groups()));
        }
        if !self.who.attributes().is_empty() {
            let _ = out.insert("attrs", Value::Object(self.who.attributes().clone()));
        }
        if !self.who.acts_for().is_empty() {
            let others = &mut self.who.acts_for().iter().map(|own| own.subject.as_str());
            let _ = out.insert("acts_for", texts(others));
        }
        Value::Object(out)
    }
}

/// Who calls what, and all that a rule may have looked at.
impl fmt::Display for FoundQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FoundQuestion { call, why, context, seen, now, .. } = self;
        write!(f, "{} calls `{}` with ", self.who_value(), call.tool())?;
        write_call(f, call)?;
        write!(f, " for `{}`", why.name())?;
        if let Some(ticket) = why.ticket_ref() {
            write!(f, ", ticket `{ticket}`")?;
        }
        for (name, value) in context.iter() {
            write!(f, ", `when.{name}` {value}")?;
        }
        if let Value::List(labels) = seen.labels()
            && !labels.is_empty()
        {
            write!(f, ", after {}", seen.labels())?;
        }
        if self.is_timed {
            write!(f, ", at {now}")?;
        }
        Ok(())
    }
}

/// The call that was found, of a tool or, without one, of the tool that was found, too.
pub(crate) fn found_call(found: &Found, tool: Option<&str>) -> Option<Call> {
    let text = |fact: Fact| match found.get(&fact) {
        Some(Value::Text(text)) => Some(&**text),
        _ => None,
    };
    let named = |own: Option<&str>| own.unwrap_or(ANYTHING).to_owned();
    let resource = (named(text(Fact::ResourceType)), named(text(Fact::ResourceId)));
    let mut resource = found.resource.then(|| Resource::new(resource.0, resource.1));
    let mut args = Object::new();
    for (fact, value) in &found.facts {
        match fact {
            Fact::ResourceAttr(name) => {
                resource = resource.map(|own| own.attr(name.to_string(), value.clone()));
            }
            Fact::Arg(path) => put_argument(&mut args, path, value.clone()),
            _ => {}
        }
    }
    let tool = tool.or_else(|| text(Fact::Tool)).unwrap_or(ANYTHING);
    let call = Call::new(tool, Value::Object(args)).ok()?;
    Some(resource.into_iter().fold(call, Call::on))
}

/// The arguments and the resource of a call, for programs.
pub(crate) fn put_call(out: &mut Object, call: &Call) {
    // The keys are written once each.
    let _ = out.insert("tool", Value::from(call.tool()));
    let _ = out.insert("args", Value::Object(call.args().object().clone()));
    if let Some(resource) = call.resource() {
        let mut of = Object::new();
        let _ = of.insert("type", Value::from(resource.resource_type()));
        let _ = of.insert("id", Value::from(resource.id()));
        if !resource.attributes().is_empty() {
            let _ = of.insert("attrs", Value::Object(resource.attributes().clone()));
        }
        let _ = out.insert("resource", Value::Object(of));
    }
}

/// The same for people.
pub(crate) fn write_call(f: &mut fmt::Formatter<'_>, call: &Call) -> fmt::Result {
    write!(f, "{}", Visible(call.args().object()))?;
    if let Some(resource) = call.resource() {
        write!(f, " on `{}` `{}`", resource.resource_type(), Visible(resource.id()))?;
        if !resource.attributes().is_empty() {
            write!(f, " {}", Visible(resource.attributes()))?;
        }
    }
    Ok(())
}
