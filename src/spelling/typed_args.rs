//! A tool's typed arguments: calls and constraints in the spelling that rules judge.

use super::arg_type::{ArgType, TypeFault, TypedArg};
use crate::args::Args;
use crate::call::Call;
use crate::denial::{Denial, Reason};
use crate::scope::{
    Capability, Condition, Constraint, Expected, Fact, MAX_CONDITIONS, Node, absent,
    canonical_path, canonical_url, eq,
};
use crate::value::Value;
use crate::visible::Shown;

/// The arguments of a tool that have a type, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TypedArgs(Vec<TypedArg>);

impl TypedArgs {
    pub(crate) const NONE: TypedArgs = TypedArgs(Vec::new());

    /// Of a tool, what is said of any: for readers without a catalogue.
    pub(crate) fn from_said(said: impl Iterator<Item = (Box<str>, ArgType)>) -> Self {
        let said = said.map(|(name, of)| TypedArg { name, of, optional: false, default: None });
        let mut said: Vec<TypedArg> = said.collect();
        said.sort();
        TypedArgs(said)
    }

    /// Whether no argument has a type.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &TypedArg> {
        self.0.iter()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, ArgType)> {
        self.0.iter().map(|own| (&*own.name, own.of))
    }

    /// What is wrong with the first argument of the call that is not a value of its type, or is one in
    /// another spelling than its own.
    pub(crate) fn misspelled(&self, args: &crate::value::Object) -> Option<String> {
        self.iter().find_map(|(name, of)| match of.canonical(args.get(name)?) {
            Ok(None) => None,
            Ok(Some(canonical)) => Some(format!(
                "{} is not in the one spelling of its type: expected {}",
                Shown(name),
                shown(&canonical)
            )),
            Err(fault) => Some(format!("{} {fault}", Shown(name))),
        })
    }

    /// Arguments that have been found to be named once each.
    pub(crate) fn of(args: &[TypedArg]) -> Self {
        let mut args = args.to_vec();
        args.sort();
        TypedArgs(args)
    }

    /// Whether the arguments that are listed are all that the tool has.
    pub(crate) fn are_all(&self) -> bool {
        self.0.iter().any(|own| own.of.is_plain())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&TypedArg> {
        self.0.iter().find(|own| &*own.name == name)
    }

    /// The call with its typed arguments in their one spelling, without those that are `null` and may be left out, and
    /// with the defaults of those that are left out; `None` where that changes nothing.
    ///
    /// # Errors
    /// A [`Denial`] that names the first argument that has no such spelling.
    #[inline]
    pub(crate) fn canonical_call(&self, call: &Call) -> Result<Option<Call>, Denial> {
        if self.0.is_empty() { Ok(None) } else { self.spelled(call) }
    }

    fn spelled(&self, call: &Call) -> Result<Option<Call>, Denial> {
        let mut changed: Option<crate::value::Object> = None;
        for TypedArg { name, of, optional, default } in &self.0 {
            let given = call.args().get(name).filter(|given| !*optional || **given != Value::Null);
            let Some(given) = given else {
                if call.args().get(name).is_some() {
                    changed.get_or_insert_with(|| call.args().object().clone()).remove(name);
                }
                if let Some(default) = default {
                    let args = changed.get_or_insert_with(|| call.args().object().clone());
                    // It is not there, or no more.
                    let _ = args.insert(name.to_string(), default.clone());
                }
                continue;
            };
            let canonical = of.canonical(given).map_err(|fault| malformed(name, fault))?;
            if let Some(canonical) = canonical
                && let Some(place) =
                    changed.get_or_insert_with(|| call.args().object().clone()).get_mut(name)
            {
                *place = canonical;
            }
        }
        // Some spellings are longer than what was given: the limits hold for what the tool gets, too.
        let args = changed.map(Args::try_from).transpose();
        let args = args.map_err(|error| Denial::new(Reason::MalformedCall).because(error))?;
        Ok(args.map(|args| call.with_args(args)))
    }

    /// The capability with the values that it compares typed arguments with in their one spelling;
    /// `None` where they have it already.
    ///
    /// # Errors
    /// What can't be spelled so, or a pattern that fits no spelling, in words: no call could have it.
    pub(crate) fn canonical_capability(
        &self,
        capability: &Capability,
    ) -> Result<Option<Capability>, String> {
        let mut changed: Option<Capability> = None;
        for (at, condition) in capability.conditions.iter().enumerate() {
            let Some(TypedArg { name, of, optional, default }) = self.typed(condition) else {
                continue;
            };
            let left_out = || default.as_ref().map_or_else(absent, |own| eq(own.clone()));
            let canonical = match condition.constraint.finite() {
                // What is pinned to `null` is asked to be left out, as the tool gets it.
                Some(set) if *optional && set.iter().all(|value| *value == Value::Null) => {
                    left_out()
                }
                _ if condition.constraint == absent() => left_out(),
                _ => of.canonical_constraint(&condition.constraint).map_err(|(value, fault)| {
                    said_of(capability.tool.as_str(), name, &value, fault)
                })?,
            };
            if let Some(constraint) = of.unmatched(&canonical) {
                return Err(of.unmatched_fault(capability.tool.as_str(), constraint));
            }
            if canonical != condition.constraint
                && let Some(place) =
                    changed.get_or_insert_with(|| capability.clone()).conditions.get_mut(at)
            {
                place.constraint = canonical;
            }
        }
        if !capability.openness.other_args {
            for (name, default) in self.defaults() {
                let is_named = |own: &Condition| own.fact.as_argument() == Some(name);
                if !capability.conditions.iter().any(is_named) {
                    let own = Condition::new(Fact::arg(name), eq(default.clone()));
                    let capability = changed.get_or_insert_with(|| capability.clone());
                    let own = capability.conditions.iter().cloned().chain([own]);
                    capability.conditions = own.collect();
                }
            }
        }
        if changed.as_ref().is_some_and(|own| own.conditions.len() > MAX_CONDITIONS) {
            let tool = capability.tool.as_str();
            return Err(format!(
                "with the defaults of `{tool}` it has more than {MAX_CONDITIONS} conditions"
            ));
        }
        Ok(changed)
    }

    /// Each argument for which a value stands where it is left out.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter_map(|own| Some((&*own.name, own.default.as_ref()?)))
    }

    /// As [`canonical_capability`](Self::canonical_capability), in place, of those of `tool`.
    pub(crate) fn respell(
        &self,
        tool: &str,
        capabilities: &mut [Capability],
    ) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        for capability in capabilities.iter_mut().filter(|own| own.tool.as_str() == tool) {
            if let Some(canonical) = self.canonical_capability(capability)? {
                *capability = canonical;
            }
        }
        Ok(())
    }

    /// Why a rule's condition can't be meant of this tool: it names a value that no call has, since
    /// it is not a value of the argument's type, or is spelled otherwise there, or a pattern that no
    /// spelling fits.
    ///
    /// A rule is not respelled, as a scope is: it may speak of other tools, where the same argument has
    /// no type, and people who read a policy should see what is in force.
    pub(crate) fn fault(&self, tool: &str, condition: &Condition) -> Option<String> {
        let TypedArg { name, of, .. } = self.typed(condition)?;
        let mut other_spelling = None;
        let checked = condition.constraint.respell(&mut |value| match of.canonical_named(value) {
            Ok(Some(canonical)) => {
                other_spelling = Some((value.clone(), canonical));
                Err(None)
            }
            Ok(None) => Ok(value.clone()),
            Err(fault) => Err(Some((value.clone(), fault))),
        });
        match checked {
            Ok(_) => {
                let unmatched = of.unmatched(&condition.constraint)?;
                Some(of.unmatched_fault(tool, unmatched))
            }
            Err(Some((value, fault))) => Some(said_of(tool, name, &value, fault)),
            Err(None) => other_spelling.map(|(value, canonical)| {
                format!(
                    "{} is not how `{tool}` gets a {}: write {}",
                    shown(&value),
                    of.noun(),
                    shown(&canonical)
                )
            }),
        }
    }

    fn typed(&self, condition: &Condition) -> Option<&TypedArg> {
        self.get(condition.fact.as_argument()?)
    }
}

