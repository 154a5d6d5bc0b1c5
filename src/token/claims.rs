//! The root block: what a token says, and its one byte form.

use super::chain::MAX_BLOCK;
use super::error::{MintError, TokenError};
use crate::clock::Timestamp;
use crate::grant::GrantId;
use crate::key::{KeyId, MAX_AUDIENCE};

/// The most bytes of an issuer, audience or task name: one length byte holds them.
pub(crate) const MAX_NAME: usize = MAX_AUDIENCE;

/// The most bytes of a holder: the longest SPIFFE ID there may be.
pub(crate) const MAX_HOLDER: usize = 2048;

/// The kind of a root block, and the version of its layout in one.
const ROOT: u8 = 1;

/// The one flag there is: a scope follows.
const HAS_SCOPE: u8 = 1;

/// What a token says about the grant it stands for.
///
/// Anyone can write claims down; only those of a [`VerifiedToken`](super::hazmat::VerifiedToken) are true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims<'a> {
    /// The broker that minted it.
    pub issuer: &'a str,
    /// The gate or verifier it is for.
    pub audience: &'a str,
    /// The task's name.
    pub task: &'a str,
    /// Which opening of that name it is: the task's generation number.
    pub generation: u64,
    /// The grant.
    pub grant: GrantId,
    /// The grant's serial: renewal raises it, and older tokens are superseded.
    pub serial: u32,
    /// The identity that may present it.
    pub holder: &'a str,
    /// When it was minted.
    pub issued: Timestamp,
    /// The first instant at which it is worth nothing.
    pub expires: Timestamp,
    /// The scope's byte form, for a [`Verifier`](super::Verifier) without a table; a gate never
    /// reads it.
    pub scope: Option<&'a [u8]>,
}

/// The root block of these claims.
pub(super) fn encode(claims: &Claims<'_>, key: KeyId) -> Result<Vec<u8>, MintError> {
    if claims.expires <= claims.issued {
        return Err(MintError::NoLifetime);
    }
    let mut block = Vec::with_capacity(128);
    block.push(ROOT);
    block.extend_from_slice(key.as_bytes());
    block.push(if claims.scope.is_some() { HAS_SCOPE } else { 0 });
    block.extend_from_slice(claims.grant.as_bytes());
    block.extend_from_slice(&claims.generation.to_be_bytes());
    block.extend_from_slice(&claims.serial.to_be_bytes());
    block.extend_from_slice(&claims.issued.unix_millis().to_be_bytes());
    block.extend_from_slice(&claims.expires.unix_millis().to_be_bytes());
    for (field, name) in
        [("issuer", claims.issuer), ("audience", claims.audience), ("task", claims.task)]
    {
        let length = length(field, name.as_bytes(), MAX_NAME)?;
        block.push(length.to_be_bytes()[1]);
        block.extend_from_slice(name.as_bytes());
    }
    for (field, bytes, most) in
        [("holder", Some(claims.holder.as_bytes()), MAX_HOLDER), ("scope", claims.scope, MAX_BLOCK)]
    {
        let Some(bytes) = bytes else { continue };
        block.extend_from_slice(&length(field, bytes, most)?.to_be_bytes());
        block.extend_from_slice(bytes);
    }
    Ok(block)
}

/// Reads a root block whose tag has been verified. Exactly what [`encode`] writes is read: every
/// other byte sequence is refused, so that no two tokens mean the same.
#[inline]
pub(super) fn decode(block: &[u8]) -> Result<(KeyId, Claims<'_>), TokenError> {
    let mut reader = Reader { left: block, texts: None };
    let [kind] = reader.array()?;
    if kind != ROOT {
        return Err(TokenError::Malformed("its kind is unknown"));
    }
    let key = KeyId::from_bytes(reader.array()?);
    let [flags] = reader.array()?;
    if flags & !HAS_SCOPE != 0 {
        return Err(TokenError::Malformed("a flag is unknown"));
    }
    let claims = Claims {
        grant: GrantId::from_bytes(reader.array()?),
        generation: u64::from_be_bytes(reader.array()?),
        serial: u32::from_be_bytes(reader.array()?),
        issued: reader.instant()?,
        expires: reader.instant()?,
        issuer: reader.first_name()?,
        audience: reader.name()?,
        task: reader.name()?,
        holder: reader.holder()?,
        scope: if flags & HAS_SCOPE != 0 { Some(reader.scope()?) } else { None },
    };
    if !reader.left.is_empty() {
        return Err(TokenError::Malformed("bytes follow its last field"));
    }
    if claims.expires <= claims.issued {
        return Err(TokenError::Malformed("it expires no later than it is issued"));
    }
    Ok((key, claims))
}

