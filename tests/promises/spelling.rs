//! The universe in the words of the crate.

use std::collections::BTreeMap;
use std::time::Duration;

use hallpass::identity::{Assertion, Kind};
use hallpass::policy::{
    ApprovalTerms, ArgType, BreakGlassTerms, Effect, Moment, Per, Policy, Reviewers, Rule, Tool,
};
use hallpass::scope::{self, Scope};
use hallpass::value::{Number, Value};
use hallpass::{Call, Context, Purpose, Resource};

use crate::life_defaults::default_in;
use crate::small::{CREDENTIAL, MINTS};
use crate::spelling_constraints::builder;
use crate::universe::*;
use crate::written::Style;

impl V {
    pub(crate) fn value(&self) -> Value {
        match self {
            V::Null => Value::Null,
            V::Bool(b) => Value::Bool(*b),
            V::Halves(n) => Value::Number(halves(*n)),
            V::Text(text) => Value::from(text.as_str()),
            V::List(list) => Value::List(list.iter().map(V::value).collect()),
            V::Object(fields) => Value::Object(object(fields)),
        }
    }
}

pub(crate) fn halves(n: i64) -> Number {
    let sign = if n < 0 { "-" } else { "" };
    let half = if n % 2 == 0 { "" } else { ".5" };
    Number::parse(&format!("{sign}{}{half}", (n / 2).abs())).unwrap()
}

pub(crate) fn object(fields: &BTreeMap<String, V>) -> hallpass::value::Object {
    hallpass::value::Object::from_pairs(fields.iter().map(|(k, v)| (k.clone(), v.value()))).unwrap()
}

impl RuleSaid {
    pub(crate) fn rule(&self) -> Rule {
        let id = self.id.as_str();
        let mut rule = match self.effect {
            Effect::Permit => Rule::permit(id),
            Effect::Ask => Rule::ask(id).approval(
                ApprovalTerms::per(if self.per_task { Per::Task } else { Per::Call })
                    .review(Reviewers::in_groups(scope::has_any(["owners"]))),
            ),
            Effect::Forbid => Rule::forbid(id),
        };
        rule = rule.on(self.moments.iter().copied());
        rule = match &self.tools {
            ToolsSaid::Unsaid => rule,
            ToolsSaid::Any => rule.any_tool(),
            ToolsSaid::Named(names) => rule.tools(names.iter().map(String::as_str)),
            ToolsSaid::Like(c) => rule.tool_like(c.constraint()),
        };
        for (fact, c) in &self.conditions {
            let c = c.constraint();
            rule = match fact {
                F::WhoId => rule.who_id(c),
                F::WhoKind => rule.who_kind(c),
                F::WhoGroups => rule.who_groups(c),
                F::WhoActsFor => rule.who_acts_for(c),
                F::WhoAttr(name) => rule.who_attr(name, c),
                F::Purpose => rule.purpose(c),
                F::Ticket => rule.ticket(c),
                F::When(name) => rule.when(name, c),
                F::Seen => rule.seen(c),
                F::Labels => rule.labels(c),
                F::ResourceType => rule.resource_type(c),
                F::ResourceId => rule.resource_id(c),
                F::ResourceAttr(name) => rule.resource_attr(name, c),
                F::Arg(name) => rule.arg(name, c),
            };
        }
        for exception in &self.unless {
            let named = exception.iter().map(|(fact, c)| (fact.to_string(), c.constraint()));
            let named: Vec<_> = named.collect();
            rule = rule.unless(named.iter().map(|(name, c)| (name.as_str(), c.clone())));
        }
        if self.other_args {
            rule = rule.other_args();
        }
        if self.any_args {
            rule = rule.any_args();
        }
        if self.any_resource {
            rule = rule.any_resource();
        }
        if let Some(from) = self.from {
            rule = rule.valid_from(at(from));
        }
        if let Some(until) = self.until {
            rule = rule.valid_until(at(until));
        }
        let LimitsSaid {
            ttl, max_life, idle, uses, rate, budget_halves, depth, per_identity, ..
        } = self.limits;
        let LimitsSaid { uses_in, budget_in, .. } = self.limits;
        let seconds = Duration::from_secs;
        if let Some(ttl) = ttl {
            rule = rule.ttl(seconds(ttl));
        }
        if let Some(life) = max_life {
            rule = rule.max_life(seconds(life));
        }
        if let Some(idle) = idle {
            rule = rule.idle(seconds(idle));
        }
        if let Some(uses) = uses {
            rule = rule.uses(uses);
        }
        if let Some((calls, window)) = rate {
            rule = rule.rate(calls, seconds(window));
        }
        if let Some(most) = budget_halves {
            rule = rule.budget("args.n", halves(most));
        }
        if let Some((most, window)) = budget_in {
            rule = rule.budget_within("args.n", halves(most), seconds(window));
        }
        if let Some((uses, window)) = uses_in.filter(|_| uses.is_none()) {
            rule = rule.uses_within(uses, seconds(window));
        }
        if self.effect == Effect::Permit && self.moments.contains(&Moment::BreakGlass) {
            let terms =
                BreakGlassTerms::reviewed_by(Reviewers::in_groups(scope::has_any(["security"])));
            rule = rule
                .ttl(seconds(ttl.unwrap_or(60)))
                .uses(uses.unwrap_or(3))
                .break_glass(terms.alert_best_effort());
        }
        let is_emergency_alone = self.moments == [Moment::BreakGlass];
        if let Some(depth) = depth.filter(|_| !is_emergency_alone) {
            rule = rule.depth(depth);
        }
        if per_identity {
            rule = rule.per_identity();
        }
        if let Some(form) = self.form {
            rule = rule.presentation(form);
        }
        rule
    }

