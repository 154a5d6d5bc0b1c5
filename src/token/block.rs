//! Attenuation blocks: what narrows a token.
//!
//! A block says which calls are left and, if it likes, an earlier end. Nothing in it can say more
//! than what the token had: every block of a token must cover a call, and so must the grant.

use super::error::BlockError;
use crate::clock::Timestamp;
use crate::scope::{Capability, Scope, decode_scope_beside};
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
    ///
    /// Given the one before it, names are not copied that both have: holders mostly narrow what the
    /// one before them narrowed.
    pub(crate) fn decode(
        block: &[u8],
        before: Option<&Narrowing>,
    ) -> Result<Narrowing, BlockError> {
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
        let before = before.map_or(&[][..], |before| &before.capabilities);
        Ok(Narrowing { capabilities: decode_scope_beside(scope, before)?, expires })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scope::{encode_scope, max};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    fn encoded(narrowing: &Narrowing) -> Vec<u8> {
        let scope = encode_scope(&narrowing.capabilities.iter().collect::<Vec<_>>()).unwrap();
        let mut block = vec![NARROWING, u8::from(narrowing.expires.is_some())];
        block.extend(narrowing.expires.iter().flat_map(|at| at.unix_millis().to_be_bytes()));
        [block, scope].concat()
    }

    /// attack 152
    #[test]
    fn a_block_of_another_kind_or_version_or_with_more_in_it_is_refused() {
        let scope = Scope::tool("t").arg("a", max(1));
        let good = Narrowing::encode(&scope, Some(at(7))).unwrap();
        assert_eq!(Narrowing::decode(&good, None).unwrap().expires, Some(at(7)));
        for kind in (0..=u8::MAX).filter(|kind| *kind != NARROWING) {
            let block = [&[kind], &good[1..]].concat();
            assert_eq!(Narrowing::decode(&block, None).unwrap_err(), BlockError::UnknownKind(kind));
        }
        for flags in (0..=u8::MAX).filter(|flags| *flags != HAS_EXPIRY) {
            let block = [&[NARROWING, flags], &good[2..]].concat();
            assert!(Narrowing::decode(&block, None).is_err(), "{flags}");
        }
        for cut in 0..good.len() {
            assert!(Narrowing::decode(&good[..cut], None).is_err(), "cut at {cut}");
        }
        for more in 0..=u8::MAX {
            assert!(Narrowing::decode(&[&good[..], &[more]].concat(), None).is_err());
        }
        let never = [&[NARROWING, HAS_EXPIRY], &[0xff; 8][..], &good[10..]].concat();
        assert!(matches!(Narrowing::decode(&never, None), Err(BlockError::Form(_))));
    }

    proptest! {
        #[test]
        fn blocks_that_are_read_are_the_one_form_of_what_was_read(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            expires in prop::option::of(0..9_000i64),
            at_byte in any::<prop::sample::Index>(),
        ) {
            let _ = Narrowing::decode(&bytes, None);
            let mut block =
                Narrowing::encode(&Scope::tool("t").arg("a", max(1)), expires.map(at)).unwrap();
            prop_assert_eq!(encoded(&Narrowing::decode(&block, None).unwrap()), &*block);
            let at_byte = at_byte.index(block.len());
            block[at_byte] = block[at_byte].wrapping_add(bytes.len() as u8);
            if let Ok(read) = Narrowing::decode(&block, None) {
                prop_assert_eq!(encoded(&read), block);
            }
        }
    }
}
