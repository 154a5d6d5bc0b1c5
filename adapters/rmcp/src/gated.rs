//! A server behind a gate.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use hallpass::vault::Secrets;
use hallpass::{Context, Denial, Permit, Reason, RunError, Running, Session};
use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, CallToolResult, ClientNotification, ClientRequest, MetaObject, ProtocolVersion,
    ServerConfig, ServerResult,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, Service};

use crate::given::Given;
use crate::presented::{PENDING, Presented, TOKEN, text};
use crate::request::{arguments, with_arguments};
use crate::secrets::SecretTools;
use crate::told;
use crate::tools::{self, Doubled};
use crate::treatment::{RESERVED, Treatment};

type OfRequest<T> = Box<dyn Fn(&RequestContext<RoleServer>) -> T + Send + Sync>;

/// A server behind a gate: what rmcp serves in the place of the server itself. See the [crate](crate).
///
/// There is none without a session, or a function that finds one:
///
/// ```
/// # use hallpass::Session;
/// # use hallpass_rmcp::Gated;
/// fn gated<S>(server: S, session: Session) -> Gated<S> {
///     Gated::new(server, session)
/// }
/// ```
/// ```compile_fail,E0061
/// # use hallpass::Session;
/// # use hallpass_rmcp::Gated;
/// fn gated<S>(server: S, session: Session) -> Gated<S> {
///     Gated::new(server)
/// }
/// ```
/// and the server within can't be had from it:
///
/// ```compile_fail,E0616
/// # use hallpass_rmcp::Gated;
/// fn past_it<S>(gated: Gated<S>) -> S {
///     gated.server
/// }
/// ```
#[must_use = "a gate that is not served gates nothing"]
pub struct Gated<S> {
    server: S,
    presented: OfRequest<Result<Presented, Denial>>,
    context: OfRequest<Context>,
    secret_tools: SecretTools,
    doubled: Doubled,
}

impl<S> Gated<S> {
    /// All requests are of one caller, whose session it is: over stdio, say.
    pub fn new(server: S, session: Session) -> Self {
        Gated::by_request(server, move |_| Ok(session.clone().into()))
    }

    /// Each request says by itself whose it is: over HTTP, say, where it has the parts of the HTTP request among its extensions.
    pub fn by_request(
        server: S,
        presented: impl Fn(&RequestContext<RoleServer>) -> Result<Presented, Denial>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let (presented, context) = (Box::new(presented), Box::new(|_: &_| Context::new()));
        let (secret_tools, doubled) = (SecretTools::default(), Doubled::default());
        Gated { server, presented, context, secret_tools, doubled }
    }

    /// What is known of the moment a request comes in; nothing by default.
    pub fn context(
        mut self,
        of: impl Fn(&RequestContext<RoleServer>) -> Context + Send + Sync + 'static,
    ) -> Self {
        self.context = Box::new(of);
        self
    }

    /// The tool of this name runs with the credentials that the catalogue says it has: `run` is lent them, as by
    /// [`Permit::run_with_async`]. The server lists the tool; its own handler of it is not called.
    ///
    /// ```
    /// # use hallpass_rmcp::Gated;
    /// # use rmcp::model::{CallToolResult, ContentBlock};
    /// # fn with_mail<S>(gated: Gated<S>) -> Gated<S> {
    /// gated.tool_with_secrets("mail.send", |running, secrets| {
    ///     Box::pin(async move {
    ///         let key = secrets.get("mail-key").map(|secret| secret.expose());
    ///         // send it
    /// #       let _ = (key, running.args());
    ///         Ok(CallToolResult::success(vec![ContentBlock::text("sent")]))
    ///     })
    /// })
    /// # }
    /// ```
    pub fn tool_with_secrets<F>(mut self, name: &str, run: F) -> Self
    where
        F: for<'a> Fn(
                &'a Running,
                &'a Secrets,
            ) -> Pin<
                Box<dyn Future<Output = Result<CallToolResult, ErrorData>> + Send + 'a>,
            > + Send
            + Sync
            + 'static,
    {
        self.secret_tools.insert(name.to_owned(), Box::new(run));
        self
    }
}