/// The key id of a root block, the one thing read before the tag is verified.
pub(super) fn key_id(block: &[u8]) -> Option<KeyId> {
    block.get(1..).and_then(|bytes| bytes.first_chunk()).map(|id| KeyId::from_bytes(*id))
}

struct Reader<'a> {
    left: &'a [u8],
    /// All from the first name to the end, where that is text: lengths below 128 are, too, so names are
    /// mostly looked at in one go.
    texts: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (array, rest) = self.left.split_first_chunk().ok_or(CUT)?;
        self.left = rest;
        Ok(*array)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], TokenError> {
        let (bytes, rest) = self.left.split_at_checked(length).ok_or(CUT)?;
        self.left = rest;
        Ok(bytes)
    }

    #[inline]
    fn text(&mut self, length: usize) -> Result<&'a str, TokenError> {
        let whole = self.texts.and_then(|texts| {
            let start = texts.len().checked_sub(self.left.len())?;
            texts.get(start..start + length)
        });
        let bytes = self.bytes(length)?;
        match whole {
            Some(text) => Ok(text),
            None => {
                std::str::from_utf8(bytes).map_err(|_| TokenError::Malformed("a text is not UTF-8"))
            }
        }
    }

    fn instant(&mut self) -> Result<Timestamp, TokenError> {
        let millis = i64::from_be_bytes(self.array()?);
        Timestamp::from_unix_millis(millis).ok_or(TokenError::Malformed("an instant out of range"))
    }

    fn first_name(&mut self) -> Result<&'a str, TokenError> {
        self.texts = std::str::from_utf8(self.left).ok();
        self.name()
    }

    fn name(&mut self) -> Result<&'a str, TokenError> {
        match self.array()? {
            [0] => Err(EMPTY),
            [length] => self.text(usize::from(length)),
        }
    }

    fn holder(&mut self) -> Result<&'a str, TokenError> {
        let length = self.length(MAX_HOLDER)?;
        self.text(length)
    }

    fn scope(&mut self) -> Result<&'a [u8], TokenError> {
        let length = self.length(MAX_BLOCK)?;
        self.bytes(length)
    }

    fn length(&mut self, most: usize) -> Result<usize, TokenError> {
        match usize::from(u16::from_be_bytes(self.array()?)) {
            0 => Err(EMPTY),
            length if length > most => Err(TokenError::Malformed("a field is too long")),
            length => Ok(length),
        }
    }
}

const CUT: TokenError = TokenError::Malformed("it ends within a field");
const EMPTY: TokenError = TokenError::Malformed("a field is empty");

