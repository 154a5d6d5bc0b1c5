//! What a request is presented with.

use std::fmt;

use hallpass::identity::Identity;
use hallpass::tool::ToolName;
use hallpass::{Context, Denial, Gate, Permit, Reason, Session};
use rmcp::service::{RequestContext, RoleServer};

/// The member of `_meta` that holds a token of hallpass. It is not handed on to the server.
pub const TOKEN: &str = "hallpass/token";

/// The member of `_meta` by which a client comes back with what people agreed to. It is not handed on to the server.
pub const PENDING: &str = "hallpass/pending";

/// What a request is presented with: a session that the host keeps for its caller, or a token of the caller's own.
#[derive(Clone)]
pub struct Presented(Kind);

#[derive(Clone)]
enum Kind {
    Session(Session),
    Token { gate: Gate, who: Identity, text: String },
}

impl From<Session> for Presented {
    fn from(session: Session) -> Self {
        Presented(Kind::Session(session))
    }
}

impl Presented {
    /// The token in the request's `_meta`, under [`TOKEN`], of a caller whom the host has identified: by what the transport
    /// says, and not by the token. Without one it is denied, on record.
    pub fn token(gate: Gate, who: Identity, request: &RequestContext<RoleServer>) -> Self {
        let text = text(request, TOKEN).unwrap_or_default().to_owned();
        Presented(Kind::Token { gate, who, text })
    }

    pub(crate) fn deny(&self, tool: &str, reason: Reason, why: &str) -> Denial {
        match &self.0 {
            Kind::Session(session) => session.deny(tool, reason, why),
            Kind::Token { gate, who, .. } => gate.deny(who, tool, reason, why),
        }
    }

    pub(crate) async fn tools(&self, context: &Context) -> Result<Vec<ToolName>, Denial> {
        match &self.0 {
            Kind::Session(session) => session.tools_async(context).await,
            Kind::Token { gate, who, text } => gate.tools(text.as_str(), who, context),
        }
    }

    pub(crate) async fn authorize(
        &self,
        tool: &str,
        args: &str,
        context: &Context,
    ) -> Result<Permit, Denial> {
        match &self.0 {
            Kind::Session(session) => session.authorize_json_async(tool, args, None, context).await,
            Kind::Token { gate, who, text } => {
                gate.authorize_json_async(text.as_str(), who, tool, args, None, context).await
            }
        }
    }

    /// Redeems what people agreed to, which has to be a call of this tool: another one would run from its arguments
    /// otherwise.
    pub(crate) async fn redeem(
        &self,
        tool: &str,
        pending: &str,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let found = match &self.0 {
            Kind::Session(session) => session.pending(pending),
            Kind::Token { gate, .. } => gate.pending(pending),
        };
        let void = |why| Err(self.deny(tool, Reason::ApprovalVoid, why));
        let Some(found) = found else { return void("no such question can be redeemed") };
        let permit = match &self.0 {
            Kind::Session(session) => session.redeem_async(&found, context).await?,
            Kind::Token { gate, who, text } => {
                gate.redeem_async(&found, text.as_str(), who, context).await?
            }
        };
        if permit.tool() != tool {
            return void("the question is about another tool than is called");
        }
        Ok(permit)
    }
}

/// Shows whose it is, and nothing of a token.
impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Presented");
        match &self.0 {
            Kind::Session(session) => shown.field("session", session),
            Kind::Token { who, .. } => shown.field("who", who.subject()),
        };
        shown.finish_non_exhaustive()
    }
}

/// A text in a request's `_meta`.
pub(crate) fn text<'r>(request: &'r RequestContext<RoleServer>, name: &str) -> Option<&'r str> {
    request.meta.get(name)?.as_str()
}
