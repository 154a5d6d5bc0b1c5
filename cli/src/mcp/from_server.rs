//! What comes from the server.

use std::collections::BTreeSet;

use hallpass::policy::Tool;
use hallpass::value::{Digest, Value};
use hallpass::{Denial, Reason};

use super::answer;
use super::capabilities::{chosen, of_server};
use super::desk::Waiting;
use super::input::{gated_error, gated_input};
use super::proxy::Proxy;
use super::revision::{RESERVED, Revision};
use crate::errand::{Outcome, Started};
use crate::remark::{remark, shown};
use crate::rpc::frame::Frame;
use crate::rpc::members::Members;
use crate::rpc::message::{Answer, Id, Message, notification, object, request, response};
use crate::rpc::params::{args_of, check_id, params_of, passing};
use crate::rpc::session::Step;

const META: &[&str] = &["_meta"];

impl Proxy {
    /// Takes one frame of the server.
    pub(super) fn take_from_server(&self, frame: &Frame) -> Step {
        let Frame::Line(line) = frame else {
            return Step::End("the server wrote a message that is too long".to_owned());
        };
        match Message::read(line) {
            Ok(Message::Response { id, answer }) => self.server_answers(&id, answer),
            Ok(Message::Request { id, method, params }) => self.server_asks(id, &method, params),
            Ok(Message::Notification { method, params }) => self.server_tells(&method, params),
            // Servers that print to standard output what belongs on standard error are common, and do no harm.
            Err(_) if !matches!(line.trim_ascii_start().first(), Some(b'{' | b'[')) => {
                remark(&format!("not a message: {}", shown(&String::from_utf8_lossy(line))));
                Step::GoOn
            }
            // Which call it answers can't be told, and one that waits for it would wait for ever.
            Err(error) => {
                Step::End(format!("the server wrote what is not a message: {}", error.why))
            }
        }
    }

    fn server_answers(&self, id: &Id, answer: Answer<'_>) -> Step {
        let waiting = self.desk().of_client.answered(id);
        let Some(waiting) = waiting else {
            // No one asked, or it was cancelled.
            return Step::GoOn;
        };
        let result = match answer {
            Answer::Result(result) => result,
            Answer::Error(error) => {
                if let Waiting::Call { started, .. } = waiting {
                    self.keeper.finish(started, Outcome::Error);
                }
                self.failed(id, error);
                return Step::GoOn;
            }
        };
        match waiting {
            Waiting::Pass => self.hand_on_result(id, result),
            Waiting::Initialize => return self.initialized(id, result),
            Waiting::Discover => match of_server(result, false) {
                Ok(result) => self.hand_on_result(id, &result),
                Err(_) => self.hand_on_unreadable(id),
            },
            Waiting::ListTools { revision, continues } => {
                match self.listed(result, revision, continues) {
                    Some(result) => self.hand_on_result(id, &result),
                    None => self.hand_on_unreadable(id),
                }
            }
            Waiting::Call { started, revision, of_tool } => {
                self.returned(id, result, started, revision, of_tool);
            }
        }
        Step::GoOn
    }

    /// An error, which may ask the client's user to open an address.
    fn failed(&self, id: &Id, error: &str) {
        match gated_error(&self.keeper, error) {
            Ok(error) => {
                self.to_client.hand_on(response(id, Answer::Error(&error)));
            }
            Err(denial) => {
                self.explain("mcp:elicitation", &denial);
                self.to_client.hand_on(answer::refusal(id, &denial));
            }
        }
    }

    fn hand_on_result(&self, id: &Id, result: &str) {
        self.to_client.hand_on(response(id, Answer::Result(result)));
    }

    fn hand_on_unreadable(&self, id: &Id) {
        let why = "the server's answer can't be read";
        self.to_client.hand_on(answer::error(Some(id), answer::INTERNAL_ERROR, why));
    }

    fn initialized(&self, id: &Id, result: &str) -> Step {
        let revision = match chosen(result) {
            Ok(revision) => revision,
            Err(why) => {
                let told = answer::error(Some(id), answer::INTERNAL_ERROR, &why);
                self.to_client.hand_on(told);
                return Step::End(why);
            }
        };
        match of_server(result, self.keeper.remembers) {
            Ok(result) => {
                self.desk().negotiated = Some(revision);
                self.hand_on_result(id, &result);
                Step::GoOn
            }
            Err(error) => Step::End(format!("the server's capabilities can't be read: {error}")),
        }
    }

