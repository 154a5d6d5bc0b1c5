//! Scopes from text and data.

use super::grammar::{named_constraints, read_constraint};
use super::scope::Scope;
use super::scope_error::{MAX_CONDITIONS, ScopeError};
use crate::document::{Misfit, Table, Written, any_word, list, text, tree_of};
use crate::value::{JsonLimits, MAX_DEPTH, SpannedNode, Value, line_and_column, parse_spanned};
use crate::visible::Shown;

/// The most bytes of JSON text of a scope: two kilobytes for each of the capabilities it may have.
pub const MAX_SCOPE_TEXT: usize = 256 << 10;

const LIMITS: JsonLimits =
    JsonLimits { depth: MAX_DEPTH, nodes: MAX_SCOPE_TEXT / 4, text: MAX_SCOPE_TEXT };

impl Scope {
    /// Reads a scope from JSON text: a list of capabilities, with the constraints of policies.
    ///
    /// ```
    /// use hallpass::scope::{Scope, eq, max};
    ///
    /// let read = Scope::from_json(r#"[
    ///     {"tool": "bank.pay", "args": {"to": "CH93", "amount": {"max": 100}}}
    /// ]"#)?;
    /// let built = Scope::tool("bank.pay").arg("to", eq("CH93")).arg("amount", max(100));
    /// assert_eq!(read.to_value(), built.to_value());
    ///
    /// let error = Scope::from_json(r#"[{"tool": "bank.pay", "args": {"amount": {"lte": 1}}}]"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "line 1, column 43: `[0].args.amount`: `lte` is not a kind of constraint: the word here is `max`",
    /// );
    /// # Ok::<(), hallpass::scope::ScopeError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScopeError`]: text that is not JSON or more than [`MAX_SCOPE_TEXT`] bytes, a key that is
    /// unknown or given twice, a value of the wrong kind, or a scope that cannot be meant.
    pub fn from_json(json: &str) -> Result<Scope, ScopeError> {
        let placed = |line: usize, column: usize, problem: String| {
            ScopeError::Shape(format!("line {line}, column {column}: {problem}"))
        };
        let document = parse_spanned(json, &LIMITS)
            .map_err(|error| placed(error.line(), error.column(), error.kind().to_string()))?;
        let scope = scope(&document).map_err(|misfit| {
            let (line, column) = line_and_column(json, misfit.at);
            placed(line, column, said(&misfit))
        })?;
        scope.check()?;
        Ok(scope)
    }

    /// Reads a scope from data of the same shape as [`Scope::from_json`].
    ///
    /// # Errors
    /// As [`Scope::from_json`]; the place is the path of keys.
    pub fn from_value(value: &Value) -> Result<Scope, ScopeError> {
        if value.depth() > MAX_DEPTH {
            let problem = format!("expected at most {MAX_DEPTH} levels of nesting");
            return Err(ScopeError::Shape(problem));
        }
        let scope = scope(&tree_of(value)).map_err(|misfit| ScopeError::Shape(said(&misfit)))?;
        scope.check()?;
        Ok(scope)
    }
}

impl TryFrom<&serde_json::Value> for Scope {
    type Error = ScopeError;

    fn try_from(value: &serde_json::Value) -> Result<Self, ScopeError> {
        let value = Value::try_from(value).map_err(|error| ScopeError::Shape(error.to_string()))?;
        Scope::from_value(&value)
    }
}

impl TryFrom<serde_json::Value> for Scope {
    type Error = ScopeError;

    fn try_from(value: serde_json::Value) -> Result<Self, ScopeError> {
        Scope::try_from(&value)
    }
}

impl<'de> serde::Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Scope::from_value(&value).map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

fn said(misfit: &Misfit) -> String {
    if misfit.path.is_empty() {
        return misfit.problem.clone();
    }
    format!("{}: {}", Shown(&misfit.path), misfit.problem)
}

/// Reads the shape; whether it can be meant is for `Scope::check`.
fn scope(written: &Written) -> Result<Scope, Misfit> {
    if let SpannedNode::List(list) = &written.node
        && list.is_empty()
    {
        // `check` has the words for it.
        return Ok(Scope::default());
    }
    let mut all = list(written)?.iter().enumerate();
    all.try_fold(Scope::default(), |scope, (at, own)| {
        capability(scope, own).map_err(|error| error.of_element(at))
    })
}

fn capability(scope: Scope, written: &Written) -> Result<Scope, Misfit> {
    let known = &["tool", "args", "other_args", "resource"];
    let table = Table::read(written, known, "a capability, a table with `tool`")?;
    let mut scope = scope.and_tool(table.require("tool", "name one tool", text)?);
    if let Some(args) = table.get("args") {
        scope = arguments(scope, args).map_err(|error| error.inside("args"))?;
    }
    if table.read_at("other_args", any_word)?.is_some() {
        scope = scope.other_args();
    }
    match table.get("resource") {
        Some(written) => resource(scope, written).map_err(|error| error.inside("resource")),
        None => Ok(scope),
    }
}

fn arguments(scope: Scope, written: &Written) -> Result<Scope, Misfit> {
    if let SpannedNode::Text(_) = &written.node {
        any_word(written)?;
        return Ok(scope.any_args());
    }
    let named = few(named_constraints(written)?, written)?;
    Ok(named.into_iter().fold(scope, |scope, (name, own)| scope.arg(&name, own)))
}

fn resource(scope: Scope, written: &Written) -> Result<Scope, Misfit> {
    if let SpannedNode::Text(_) = &written.node {
        any_word(written)?;
        return Ok(scope.any_resource());
    }
    let known = &["type", "id", "attrs"];
    let table = Table::read(written, known, "\"any\" or a table with `type` and `id`")?;
    let kind = table.require("type", "name it, or say `\"any\"`", read_constraint)?;
    let id = table.require("id", "name it, or say `\"any\"`", read_constraint)?;
    let scope = scope.resource(kind, id);
    let attrs =
        table.read_at("attrs", |own| few(named_constraints(own)?, own))?.unwrap_or_default();
    Ok(attrs.into_iter().fold(scope, |scope, (name, own)| scope.resource_attr(&name, own)))
}

/// Refuses here what `Scope::check` would refuse, since adding conditions takes time in the square of
/// how many there are, and an agent writes them.
fn few<T>(conditions: Vec<T>, written: &Written) -> Result<Vec<T>, Misfit> {
    if conditions.len() > MAX_CONDITIONS {
        let problem = format!("expected at most {MAX_CONDITIONS} conditions");
        return Err(Misfit::new(written.span.start, problem));
    }
    Ok(conditions)
}
