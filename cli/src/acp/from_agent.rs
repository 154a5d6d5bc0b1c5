//! What comes from the agent: what it asks the editor for, and its answers to prompts.

use std::borrow::Cow;

use hallpass::{Denial, Reason};

use super::desk::{Asked, Awaited, Desk, Phase, What};
use super::from_editor::known;
use super::gate::{AcpGate, is_own};
use super::methods::{
    About, CANCEL_REQUEST, CAPABILITIES_OF_AGENT, OfAgent, PREFIX, SIGN_IN_MEMBERS, SIGN_IN_TYPES,
    VERSION, agent_tells, of_agent,
};
use super::permission;
use super::turn::TurnEnd;
use crate::errand::Started;
use crate::remark::{remark, shown};
use crate::rpc::answer;
use crate::rpc::frame::Frame;
use crate::rpc::members::{Malformed, Members, elements};
use crate::rpc::message::{Answer, Id, Message, notification, object, quoted, request, response};
use crate::rpc::params::{params_of, passing};
use crate::rpc::session::Step;

/// What of a request's parameters goes on as it came: of whose turn it is.
const PASSED: &[&str] = &["sessionId"];

/// Members that are not arguments and are not forwarded: an editor may act on them without any rule having seen them.
const UNSEEN: &str = "_meta";

/// A request of the agent.
struct Request<'m> {
    id: Id,
    method: String,
    params: Members<'m>,
    session: String,
}

impl AcpGate {
    /// Takes one frame of the agent.
    pub(super) fn take_from_agent(&self, frame: &Frame) -> Step {
        let Frame::Line(line) = frame else {
            return Step::End("the agent wrote a message that is too long".to_owned());
        };
        match Message::read(line) {
            Ok(Message::Response { id, answer }) => self.agent_answers(&id, answer),
            Ok(Message::Request { id, method, params }) => self.agent_asks(id, method, params),
            Ok(Message::Notification { method, params }) => self.agent_tells(&method, params),
            // Programs that print to standard output what belongs on standard error are common, and do no harm.
            Err(_) if !matches!(line.trim_ascii_start().first(), Some(b'{' | b'[')) => {
                remark(&format!("not a message: {}", shown(&String::from_utf8_lossy(line))));
                Step::GoOn
            }
            // Which request it answers can't be told, and one that waits for it would wait for ever.
            Err(error) => {
                Step::End(format!("the agent wrote what is not a message: {}", error.why))
            }
        }
    }

    fn agent_answers(&self, id: &Id, answer: Answer<'_>) -> Step {
        let mut desk = self.desk();
        let Some(awaited) = desk.of_editor.answered(id) else { return Step::GoOn };
        match (awaited, answer) {
            (Awaited::Prompt(session), answer) => {
                let how = match answer {
                    Answer::Result(_) => TurnEnd::Answered,
                    Answer::Error(_) => TurnEnd::Failed,
                };
                // Before the editor hears of it: a terminal that it shows as done does not run any more.
                self.end_turn(&mut desk, &session, how);
                desk.turns.remove(&session);
            }
            (Awaited::Initialize, Answer::Result(result)) => {
                desk.phase = Phase::Done;
                drop(desk);
                return self.initialized(id, result);
            }
            (Awaited::Initialize, Answer::Error(_)) => desk.phase = Phase::Before,
            (Awaited::Pass, _) => {}
        }
        drop(desk);
        self.to_editor.hand_on(response(id, answer));
        Step::GoOn
    }

    fn initialized(&self, id: &Id, result: &str) -> Step {
        let (told, step) = match with_capabilities(result) {
            Ok(result) => (response(id, Answer::Result(&result)), Step::GoOn),
            Err(why) => {
                (answer::error(Some(id), answer::INTERNAL_ERROR, &why), Step::End(why.clone()))
            }
        };
        self.to_editor.hand_on(told);
        step
    }

