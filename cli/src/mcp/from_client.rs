//! What comes from the client.

use hallpass::Reason;

use super::answer;
use super::capabilities::of_client as with_client_capabilities;
use super::desk::{Desk, Waiting};
use super::proxy::Proxy;
use super::revision::{Kind, RESERVED, REVISION_KEY, Revision, Treatment, result_type};
use crate::errand::Outcome;
use crate::rpc::frame::Frame;
use crate::rpc::members::Members;
use crate::rpc::message::{Answer, Id, Message, notification, object, quoted, request, response};
use crate::rpc::params::{args_of, check_id, params_of, passing};

/// What of a request's parameters is passed on as it came: what the protocol itself says with a request.
const META: &[&str] = &["_meta"];
/// The same of a revision in which a request is repeated with answers to what the server asked.
const META_AND_ANSWERS: &[&str] = &["_meta", "inputResponses", "requestState"];

/// What a request of the client is, once its revision is known.
struct Asked<'m> {
    id: Id,
    method: String,
    params: Option<&'m str>,
    revision: Revision,
}

/// Why a request can't be read by any revision.
enum NoRevision {
    /// It states one that hallpass does not know.
    Unknown,
    Because(String),
}

impl Proxy {
    /// Takes one frame of the client.
    pub(super) fn take_from_client(&self, frame: &Frame) {
        let Frame::Line(line) = frame else {
            return self.refuse_frame(None, answer::INVALID_REQUEST, "a message that is too long");
        };
        match Message::read(line) {
            Ok(Message::Request { id, method, params }) => self.client_asks(id, method, params),
            Ok(Message::Notification { method, params }) => self.client_tells(&method, params),
            Ok(Message::Response { id, answer }) => self.client_answers(&id, answer),
            Err(error) => {
                let code =
                    if error.unreadable { answer::PARSE_ERROR } else { answer::INVALID_REQUEST };
                self.refuse_frame(error.id.as_ref(), code, &error.why);
            }
        }
    }

    fn refuse_frame(&self, id: Option<&Id>, code: i64, why: &str) {
        let _ = self.deny("mcp:frame", Reason::MalformedCall, why);
        self.to_client.answer(answer::error(id, code, why));
    }

    fn client_asks(&self, id: Id, method: String, params: Option<&str>) {
        let revision = match self.revision_of(&method, params) {
            Ok(revision) => revision,
            Err(NoRevision::Unknown) => {
                let _ = self.deny("mcp:frame", Reason::MalformedCall, "an unknown revision");
                self.to_client.answer(answer::unknown_revision(&id));
                return;
            }
            Err(NoRevision::Because(why)) => {
                return self.refuse_frame(Some(&id), answer::INVALID_REQUEST, &why);
            }
        };
        let Some(treatment) = revision.of_client(&method) else {
            let name = format!("{RESERVED}{method}");
            let _ = self.deny(&name, Reason::UnknownTool, "the revision has no such method");
            let code = answer::METHOD_NOT_FOUND;
            self.to_client.answer(answer::error(Some(&id), code, "method not found"));
            return;
        };
        let asked = Asked { id, method, params, revision };
        match treatment {
            Treatment::Pass => self.pass(&asked, Waiting::Pass),
            Treatment::Initialize => self.initialize(&asked),
            Treatment::Discover => self.pass(&asked, Waiting::Discover),
            Treatment::ListTools => {
                let cursor = params.and_then(|params| Members::of(params).ok()?.get("cursor"));
                let continues = cursor.is_some_and(|cursor| cursor != "null");
                self.pass(&asked, Waiting::ListTools { revision, continues });
            }
            Treatment::List(_, name) if self.keeper.could_ask(name) => {
                self.pass(&asked, Waiting::Pass);
            }
            Treatment::List(kind, _) => self.list_nothing(&asked, kind),
            Treatment::Call => self.call(&asked),
            Treatment::Ask(name) => self.ask(&asked, name),
        }
    }

    /// The revision by which a request is read: that which it states itself, or that which was agreed on.
    fn revision_of(&self, method: &str, params: Option<&str>) -> Result<Revision, NoRevision> {
        let because = |what: &str, error| NoRevision::Because(format!("`{what}`: {error}"));
        let members = Members::of(params.unwrap_or("{}"));
        let members = members.map_err(|error| because("params", error))?;
        let meta = members.get("_meta").map(Members::of).transpose();
        let meta = meta.map_err(|error| because("_meta", error))?.unwrap_or_default();
        if let Some(stated) = meta.text(REVISION_KEY) {
            let known = Revision::named(&stated).filter(|known| !known.has_handshake());
            let revision = known.ok_or(NoRevision::Unknown)?;
            self.desk().stated = Some(revision);
            return Ok(revision);
        }
        match self.desk().negotiated {
            Some(revision) => Ok(revision),
            None if matches!(method, "initialize" | "ping") => Ok(Revision::V2025_11_25),
            None => Err(NoRevision::Because("begin with `initialize`".to_owned())),
        }
    }

    /// Hands a request on of which nothing is decided.
    fn pass(&self, asked: &Asked<'_>, waiting: Waiting) {
        self.pass_with(asked, waiting, asked.params);
    }

    fn pass_with(&self, asked: &Asked<'_>, waiting: Waiting, params: Option<&str>) {
        let mut desk = self.desk();
        if desk.closed || !check_id(&self.to_client, &asked.id, desk.of_client.check(&asked.id)) {
            return;
        }
        desk.of_client.open(asked.id.clone(), waiting);
        drop(desk);
        self.to_server.hand_on(request(&asked.id, &asked.method, params));
    }

