//! Attenuation blocks: what narrows a token.
//!
//! A block says which calls are left and, if it likes, an earlier end. Nothing in it can say more
//! than what the token had: every block of a token must cover a call, and so must the grant.

use super::error::{BlockError, TokenError};
use crate::clock::Timestamp;
use crate::scope::{
    CallParts, Capability, Plainly, Scope, decode_scope, decode_scope_after, plainly,
};
use crate::tool::ToolName;
use crate::value::DecodeError;

/// The kind of a narrowing block, and the version of its layout in one. A root block has another.
const NARROWING: u8 = 2;

/// The one flag there is: an expiry follows.
const HAS_EXPIRY: u8 = 1;

/// What the blocks of a token leave of it.
#[derive(Debug, Default)]
pub(crate) struct Narrowings {
    /// The first instant at which the token is worth nothing, if a block says one; it can only be
    /// earlier than the token's own, which counts in any case.
    pub(crate) expires: Option<Timestamp>,
    /// What has to be asked of the call. Blocks that plainly cover it are not among them.
    pub(crate) to_ask: Vec<Narrowing>,
    /// The first block that plainly refuses the call. Of those after it only the ends are read: the call is
    /// refused, whatever else they say.
    pub(crate) refusing: Option<RefusingBlock>,
}

/// What one block leaves of a token.
#[derive(Debug)]
pub(crate) struct Narrowing {
    /// Which block of the token it is, from 1.
    pub(crate) hop: usize,
    pub(crate) capabilities: Vec<Capability>,
}

/// A block that does not cover the call it was read for. It is not asked again, so that no later block is
/// left out for what turns out to cover.
#[derive(Clone, Debug)]
pub(crate) struct RefusingBlock {
    /// Which block of the token it is, from 1.
    pub(crate) hop: usize,
    scope: Box<[u8]>,
}

impl RefusingBlock {
    /// The bytes of its scope.
    pub(super) fn into_scope(self) -> Box<[u8]> {
        self.scope
    }

    /// What it leaves of the token, to explain the refusal.
    pub(crate) fn capabilities(&self) -> Vec<Capability> {
        // What is plain can be read.
        decode_scope(&self.scope).unwrap_or_default()
    }
}

impl Narrowings {
    /// Reads the blocks of a token whose tag has been verified; its holders wrote them, so
    /// nothing in them is trusted. Where a call is given, those that plainly cover it are not built, and the
    /// first that plainly refuses it is the last whose scope is read.
    pub(super) fn read<'b>(
        blocks: impl Iterator<Item = &'b [u8]>,
        call: Option<CallParts<'_>>,
    ) -> Result<Narrowings, TokenError> {
        let mut read = Narrowings::default();
        for (hop, block) in (1..).zip(blocks) {
            read.add(hop, block, call).map_err(|error| TokenError::Block { at: hop, error })?;
        }
        Ok(read)
    }

    fn add(
        &mut self,
        hop: usize,
        block: &[u8],
        call: Option<CallParts<'_>>,
    ) -> Result<(), BlockError> {
        let (expires, scope) = open(block)?;
        self.expires = [self.expires, expires].into_iter().flatten().min();
        if self.refusing.is_some() {
            return Ok(());
        }
        match call.map_or(Plainly::Untold, |call| plainly(scope, call)) {
            Plainly::Covers => {}
            Plainly::Refuses => self.refusing = Some(RefusingBlock { hop, scope: scope.into() }),
            Plainly::Untold => {
                // Holders mostly narrow what the one before them narrowed: its names are not copied.
                let before = self.to_ask.last().map_or(&[][..], |before| &before.capabilities);
                let capabilities = decode_scope_after(scope, before)?;
                self.to_ask.push(Narrowing { hop, capabilities });
            }
        }
        Ok(())
    }
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
}

/// The expiry a block says, and the bytes of its scope.
fn open(block: &[u8]) -> Result<(Option<Timestamp>, &[u8]), BlockError> {
    let ([kind, flags], rest) = block.split_first_chunk().ok_or(DecodeError::Cut)?;
    if *kind != NARROWING {
        return Err(BlockError::UnknownKind(*kind));
    }
    match *flags {
        0 => Ok((None, rest)),
        HAS_EXPIRY => {
            let (millis, scope) = rest.split_first_chunk().ok_or(DecodeError::Cut)?;
            let at = Timestamp::from_unix_millis(i64::from_be_bytes(*millis));
            let out_of_range = DecodeError::NotCanonical("its expiry is out of range");
            Ok((Some(at.ok_or(out_of_range)?), scope))
        }
        _ => Err(BlockError::Form(DecodeError::Unknown("a flag of the block"))),
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

    fn read(block: &[u8]) -> Result<Narrowings, BlockError> {
        Narrowings::read([block].into_iter(), None).map_err(|error| match error {
            TokenError::Block { at: 1, error } => error,
            other => panic!("{other}"),
        })
    }

    fn encoded(Narrowings { expires, to_ask, .. }: &Narrowings) -> Vec<u8> {
        let [only] = &to_ask[..] else { panic!("{to_ask:?}") };
        let scope = encode_scope(&only.capabilities.iter().collect::<Vec<_>>()).unwrap();
        let mut block = vec![NARROWING, u8::from(expires.is_some())];
        block.extend(expires.iter().flat_map(|at| at.unix_millis().to_be_bytes()));
        [block, scope].concat()
    }

    /// attack 152
    #[test]
    fn a_block_of_another_kind_or_version_or_with_more_in_it_is_refused() {
        let scope = Scope::tool("t").arg("a", max(1));
        let good = Narrowing::encode(&scope, Some(at(7))).unwrap();
        assert_eq!(read(&good).unwrap().expires, Some(at(7)));
        for kind in (0..=u8::MAX).filter(|kind| *kind != NARROWING) {
            let block = [&[kind], &good[1..]].concat();
            assert_eq!(read(&block).unwrap_err(), BlockError::UnknownKind(kind));
        }
        for flags in (0..=u8::MAX).filter(|flags| *flags != HAS_EXPIRY) {
            let block = [&[NARROWING, flags], &good[2..]].concat();
            assert!(read(&block).is_err(), "{flags}");
        }
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "cut at {cut}");
        }
        for more in 0..=u8::MAX {
            assert!(read(&[&good[..], &[more]].concat()).is_err());
        }
        let never = [&[NARROWING, HAS_EXPIRY], &[0xff; 8][..], &good[10..]].concat();
        assert!(matches!(read(&never), Err(BlockError::Form(_))));
    }

    proptest! {
        #[test]
        fn blocks_that_are_read_are_the_one_form_of_what_was_read(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            expires in prop::option::of(0..9_000i64),
            at_byte in any::<prop::sample::Index>(),
        ) {
            let _ = read(&bytes);
            let mut block =
                Narrowing::encode(&Scope::tool("t").arg("a", max(1)), expires.map(at)).unwrap();
            prop_assert_eq!(encoded(&read(&block).unwrap()), &*block);
            let at_byte = at_byte.index(block.len());
            block[at_byte] = block[at_byte].wrapping_add(bytes.len() as u8);
            if let Ok(again) = read(&block) {
                prop_assert_eq!(encoded(&again), block);
            }
        }
    }
}