impl<S: Service<RoleServer>> Gated<S> {
    /// Decides a request, and has it answered from what was decided about.
    async fn gate(
        &self,
        name: &str,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<Result<ServerResult, ErrorData>, Denial> {
        let permit = self.permit(name, &request, &context).await?;
        without_own(&mut context.meta);
        let cancelled = context.ct.clone();
        let mut cancelled = pin!(cancelled.cancelled());
        let mut ran = pin!(async {
            let ran = match self.secret_tools.get(name) {
                Some(tool) if matches!(request, ClientRequest::CallToolRequest(_)) => {
                    let run = async |running: &Running, secrets: &Secrets| {
                        Given::sorted(
                            tool(running, secrets).await.map(ServerResult::CallToolResult),
                        )
                    };
                    permit.run_with_async(run).await
                }
                _ => {
                    let run =
                        async |running: &Running| match with_arguments(request, running.args()) {
                            Ok(request) => {
                                Given::sorted(self.server.handle_request(request, context).await)
                            }
                            Err(error) => Err(Given::error(error)),
                        };
                    permit.run_async(run).await
                }
            };
            match ran {
                Ok(receipt) => Ok(*receipt.scrubbed().0),
                Err(RunError::Denied(denial)) => Err(denial),
                Err(RunError::Tool(error)) => Ok(*error.scrubbed().0),
            }
        });
        // What is cancelled is dropped, and so interrupted; no one waits for its answer.
        poll_fn(|cx| match cancelled.as_mut().poll(cx) {
            Poll::Ready(()) => {
                Poll::Ready(Ok(Err(ErrorData::internal_error("the request was cancelled", None))))
            }
            Poll::Pending => ran.as_mut().poll(cx),
        })
        .await
    }

    async fn permit(
        &self,
        name: &str,
        request: &ClientRequest,
        context: &RequestContext<RoleServer>,
    ) -> Result<Permit, Denial> {
        let presented = (self.presented)(context)?;
        let is_tool = matches!(request, ClientRequest::CallToolRequest(_));
        if is_tool && name.starts_with(RESERVED) {
            return Err(presented.deny(name, Reason::UnknownTool, "the name is reserved"));
        }
        if is_tool && self.doubled.has(name) {
            let why = "the server has two tools of this name";
            return Err(presented.deny(name, Reason::UnknownTool, why));
        }
        let args =
            arguments(request).map_err(|why| presented.deny(name, Reason::MalformedCall, why))?;
        let now = (self.context)(context);
        match context.meta.contains_key(PENDING) {
            false => presented.authorize(name, &args, &now).await,
            true => {
                let pending = text(context, PENDING).unwrap_or_default();
                presented.redeem(name, pending, &now).await
            }
        }
    }

    /// The names that the caller could use; none where that can't be told.
    ///
    /// # Errors
    /// That nothing can be decided now.
    async fn usable(&self, context: &RequestContext<RoleServer>) -> Result<Vec<String>, ErrorData> {
        let now = (self.context)(context);
        let tools = match (self.presented)(context) {
            Ok(presented) => presented.tools(&now).await,
            Err(denial) => Err(denial),
        };
        match tools {
            Ok(tools) => Ok(tools.iter().map(ToString::to_string).collect()),
            Err(denial) if denial.code() == hallpass::Code::Unavailable => {
                Err(told::refusal(&denial))
            }
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn list_tools(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let usable = self.usable(&context).await?;
        let presented = (self.presented)(&context);
        without_own(&mut context.meta);
        let (mut list, doubled) =
            tools::list(&self.server, request, &context, &self.doubled).await?;
        for name in doubled {
            let why = "the server lists two tools of this name";
            let _ = presented.as_ref().map(|own| own.deny(&name, Reason::UnknownTool, why));
        }
        list.tools.retain(|tool| {
            usable.iter().any(|own| *own == *tool.name) && !tool.name.starts_with(RESERVED)
        });
        Ok(listed(ServerResult::ListToolsResult(list), &context))
    }

    async fn list(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
        asked: &str,
    ) -> Result<ServerResult, ErrorData> {
        let usable = self.usable(&context).await?;
        without_own(&mut context.meta);
        let mut result = self.server.handle_request(request, context.clone()).await?;
        if !usable.iter().any(|own| own == asked) {
            show_nothing(&mut result);
        }
        Ok(listed(result, &context))
    }

    /// What is shown without being asked for has no capability that is refused.
    fn without_extensions(mut result: ServerResult) -> ServerResult {
        match &mut result {
            ServerResult::InitializeResult(own) => own.capabilities.extensions = None,
            ServerResult::DiscoverResult(own) => own.capabilities.extensions = None,
            _ => {}
        }
        result
    }
}

/// Takes out what is for the gate alone: no server has a use for it but to be someone else.
fn without_own(meta: &mut MetaObject) {
    for own in [TOKEN, PENDING] {
        meta.remove(own);
    }
}

fn listed(mut result: ServerResult, context: &RequestContext<RoleServer>) -> ServerResult {
    if context.protocol_version().is_some_and(|own| own >= ProtocolVersion::V_2026_07_28) {
        keep_from_caches(&mut result);
    }
    result
}

/// A list is one caller's, and what it shows changes with what is done.
fn keep_from_caches(result: &mut ServerResult) {
    let (ttl, scope) = match result {
        ServerResult::ListToolsResult(own) => (&mut own.ttl_ms, &mut own.cache_scope),
        ServerResult::ListPromptsResult(own) => (&mut own.ttl_ms, &mut own.cache_scope),
        ServerResult::ListResourcesResult(own) => (&mut own.ttl_ms, &mut own.cache_scope),
        ServerResult::ListResourceTemplatesResult(own) => (&mut own.ttl_ms, &mut own.cache_scope),
        _ => return,
    };
    (*ttl, *scope) = (Some(0), Some(CacheScope::Private));
}

fn show_nothing(result: &mut ServerResult) {
    match result {
        ServerResult::ListPromptsResult(own) => {
            own.prompts.clear();
            own.next_cursor = None;
        }
        ServerResult::ListResourcesResult(own) => {
            own.resources.clear();
            own.next_cursor = None;
        }
        ServerResult::ListResourceTemplatesResult(own) => {
            own.resource_templates.clear();
            own.next_cursor = None;
        }
        _ => {}
    }
}

impl<S: Service<RoleServer>> Service<RoleServer> for Gated<S> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        match Treatment::of(&request, context.protocol_version().as_ref()) {
            Treatment::Pass => {
                without_own(&mut context.meta);
                self.server.handle_request(request, context).await.map(Self::without_extensions)
            }
            Treatment::Refuse => {
                if let Ok(presented) = (self.presented)(&context) {
                    let name = format!("{RESERVED}{}", request.method());
                    let why = "a request that is not gated";
                    let _ = presented.deny(&name, Reason::UnknownTool, why);
                }
                Err(told::unknown())
            }
            Treatment::ListTools => self.list_tools(request, context).await,
            Treatment::List(asked) => self.list(request, context, asked).await,
            Treatment::Call => {
                let ClientRequest::CallToolRequest(call) = &request else {
                    return Err(told::unknown());
                };
                let name = call.params.name.clone();
                match self.gate(&name, request, context).await {
                    Ok(answer) => answer,
                    Err(denial) => told::denied_call(&denial),
                }
            }
            Treatment::Ask(name) => match self.gate(name, request, context).await {
                Ok(answer) => answer,
                Err(denial) => Err(told::refusal(&denial)),
            },
        }
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        mut context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        // What no specification has could do anything.
        if matches!(notification, ClientNotification::CustomNotification(_)) {
            return Ok(());
        }
        without_own(&mut context.meta);
        self.server.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        let mut info = self.server.get_info();
        info.capabilities.extensions = None;
        info
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.server.supported_protocol_versions()
    }
}

impl<S> fmt::Debug for Gated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").finish_non_exhaustive()
    }
}
