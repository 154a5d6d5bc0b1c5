//! A broker, a notifier, and a stand-in of the chat that looks at what it is sent as the chat documents it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hallpass::Pending;
use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass_chat::{HttpApi, Members, Notifier, SigningSecret, callbacks};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const TOKEN: &str = "xoxb-of-a-stand-in";

/// What time it is.
pub(crate) const NOW: u64 = 1_767_225_600;

pub(crate) fn secret() -> SigningSecret {
    SigningSecret::new(b"8f742231b10e8888abcd99yyyzzz85a5")
}

/// What the chat was sent.
#[derive(Clone, Default)]
pub(crate) struct Chat(Arc<Mutex<Vec<Value>>>);

impl Chat {
    pub(crate) fn last(&self) -> Value {
        self.0.lock().unwrap().last().expect("nothing was posted").clone()
    }
}

pub(crate) struct World {
    runtime: Runtime,
    broker: Broker,
    agent: Identity,
    _task: Task,
    grant: Grant,
    notifier: Notifier<HttpApi>,
    service: String,
    pub(crate) chat: Chat,
}

/// A method of the API: what it refuses, it answers with `ok: false` and a word.
async fn method(
    State(chat): State<Chat>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let answer = |answer: Value| (StatusCode::OK, answer.to_string());
    let refused = |why: &str| answer(json!({ "ok": false, "error": why }));
    if headers.get("authorization").is_none_or(|own| *own != format!("Bearer {TOKEN}")) {
        return refused("invalid_auth");
    }
    let Ok(mut message) = serde_json::from_str::<Value>(&body) else {
        return refused("invalid_json");
    };
    let text = |key: &str| message[key].as_str().is_some_and(|own| !own.is_empty());
    let needs: &[&str] = match method.as_str() {
        "chat.postMessage" => &["channel", "text"],
        "chat.update" => &["channel", "ts", "text"],
        "chat.postEphemeral" => &["channel", "user", "text"],
        _ => return refused("unknown_method"),
    };
    if !needs.iter().all(|key| text(key)) {
        return refused("invalid_arguments");
    }
    if message.get("blocks").is_some_and(|blocks| !are_blocks(blocks)) {
        return refused("invalid_blocks");
    }
    let mut posted = chat.0.lock().unwrap();
    if method == "chat.postMessage" {
        message["ts"] = format!("{NOW}.{:06}", posted.len()).into();
    }
    let ts = message["ts"].clone();
    posted.push(message);
    answer(json!({ "ok": true, "channel": "C-APPROVALS", "ts": ts }))
}

/// Whether blocks are within what the chat documents of these kinds.
fn are_blocks(blocks: &Value) -> bool {
    let within = |text: &Value, most: usize| {
        text["text"].as_str().is_some_and(|own| (1..=most).contains(&own.chars().count()))
    };
    let is_plain = |text: &Value, most: usize| text["type"] == "plain_text" && within(text, most);
    let is_button = |own: &Value| {
        own["type"] == "button"
            && is_plain(&own["text"], 75)
            && own["action_id"].as_str().is_some_and(|id| id.len() <= 255)
            && own["value"].as_str().is_some_and(|value| value.chars().count() <= 2_000)
            && ["primary", "danger"].iter().any(|style| own["style"] == *style)
    };
    let all = |own: &Value, most: usize, each: &dyn Fn(&Value) -> bool| {
        own["elements"]
            .as_array()
            .is_some_and(|all| (1..=most).contains(&all.len()) && all.iter().all(each))
    };
    let is_block = |own: &Value| match own["type"].as_str() {
        Some("section") => is_plain(&own["text"], 3_000),
        Some("context") => all(own, 10, &|text| is_plain(text, 3_000)),
        Some("actions") => all(own, 25, &is_button),
        _ => false,
    };
    blocks.as_array().is_some_and(|all| all.len() <= 50 && all.iter().all(is_block))
}