impl ArgType {
    const fn noun(self) -> &'static str {
        match self {
            ArgType::Path => "path",
            ArgType::Url => "URL",
            _ => self.as_str(),
        }
    }

    /// Why no call fits `constraint`, a kind that holds of no spelling of this type.
    fn unmatched_fault(self, tool: &str, constraint: &Constraint) -> String {
        let (given, noun) = (constraint.to_string(), self.noun());
        if self.is_plain() {
            let article = if noun.starts_with(['i', 'o', 'a', 'e']) { "an" } else { "a" };
            let by_order = matches!(&constraint.0, Node::Compared(own) if own.expects() == Expected::Number)
                && self == ArgType::Text;
            let instead = match by_order {
                true => ": levels are compared by an order, `order = \"NAME\"` next to it",
                false => "",
            };
            return format!(
                "{} is asked of another kind of value: `{tool}` takes {article} {noun}{instead}",
                Shown(&given)
            );
        }
        let instead = match &constraint.0 {
            Node::Prefix(text) => self.own_beginning(text),
            _ => None,
        };
        let instead = instead.map_or(String::new(), |own| format!(": write {}", Shown(&own)));
        let spelling = match self {
            ArgType::Path => {
                "it gets paths without `//`, `.` and `..` as segments, a `/` at the end, `\\`, `%` and \
                 a `~` at the beginning"
            }
            ArgType::Url => {
                "it gets URLs with scheme and host in lower case, without user, dot at the end of the \
                 host, the scheme's own port and `.` and `..` as segments"
            }
            _ => "",
        };
        format!("{} fits no {noun} as `{tool}` gets it: {spelling}{instead}", Shown(&given))
    }

    /// What a text that no spelling begins with may have been meant for.
    fn own_beginning(self, text: &str) -> Option<String> {
        let own = match self {
            ArgType::Path => {
                let own = canonical_path(text).ok()?.into_owned();
                let slash = if text.ends_with('/') && own != "/" { "/" } else { "" };
                own + slash
            }
            ArgType::Url => canonical_url(text).ok()?.into_owned(),
            _ => return None,
        };
        (own != text).then_some(own)
    }

    fn canonical_constraint(
        self,
        constraint: &Constraint,
    ) -> Result<Constraint, (Value, TypeFault)> {
        constraint.respell(&mut |value| match self.canonical_named(value) {
            Ok(canonical) => Ok(canonical.unwrap_or_else(|| value.clone())),
            Err(fault) => Err((value.clone(), fault)),
        })
    }
}

fn malformed(name: &str, fault: TypeFault) -> Denial {
    Denial::new(Reason::MalformedCall).because(format_args!("argument {} {fault}", Shown(name)))
}

fn said_of(tool: &str, name: &str, value: &Value, fault: TypeFault) -> String {
    let instead = match (value, &fault) {
        (Value::List(_), TypeFault::Expected(_, expected)) if *expected != "a list" => {
            ": for one of several write `one_of = [ … ]`"
        }
        _ => "",
    };
    format!("argument {} of `{tool}`: {} {fault}{instead}", Shown(name), shown(value))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => Shown(text).to_string(),
        other => Shown(&other.to_json()).to_string(),
    }
}
