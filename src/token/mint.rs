//! Making tokens: the key mints them, and a token can be narrowed by its holder.

use zeroize::Zeroizing;

use super::bearer::Token;
use super::block::Narrowing;
use super::chain;
use super::claims::{self, Claims};
use super::error::{MintError, TokenError};
use super::text::{self, TokenBuffer};
use super::verify::Framed;
use crate::clock::Timestamp;
use crate::key::AudienceKeys;
use crate::scope::Scope;

/// Signs a token that says `claims` with the active key.
///
/// # Errors
/// [`MintError::OtherAudience`] if the claims are not for the keys' audience,
/// [`MintError::NoLifetime`] if they expire no later than they are issued,
/// [`MintError::FieldLength`] or [`MintError::TooLong`] if the format cannot hold them.
pub fn mint(keys: &AudienceKeys, claims: &Claims<'_>) -> Result<Token, MintError> {
    if claims.audience != keys.audience() {
        return Err(MintError::OtherAudience {
            keys: keys.audience().into(),
            claims: claims.audience.into(),
        });
    }
    let (id, key) = keys.signing();
    let body = chain::frame(&claims::encode(claims, id)?)?;
    let mut tag = Zeroizing::new([0; 32]);
    key.sign_into(&mut tag, [&*body]);
    text::encode(&body, &tag).map(Token::from_text)
}

impl Token {
    /// The token narrowed to `scope` and, where given, to an earlier end. It takes neither key nor
    /// broker, and the holder stays the same: another identity is given a part of a grant by
    /// [`Task::delegate`](crate::Task::delegate).
    ///
    /// The new token covers what this one covers *and* `scope` covers: a scope that names more gives
    /// nothing more, and nor does a later end; a tool that `scope` does not name is not covered any
    /// more. How long is left, the broker's side knows: [`Grant::expires`](crate::Grant::expires).
    /// What compares with anything but the call's arguments is refused, since a block has to mean the same to
    /// every reader: say what it comes to.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use hallpass::scope::{any, eq, max};
    /// # use serde_json::json;
    /// # let policy = Policy::builder()
    /// #     .rule(Rule::permit("pay").tool("bank.pay").arg("to", any()).arg("amount", max(500)))
    /// #     .build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let gate = broker.gate();
    /// # let payer = broker.assert_identity("payer")?;
    /// # let task = broker.open(&payer, Purpose::new("pay-bill"))?;
    /// # let context = Context::new();
    /// let pay = Scope::tool("bank.pay").arg("to", any()).arg("amount", max(100));
    /// let grant = task.request(pay, &context)?;
    ///
    /// let ours = Scope::tool("bank.pay").arg("to", eq("CH93")).arg("amount", max(1000));
    /// let narrowed = grant.token().attenuate(&ours, None)?;
    ///
    /// let call = |to, amount| Call::new("bank.pay", json!({ "to": to, "amount": amount }));
    /// assert!(gate.authorize(&narrowed, &payer, call("CH93", 100)?, &context).is_ok());
    /// for outside in [call("XX00", 100)?, call("CH93", 101)?] {
    ///     let denial = gate.authorize(&narrowed, &payer, outside, &context).unwrap_err();
    ///     assert_eq!(denial.reason(), Reason::OutOfScope);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MintError::Block`] if the scope cannot be meant or has no spelling in a block,
    /// [`MintError::TooManyBlocks`] after [`MAX_ATTENUATIONS`](super::MAX_ATTENUATIONS),
    /// [`MintError::FieldLength`] or [`MintError::TooLong`] if it does not fit, and
    /// [`MintError::NotAToken`] if this is none.
    pub fn attenuate(&self, scope: &Scope, expires: Option<Timestamp>) -> Result<Token, MintError> {
        append_block(self, &Narrowing::encode(scope, expires)?)
    }
}

/// Adds an attenuation block to a token, which takes no key: the token's own tag is the key of the
/// next link. The block is opaque here, and a reader that does not know its kind refuses the token:
/// [`Token::attenuate`] writes those that this crate knows.
///
/// ```
/// # use hallpass::clock::Timestamp;
/// # use hallpass::grant::GrantId;
/// # use hallpass::key::*;
/// # use hallpass::token::{TokenError, hazmat::*};
/// # let keys = gate_keys(&KeyRing::generate()?, "gate")?;
/// # let at = |millis| Timestamp::from_unix_millis(millis).ok_or("no such instant");
/// # let token = mint(&keys, &Claims {
/// #     issuer: "acme", audience: "gate", task: "task-42", generation: 1,
/// #     grant: GrantId::random()?, serial: 1, holder: "agent-7",
/// #     issued: at(0)?, expires: at(1000)?, scope: None,
/// # })?;
/// let narrowed = append_block(&token, b"block")?;
///
/// let presented = Unverified::parse(narrowed.expose())?;
/// assert!(presented.verify_chain(&keys, at(0)?)?.blocks().eq([b"block"]));
/// assert_eq!(presented.verify(&keys, at(0)?).unwrap_err(), TokenError::Attenuated);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MintError::NotAToken`] if the text is none, [`MintError::TooManyBlocks`],
/// [`MintError::FieldLength`] or [`MintError::TooLong`] if the result could not be read back.
pub fn append_block(token: &Token, block: &[u8]) -> Result<Token, MintError> {
    let mut room = TokenBuffer::new();
    let token = Framed::read(token.expose(), &mut room).map_err(MintError::NotAToken)?;
    let frame = chain::frame(block)?;
    let (body, tag) = token.bearer().map_err(MintError::NotAToken)?;
    let tag = chain::next_tag(tag, &frame);
    let body = [body, &frame].concat();
    match chain::Frames::read(&body) {
        Ok(_) => text::encode(&body, &tag).map(Token::from_text),
        Err(TokenError::TooManyBlocks) => Err(MintError::TooManyBlocks),
        Err(error) => Err(MintError::NotAToken(error)),
    }
}