/// The length of a field that is neither empty nor too long.
fn length(field: &'static str, bytes: &[u8], most: usize) -> Result<u16, MintError> {
    let given = bytes.len();
    let wrong = MintError::FieldLength { field, given, most };
    if given == 0 || given > most {
        return Err(wrong);
    }
    u16::try_from(given).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: KeyId = KeyId::from_bytes([1, 2, 3, 4]);

    fn claims() -> Claims<'static> {
        Claims {
            issuer: "acme",
            audience: "gate",
            task: "task-42",
            generation: 7,
            grant: GrantId::from_bytes([9; 16]),
            serial: 3,
            holder: "agent-7",
            issued: Timestamp::from_unix_millis(1_000).unwrap(),
            expires: Timestamp::from_unix_millis(2_000).unwrap(),
            scope: Some(b"scope"),
        }
    }

    fn block() -> Vec<u8> {
        encode(&claims(), KEY).unwrap()
    }

    /// A block with some bytes replaced.
    fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut block = block();
        block.splice(at..at + bytes.len(), bytes.iter().copied());
        block
    }

    #[test]
    fn a_root_block_says_what_was_encoded() {
        assert_eq!(decode(&block()), Ok((KEY, claims())));
        assert_eq!(key_id(&block()), Some(KEY));
        let bare = Claims { scope: None, ..claims() };
        assert_eq!(decode(&encode(&bare, KEY).unwrap()), Ok((KEY, bare)));
    }

    /// attacks 68 and 84
    #[test]
    fn whatever_encode_does_not_write_is_refused() {
        let malformed = |block: &[u8], why| {
            assert_eq!(decode(block), Err(TokenError::Malformed(why)));
        };
        for kind in [0, 2, 255] {
            malformed(&with(0, &[kind]), "its kind is unknown");
        }
        for flags in [2, 3, 0x80, 0xff] {
            malformed(&with(5, &[flags]), "a flag is unknown");
        }
        malformed(&with(5, &[0]), "bytes follow its last field");
        malformed(&[block(), vec![0]].concat(), "bytes follow its last field");
        for millis in [-1, i64::MIN, i64::MAX] {
            malformed(&with(34, &millis.to_be_bytes()), "an instant out of range");
            malformed(&with(42, &millis.to_be_bytes()), "an instant out of range");
        }
        for expires in [999, 1000_i64] {
            malformed(&with(42, &expires.to_be_bytes()), "it expires no later than it is issued");
        }
        malformed(&with(51, &[0xff]), "a text is not UTF-8");
        malformed(&with(50, &[0]), "a field is empty");
        let holder = 50 + 5 + 5 + 8;
        malformed(&with(holder, &[0, 0]), "a field is empty");
        malformed(&with(holder, &2049_u16.to_be_bytes()), "a field is too long");
        malformed(&with(holder + 2, &[0x80]), "a text is not UTF-8");
        malformed(&with(holder + 9, &[0xff, 0xff]), "a field is too long");
        for end in 0..block().len() {
            assert!(decode(&block()[..end]).is_err(), "cut at {end}");
        }
    }

    /// A length of 128 and more can be the end of the character that the name before it begins, and then
    /// all names together are text although one of them is none.
    #[test]
    fn a_name_is_text_by_itself_and_borrows_no_length_for_it() {
        let long = "x".repeat(0xa9);
        let of = |issuer| Claims { issuer, audience: &long, scope: None, ..claims() };
        let mut block = encode(&of("ab"), KEY).unwrap();
        assert_eq!(decode(&block), Ok((KEY, of("ab"))));
        let issuer = 50;
        assert_eq!(block[issuer..issuer + 4], [2, b'a', b'b', 0xa9]);
        block[issuer + 2] = 0xc3;
        assert!(std::str::from_utf8(&block[issuer..]).is_ok());
        assert_eq!(decode(&block), Err(TokenError::Malformed("a text is not UTF-8")));
    }

    /// attack 69
    #[test]
    fn fields_cannot_trade_bytes() {
        let one = Claims { issuer: "x|y", audience: "z", ..claims() };
        let other = Claims { issuer: "x", audience: "y|z", ..claims() };
        assert_ne!(encode(&one, KEY), encode(&other, KEY));
    }

    #[test]
    fn claims_the_format_cannot_hold_are_not_encoded() {
        let wrong = |field, given, most| Err(MintError::FieldLength { field, given, most });
        let long = "x".repeat(2049);
        let encode = |claims| encode(&claims, KEY);
        for (name, given) in [("", 0), (&long[..256], 256)] {
            assert_eq!(encode(Claims { issuer: name, ..claims() }), wrong("issuer", given, 255));
            assert_eq!(
                encode(Claims { audience: name, ..claims() }),
                wrong("audience", given, 255)
            );
            assert_eq!(encode(Claims { task: name, ..claims() }), wrong("task", given, 255));
        }
        assert_eq!(encode(Claims { holder: "", ..claims() }), wrong("holder", 0, 2048));
        assert_eq!(encode(Claims { holder: &long, ..claims() }), wrong("holder", 2049, 2048));
        assert_eq!(encode(Claims { scope: Some(&[]), ..claims() }), wrong("scope", 0, 4096));
        assert_eq!(
            encode(Claims { scope: Some(&[0; 70_000]), ..claims() }),
            wrong("scope", 70_000, 4096)
        );
        let expires = claims().issued;
        assert_eq!(encode(Claims { expires, ..claims() }), Err(MintError::NoLifetime));
        let most = Claims {
            issuer: &long[..255],
            audience: &long[..255],
            task: &long[..255],
            holder: &long[..2048],
            scope: None,
            ..claims()
        };
        let block = encode(most).unwrap();
        assert_eq!((block.len(), decode(&block)), (2868, Ok((KEY, most))));
    }

    proptest! {
        /// attack 68: a block that decodes is byte for byte the one its claims encode to
        #[test]
        fn decoding_accepts_nothing_but_what_encoding_writes(
            edits in prop::collection::vec((0_usize..100, any::<u8>(), 0..3), 1..4),
        ) {
            let mut block = block();
            for (at, byte, how) in edits {
                let at = at % block.len();
                match how {
                    0 => block[at] = byte,
                    1 => block.insert(at, byte),
                    _ => drop(block.remove(at)),
                }
            }
            if let Ok((key, claims)) = decode(&block) {
                prop_assert_eq!(encode(&claims, key), Ok(block.clone()));
            }
        }
    }
}
