//! A call: one tool, its arguments, and the resource it acts on.

use crate::args::{Args, ArgsError};
use crate::resource::Resource;
use crate::scope::CallParts;
use crate::tool::{ToolName, ToolNameError};

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
}

/// Why something is no call.
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
    /// Arguments come as [`Args`] or as `serde_json::Value`. What an agent wrote is best read from its
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
        })
    }

    /// A call whose arguments are JSON text, read strictly: see [`Args::from_json`].
    ///
    /// # Errors
    /// [`CallError`] as above, and for text that is no JSON object, or says a key twice.
    pub fn from_json(tool: &str, args: &str) -> Result<Self, CallError> {
        Ok(Call { tool: ToolName::new(tool)?, args: Args::from_json(args)?, resource: None })
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
        Call { tool: self.tool.clone(), args, resource: self.resource.clone() }
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
