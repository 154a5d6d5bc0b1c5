//! A call: one tool, its arguments, and the resource it acts on.

use serde::Serialize;

use crate::args::{Args, ArgsError};
use crate::resource::Resource;
use crate::scope::{CallParts, Scope, ValueType, eq, of_type};
use crate::tool::{ToolName, ToolNameError};
use crate::value::{Digest, Value};
use crate::visible::ATTRIBUTE_NAME;

/// One call of a tool, as asked for: nothing says yet that it may run.
///
/// ```
/// use hallpass::{Call, Resource};
/// use serde_json::json;
///
/// let call = Call::new("bank.pay", json!({ "to": "CH93", "amount": 98 }))?
///     .on(Resource::new("account", "main"));
/// assert_eq!(call.tool(), "bank.pay");
/// assert_eq!(call.args().text("to"), Some("CH93"));
/// # Ok::<(), hallpass::CallError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    tool: ToolName,
    args: Args,
    /// Boxed, because most calls have none and every call is moved into its permit.
    resource: Option<Box<Resource>>,
    material: Option<Box<Material>>,
}

/// Digests of what the arguments refer to, by name: sorted, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Material(Vec<(Box<str>, Digest)>);

/// Why something is not a call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The tool's name is none.
    #[error(transparent)]
    Tool(#[from] ToolNameError),
    /// The arguments are outside what arguments may be.
    #[error("arguments: {0}")]
    Args(#[from] ArgsError),
}

impl Call {
    /// A call of `tool` without a resource.
    ///
    /// Arguments come as [`Args`], or as a value or a map of `serde_json`. What an agent wrote is best read from its
    /// text, strictly: [`Call::from_json`].
    ///
    /// # Errors
    /// [`CallError`] if the name is not a tool's, or the arguments are over a limit of [`Args`].
    #[inline]
    pub fn new<A>(tool: &str, args: A) -> Result<Self, CallError>
    where
        A: TryInto<Args>,
        ArgsError: From<A::Error>,
    {
        Ok(Call {
            tool: ToolName::new(tool)?,
            args: args.try_into().map_err(ArgsError::from)?,
            resource: None,
            material: None,
        })
    }

    /// A call whose arguments are JSON text, read strictly: see [`Args::from_json`].
    ///
    /// # Errors
    /// [`CallError`] as above, and for text that is not a JSON object, or says a key twice.
    pub fn from_json(tool: &str, args: &str) -> Result<Self, CallError> {
        Ok(Call::plain(ToolName::new(tool)?, Args::from_json(args)?))
    }

    /// As [`Call::from_json`], from bytes that ought to be UTF-8: the body of a request, say.
    ///
    /// # Errors
    /// As [`Call::from_json`].
    pub fn from_json_bytes(tool: &str, args: &[u8]) -> Result<Self, CallError> {
        Ok(Call::plain(ToolName::new(tool)?, Args::from_json_bytes(args)?))
    }

    /// A call whose arguments are a host's own data, a struct say: see [`Args::from_serialize`].
    ///
    /// # Errors
    /// [`CallError`] as above, and for data that is not a JSON object.
    pub fn from_serialize<T: Serialize + ?Sized>(tool: &str, args: &T) -> Result<Self, CallError> {
        Ok(Call::plain(ToolName::new(tool)?, Args::from_serialize(args)?))
    }

    fn plain(tool: ToolName, args: Args) -> Self {
        Call { tool, args, resource: None, material: None }
    }

    /// What an argument refers to, by its digest: the script behind a path, say. People who are asked about
    /// the call are shown it, and what they agree to is redeemed only while the host states the same. Said
    /// twice of one name, the later counts. Of a name that no attribute may have, nothing is kept.
    ///
    /// ```
    /// # use hallpass::Call;
    /// use hallpass::value::Digest;
    ///
    /// let script = b"#!/bin/sh\nmake deploy\n";
    /// let call = Call::new("shell.run", serde_json::json!({ "path": "/srv/deploy.sh" }))?
    ///     .material("script", Digest::of(script));
    /// # let _ = call;
    /// # Ok::<(), hallpass::CallError>(())
    /// ```
    pub fn material(mut self, name: &str, digest: Digest) -> Self {
        if ATTRIBUTE_NAME.check(name).is_ok() {
            self.material.get_or_insert_default().add(name, digest);
        }
        self
    }

    /// What the call acts on, as the host knows it.
    pub fn on(mut self, resource: Resource) -> Self {
        self.resource = Some(Box::new(resource));
        self
    }

    /// The tool's name.
    pub fn tool(&self) -> &str {
        self.tool.as_str()
    }

    pub(crate) fn tool_name(&self) -> &ToolName {
        &self.tool
    }

    /// As scopes look at it.
    pub(crate) fn parts(&self) -> CallParts<'_> {
        (&self.tool, self.args.object(), self.resource.is_some())
    }

    /// The same call with other arguments.
    pub(crate) fn with_args(&self, args: Args) -> Call {
        let (resource, material) = (self.resource.clone(), self.material.clone());
        Call { tool: self.tool.clone(), args, resource, material }
    }

    /// The same call, which shares the text of its tool's name with `tool`, an equal one.
    pub(crate) fn named_by(&self, tool: &ToolName) -> Call {
        let (resource, material) = (self.resource.clone(), self.material.clone());
        Call { tool: tool.clone(), args: self.args.clone(), resource, material }
    }

    /// The same call with what is stated of its material now.
    pub(crate) fn with_material(&self, stated: Option<&Material>) -> Call {
        Call { material: stated.cloned().map(Box::new), ..self.clone() }
    }

    /// Digests of what the arguments refer to.
    pub(crate) fn materials(&self) -> &Material {
        self.material.as_deref().unwrap_or(&NO_MATERIAL)
    }

    /// The arguments.
    pub fn args(&self) -> &Args {
        &self.args
    }

    /// What the call acts on.
    pub fn resource(&self) -> Option<&Resource> {
        self.resource.as_deref()
    }
}

