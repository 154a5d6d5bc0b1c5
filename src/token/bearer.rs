//! The token in its holder's hands: text that must not be printed.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A bearer token: its text is the grant, so it is neither printed nor copied by
/// accident and is wiped when dropped.
///
/// Nothing about the text is checked here; [`Unverified::parse`](super::hazmat::Unverified::parse) does that.
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
#[must_use = "a token is worth something only when it is presented"]
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

/// As [`Token::from_text`], from text that stays with its owner. It never fails: a gate refuses what is not a
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

/// What logs and errors call a token: the first 16 bytes, in hex, of the SHA-256 of its body as it stands in
/// the text, between the two points. Text without two points is taken whole.
///
/// A token and all its presentations have one id. The proof of who minted it is not in it: tokens that differ
/// only there are the same claim. A holder that narrows tokens until two ids meet has 2^64 of them to make.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; 16]);

impl TokenId {
    /// The id of the token with this text, whether or not it verifies.
    pub fn of(text: &str) -> TokenId {
        let body = || Some(text.split_once('.')?.1.rsplit_once('.')?.0);
        let digest: [u8; 32] = Sha256::digest(body().unwrap_or(text).as_bytes()).into();
        let mut id = [0; 16];
        id.iter_mut().zip(digest).for_each(|(own, byte)| *own = byte);
        TokenId(id)
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
            "Token(ba7816bf8f01cfea414140de5dae2223) Token(ba7816bf8f01cfea414140de5dae2223)"
        );
        assert_eq!(format!("{:?}", token.id()), "TokenId(ba7816bf8f01cfea414140de5dae2223)");
    }

    #[test]
    fn an_id_is_of_the_body_alone() {
        let id = TokenId::of("hp1.abc.defg");
        assert_eq!(id, TokenId::of("abc"));
        assert_eq!(id, TokenId::of("hp1c.abc.another"));
        assert_ne!(id, TokenId::of("hp1.abd.defg"));
        assert_ne!(TokenId::of("hp1.abc"), id);
        assert_ne!(TokenId::of("hp1.a.bc.d"), TokenId::of("hp1.a.cb.d"));
    }
}
