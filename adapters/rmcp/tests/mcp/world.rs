//! A server, its gate, and a client over a pipe in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::{Event, MemoryLog, Outcome};
use hallpass::{Broker, BrokerBuilder, Policy, Purpose, Scope, Session};
use hallpass_rmcp::Gated;
#[expect(deprecated, reason = "it is of the revisions that have it")]
use rmcp::model::SetLevelRequestParams;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, JsonObject, ListPromptsResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, Prompt, PromptMessage,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceContents, Role, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, RunningService};
use rmcp::{ErrorData, RoleClient, ServerHandler, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) const SECRET: &str = "fD3kW9sLq2-fD3kW9sLq2";

/// A server that notes what reaches it.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    pub(crate) notes: Arc<Mutex<Vec<String>>>,
    pub(crate) started: Arc<Notify>,
    /// Its list has no last page.
    pub(crate) endless: bool,
}

impl Desk {
    fn note(&self, text: String) {
        self.notes.lock().unwrap().push(text);
    }

    /// Notes members of `_meta` that are the gate's alone.
    fn note_hallpass<'n>(&self, method: &str, names: impl Iterator<Item = &'n String>) {
        for name in names.filter(|name| name.starts_with("hallpass/")) {
            self.note(format!("{method} with {name}"));
        }
    }
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        let able = ServerCapabilities::builder();
        ServerConfig::new(able.enable_tools().enable_resources().enable_prompts().build())
    }

    async fn list_tools(
        &self,
        params: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.note_hallpass("tools/list", context.meta.keys());
        let tool = |name: &&'static str| Tool::new(*name, "one of the desk's", JsonObject::new());
        let cursor = params.and_then(|own| own.cursor).unwrap_or_default();
        let (names, next): (&[&str], _) = match &*cursor {
            "" => (&["add", "erase", "twice", "hang"], Some("2")),
            "2" => (&["panic", "leak", "mail", "same", "same"], Some("3")),
            _ => (&["twice", "mcp:roots"], self.endless.then_some("3")),
        };
        let mut page = ListToolsResult::with_all_items(names.iter().map(tool).collect());
        page.next_cursor = next.map(str::to_owned);
        Ok(page)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        for own in ["hallpass/token", "hallpass/pending"] {
            assert!(!context.meta.contains_key(own));
        }
        let args = Value::from(call.arguments.unwrap_or_default());
        self.note(format!("{} {args}", call.name));
        let told = match &*call.name {
            "add" => (args["a"].as_i64().unwrap() + args["b"].as_i64().unwrap()).to_string(),
            "hang" => {
                self.started.notify_one();
                std::future::pending().await
            }
            "panic" => panic!("on cue"),
            "leak" => SECRET.to_owned(),
            "long" => "x".repeat(10 << 20),
            "fail" => return Err(ErrorData::internal_error(format!("it failed: {SECRET}"), None)),
            _ => "done".to_owned(),
        };
        let content = vec![ContentBlock::text(told)];
        Ok(match args["fails"] == true {
            true => CallToolResult::error(content),
            false => CallToolResult::success(content),
        }
        .into())
    }

    #[expect(deprecated, reason = "it is of the revisions that have it")]
    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.note_hallpass("logging/setLevel", context.meta.keys());
        Ok(())
    }

    async fn on_progress(
        &self,
        _: ProgressNotificationParam,
        context: NotificationContext<RoleServer>,
    ) {
        self.note_hallpass("progress", context.meta.keys());
        self.started.notify_one();
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(vec![Resource::new("file:///a", "a")]))
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.note(format!("read {}", params.uri));
        Ok(ReadResourceResult::new(vec![ResourceContents::text("held", params.uri)]).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(vec![Prompt::new("greet", None::<String>, None)]))
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.note(format!(
            "prompt {} {}",
            params.name,
            Value::from(params.arguments.unwrap_or_default())
        ));
        Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, "hello")]).into())
    }
}

/// A client of a gated server.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) log: MemoryLog,
    pub(crate) session: Session,
    pub(crate) desk: Desk,
    pub(crate) client: RunningService<RoleClient, ()>,
    pub(crate) server: tokio::task::JoinHandle<()>,
}

pub(crate) async fn world(policy: &str, scope: &str) -> World {
    built(policy, scope, |builder| builder, |gated| gated).await
}