    /// What a call has given.
    fn returned(
        &self,
        id: &Id,
        result: &str,
        started: Box<Started>,
        revision: Revision,
        of_tool: bool,
    ) {
        let (outcome, told) = match kind_of(result, revision) {
            Returned::Complete { is_error: true } => (Outcome::Error, Ok(None)),
            Returned::Complete { is_error: false } => (Outcome::Ok, Ok(None)),
            Returned::InputRequired => {
                (Outcome::Ok, gated_input(&self.keeper, result, revision).map(Some))
            }
            Returned::Unknown => {
                let why = "the result is of a kind that the revision does not know";
                let denial = self.keeper.deny("mcp:result", Reason::MalformedCall, why);
                (Outcome::Error, Err(denial))
            }
        };
        self.keeper.finish(started, outcome);
        match told {
            Ok(None) => self.hand_on_result(id, result),
            Ok(Some(result)) => self.hand_on_result(id, &result),
            Err(denial) => {
                self.explain("mcp:result", &denial);
                let refused = match of_tool {
                    true => answer::denied_call(id, &denial, revision),
                    false => answer::refusal(id, &denial),
                };
                self.to_client.hand_on(refused);
            }
        }
        self.tell_of_changes(revision);
    }

    /// Tells the client that its list of tools is another now, since a call has changed what the task has seen. From
    /// `2026-07-28` on a list is good for no time at all, and nothing is told.
    fn tell_of_changes(&self, revision: Revision) {
        if !self.keeper.remembers || !revision.has_handshake() {
            return;
        }
        let askable = |names: &BTreeSet<String>| {
            let askable = self.keeper.askable(names.iter().map(String::as_str));
            askable.iter().map(ToString::to_string).collect()
        };
        let is_changed = self.desk().tools.changed(askable);
        if is_changed {
            self.to_client.hand_on(notification("notifications/tools/list_changed", None));
        }
    }