static NO_MATERIAL: Material = Material(Vec::new());

impl Material {
    /// Adds one, in the place of another of the same name.
    pub(crate) fn add(&mut self, name: &str, digest: Digest) {
        match self.0.binary_search_by(|(own, _)| (**own).cmp(name)) {
            Ok(at) => {
                if let Some((_, own)) = self.0.get_mut(at) {
                    *own = digest;
                }
            }
            Err(at) => self.0.insert(at, (name.into(), digest)),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| **own == *name)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Digest)> {
        self.0.iter().map(|(name, digest)| (&**name, digest))
    }
}

impl Scope {
    /// Asks for what this call needs and nothing else: its tool, each argument as it is, and its resource
    /// by type and id. Each value is asked for with its type, so that it does not stand for a list of it.
    ///
    /// ```
    /// use hallpass::{Call, Scope};
    /// use serde_json::json;
    ///
    /// let call = Call::new("fs.read", json!({ "path": "/data/q3.csv" }))?;
    /// let scope = Scope::exactly(&call);
    /// assert_eq!(scope.to_string(), r#"[{"args":{"path":{"eq":"/data/q3.csv","type":"text"}},"tool":"fs.read"}]"#);
    /// # Ok::<(), hallpass::CallError>(())
    /// ```
    pub fn exactly(call: &Call) -> Self {
        let pinned = |scope: Scope, (name, value): (&str, &Value)| {
            let own = eq(value.clone());
            // A list is compared as a whole.
            let is_list = matches!(value, Value::List(_));
            scope.arg(name, if is_list { own } else { own.and(of_type(ValueType::of(value))) })
        };
        let scope = call.args().iter().fold(Scope::tool(call.tool()), pinned);
        match call.resource() {
            None => scope,
            Some(resource) => scope.resource(eq(resource.resource_type()), eq(resource.id())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_a_call_gives_the_same() {
        let call = Call::new("t", json!({ "a": 1.5 })).unwrap();
        let serde_json::Value::Object(map) = json!({ "a": 1.5 }) else { unreachable!() };
        let data = std::collections::BTreeMap::from([("a", 1.5)]);
        assert_eq!(Call::new("t", map), Ok(call.clone()));
        assert_eq!(Call::from_json("t", r#"{"a":1.5}"#), Ok(call.clone()));
        assert_eq!(Call::from_json_bytes("t", br#"{"a":15e-1}"#), Ok(call.clone()));
        assert_eq!(Call::from_serialize("t", &data), Ok(call));
        assert!(matches!(Call::from_json_bytes("t", b"{\"a\":\xff}"), Err(CallError::Args(_))));
        assert!(matches!(Call::from_json_bytes("no tool", b"{}"), Err(CallError::Tool(_))));
        assert!(matches!(Call::from_serialize("no tool", &data), Err(CallError::Tool(_))));
    }
}
