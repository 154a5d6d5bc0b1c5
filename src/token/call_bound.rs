//! Call-bound presentations: worth one call, once, for seconds.
//!
//! A bearer token is all that an eavesdropper needs. A presentation withholds the last tag and
//! signs under it what the call is instead, so that who captures it has captured that call.

use std::fmt;

use zeroize::Zeroizing;

use super::bearer::{Token, TokenId};
use super::error::MintError;
use super::proof::{Nonce, Proof};
use super::text;
use super::text::TokenBuffer;
use super::verify::Framed;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::random;

/// What a gate takes: a [`Grant`](crate::Grant), a [`Token`], a [`Presentation`], or the text of one that
/// came over the wire. Which of them it is, the text says.
pub trait Presentable: sealed::Sealed {
    /// The text as it goes over the wire.
    #[doc(hidden)]
    fn text(&self) -> &str;
}

impl Presentable for Token {
    fn text(&self) -> &str {
        self.expose()
    }
}

impl Presentable for Presentation {
    fn text(&self) -> &str {
        self.expose()
    }
}

impl Presentable for str {
    fn text(&self) -> &str {
        self
    }
}

impl Presentable for String {
    fn text(&self) -> &str {
        self
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Token {}
    impl Sealed for super::Presentation {}
    impl Sealed for str {}
    impl Sealed for String {}
}

/// A token presented for one call: `hp1c.`. The last tag is not in it, so it can be neither narrowed
/// nor presented for another call.
///
/// Over the wire it arrives as text, and [`Token::from_text`] takes it there: the gate sees which it
/// is.
///
/// ```compile_fail,E0599
/// # use hallpass::{scope::Scope, token::Presentation};
/// fn narrow(presentation: Presentation) {
///     let _ = presentation.attenuate(&Scope::tool("db.query"), None);
/// }
/// ```
/// ```
/// # use hallpass::{scope::Scope, token::Token};
/// fn narrow(token: Token) {
///     let _ = token.attenuate(&Scope::tool("db.query"), None);
/// }
/// ```
#[must_use = "a presentation is worth something only where it is presented"]
pub struct Presentation(Zeroizing<String>);

impl Presentation {
    /// The text itself, to be presented with this very call and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What logs call this presentation.
    pub fn id(&self) -> TokenId {
        TokenId::of(&self.0)
    }
}

/// Shows the id only.
impl fmt::Debug for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presentation({})", self.id())
    }
}

impl Token {
    /// Presents the token for one call at this instant, by the holder's own clock: the gate takes it
    /// once, for this tool and these arguments, while its clock is within
    /// [thirty seconds](crate::BrokerBuilder::presentation_window) of `at`. For any other call its signature
    /// does not verify.
    ///
    /// The resource is not bound: the tool's side says what a call acts on, not the holder.
    ///
    /// ```
    /// use hallpass::clock::{Clock, SystemClock};
    /// # use hallpass::prelude::*;
    /// # use serde_json::json;
    /// # let policy = Policy::builder().rule(Rule::permit("pay").tool("bank.pay").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let gate = broker.gate();
    /// # let payer = broker.assert_identity("payer")?;
    /// # let task = broker.open(&payer, Purpose::new("pay-bill"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("bank.pay").any_args(), &context)?;
    /// let now = SystemClock::new().read()?.wall;
    /// let call = Call::new("bank.pay", json!({ "amount": 98 }))?;
    /// let presentation = grant.token().present(&call, now)?;
    ///
    /// assert!(gate.authorize(&presentation, &payer, call.clone(), &context).is_ok());
    /// let again = gate.authorize(&presentation, &payer, call, &context).unwrap_err();
    /// assert_eq!(again.reason(), Reason::Replayed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MintError::NotAToken`] if this is not a bearer token, [`MintError::Random`] if the system gives
    /// no random bytes, [`MintError::TooLong`] if the text would be longer than a gate takes.
    pub fn present(&self, call: &Call, at: Timestamp) -> Result<Presentation, MintError> {
        let mut nonce = [0; 16];
        random::fill(&mut nonce)?;
        self.present_as(call, Nonce { at, bytes: nonce })
    }

    fn present_as(&self, call: &Call, nonce: Nonce) -> Result<Presentation, MintError> {
        let mut room = TokenBuffer::new();
        let token = Framed::read(self.expose(), &mut room).map_err(MintError::NotAToken)?;
        let audience = token.claimed_audience().map_err(MintError::NotAToken)?;
        let (body, tag) = token.bearer().map_err(MintError::NotAToken)?;
        let proof = Proof::of(call, nonce, audience, tag);
        text::encode_call_bound(body, &proof.to_bytes())
            .map(|text| Presentation(Zeroizing::new(text)))
    }
}