    /// Whether a policy would take it.
    pub(crate) fn is_sound(&self) -> bool {
        let said = PolicySaid { catalogue: Some(Labels::new()), rules: vec![self.clone()] };
        let tool = Tool::new(TOOLS[0]);
        builder().tool(tool).rules(said.rules.iter().map(RuleSaid::rule)).build().is_ok()
    }

    pub(crate) fn looks_at_labels(&self) -> bool {
        let mut said = self.conditions.iter().chain(self.unless.iter().flatten());
        said.any(|(fact, _)| matches!(fact, F::Seen | F::Labels))
    }

    /// Leaves out the exceptions on what a permit never has.
    pub(crate) fn sound_exceptions(mut self) -> Self {
        let named = |own: &F| self.conditions.iter().any(|(fact, _)| fact == own);
        let on_resource =
            |fact: &F| matches!(fact, F::ResourceType | F::ResourceId | F::ResourceAttr(_));
        let resource =
            self.any_resource || self.conditions.iter().any(|(fact, _)| on_resource(fact));
        let open = self.effect != Effect::Permit;
        let may_be = |fact: &F| match fact {
            F::Arg(_) => open || self.any_args || self.other_args || named(fact),
            fact if on_resource(fact) => open || resource,
            _ => true,
        };
        let unless = self.unless.iter().filter(|own| own.iter().all(|(fact, _)| may_be(fact)));
        self.unless = unless.cloned().collect();
        self
    }
}

impl std::fmt::Display for F {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            F::WhoId => f.write_str("who.id"),
            F::WhoKind => f.write_str("who.kind"),
            F::WhoGroups => f.write_str("who.groups"),
            F::WhoActsFor => f.write_str("who.acts_for"),
            F::WhoAttr(name) => write!(f, "who.attrs.{name}"),
            F::Purpose => f.write_str("why.purpose"),
            F::Ticket => f.write_str("why.ticket"),
            F::When(name) => write!(f, "when.{name}"),
            F::Seen => f.write_str("when.seen"),
            F::Labels => f.write_str("what.labels"),
            F::ResourceType => f.write_str("resource.type"),
            F::ResourceId => f.write_str("resource.id"),
            F::ResourceAttr(name) => write!(f, "resource.attrs.{name}"),
            F::Arg(name) => write!(f, "args.{name}"),
        }
    }
}

