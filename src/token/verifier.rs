//! Verifying a token where there is no table.

use std::fmt;
use std::time::Duration;

use super::call_bound::Presentable;
use super::carried::{Carried, CarriedScope};
use super::error::TokenError;
use super::outside::{CallAlone, KeptScope, OutsideScope};
use super::text::TokenBuffer;
use super::verify::Framed;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::{Code, Reason};
use crate::grant::GrantId;
use crate::key::{AudienceKeys, AudienceSecret};
use crate::meter::Meter;
use crate::resource::ResourceError;
use crate::scope::{Readings, ScopeBytesError};
use crate::word::is_same;

/// How far the time of a call-bound presentation may be from the clock, either way: as a broker's
/// default.
const WINDOW: Duration = Duration::from_secs(30);

/// Checks tokens of one audience and issuer in a process that has no broker: with that audience's key
/// alone, and by the scope that travels in the token.
///
/// It is not a [`Gate`](crate::Gate). It knows no grant, so it honours a token until it expires: through
/// the end of the task, a revoke and a halt. It knows no rules, and counts neither uses nor
/// presentations. And its key could mint for the audience, too, and rebuild from any presentation that it is
/// shown the whole token that this was made from: all verifiers of one audience trust each other. No
/// gate takes any of it, since tokens for verifiers are [other tokens](crate::Scope::embedded_for), under
/// another key. Give it short-lived tokens, and only what may be done on their word.
///
/// It has no catalogue either. The scope says which arguments were paths or URLs when the token was
/// minted; a call with such an argument in another than its one spelling is refused, for nothing
/// brings it there before the tool has it.
///
/// There is a token for it only if that was [asked for](crate::Scope::embedded_for). Time is the caller's to
/// say: that of [`SystemClock`](crate::clock::SystemClock) in production. There is no tolerance:
/// where the clock is behind the broker's, a token that was just minted is [not yet
/// issued](TokenError::NotYetIssued).
///
/// ```
/// use hallpass::prelude::*;
/// use hallpass::clock::{Clock, SystemClock};
/// use hallpass::scope::max;
/// use hallpass::key::KeyRing;
/// use hallpass::token::Verifier;
/// # use serde_json::json;
///
/// # let policy = Policy::builder().rule(Rule::permit("search").tool("search").any_args()).build()?;
/// let ring = KeyRing::generate()?;
/// let verifier = Verifier::new(ring.audience_secret("search")?, "acme");
/// let broker = Broker::builder(policy).keys(ring).issuer("acme").build()?;
/// # let agent = broker.assert_identity("agent-7")?;
/// # let task = broker.open(&agent, Purpose::new("reporting"))?;
/// let scope = Scope::tool("search").arg("limit", max(10)).embedded_for("search");
/// let grant = task.request(scope, &Context::new())?;
/// let token = grant.token_for("search").ok_or("asked for above")?;
///
/// // Elsewhere:
/// let now = SystemClock::new().read()?.wall;
/// let call = Call::new("search", json!({ "limit": 5 }))?;
/// let unchecked = verifier.verify(token, Some("agent-7"), &call, now)?;
/// assert_eq!(unchecked.grant(), grant.id());
///
/// task.complete();
/// assert!(verifier.verify(token, None, &call, now).is_ok(), "as the answer's name says");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # When the key is rotated
///
/// A verifier has one key. While the old one has its grace, the place that verifies has two
/// verifiers, and asks the one before about tokens of a key that the new one does not know; then it
/// lets go of the old.
///
/// ```
/// # use std::time::Duration;
/// # use hallpass::prelude::*;
/// # use hallpass::clock::{Clock, SystemClock};
/// # use hallpass::key::*;
/// # use hallpass::token::*;
/// # let policy = Policy::builder().rule(Rule::permit("search").tool("search").any_args()).build()?;
/// # let ring = KeyRing::generate()?;
/// # let before = Verifier::new(ring.audience_secret("search")?, "acme");
/// # let broker = Broker::builder(policy).keys(ring).issuer("acme").build()?;
/// # let agent = broker.assert_identity("agent-7")?;
/// # let task = broker.open(&agent, Purpose::new("reporting"))?;
/// # let ask = || task.request(Scope::tool("search").embedded_for("search"), &Context::new());
/// # let old = ask()?;
/// let next = SecretKey::generate()?;
/// let after = Verifier::new(next.audience_secret("search")?, "acme"); // goes there first
/// broker.rotate_key(next, Duration::from_secs(600))?;
/// # let new = ask()?;
///
/// let verify = |token: &Token, call: &Call, now| match after.verify(token, None, call, now) {
///     Err(VerifierError::Token(TokenError::UnknownKey(_))) => before.verify(token, None, call, now),
///     answer => answer,
/// };
/// # let now = SystemClock::new().read()?.wall;
/// # let call = Call::new("search", serde_json::json!({}))?;
/// # let (old, new) = (old.token_for("search").unwrap(), new.token_for("search").unwrap());
/// # assert!(before.verify(new, None, &call, now).is_err());
/// assert!(verify(old, &call, now).is_ok());
/// assert!(verify(new, &call, now).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier {
    keys: AudienceKeys,
    issuer: Box<str>,
}