    fn initialize(&self, asked: &Asked<'_>) {
        if self.desk().negotiated.is_some() {
            let why = "the session has begun already";
            return self.refuse_frame(Some(&asked.id), answer::INVALID_REQUEST, why);
        }
        let could = |name: &str| self.keeper.could_ask(name);
        match with_client_capabilities(asked.params.unwrap_or("{}"), could) {
            Ok(params) => self.pass_with(asked, Waiting::Initialize, Some(&params)),
            Err(error) => {
                let why = format!("`capabilities`: {error}");
                self.refuse_frame(Some(&asked.id), answer::INVALID_REQUEST, &why);
            }
        }
    }

    fn list_nothing(&self, asked: &Asked<'_>, kind: Kind) {
        let mut members = vec![(kind.member(), "[]".to_owned())];
        if let Some(kind) = result_type(asked.revision) {
            members.extend([kind, ("ttlMs", "0".into()), ("cacheScope", quoted("private"))]);
        }
        let result = object(members.iter().map(|(name, value)| (*name, value.as_str())));
        self.to_client.answer(response(&asked.id, Answer::Result(&result)));
    }

    fn check_pinned(&self, desk: &Desk, name: &str) -> Result<(), &'static str> {
        if self.keeper.pins.contains_key(name) { desk.tools.check_pinned(name) } else { Ok(()) }
    }

    /// A call of a tool. The model sees why it is denied.
    fn call(&self, asked: &Asked<'_>) {
        let Asked { id, revision, .. } = asked;
        // It was read before, when the revision was looked for.
        let params = Members::of(asked.params.unwrap_or("{}")).unwrap_or_default();
        let passed = passed_in(*revision);
        let name = params.text("name").unwrap_or_default();
        let unknown = params
            .iter()
            .map(|(name, _)| name)
            .find(|name| !matches!(*name, "name" | "arguments") && !passed.contains(name));
        let args = params.get("arguments").filter(|args| *args != "null").unwrap_or("{}");
        let mut desk = self.desk();
        if desk.closed || !check_id(&self.to_client, id, desk.of_client.check(id)) {
            return;
        }
        let started = if let Some(unknown) = unknown {
            let why = format!("`params` has `{unknown}`, which no one could be asked about");
            Err(self.keeper.deny(&name, Reason::MalformedCall, &why))
        } else if name.starts_with(RESERVED) {
            let why = "the name is reserved for what is not a tool";
            Err(self.keeper.deny(&name, Reason::UnknownTool, why))
        } else if desk.tools.is_doubled(&name) {
            let why = "the server has two tools of this name";
            Err(self.keeper.deny(&name, Reason::UnknownTool, why))
        } else if let Err(why) = self.check_pinned(&desk, &name) {
            Err(self.keeper.deny(&name, Reason::ToolChanged, why))
        } else {
            self.keeper.start(&name, args)
        };
        let started = match started {
            Ok(started) => started,
            Err(denial) => {
                drop(desk);
                self.explain(&name, &denial);
                self.to_client.answer(answer::denied_call(id, &denial, *revision));
                return;
            }
        };
        let (name, args) = (quoted(&name), started.args().to_json());
        let decided = [("name", name.as_str()), ("arguments", args.as_str())];
        let params = object(decided.into_iter().chain(passing(&params, passed)));
        let waiting = Waiting::Call { started, revision: *revision, of_tool: true };
        desk.of_client.open(id.clone(), waiting);
        drop(desk);
        self.to_server.hand_on(request(id, &asked.method, Some(&params)));
    }

    /// What is asked for under a reserved name.
    fn ask(&self, asked: &Asked<'_>, name: &'static str) {
        let Asked { id, revision, .. } = asked;
        let params = Members::of(asked.params.unwrap_or("{}")).unwrap_or_default();
        let passed = passed_in(*revision);
        let mut desk = self.desk();
        if desk.closed || !check_id(&self.to_client, id, desk.of_client.check(id)) {
            return;
        }
        match self.keeper.start(name, &args_of(&params, passed)) {
            Ok(started) => {
                let params = params_of(started.args(), passing(&params, passed));
                let waiting = Waiting::Call { started, revision: *revision, of_tool: false };
                desk.of_client.open(id.clone(), waiting);
                drop(desk);
                self.to_server.hand_on(request(id, &asked.method, Some(&params)));
            }
            Err(denial) => {
                drop(desk);
                self.explain(name, &denial);
                self.to_client.answer(answer::refusal(id, &denial));
            }
        }
    }

    fn client_tells(&self, method: &str, params: Option<&str>) {
        let revision = self.desk().revision();
        if !revision.is_some_and(|own| own.knows_notification_of_client(method)) {
            let why = "the revision has no such notification";
            let _ = self.deny(&format!("{RESERVED}{method}"), Reason::UnknownTool, why);
            return;
        }
        if method == "notifications/cancelled" {
            let Some(id) = Id::named(params, "requestId") else { return };
            let cancelled = self.desk().of_client.cancel(&id);
            match cancelled {
                Some(waiting) => self.interrupt(waiting),
                None => return,
            }
        }
        self.to_server.hand_on(notification(method, params));
    }

    /// The client's answer to a request of the server.
    fn client_answers(&self, id: &Id, answer: Answer<'_>) {
        let waiting = self.desk().of_server.answered(id);
        match waiting {
            Some(Waiting::Call { started, .. }) => {
                let outcome = match answer {
                    Answer::Result(_) => Outcome::Ok,
                    Answer::Error(_) => Outcome::Error,
                };
                self.keeper.finish(started, outcome);
            }
            Some(_) => {}
            // No one asked, or the answer comes too late.
            None => return,
        }
        self.to_server.hand_on(response(id, answer));
    }
}

fn passed_in(revision: Revision) -> &'static [&'static str] {
    if revision.has_handshake() { META } else { META_AND_ANSWERS }
}