    fn agent_asks(&self, id: Id, method: String, params: Option<&str>) -> Step {
        let Some(treatment) = of_agent(&method) else {
            let why = "the protocol has no such method that the gate knows";
            let _ = self.deny(&format!("{PREFIX}{method}"), Reason::UnknownTool, why);
            let code = answer::METHOD_NOT_FOUND;
            return self.tell_agent(answer::error(Some(&id), code, "method not found"));
        };
        let name = match treatment {
            OfAgent::Ask(name) | OfAgent::Create(name) => Cow::Borrowed(name),
            OfAgent::Permission => Cow::Borrowed(permission::NAME),
            OfAgent::Terminal(_) => Cow::Owned(format!("{PREFIX}{method}")),
        };
        let read = Members::of(params.unwrap_or("{}"));
        let read = read.ok().and_then(|params| Some((params.text("sessionId")?, params)));
        let Some((session, params)) = read else {
            let why = "`params` can't be read, or has no `sessionId`";
            let denial = self.deny(&name, Reason::MalformedCall, why);
            return self.tell_agent(answer::refusal(&id, &denial));
        };
        let asked = Request { id, method, params, session };
        let mut desk = self.desk();
        if desk.closed {
            return Step::GoOn;
        }
        let check = if is_own(&asked.id) {
            Err("the id is of the gate's own requests")
        } else {
            desk.of_agent.check(&asked.id)
        };
        if let Err(why) = check {
            drop(desk);
            let code = answer::INVALID_REQUEST;
            return self.tell_agent(answer::error(Some(&asked.id), code, why));
        }
        let written = match treatment {
            OfAgent::Ask(name) => self.ask(&mut desk, &asked, name, What::Call),
            OfAgent::Create(name) => self.create(&mut desk, &asked, name),
            OfAgent::Terminal(about) => self.about_terminal(&mut desk, &asked, &name, about),
            OfAgent::Permission => {
                let turn = desk.turns.get(&asked.session).and_then(Option::as_ref);
                let answered = permission::answer(turn, &self.keeper, &asked.params);
                drop(desk);
                let (told, denial) = match answered {
                    Ok((result, denial)) => (response(&asked.id, Answer::Result(&result)), denial),
                    Err(denial) => (answer::refusal(&asked.id, &denial), Some(denial)),
                };
                denial.iter().for_each(|denial| self.explain(&name, denial));
                return self.tell_agent(told);
            }
        };
        drop(desk);
        match written {
            Ok(params) => {
                self.to_editor.hand_on(request(&asked.id, &asked.method, Some(&params)));
                Step::GoOn
            }
            Err(denial) => {
                self.explain(&name, &denial);
                self.tell_agent(answer::refusal(&asked.id, &denial))
            }
        }
    }

    /// Asks for exactly this call: what the editor is asked for, from the arguments that were decided about.
    fn ask(
        &self,
        desk: &mut Desk,
        asked: &Request<'_>,
        name: &str,
        what: impl FnOnce(Box<Started>) -> What,
    ) -> Result<String, Denial> {
        let Some(Some(turn)) = desk.turns.get(&asked.session) else {
            return Err(self.keeper.deny(name, Reason::TaskOver, NO_TURN));
        };
        let started = turn.keeper.start(name, &said(&asked.params))?;
        let params = params_of(started.args(), passing(&asked.params, PASSED));
        let own = Asked { session: asked.session.clone(), what: what(started) };
        desk.of_agent.open(asked.id.clone(), own);
        Ok(params)
    }

    fn create(&self, desk: &mut Desk, asked: &Request<'_>, name: &str) -> Result<String, Denial> {
        if let Some(Some(turn)) = desk.turns.get(&asked.session)
            && turn.is_full()
        {
            let why = "the turn has as many terminals as it may have: release some";
            return Err(self.keeper.deny(name, Reason::TooMany, why));
        }
        let params = self.ask(desk, asked, name, What::Create)?;
        if let Some(Some(turn)) = desk.turns.get_mut(&asked.session) {
            turn.coming += 1;
        }
        Ok(params)
    }

