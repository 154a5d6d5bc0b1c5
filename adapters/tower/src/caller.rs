//! Who calls, and what is presented for them.

use hallpass::identity::{Identity, IdentityError};
use hallpass::{Context, Denial, Gate, Permit, Reason, Session};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

/// Why a host's function names no caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request does not say who calls, or not so that the host believes it: `401`.
    Unauthenticated,
    /// The caller is known, and denied: its session could not be opened, say.
    Denied(Denial),
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Refusal::Denied(denial)
    }
}

/// An id that is not well formed identifies no caller.
impl From<IdentityError> for Refusal {
    fn from(_: IdentityError) -> Self {
        Refusal::Unauthenticated
    }
}

/// Who sends a request, and what is presented for them: see [`HttpGate::caller`](crate::HttpGate::caller).
#[derive(Debug)]
pub struct Caller(Presented);

#[derive(Debug)]
enum Presented {
    Token { gate: Gate, who: Identity, text: String },
    Session(Session),
}

impl Caller {
    pub(crate) fn with_token(gate: Gate, who: Identity, text: String) -> Self {
        Caller(Presented::Token { gate, who, text })
    }

    pub(crate) fn with_session(session: Session) -> Self {
        Caller(Presented::Session(session))
    }

    /// Denies what does not get as far as a question, and records it.
    pub fn deny(&self, tool: &str, reason: Reason, why: &str) -> Denial {
        match &self.0 {
            Presented::Token { gate, who, .. } => gate.deny(who, tool, reason, why),
            Presented::Session(session) => session.deny(tool, reason, why),
        }
    }

    /// Decides a call whose arguments are the text of a JSON object. While the log takes its time no thread is held, where
    /// the broker has a [timer](hallpass::BrokerBuilder::log_timer).
    ///
    /// # Errors
    /// A [`Denial`], as of [`Gate::authorize_json`].
    pub async fn authorize(
        &self,
        tool: &str,
        args: &[u8],
        context: &Context,
    ) -> Result<Permit, Denial> {
        match &self.0 {
            Presented::Token { gate, who, text } => {
                gate.authorize_json_async(text.as_str(), who, tool, args, None, context).await
            }
            Presented::Session(session) => {
                session.authorize_json_async(tool, args, None, context).await
            }
        }
    }

    /// Redeems what people agreed to, which has to be a call of this tool: another route's handler would run from its
    /// arguments otherwise.
    ///
    /// # Errors
    /// A [`Denial`], as of [`Gate::redeem`]; one of a question that is not there, or about another tool, too.
    pub async fn redeem(
        &self,
        tool: &str,
        pending: &str,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let found = match &self.0 {
            Presented::Token { gate, .. } => gate.pending(pending),
            Presented::Session(session) => session.pending(pending),
        };
        let void = |why| Err(self.deny(tool, Reason::ApprovalVoid, why));
        let Some(found) = found else { return void("no such question can be redeemed") };
        let permit = match &self.0 {
            Presented::Token { gate, who, text } => {
                gate.redeem_async(&found, text.as_str(), who, context).await?
            }
            Presented::Session(session) => session.redeem_async(&found, context).await?,
        };
        if permit.tool() != tool {
            return void("the question is about another tool than the route's");
        }
        Ok(permit)
    }
}

/// The token of a request. One that is absent or said twice is presented as nothing, so that it is denied on record.
pub(crate) fn token(headers: &HeaderMap, named: Option<&HeaderName>) -> String {
    let text = match named {
        Some(name) => only(headers, name),
        None => only(headers, &AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
        }),
    };
    text.unwrap_or_default().to_owned()
}

/// The text of a header that is there once.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.to_str().ok()).flatten()
}
