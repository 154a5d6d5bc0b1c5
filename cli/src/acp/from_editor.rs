//! What comes from the editor: what its user wants of the agent, and answers to what the agent asked for.

use hallpass::Reason;

use super::desk::{Awaited, Phase};
use super::gate::{AcpGate, is_own};
use super::methods::{
    CANCEL_REQUEST, CAPABILITIES_OF_EDITOR, OfEditor, PREFIX, VERSION, of_editor,
};
use super::turn::TurnEnd;
use crate::remark::remark;
use crate::rpc::answer;
use crate::rpc::frame::Frame;
use crate::rpc::members::{Malformed, Members};
use crate::rpc::message::{Id, Message, notification, object, request};
use crate::rpc::params::check_id;

impl AcpGate {
    /// Takes one frame of the editor.
    pub(super) fn take_from_editor(&self, frame: &Frame) {
        let Frame::Line(line) = frame else {
            return self.refuse(None, answer::INVALID_REQUEST, "a message that is too long");
        };
        match Message::read(line) {
            Ok(Message::Request { id, method, params }) => self.editor_asks(&id, &method, params),
            Ok(Message::Notification { method, params }) => self.editor_tells(&method, params),
            Ok(Message::Response { id, .. }) if is_own(&id) => {}
            Ok(Message::Response { id, answer }) => self.editor_answers(&id, answer),
            Err(error) => {
                let code =
                    if error.unreadable { answer::PARSE_ERROR } else { answer::INVALID_REQUEST };
                self.refuse(error.id.as_ref(), code, &error.why);
            }
        }
    }

    fn refuse(&self, id: Option<&Id>, code: i64, why: &str) {
        let _ = self.deny("acp:frame", Reason::MalformedCall, why);
        self.to_editor.answer(answer::error(id, code, why));
    }

    fn editor_asks(&self, id: &Id, method: &str, params: Option<&str>) {
        let Some(treatment) = of_editor(method) else {
            let why = "the protocol has no such method that the gate knows";
            let _ = self.deny(&format!("{PREFIX}{method}"), Reason::UnknownTool, why);
            let code = answer::METHOD_NOT_FOUND;
            self.to_editor.answer(answer::error(Some(id), code, "method not found"));
            return;
        };
        let members = match Members::of(params.unwrap_or("{}")) {
            Ok(members) => members,
            Err(error) => {
                let why = format!("`params`: {error}");
                return self.refuse(Some(id), answer::INVALID_REQUEST, &why);
            }
        };
        let mut desk = self.desk();
        if desk.closed || !check_id(&self.to_editor, id, desk.of_editor.check(id)) {
            return;
        }
        let is_first = treatment == OfEditor::Initialize;
        if is_first != (desk.phase == Phase::Before) {
            drop(desk);
            let why = if is_first { "it has begun already" } else { "begin with `initialize`" };
            return self.refuse(Some(id), answer::INVALID_REQUEST, why);
        }
        let session = members.text("sessionId");
        let mut written = params.map(str::to_owned);
        let awaited = match (treatment, session) {
            (OfEditor::Initialize, _) => match with_version_and_capabilities(&members) {
                Ok(params) => {
                    desk.phase = Phase::Asked;
                    written = Some(params);
                    Awaited::Initialize
                }
                Err(error) => {
                    drop(desk);
                    let why = format!("`clientCapabilities`: {error}");
                    return self.refuse(Some(id), answer::INVALID_REQUEST, &why);
                }
            },
            (OfEditor::Prompt, Some(session)) => {
                if desk.turns.contains_key(&session) {
                    drop(desk);
                    let why = "the session's last prompt has no answer yet";
                    return self.refuse(Some(id), answer::INVALID_REQUEST, why);
                }
                match self.turn() {
                    Ok(turn) => {
                        desk.turns.insert(session.clone(), Some(turn));
                        Awaited::Prompt(session)
                    }
                    Err(problem) => {
                        drop(desk);
                        remark(&problem);
                        let why = "no task can be opened for this turn";
                        self.to_editor.answer(answer::error(Some(id), answer::INTERNAL_ERROR, why));
                        return;
                    }
                }
            }
            (OfEditor::Close, Some(session)) => {
                self.end_turn(&mut desk, &session, TurnEnd::Cancelled);
                Awaited::Pass
            }
            (OfEditor::Prompt | OfEditor::Close, None) => {
                drop(desk);
                return self.refuse(Some(id), answer::INVALID_REQUEST, "`sessionId` is no text");
            }
            (OfEditor::Pass, _) => Awaited::Pass,
        };
        desk.of_editor.open(id.clone(), awaited);
        drop(desk);
        self.to_agent.hand_on(request(id, method, written.as_deref()));
    }

    fn editor_tells(&self, method: &str, params: Option<&str>) {
        let ended = match method {
            "session/cancel" => {
                params.and_then(|params| Members::of(params).ok()?.text("sessionId"))
            }
            CANCEL_REQUEST => {
                let Some(id) = Id::named(params, "requestId") else { return };
                match self.desk().of_editor.waiting(&id) {
                    Some(Awaited::Prompt(session)) => Some(session.clone()),
                    Some(Awaited::Pass | Awaited::Initialize) => None,
                    None => return,
                }
            }
            _ => {
                let why = "the protocol has no such notification that the gate knows";
                let _ = self.deny(&format!("{PREFIX}{method}"), Reason::UnknownTool, why);
                return;
            }
        };
        // Nothing that the agent asks for from here on belongs to a turn, whether it has heard of this or not.
        if let Some(session) = ended {
            self.end_turn(&mut self.desk(), &session, TurnEnd::Cancelled);
        }
        self.to_agent.hand_on(notification(method, params));
    }
}

/// The parameters of `initialize`, of the version that is spoken and with what the gate knows.
fn with_version_and_capabilities(params: &Members<'_>) -> Result<String, Malformed> {
    let said = params.get("clientCapabilities").filter(|own| *own != "null").unwrap_or("{}");
    let capabilities = known(said, &CAPABILITIES_OF_EDITOR)?;
    let others = params
        .iter()
        .filter(|(name, _)| !matches!(*name, "protocolVersion" | "clientCapabilities"));
    let own = [("protocolVersion", VERSION), ("clientCapabilities", capabilities.as_str())];
    Ok(object(own.into_iter().chain(others)))
}

/// The members of an object that have these names.
pub(super) fn known(text: &str, names: &[&str]) -> Result<String, Malformed> {
    let members = Members::of(text)?;
    Ok(object(members.iter().filter(|(name, _)| names.contains(name))))
}