/// What a [`Verifier`] can say: the token is genuine, in time, its holder's and covers the call.
/// Whether the grant still lives, and whether this very presentation was used before, no one has
/// checked; nor any rule or limit.
///
/// Nothing but a verifier makes one:
///
/// ```compile_fail,E0451
/// # use hallpass::token::LivenessAndReplayUnchecked;
/// # use hallpass::grant::GrantId;
/// fn forge(grant: GrantId, answer: LivenessAndReplayUnchecked) -> LivenessAndReplayUnchecked {
///     LivenessAndReplayUnchecked { grant, ..answer }
/// }
/// ```
/// ```
/// # use hallpass::token::LivenessAndReplayUnchecked;
/// fn look(answer: &LivenessAndReplayUnchecked) -> hallpass::grant::GrantId {
///     answer.grant()
/// }
/// ```
#[derive(Debug)]
#[must_use = "the token was honoured without asking whether its grant lives or whether it was used before"]
pub struct LivenessAndReplayUnchecked {
    issuer: Box<str>,
    task: Box<str>,
    grant: GrantId,
    holder: Box<str>,
    expires: Timestamp,
}

/// Why a [`Verifier`] refuses: for operators, not for agents, which are sent the [code](Self::code)
/// alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// The token itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Another broker issued it.
    #[error("`{given}` issued the token, expected `{expected}`")]
    Issuer {
        /// Who issued it.
        given: Box<str>,
        /// Whose tokens this verifier takes.
        expected: Box<str>,
    },
    /// Another identity holds it.
    #[error("`{0}` holds the token")]
    NotTheHolder(Box<str>),
    /// No scope travels in it, so only a gate can tell what it covers.
    #[error("no scope travels in the token: ask for it with `Scope::embedded_for`")]
    NoScope,
    /// The scope that travels in it is none.
    #[error(transparent)]
    Scope(#[from] ScopeBytesError),
    /// An argument that has a type at the broker is not in that type's one spelling: which one, and
    /// what was expected. A gate would bring it there and hand the tool that; a verifier hands
    /// nothing on.
    #[error("argument {0}")]
    Spelling(Box<str>),
    /// The call's resource is none.
    #[error("the call: {0}")]
    Call(#[from] ResourceError),
    /// Comparing the call with the scope takes more steps than a question may: what is dear.
    #[error("the call: {0}")]
    TooCostly(Box<str>),
    /// The scope, or an attenuation, does not cover the call: which of them, what of the call, and what
    /// was expected.
    #[error("the token does not cover the call: {0}")]
    OutOfScope(OutsideScope),
}

impl VerifierError {
    /// What an agent may be told: the word that a gate would say.
    pub fn code(&self) -> Code {
        let reason = match self {
            VerifierError::Token(error) => error.reason(),
            VerifierError::Issuer { .. } => Reason::ForeignToken,
            VerifierError::NotTheHolder(_) => Reason::NotTheHolder,
            VerifierError::NoScope | VerifierError::Scope(_) => Reason::UnsupportedToken,
            VerifierError::Spelling(_) | VerifierError::Call(_) => Reason::MalformedCall,
            VerifierError::TooCostly(_) => Reason::TooCostly,
            VerifierError::OutOfScope(_) => Reason::OutOfScope,
        };
        reason.code()
    }
}

impl Verifier {
    /// A verifier for the audience of this secret, for its key (another key [takes another
    /// verifier](#when-the-key-is-rotated)), and for the tokens of the broker with this
    /// [issuer](crate::BrokerBuilder::issuer): others that share the secret are refused.
    pub fn new(secret: AudienceSecret, issuer: &str) -> Verifier {
        Verifier { keys: secret.into_keys(), issuer: issuer.into() }
    }

    /// The audience.
    pub fn audience(&self) -> &str {
        self.keys.audience()
    }

    /// Whose tokens it takes.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether what is presented covers `call` at `now`, and is `holder`'s if one is given. A
    /// call-bound presentation has to be for this call, and made within thirty seconds of `now`.
    /// Narrowing and presenting leave the holder as it is.
    ///
    /// # Errors
    /// [`VerifierError`], signature first: nothing is decoded before. A presentation for another
    /// call does not verify: [`TokenError::BadSignature`].
    pub fn verify<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        holder: Option<&str>,
        call: &Call,
        now: Timestamp,
    ) -> Result<LivenessAndReplayUnchecked, VerifierError> {
        let mut room = TokenBuffer::new();
        let framed = Framed::read(presented.text(), &mut room)?;
        let (verified, _) = framed.verify_for(call, &self.keys, now, WINDOW)?;
        let claims = verified.claims();
        if !is_same(claims.issuer, &self.issuer) {
            let (given, expected) = (claims.issuer.into(), self.issuer.clone());
            return Err(VerifierError::Issuer { given, expected });
        }
        let carried = claims.scope.map(|scope| Carried::read(scope, call.parts()));
        // Only where no argument has a type is the call compared as it is.
        let untyped =
            matches!(&carried, Some(Ok(carried)) if carried.typed(call.tool()).is_empty());
        let narrowings = verified.narrowings(untyped.then(|| call.parts()))?;
        let expires = narrowings.expires.map_or(claims.expires, |at| claims.expires.min(at));
        if now >= expires {
            return Err(VerifierError::Token(TokenError::Expired));
        }
        if holder.is_some_and(|holder| holder != claims.holder) {
            return Err(VerifierError::NotTheHolder(claims.holder.into()));
        }
        let carried = carried.ok_or(VerifierError::NoScope)??;
        let typed = carried.typed(call.tool());
        if let Some(misspelled) = typed.misspelled(call.args().object()) {
            return Err(VerifierError::Spelling(misspelled.into()));
        }
        let meter = Meter::of_question(call.args().size());
        let readings = Readings::new();
        let call = CallAlone::new(call, &readings)?;
        let own = match carried.scope {
            CarriedScope::Covering => None,
            CarriedScope::Refusing(bytes) => {
                return Err(outside(0, KeptScope::Encoded(bytes), call.call));
            }
            CarriedScope::ToAsk(capabilities) => Some((0, capabilities)),
        };
        let blocks = narrowings.to_ask.into_iter().map(|own| (own.hop, own.capabilities));
        for (hop, mut capabilities) in own.into_iter().chain(blocks) {
            // As a gate does: compared with what no call can be, an attenuation leaves none.
            typed
                .respell(call.call.tool(), &mut capabilities)
                .map_err(|fault| outside(hop, KeptScope::Impossible(fault), call.call))?;
            let covers = call.is_covered_by(&capabilities, &meter);
            if meter.is_spent() {
                return Err(VerifierError::TooCostly(meter.said().into()));
            }
            if !covers {
                return Err(outside(hop, KeptScope::Read(capabilities), call.call));
            }
        }
        if let Some(block) = narrowings.refusing {
            return Err(outside(block.hop, KeptScope::Encoded(block.into_scope()), call.call));
        }
        Ok(LivenessAndReplayUnchecked {
            issuer: claims.issuer.into(),
            task: claims.task.into(),
            grant: claims.grant,
            holder: claims.holder.into(),
            expires,
        })
    }
}

/// The scope of the root block, or after that number of narrowings, does not cover the call.
fn outside(hop: usize, scope: KeptScope, call: &Call) -> VerifierError {
    VerifierError::OutOfScope(OutsideScope::new(hop, scope, call))
}

impl LivenessAndReplayUnchecked {
    /// The broker that minted the token.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The grant.
    pub fn grant(&self) -> GrantId {
        self.grant
    }

    /// Who holds the token.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// When the token ends: the earliest of its own end and those of its attenuations.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// Shows the audience, the issuer and the ids of the keys.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("keys", &self.keys).field("issuer", &self.issuer).finish()
    }
}