impl PolicySaid {
    /// The policy as Rust builds it and as its text loads, which are the same.
    pub(crate) fn policy(&self) -> Policy {
        let (built, loaded) = (self.built(), self.loaded(Style::Long));
        assert_eq!(built.digest(), loaded.digest(), "{}", self.written(Style::Long));
        loaded
    }

    fn built(&self) -> Policy {
        let tools = self.catalogue.iter().flatten().map(|(name, labels)| {
            let tool = Tool::new(name).labels(labels.iter().map(String::as_str));
            let mints = labels.iter().any(|label| label == MINTS);
            let tool = if mints { tool.credential(CREDENTIAL) } else { tool };
            match default_in(labels) {
                // Of a type that leaves open what other arguments there are.
                Some(own) => tool.default_arg("x", ArgType::Path, own),
                None => tool,
            }
        });
        // The log keeps in plain all that there is, so that decisions can be compared with their replay.
        let names = || ARGS.iter().chain(&["z", "extra"]);
        let plain = |tool| names().fold(tool, |tool: Tool, name| tool.log_plain(name));
        tools
            .fold(builder(), |builder, tool| builder.tool(plain(tool)))
            .log_plain(PLAIN)
            .rules(self.rules.iter().map(RuleSaid::rule))
            .build()
            .unwrap()
    }
}

impl WhoSaid {
    pub(crate) fn assertion(&self) -> Assertion {
        let id = self.id.as_str();
        let mut who = match self.kind {
            Kind::Agent => Assertion::agent(id),
            Kind::Workload => Assertion::workload(id),
            Kind::Human => Assertion::human(id),
        };
        who = who.groups(self.groups.iter().map(String::as_str));
        for (name, value) in &self.attrs {
            who = who.attr(name.clone(), value.value());
        }
        match &self.acts_for {
            Some(id) => who.acts_for(id.as_str(), Kind::Human),
            None => who,
        }
    }
}

impl WhySaid {
    pub(crate) fn purpose(&self) -> Purpose {
        let purpose = Purpose::new(self.name.as_str());
        match &self.ticket {
            Some(ticket) => purpose.ticket(ticket.as_str()),
            None => purpose,
        }
    }
}

impl CallSaid {
    pub(crate) fn call(&self) -> Call {
        let call = Call::new(&self.tool, object(&self.args)).unwrap();
        match &self.resource {
            None => call,
            Some(said) => {
                let resource = Resource::new(said.kind.as_str(), said.id.as_str());
                call.on(said
                    .attrs
                    .iter()
                    .fold(resource, |r, (name, value)| r.attr(name.clone(), value.value())))
            }
        }
    }
}

pub(crate) fn context(said: &ContextSaid) -> Context {
    said.iter().fold(Context::new(), |c, (name, value)| c.with(name.clone(), value.value()))
}

impl CapabilitySaid {
    pub(crate) fn add_to(&self, scope: Scope) -> Scope {
        let mut scope = scope.and_tool(&self.tool);
        for (name, c) in &self.args {
            scope = scope.arg(name, c.constraint());
        }
        if self.other_args {
            scope = scope.other_args();
        }
        if self.any_resource {
            scope = scope.any_resource();
        } else if let Some((kind, id, owner)) = &self.resource {
            scope = scope.resource(kind.constraint(), id.constraint());
            if let Some(owner) = owner {
                scope = scope.resource_attr("owner", owner.constraint());
            }
        }
        scope
    }
}

pub(crate) fn scope_of(said: &[CapabilitySaid]) -> Scope {
    said.iter().fold(Scope::default(), |scope, capability| capability.add_to(scope))
}

/// A caller of whom nothing is known but its id.
pub(crate) fn robot() -> WhoSaid {
    WhoSaid {
        id: "robot".into(),
        kind: Kind::Agent,
        groups: Vec::new(),
        attrs: BTreeMap::new(),
        acts_for: None,
    }
}