pub(crate) async fn built(
    policy: &str,
    scope: &str,
    build: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    tell: impl FnOnce(Gated<Desk>) -> Gated<Desk>,
) -> World {
    let log = MemoryLog::new();
    let policy = Policy::from_toml(policy).unwrap();
    let broker = build(Broker::builder(policy).log(log.clone())).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let wanted = Scope::from_json(scope).unwrap();
    let session = broker.session(&agent, Purpose::new("sums"), wanted).unwrap();
    let desk = Desk::default();
    let gated = tell(Gated::new(desk.clone(), session.clone()));
    let (client, server) = connect(gated).await;
    World { broker, log, session, desk, client, server }
}

/// Serves over a pipe, and connects a client.
pub(crate) async fn connect(
    gated: Gated<Desk>,
) -> (RunningService<RoleClient, ()>, tokio::task::JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(async move {
        let _ = gated.serve(ours).await.unwrap().waiting().await;
    });
    (().serve(theirs).await.unwrap(), server)
}

/// What a tool's result says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) is_error: bool,
    pub(crate) code: Option<String>,
    pub(crate) pending: Option<String>,
}

pub(crate) fn params(tool: &str, args: Value) -> CallToolRequestParams {
    let Value::Object(args) = args else { panic!("an object") };
    CallToolRequestParams::new(tool.to_owned()).with_arguments(args)
}

pub(crate) fn told(result: &CallToolResult) -> Told {
    let result = serde_json::to_value(result).unwrap();
    let meta = |name: &str| result["_meta"][name].as_str().map(str::to_owned);
    Told {
        text: result["content"][0]["text"].as_str().unwrap().to_owned(),
        is_error: result["isError"] == true,
        code: meta("hallpass/code"),
        pending: meta("hallpass/pending"),
    }
}

impl World {
    pub(crate) async fn call(&self, tool: &str, args: Value) -> Told {
        told(&self.client.call_tool(params(tool, args)).await.unwrap())
    }

    /// Calls with something in `_meta`.
    pub(crate) async fn call_with(&self, tool: &str, args: Value, meta: Value) -> Told {
        let mut params = params(tool, args);
        params.meta = Some(serde_json::from_value(meta).unwrap());
        told(&self.client.call_tool(params).await.unwrap())
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.desk.notes.lock().unwrap().clone()
    }

    pub(crate) fn outcomes(&self) -> Vec<Option<Outcome>> {
        assert_eq!(self.broker.flush(), 0);
        let records = self.log.records();
        let outcome_of = |number| {
            let mut outcomes = records.iter().filter_map(|record| match record.event {
                Event::Outcome { of, outcome, .. } if of == number => Some(outcome),
                _ => None,
            });
            let outcome = outcomes.next();
            assert_eq!(outcomes.next(), None, "a permit has one outcome");
            outcome
        };
        let permits = records.iter().filter(|own| matches!(own.event, Event::Permitted { .. }));
        permits.map(|permit| outcome_of(permit.seq)).collect()
    }

    /// Waits until each permit of `many` has its outcome: no client is told when a server has let go.
    pub(crate) async fn settled(&self, many: usize) -> Vec<Outcome> {
        for _ in 0..2000 {
            let outcomes: Option<Vec<Outcome>> = self.outcomes().into_iter().collect();
            match outcomes {
                Some(outcomes) if outcomes.len() == many => return outcomes,
                _ => std::thread::park_timeout(Duration::from_millis(2)),
            }
            tokio::task::yield_now().await;
        }
        panic!("{many} permits, {:?}", self.outcomes())
    }

    pub(crate) fn reasons(&self) -> Vec<String> {
        assert_eq!(self.broker.flush(), 0);
        let records = self.log.records();
        // Of equal denials ten stand in full, and those after them are counted.
        let reasons = |record: &hallpass::audit::Record| match &record.event {
            Event::Denied { reason, .. } => vec![reason.to_string()],
            Event::DeniedAgain(again) => vec![again.reason.to_string(); again.count as usize],
            _ => Vec::new(),
        };
        records.iter().flat_map(reasons).collect()
    }

    /// Ends the session; nothing stands then, and the log is in order.
    pub(crate) async fn end(self) {
        self.client.cancel().await.unwrap();
        self.server.await.unwrap();
        self.session.end();
        hallpass::assert_nothing_stands!(self.broker);
        assert_eq!(self.broker.flush(), 0);
        self.broker.verify(&self.log).unwrap();
    }
}

pub(crate) fn sum(a: i64, b: i64) -> Value {
    json!({ "a": a, "b": b, "fails": false })
}
