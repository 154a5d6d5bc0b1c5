//! The root block: what a token says, and its one byte form.

use super::chain::MAX_BLOCK;
use super::error::{MintError, TokenError};
use super::keys::KeyId;
use crate::clock::Timestamp;
use crate::grant::GrantId;

/// The most bytes of an issuer, audience or task name: one length byte holds them.
pub const MAX_NAME: usize = 255;

/// The most bytes of a holder: the longest SPIFFE ID there may be.
pub const MAX_HOLDER: usize = 2048;

/// The kind of a root block, and the version of its layout in one.
const ROOT: u8 = 1;

/// The one flag there is: a scope follows.
const HAS_SCOPE: u8 = 1;

/// What a token says about the grant it stands for.
///
/// Anyone can write claims down; only those of a [`VerifiedToken`](super::VerifiedToken) are true.
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
    /// The scope as a verifier without a table needs it; a broker never reads it.
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
pub(super) fn decode(block: &[u8]) -> Result<(KeyId, Claims<'_>), TokenError> {
    let mut reader = Reader(block);
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
        issuer: reader.name()?,
        audience: reader.name()?,
        task: reader.name()?,
        holder: text(reader.long(MAX_HOLDER)?)?,
        scope: if flags & HAS_SCOPE != 0 { Some(reader.long(MAX_BLOCK)?) } else { None },
    };
    if !reader.0.is_empty() {
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

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(CUT)?;
        self.0 = rest;
        Ok(*array)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], TokenError> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(CUT)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn instant(&mut self) -> Result<Timestamp, TokenError> {
        let millis = i64::from_be_bytes(self.array()?);
        Timestamp::from_unix_millis(millis).ok_or(TokenError::Malformed("an instant out of range"))
    }

    fn name(&mut self) -> Result<&'a str, TokenError> {
        let [length] = self.array()?;
        if length == 0 {
            return Err(EMPTY);
        }
        text(self.bytes(usize::from(length))?)
    }

    fn long(&mut self, most: usize) -> Result<&'a [u8], TokenError> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        match length {
            0 => Err(EMPTY),
            length if length > most => Err(TokenError::Malformed("a field is too long")),
            length => self.bytes(length),
        }
    }
}

const CUT: TokenError = TokenError::Malformed("it ends within a field");
const EMPTY: TokenError = TokenError::Malformed("a field is empty");

fn text(bytes: &[u8]) -> Result<&str, TokenError> {
    std::str::from_utf8(bytes).map_err(|_| TokenError::Malformed("a text is not UTF-8"))
}

/// The length of a field that is neither empty nor too long.
fn length(field: &'static str, bytes: &[u8], most: usize) -> Result<u16, MintError> {
    let given = bytes.len();
    let wrong = MintError::FieldLength { field, given, most };
    if given == 0 || given > most {
        return Err(wrong);
    }
    u16::try_from(given).map_err(|_| wrong)
}