/// The body of the callback of a button, as a form.
pub(crate) fn clicked(message: &Value, action: &str, user: &str) -> String {
    let blocks = message["blocks"].as_array().unwrap();
    let buttons = blocks.iter().find(|own| own["type"] == "actions").unwrap();
    let buttons = buttons["elements"].as_array().unwrap();
    let button = buttons.iter().find(|own| own["action_id"] == action).unwrap();
    let payload = json!({
        "type": "block_actions",
        "user": { "id": user, "username": "ada", "team_id": "T-ACME" },
        "channel": { "id": "C-APPROVALS", "name": "approvals" },
        "message": message,
        "actions": [{
            "type": "button",
            "block_id": "answer",
            "action_id": button["action_id"],
            "value": button["value"],
            "action_ts": "1767225600.000100",
        }],
    });
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    format!("payload={}", payload.to_string().bytes().map(escaped).collect::<String>())
}

impl World {
    pub(crate) fn new() -> World {
        let runtime = Runtime::new().unwrap();
        let line = Reviewers::in_groups(has_any(["finance"]));
        let terms = ApprovalTerms::per(Per::Call).review(line);
        let rules = [
            Rule::permit("pay").tool("bank.pay").any_args(),
            Rule::ask("four-eyes").tool("bank.pay").approval(terms),
        ];
        let broker = Broker::new(Policy::builder().rules(rules).build().unwrap()).unwrap();
        let person = |name: &str, group: &str| {
            broker.assert_identity(Assertion::human(name).group(group)).unwrap()
        };
        let members = Members::new()
            .with("U-ADA", person("ada@acme.test", "finance"))
            .with("U-EVE", person("eve@acme.test", "sales"));
        let agent = broker.assert_identity("spiffe://acme.test/payer").unwrap();
        let task = broker.open(&agent, Purpose::new("pay-bill").ticket("INV-1")).unwrap();
        let grant = task.request(Scope::tool("bank.pay").any_args(), &Context::new()).unwrap();
        let chat = Chat::default();
        let stand_in = Router::new().route("/api/{method}", post(method)).with_state(chat.clone());
        let address = serve(&runtime, stand_in);
        let api = || HttpApi::new(&address, TOKEN);
        let service = callbacks(broker.reviews(), members, secret(), api(), || NOW);
        let service = serve(&runtime, service);
        let page = "https://approvals.acme.test/#";
        let notifier = Notifier::new(broker.reviews(), api(), "C-APPROVALS", page);
        World { runtime, broker, agent, _task: task, grant, notifier, service, chat }
    }

    pub(crate) fn ask(&self, args: Value) -> Pending {
        let call = Call::new("bank.pay", args).unwrap();
        let denial = self.broker.gate().authorize(&self.grant, &self.agent, call, &Context::new());
        denial.unwrap_err().pending().unwrap().clone()
    }

    /// The notifier takes the next change.
    pub(crate) fn step(&mut self) {
        self.runtime.block_on(self.notifier.step()).unwrap();
    }

    /// What is attested of somebody changes: the notifier is told to look again.
    pub(crate) fn restate(&self) {
        let facts = Assertion::human("zoe").group("sales");
        self.broker.control().restate(facts).unwrap().finish();
    }

    /// Somebody clicks a button of a message: the status that the chat gets.
    pub(crate) fn click(&self, message: &Value, action: &str, user: &str) -> u16 {
        let (body, now) = (clicked(message, action, user), NOW.to_string());
        self.post(&body, Some(&now), Some(&secret().sign(&now, body.as_bytes())))
    }

    pub(crate) fn post(&self, body: &str, time: Option<&str>, signature: Option<&str>) -> u16 {
        let header = |name: &str, value: Option<&str>| {
            value.map_or(String::new(), |value| format!("{name}: {value}\r\n"))
        };
        let request = format!(
            "POST /chat/actions HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{}{}\r\n{body}",
            self.service,
            body.len(),
            header("X-Slack-Request-Timestamp", time),
            header("X-Slack-Signature", signature),
        );
        let answer = self.runtime.block_on(async {
            let mut stream = TcpStream::connect(&self.service).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// What the tool got, if it ran.
    pub(crate) fn redeem(&self, pending: &Pending) -> Option<String> {
        let gate = self.broker.gate();
        let permit = gate.redeem(pending, &self.grant, &self.agent, &Context::new()).ok()?;
        let run = permit.run(|running| Ok::<_, std::io::Error>(running.args().to_json()));
        Some(run.unwrap().raw())
    }
}

fn serve(runtime: &Runtime, service: Router) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    runtime.spawn(async move { axum::serve(listener, service).await });
    address
}
