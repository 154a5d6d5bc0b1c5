//! The token in its holder's hands: text that must not be printed.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A bearer token: whoever has the text has the grant, so it is neither printed nor copied by
/// accident and is wiped when dropped.
///
/// Nothing about the text is checked here; [`Unverified::parse`](super::Unverified::parse) does that.
///
/// ```
/// # use hallpass::token::Token;
/// let token = Token::from_text("hp1.AAAA.BBBB".to_owned());
/// assert_eq!(token.expose(), "hp1.AAAA.BBBB");
/// assert_eq!(format!("{token:?}"), format!("Token({})", token.id()));
/// ```
///
/// It has no `Display` and cannot be cloned or serialised (attack 80):
///
/// ```compile_fail,E0277
/// # use hallpass::token::Token;
/// println!("{}", Token::from_text(String::new()));
/// ```
/// ```compile_fail,E0599
/// # use hallpass::token::Token;
/// let _ = Token::from_text(String::new()).clone();
/// ```
/// ```compile_fail,E0277
/// # use hallpass::token::Token;
/// let _ = serde_json::to_string(&Token::from_text(String::new()));
/// ```
#[must_use = "a token is worth something only to whoever presents it"]
pub struct Token(Zeroizing<String>);

impl Token {
    /// The token whose text came over the wire.
    pub fn from_text(text: String) -> Token {
        Token(Zeroizing::new(text))
    }

    /// The text itself, to be presented and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What logs call this token.
    pub fn id(&self) -> TokenId {
        TokenId::of(&self.0)
    }
}

/// As [`Token::from_text`], from text that stays with its owner. It never fails: a gate refuses what is no
/// token, and so has it in the log.
///
/// ```
/// # use hallpass::token::Token;
/// let Ok(token) = "hp1.AAAA.BBBB".parse::<Token>();
/// assert_eq!(token.expose(), "hp1.AAAA.BBBB");
/// ```
impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Token::from_text(text.to_owned()))
    }
}

/// Shows the id only.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.id())
    }
}

/// What logs and errors call a token: the first 8 bytes of the SHA-256 of its text, in hex.
///
/// The text holds a 256-bit tag, so the id says nothing about it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; 8]);

impl TokenId {
    /// The id of the token with this text, whether or not it verifies.
    pub fn of(text: &str) -> TokenId {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        TokenId([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// attack 80
    #[test]
    fn a_token_prints_its_id_and_nothing_of_its_text() {
        let token = Token::from_text("abc".to_owned());
        assert_eq!(
            format!("{token:?} {token:#?}"),
            "Token(ba7816bf8f01cfea) Token(ba7816bf8f01cfea)"
        );
        assert_eq!(format!("{:?}", token.id()), "TokenId(ba7816bf8f01cfea)");
    }
}
