//! What a search for access found.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::super::effect::Effect;
use super::super::regions::{put_call, write_call};
use crate::call::Call;
use crate::scope::{Condition, Fact};
use crate::value::{Object, Value, object_of};
use crate::visible::Visible;

/// What somebody may call, permit by permit: see [`AccessSearch::what_can`](super::AccessSearch::what_can).
#[derive(Clone, Debug, Default)]
pub struct Accesses {
    pub(super) found: Vec<Access>,
    pub(super) undecided: BTreeSet<Arc<str>>,
    pub(super) is_cut: bool,
}

impl Accesses {
    /// Each access, by tool and then by the permit that gives it.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Access> {
        self.found.iter()
    }

    /// Whether nothing was found and nothing is left open: not one call is permitted, or asked about.
    pub fn is_shown_empty(&self) -> bool {
        self.found.is_empty() && self.is_all()
    }

    /// Whether these are shown to be all: a permit that is not among them gives nothing.
    pub fn is_all(&self) -> bool {
        !self.is_cut && self.undecided.is_empty()
    }

    /// The ids of permits of which it can't be told whether they give something, or something without asking.
    pub fn undecided(&self) -> impl ExactSizeIterator<Item = &str> {
        self.undecided.iter().map(|id| &**id)
    }

    /// All of it, for programs.
    pub fn to_value(&self) -> Value {
        let undecided = self.undecided().map(Value::from).collect();
        object_of([
            ("access", Value::List(self.iter().map(Access::to_value).collect())),
            ("is_all", Value::Bool(self.is_all())),
            ("undecided", Value::List(undecided)),
        ])
    }
}

/// What one permit gives: calls of one tool, with the constraints that are left over once it is known who calls, why
/// and in which context.
///
/// Of the calls that it speaks of, those that a forbid refuses are not permitted, nor those that an ask holds up; these
/// rules are told with it, and what is left of each.
#[derive(Clone, Debug)]
pub struct Access {
    /// `None` of every tool that no rule names.
    pub(super) tool: Option<Box<str>>,
    pub(super) permit: Left,
    pub(super) guards: Vec<Left>,
    pub(super) permitted: Option<Call>,
    pub(super) asked: Option<Call>,
}

/// A rule, and what is left of it.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) rule: Arc<str>,
    pub(super) effect: Effect,
    pub(super) conditions: Vec<Condition>,
    pub(super) says: Object,
}

impl Access {
    /// The tool; `None` of those that no rule of the policy names.
    pub fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// The id of the permit.
    pub fn rule(&self) -> &str {
        &self.permit.rule
    }

    /// A call that is permitted: the rules were asked about it.
    pub fn permitted(&self) -> Option<&Call> {
        self.permitted.as_ref()
    }

    /// A call about which people are asked, where some are: the rules were asked about it.
    pub fn asked(&self) -> Option<&Call> {
        self.asked.as_ref()
    }

    /// The values to which the permit limits a part of the call, named as in a policy (`resource.id`, `args.to`);
    /// `None` where these are not finitely many, or the part is not one of a call.
    ///
    /// Not each of them has to be permitted, since a forbid may take some away: [`Policy::decide`] tells of one.
    ///
    /// [`Policy::decide`]: crate::Policy::decide
    pub fn values_of(&self, part: &str) -> Option<impl ExactSizeIterator<Item = &Value>> {
        let fact = Fact::parse(part).ok().filter(Fact::is_of_the_call)?;
        let own = self.permit.conditions.iter().find(|own| own.fact == fact)?;
        own.constraint.finite().map(|set| set.iter())
    }

    /// All of it, for programs: `what` and `unless` say what is left of the permit in the words of a rule.
    pub fn to_value(&self) -> Value {
        let call = |call: &Option<Call>| {
            call.as_ref().map_or(Value::Null, |call| {
                let mut out = Object::new();
                put_call(&mut out, call);
                Value::Object(out)
            })
        };
        let guards = self.guards.iter().map(Left::to_value).collect();
        object_of([
            ("tool", self.tool.clone().map_or(Value::Null, Value::Text)),
            ("gives", self.permit.to_value()),
            ("except", Value::List(guards)),
            ("permitted", call(&self.permitted)),
            ("asked", call(&self.asked)),
        ])
    }
}

impl Left {
    fn to_value(&self) -> Value {
        let mut out = self.says.clone();
        // What is left of a rule has neither key.
        let _ = out.insert("id", Value::from(&*self.rule));
        let _ = out.insert("effect", Value::from(self.effect.as_str()));
        Value::Object(out)
    }

    /// What it says, for people: `args.amount {"max":500}`.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.effect != Effect::Permit || self.says.get("what").is_none() {
            for (at, own) in self.conditions.iter().enumerate() {
                let and = if at > 0 { " and " } else { "" };
                write!(f, "{and}`{}` {}", own.fact, Visible(&own.constraint))?;
            }
        } else if let Some(what) = self.says.get("what") {
            write!(f, "{}", Visible(what))?;
        }
        match self.says.get("unless") {
            Some(unless) => write!(f, " unless {}", Visible(unless)),
            None => Ok(()),
        }
    }
}

/// For people: the tool, what is left of the permit, what is taken from it, and a call.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tool {
            Some(tool) => write!(f, "`{tool}`")?,
            None => f.write_str("any tool that no rule names")?,
        }
        write!(f, " by `{}`", self.rule())?;
        match self.permit.says.is_empty() {
            true => f.write_str(", without arguments")?,
            false => {
                f.write_str(", where ")?;
                self.permit.write(f)?;
            }
        }
        for guard in &self.guards {
            let does = if guard.effect == Effect::Ask { "asks people" } else { "forbids" };
            write!(f, "; `{}` {does}", guard.rule)?;
            if !guard.says.is_empty() {
                f.write_str(" where ")?;
                guard.write(f)?;
            }
        }
        for (call, how) in [(&self.permitted, "permitted"), (&self.asked, "asked about")] {
            if let Some(call) = call {
                write!(f, "; {how}: ")?;
                if self.tool.is_none() {
                    write!(f, "`{}` with ", call.tool())?;
                }
                write_call(f, call)?;
            }
        }
        Ok(())
    }
}

/// For people, one access a line.
impl fmt::Display for Accesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_shown_empty() {
            return writeln!(f, "nothing");
        }
        for access in &self.found {
            writeln!(f, "{access}")?;
        }
        for rule in &self.undecided {
            writeln!(f, "`{rule}`: can't be told")?;
        }
        if self.is_cut {
            writeln!(f, "and more that was not looked for")?;
        }
        Ok(())
    }
}
