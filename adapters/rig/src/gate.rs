//! The gate: it makes tools whose calls are decided before they run.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use hallpass::vault::Secrets;
use hallpass::{Context, Denial, Permit, Receipt, RunError, Running, Session};
use rig_core::completion::ToolDefinition;
use rig_core::tool::{
    DynamicTool, IntoToolOutput, Tool, ToolContext, ToolExecutionError, ToolOutput, tool_definition,
};
use serde_json::Value;

use crate::given::{Failed, Output};
use crate::told::denied;

type OfCall<T> = Arc<dyn Fn(&ToolContext) -> T + Send + Sync>;

/// What a tool gives, once its call is done.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<ToolOutput, ToolExecutionError>> + Send + 'a>>;

/// Makes tools for rig's agents, each call of which is decided and runs from its permit: give them to an agent by
/// `dynamic_tool`. Clones make tools for the same callers.
#[derive(Clone)]
#[must_use = "a gate that makes no tool gates nothing"]
pub struct ToolGate {
    session: OfCall<Result<Session, Denial>>,
    context: OfCall<Context>,
}

impl ToolGate {
    /// All calls are of one caller, whose session it is.
    pub fn new(session: Session) -> Self {
        ToolGate::by_call(move |_| Ok(session.clone()))
    }

    /// Each call says by itself whose it is: by what the host has put into the context of the agent's run.
    pub fn by_call(
        session: impl Fn(&ToolContext) -> Result<Session, Denial> + Send + Sync + 'static,
    ) -> Self {
        ToolGate { session: Arc::new(session), context: Arc::new(|_| Context::new()) }
    }

    /// What is known of the moment of a call; nothing by default.
    pub fn context(mut self, of: impl Fn(&ToolContext) -> Context + Send + Sync + 'static) -> Self {
        self.context = Arc::new(of);
        self
    }

    /// A tool as rig knows it, run from the permit's arguments.
    pub fn tool<T: Tool + 'static>(&self, tool: T) -> DynamicTool {
        let (own, tool) = (self.clone(), Arc::new(tool));
        made(tool_definition(&*tool), move |call, asked| {
            let (own, tool) = (own.clone(), tool.clone());
            Box::pin(async move {
                let permit = own.permit(call, T::NAME, &asked).await?;
                let ran = permit
                    .run_async(async |running| {
                        let args = serde_json::from_str(&running.args().to_json());
                        let args = args.map_err(|error| {
                            let why = format!("failed to parse tool arguments: {error}");
                            Failed(ToolExecutionError::invalid_args(why))
                        })?;
                        let told = tool.call(&mut *call, args).await;
                        let told = told.map_err(|error| tool.map_error(error));
                        sorted(told.and_then(IntoToolOutput::into_tool_output))
                    })
                    .await;
                given(ran, call)
            })
        })
    }

    /// A tool of the host's own, whose only arguments are those of the call that runs.
    ///
    /// ```
    /// # use hallpass_rig::ToolGate;
    /// # use rig_core::completion::ToolDefinition;
    /// # use rig_core::message::ToolName;
    /// # use rig_core::tool::{DynamicTool, ToolExecutionError, ToolOutput};
    /// # use serde_json::json;
    /// # fn lookup(gate: ToolGate) -> Result<DynamicTool, Box<dyn std::error::Error>> {
    /// let definition = ToolDefinition {
    ///     name: ToolName::new("notes.read")?,
    ///     description: "reads a note".to_owned(),
    ///     parameters: json!({ "type": "object", "properties": { "path": { "type": "string" } } }),
    /// };
    /// let tool = gate.function(definition, |running| {
    ///     Box::pin(async move {
    ///         let path = running.args().text("path");
    ///         let path = path.ok_or_else(|| ToolExecutionError::invalid_args("expected a path"))?;
    ///         Ok(ToolOutput::text(format!("what {path} holds")))
    ///     })
    /// });
    /// # Ok(tool)
    /// # }
    /// ```
    pub fn function<F>(&self, definition: ToolDefinition, run: F) -> DynamicTool
    where
        F: for<'a> Fn(&'a Running) -> Answer<'a> + Send + Sync + 'static,
    {
        let (own, run, asked_as) = (self.clone(), Arc::new(run), definition.name.to_string());
        made(definition, move |call, asked| {
            let (own, run, name) = (own.clone(), run.clone(), asked_as.clone());
            Box::pin(async move {
                let permit = own.permit(call, &name, &asked).await?;
                let ran = permit.run_async(async |running| sorted(run(running).await)).await;
                given(ran, call)
            })
        })
    }

    /// As [`function`](ToolGate::function), of a tool that runs with the credentials that the catalogue says it has: it is
    /// lent them, as by [`Permit::run_with_async`].
    ///
    /// ```
    /// # use hallpass_rig::ToolGate;
    /// # use rig_core::completion::ToolDefinition;
    /// # use rig_core::tool::{DynamicTool, ToolOutput};
    /// # fn mail(gate: ToolGate, definition: ToolDefinition) -> DynamicTool {
    /// gate.function_with_secrets(definition, |running, secrets| {
    ///     Box::pin(async move {
    ///         let key = secrets.get("mail-key").map(|secret| secret.expose());
    ///         // send it
    /// #       let _ = (key, running.args());
    ///         Ok(ToolOutput::text("sent"))
    ///     })
    /// })
    /// # }
    /// ```
    pub fn function_with_secrets<F>(&self, definition: ToolDefinition, run: F) -> DynamicTool
    where
        F: for<'a> Fn(&'a Running, &'a Secrets) -> Answer<'a> + Send + Sync + 'static,
    {
        let (own, run, asked_as) = (self.clone(), Arc::new(run), definition.name.to_string());
        made(definition, move |call, asked| {
            let (own, run, name) = (own.clone(), run.clone(), asked_as.clone());
            Box::pin(async move {
                let permit = own.permit(call, &name, &asked).await?;
                let ran = permit
                    .run_with_async(async |running, secrets| sorted(run(running, secrets).await))
                    .await;
                given(ran, call)
            })
        })
    }

    /// Decides a call of the model's.
    ///
    /// # Errors
    /// What the model is told of a denial.
    async fn permit(
        &self,
        call: &mut ToolContext,
        tool: &str,
        asked: &Value,
    ) -> Result<Permit, ToolExecutionError> {
        let (session, context) = ((self.session)(call), (self.context)(call));
        let permit = match session {
            Ok(session) => {
                session.authorize_json_async(tool, asked.to_string(), None, &context).await
            }
            Err(denial) => Err(denial),
        };
        permit.map_err(|denial| denied(&denial, call))
    }
}

fn made<F>(definition: ToolDefinition, run: F) -> DynamicTool
where
    F: for<'a> Fn(&'a mut ToolContext, Value) -> Answer<'a> + Send + Sync + 'static,
{
    let ToolDefinition { name, description, parameters } = definition;
    DynamicTool::new_with_context(name, description, parameters, run)
}

fn sorted(told: Result<ToolOutput, ToolExecutionError>) -> Result<Output, Failed> {
    told.map(Output).map_err(Failed)
}

/// What the model is shown.
fn given(
    ran: Result<Receipt<Output>, RunError<Failed>>,
    call: &mut ToolContext,
) -> Result<ToolOutput, ToolExecutionError> {
    match ran {
        Ok(receipt) => Ok(receipt.scrubbed().0),
        Err(RunError::Denied(denial)) => Err(denied(&denial, call)),
        Err(RunError::Tool(error)) => Err(error.scrubbed().0),
    }
}

impl fmt::Debug for ToolGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolGate").finish_non_exhaustive()
    }
}
