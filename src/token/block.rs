//! Attenuation blocks: what narrows a token.
//!
//! A block says which calls are left and, if it likes, an earlier end. Nothing in it can say more
//! than what the token had: every block of a token must cover a call, and so must the grant.

use super::error::BlockError;
use crate::clock::Timestamp;
use crate::scope::{Capability, Scope, decode_scope};
use crate::tool::ToolName;
use crate::value::DecodeError;

/// The kind of a narrowing block, and the version of its layout in one. A root block has another.
const NARROWING: u8 = 2;

/// The one flag there is: an expiry follows.
const HAS_EXPIRY: u8 = 1;

/// What one block leaves of a token.
#[derive(Debug)]
pub(crate) struct Narrowing {
    pub(crate) capabilities: Vec<Capability>,
    /// The first instant at which the token is worth nothing; it can only be earlier than the
    /// token's own, which counts in any case.
    pub(crate) expires: Option<Timestamp>,
}

impl Narrowing {
    /// Whether it leaves any call of this tool.
    pub(crate) fn names(&self, tool: &ToolName) -> bool {
        self.capabilities.iter().any(|own| own.tool == *tool)
    }

    /// The block that leaves `scope`, until `expires`.
    pub(super) fn encode(scope: &Scope, expires: Option<Timestamp>) -> Result<Vec<u8>, BlockError> {
        let scope = scope.encode()?;
        let mut block = Vec::with_capacity(scope.len() + 10);
        block.push(NARROWING);
        match expires {
            None => block.push(0),
            Some(at) => {
                block.push(HAS_EXPIRY);
                block.extend_from_slice(&at.unix_millis().to_be_bytes());
            }
        }
        block.extend_from_slice(&scope);
        Ok(block)
    }

    /// Reads a block of a token whose tag has been verified; whoever held the token wrote it, so
    /// nothing in it is trusted.
    pub(crate) fn decode(block: &[u8]) -> Result<Narrowing, BlockError> {
        let cut = BlockError::Form(DecodeError::Cut);
        let ([kind, flags], rest) = block.split_first_chunk().ok_or(cut.clone())?;
        if *kind != NARROWING {
            return Err(BlockError::UnknownKind(*kind));
        }
        let (expires, scope) = match *flags {
            0 => (None, rest),
            HAS_EXPIRY => {
                let (millis, scope) = rest.split_first_chunk().ok_or(cut)?;
                let at = Timestamp::from_unix_millis(i64::from_be_bytes(*millis));
                let out_of_range = DecodeError::NotCanonical("its expiry is out of range");
                (Some(at.ok_or(out_of_range)?), scope)
            }
            _ => return Err(BlockError::Form(DecodeError::Unknown("a flag of the block"))),
        };
        Ok(Narrowing { capabilities: decode_scope(scope)?, expires })
    }
}