    /// What is about a command follows from that command's own permit, and is of no other.
    fn about_terminal(
        &self,
        desk: &mut Desk,
        asked: &Request<'_>,
        name: &str,
        about: About,
    ) -> Result<String, Denial> {
        let Some(Some(turn)) = desk.turns.get(&asked.session) else {
            return Err(self.keeper.deny(name, Reason::TaskOver, NO_TURN));
        };
        let terminal = asked.params.text("terminalId").unwrap_or_default();
        if !turn.has_terminal(&terminal) {
            let why = "the turn has no such terminal";
            return Err(turn.keeper.deny(name, Reason::OutOfScope, why));
        }
        let written = quoted(&terminal);
        let params =
            object([("terminalId", &*written)].into_iter().chain(passing(&asked.params, PASSED)));
        let what = What::Terminal(about, terminal);
        desk.of_agent.open(asked.id.clone(), Asked { session: asked.session.clone(), what });
        Ok(params)
    }

    fn agent_tells(&self, method: &str, params: Option<&str>) -> Step {
        if method == CANCEL_REQUEST {
            let waits = Id::named(params, "requestId")
                .is_some_and(|id| self.desk().of_agent.waiting(&id).is_some());
            if waits {
                self.to_editor.hand_on(notification(method, params));
            }
            return Step::GoOn;
        }
        if !agent_tells(method) {
            let why = "the protocol has no such notification that the gate knows";
            let _ = self.deny(&format!("{PREFIX}{method}"), Reason::UnknownTool, why);
            return Step::GoOn;
        }
        self.to_editor.hand_on(notification(method, params));
        Step::GoOn
    }
}

const NO_TURN: &str = "no prompt of this session waits for its answer";

/// What is asked for, as the arguments of a call. What the protocol takes for left out is left out, so that a rule need not
/// name it: `null`, and no arguments or variables of a command.
fn said(params: &Members<'_>) -> String {
    let is_said = |(name, text): &(&str, &str)| {
        let is_empty = matches!(*name, "args" | "env")
            && elements(text).is_some_and(|elements| elements.is_empty());
        !PASSED.contains(name) && *name != UNSEEN && *text != "null" && !is_empty
    };
    object(params.iter().filter(is_said))
}

/// The result of `initialize`, with what the gate knows; or why it can't go on.
fn with_capabilities(result: &str) -> Result<String, String> {
    let unreadable = |error: Malformed| format!("the agent's capabilities can't be read: {error}");
    let members = Members::of(result).map_err(unreadable)?;
    let version = members.get("protocolVersion").unwrap_or("none");
    if version != VERSION {
        let version = shown(version);
        return Err(format!("the agent speaks version {version} of the protocol, not {VERSION}"));
    }
    let said = members.get("agentCapabilities").filter(|own| *own != "null").unwrap_or("{}");
    let capabilities = known(said, &CAPABILITIES_OF_AGENT).map_err(unreadable)?;
    let methods = members.get("authMethods").filter(|own| *own != "null");
    let methods = methods.map(ways_to_sign_in).transpose().map_err(unreadable)?;
    let own =
        [("agentCapabilities", Some(capabilities.as_str())), ("authMethods", methods.as_deref())];
    let others = members.iter().filter(|(name, _)| !own.iter().any(|(known, _)| known == name));
    Ok(object(others.chain(own.iter().filter_map(|(name, text)| Some((*name, (*text)?))))))
}

/// The ways to sign in that have the editor start nothing.
fn ways_to_sign_in(said: &str) -> Result<String, Malformed> {
    let mut ways = Vec::new();
    for way in elements(said).ok_or_else(|| Malformed::of("`authMethods` is no list"))? {
        let kind = Members::of(way)?.get("type").filter(|own| *own != "null");
        if kind.is_none_or(|own| SIGN_IN_TYPES.iter().any(|known| quoted(known) == own)) {
            ways.push(known(way, &SIGN_IN_MEMBERS)?);
        }
    }
    Ok(format!("[{}]", ways.join(",")))
}
