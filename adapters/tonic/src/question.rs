//! What a message asks for, decided.

use std::sync::Arc;

use bytes::Bytes;
use hallpass::{Denial, Permit, Reason, Running};
use hallpass_tower::Caller;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use tonic::Status;

use crate::gate::GrpcGate;
use crate::message::{arguments, message};
use crate::methods::Method;
use crate::status::{PENDING, broken, refused, status_of};

/// What a request is about: its method, and by whom it is asked for.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) gate: Arc<GrpcGate>,
    pub(crate) request: Parts,
    pub(crate) method: Arc<Method>,
    caller: Caller,
    tool: String,
}

impl Question {
    /// Asks the host who calls, once for all messages of a request.
    ///
    /// # Errors
    /// The status that refuses it.
    pub(crate) fn of(
        gate: Arc<GrpcGate>,
        request: Parts,
        method: Arc<Method>,
    ) -> Result<Self, Status> {
        let caller = gate.http.caller(&request).map_err(refused)?;
        let own = || Some(format!("grpc:{}", method.path));
        match gate.http.tool_or(&request, own) {
            Some(tool) => Ok(Question { gate, request, method, caller, tool }),
            None => {
                let why = "the host's function names no tool";
                Err(status_of(&caller.deny("grpc:", Reason::UnknownTool, why)))
            }
        }
    }

    /// Refuses what could not be read, and records it.
    pub(crate) fn unreadable(&self, why: &str) -> Status {
        status_of(&self.caller.deny(&self.tool, Reason::MalformedCall, why))
    }

    /// Refuses one more message than a stream may have, and records it.
    pub(crate) fn too_many(&self) -> Status {
        let why = "the client's stream has more messages than it may";
        status_of(&self.caller.deny(&self.tool, Reason::TooMany, why))
    }

    /// Decides about a message: the first of its request may be one that people have agreed to.
    ///
    /// # Errors
    /// The status that refuses it.
    pub(crate) async fn decide(&self, message: Bytes, is_first: bool) -> Result<Permit, Status> {
        self.decided(message, is_first).await.map_err(|denial| status_of(&denial))
    }

    async fn decided(&self, message: Bytes, is_first: bool) -> Result<Permit, Denial> {
        let (caller, tool) = (&self.caller, &*self.tool);
        if let Err(why) = self.check_form() {
            return Err(caller.deny(tool, Reason::MalformedCall, why));
        }
        let args = match arguments(&self.method.input, message) {
            Ok(args) => args,
            Err(why) => return Err(caller.deny(tool, Reason::MalformedCall, why)),
        };
        let context = self.gate.http.context_of(&self.request);
        match is_first && self.request.headers.contains_key(PENDING) {
            false => caller.authorize(tool, &args, &context).await,
            true => {
                let mut stated = self.request.headers.get_all(PENDING).iter();
                let first = stated.next().filter(|_| stated.next().is_none());
                let pending = first.and_then(|own| own.to_str().ok()).unwrap_or_default();
                caller.redeem(tool, pending, &context).await
            }
        }
    }

    /// What messages are written in.
    fn check_form(&self) -> Result<(), &'static str> {
        let headers = &self.request.headers;
        let form = headers.get(CONTENT_TYPE).map(|own| own.as_bytes());
        if !matches!(form, Some(b"application/grpc" | b"application/grpc+proto")) {
            return Err("expected messages of the type `application/grpc+proto`");
        }
        match headers.get("grpc-encoding").map(|own| own.as_bytes()) {
            None | Some(b"identity") => Ok(()),
            Some(_) => Err("expected messages that are not compressed"),
        }
    }

    /// Starts a call, and gives the message that says what its permit does.
    ///
    /// # Errors
    /// The status that refuses it.
    pub(crate) async fn start(&self, permit: Permit) -> Result<(Running, Bytes), Status> {
        let running = permit.start_async().await.map_err(|denial| status_of(&denial))?;
        match message(&self.method.input, running.args()) {
            Ok(message) => Ok((running, message)),
            Err(_) => {
                running.fail();
                Err(broken())
            }
        }
    }
}