    /// A page of the server's tools, with those that could be permitted; `None` where it can't be read.
    fn listed(&self, result: &str, revision: Revision, continues: bool) -> Option<String> {
        let members = Members::of(result).ok()?;
        let tools = crate::rpc::members::elements(members.get("tools")?)?;
        let named: Vec<(String, &str)> = tools
            .into_iter()
            .filter_map(|tool| Some((Members::of(tool).ok()?.text("name")?, tool)))
            .collect();
        let names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
        let mut desk = self.desk();
        if !continues {
            desk.tools.begin();
        }
        let again = desk.tools.note(&names);
        let mut changed: Vec<&str> = Vec::new();
        for (name, tool) in &named {
            let Some(pin) = self.keeper.pins.get(name) else { continue };
            let as_pinned = definition_digest(tool).as_ref() == Some(pin);
            desk.tools.note_pinned(name, as_pinned);
            changed.extend((!as_pinned).then_some(name.as_str()));
        }
        let is_left_out =
            |name: &String| desk.tools.is_doubled(name) || desk.tools.is_changed(name);
        let is_left_out: Vec<bool> = names.iter().map(is_left_out).collect();
        drop(desk);
        for name in changed {
            let why = "the server describes the tool otherwise than it is pinned";
            let _ = self.deny(name, Reason::ToolChanged, why);
        }
        for name in again {
            let _ =
                self.deny(&name, Reason::UnknownTool, "the server lists two tools of this name");
        }
        for name in names.iter().filter(|name| name.starts_with(RESERVED)) {
            let _ = self.deny(name, Reason::UnknownTool, "a tool has a name that is reserved");
        }
        let askable = self.keeper.askable(names.iter().map(String::as_str));
        let shown = named.iter().zip(&is_left_out).filter(|((name, _), left_out)| {
            let could = askable.binary_search_by(|own| own.as_str().cmp(name)).is_ok();
            could && !**left_out && !name.starts_with(RESERVED)
        });
        let shown: Vec<&(String, &str)> = shown.map(|(tool, _)| tool).collect();
        self.desk().tools.show(shown.iter().map(|(name, _)| name.as_str()));
        let shown: Vec<&str> = shown.iter().map(|(_, tool)| *tool).collect();
        let shown = format!("[{}]", shown.join(","));
        // What may be listed changes with what is done: no one keeps it, and no one shares it.
        let cached = [("ttlMs", "0"), ("cacheScope", r#""private""#)];
        let cached = cached.into_iter().filter(|_| revision.types_results());
        let others =
            members.iter().filter(|(name, _)| !matches!(*name, "tools" | "ttlMs" | "cacheScope"));
        Some(object(others.chain([("tools", shown.as_str())]).chain(cached)))
    }

    /// A request of the server's own: for a sample of the client's model, a word of its user, its roots.
    fn server_asks(&self, id: Id, method: &str, params: Option<&str>) -> Step {
        // From `2026-07-28` on, servers ask within results.
        let revision = self.desk().negotiated;
        if method == "ping" && revision.is_some() {
            let mut desk = self.desk();
            if !desk.closed && check_id(&self.to_server, &id, desk.of_server.check(&id)) {
                desk.of_server.open(id.clone(), Waiting::Pass);
                drop(desk);
                self.to_client.hand_on(request(&id, method, params));
            }
            return Step::GoOn;
        }
        let Some((revision, name)) =
            revision.and_then(|revision| Some((revision, revision.of_server(method)?)))
        else {
            let why = "a request of the server that the revision does not know";
            let _ = self.deny(&format!("{RESERVED}{method}"), Reason::UnknownTool, why);
            let code = answer::METHOD_NOT_FOUND;
            return self.tell_server(answer::error(Some(&id), code, "method not found"));
        };
        let Ok(params) = Members::of(params.unwrap_or("{}")) else {
            let denial = self.deny(name, Reason::MalformedCall, "`params` can't be read");
            return self.tell_server(turned_down(&id, name, &denial));
        };
        let mut desk = self.desk();
        if desk.closed || !check_id(&self.to_server, &id, desk.of_server.check(&id)) {
            return Step::GoOn;
        }
        match self.keeper.start(name, &args_of(&params, META)) {
            Ok(started) => {
                let params = params_of(started.args(), passing(&params, META));
                let waiting = Waiting::Call { started, revision, of_tool: false };
                desk.of_server.open(id.clone(), waiting);
                drop(desk);
                self.to_client.hand_on(request(&id, method, Some(&params)));
                Step::GoOn
            }
            Err(denial) => {
                drop(desk);
                self.explain(name, &denial);
                self.tell_server(turned_down(&id, name, &denial))
            }
        }
    }

    /// Answers the server. One that does not read what it asked for is ended: what it gets has to go somewhere.
    fn tell_server(&self, line: Vec<u8>) -> Step {
        match self.to_server.answer(line) {
            true => Step::GoOn,
            false => Step::End("the server does not read what it is answered".to_owned()),
        }
    }

    fn server_tells(&self, method: &str, params: Option<&str>) -> Step {
        let revision = self.desk().revision();
        if !revision.is_some_and(|own| own.knows_notification_of_server(method)) {
            let why = "a notification of the server that the revision does not know";
            let _ = self.deny(&format!("{RESERVED}{method}"), Reason::UnknownTool, why);
            return Step::GoOn;
        }
        if method == "notifications/cancelled" {
            let cancelled =
                Id::named(params, "requestId").and_then(|id| self.desk().of_server.cancel(&id));
            match cancelled {
                Some(waiting) => self.interrupt(waiting),
                None => return Step::GoOn,
            }
        }
        self.to_client.hand_on(notification(method, params));
        Step::GoOn
    }
}

/// The digest of a tool's definition; nothing of one that two readers could read differently.
pub(super) fn definition_digest(tool: &str) -> Option<Digest> {
    Some(Tool::definition_digest(Value::from_json(tool).ok()?.as_object()?))
}

/// How a client says no to what a server asks of it.
fn turned_down(id: &Id, name: &str, denial: &Denial) -> Vec<u8> {
    match name {
        "mcp:elicitation" => response(id, Answer::Result(r#"{"action":"decline"}"#)),
        _ => answer::error(Some(id), answer::TURNED_DOWN, &denial.to_string()),
    }
}

/// What kind of result a call has given.
enum Returned {
    Complete {
        is_error: bool,
    },
    /// The server asks for something first.
    InputRequired,
    Unknown,
}

fn kind_of(result: &str, revision: Revision) -> Returned {
    let Ok(members) = Members::of(result) else { return Returned::Unknown };
    // Some clients read names in any case.
    let exact = ["resultType", "inputRequests"];
    let looks_like =
        |name: &str| exact.iter().any(|own| *own != name && own.eq_ignore_ascii_case(name));
    if members.iter().any(|(name, _)| looks_like(name)) {
        return Returned::Unknown;
    }
    let is_input = members.get("inputRequests").is_some();
    let kind = members.get("resultType").map(|_| members.text("resultType").unwrap_or_default());
    match kind.as_deref() {
        None | Some("complete") if !is_input => {
            Returned::Complete { is_error: members.get("isError") == Some("true") }
        }
        Some("input_required") if !revision.has_handshake() => Returned::InputRequired,
        _ => Returned::Unknown,
    }
}
