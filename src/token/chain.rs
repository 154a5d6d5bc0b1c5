//! Blocks and the chain of tags over them.
//!
//! A token's body is a row of frames, `u16 length | block`. The first block is the root, the others
//! narrow it. The tag of each frame is the key of the next:
//!
//! ```text
//! tag 0 = HMAC-SHA256(root key, frame 0)      tag i = HMAC-SHA256(tag i-1, frame i)
//! ```
//!
//! A token carries the last tag only, so its holder can add a block and no one can take one
//! away. No block is empty, so no frame begins with two zero bytes: what else is ever signed under a
//! tag begins with them, and can never pass for one more block.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::{MintError, TokenError};
use crate::grant::Mark;
use crate::key::MacKey;

/// The most attenuation blocks a token may have: a planner handing to workers handing to tools
/// narrows three or four times, and each block costs every reader one HMAC.
pub const MAX_ATTENUATIONS: usize = 16;

/// The most bytes a block may have: the longest root block without a scope takes 2868, and half of
/// what a whole token can hold leaves room to narrow it.
pub const MAX_BLOCK: usize = 4096;

const PREFIX: usize = size_of::<u16>();

/// A body whose frames add up. Nothing in it is trusted yet.
#[derive(Clone, Copy)]
pub(super) struct Frames<'a> {
    root: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    /// Walks the whole body once, looking at lengths only.
    pub(super) fn read(body: &'a [u8]) -> Result<Frames<'a>, TokenError> {
        let (root, rest) = split_frame(body).ok_or(TokenError::Framing)?;
        let mut left = rest;
        let mut attenuations = 0;
        while !left.is_empty() {
            attenuations += 1;
            if attenuations > MAX_ATTENUATIONS {
                return Err(TokenError::TooManyBlocks);
            }
            (_, left) = split_frame(left).ok_or(TokenError::Framing)?;
        }
        Ok(Frames { root, rest })
    }

    /// The root block, without its length.
    pub(super) fn root(self) -> &'a [u8] {
        self.root.get(PREFIX..).unwrap_or_default()
    }

    /// The attenuation blocks, from the root's side.
    pub(super) fn attenuations(self) -> Blocks<'a> {
        Blocks { frames: self.rest }
    }

    /// Whether `tag` is the last tag of the chain that begins with `root_key`.
    ///
    /// Every frame is hashed before anything is compared, and only the last tag is, so that a wrong
    /// tag takes the same work wherever it went wrong, and as much as a right one that is new (attack 78).
    #[inline]
    pub(super) fn verify(self, root_key: &MacKey, tag: &[u8; 32]) -> bool {
        let (key, last) = self.walk(root_key, |_| ());
        key.as_ref().unwrap_or(root_key).verify(last, tag)
    }

    /// The last tag of the chain that begins with `root_key`: a secret, where it was not presented. And what
    /// each narrowing is known by.
    pub(super) fn last_tag(self, root_key: &MacKey) -> (Zeroizing<[u8; 32]>, Vec<Mark>) {
        let mut marks = Vec::new();
        // The first tag is the root block's own, and narrows nothing.
        let mut root = true;
        let (key, last) = self.walk(root_key, |tag| {
            if !std::mem::take(&mut root) {
                marks.push(mark_of(tag));
            }
        });
        let mut tag = Zeroizing::new([0; 32]);
        key.as_ref().unwrap_or(root_key).sign_into(&mut tag, [last]);
        if !root {
            marks.push(mark_of(&tag));
        }
        (tag, marks)
    }

    /// The key of the last frame, unless it is the root key, and that frame. Shows the tags of those before.
    fn walk(
        self,
        root_key: &MacKey,
        mut show: impl FnMut(&[u8; 32]),
    ) -> (Option<MacKey>, &'a [u8]) {
        let mut key = None;
        let mut tag = Zeroizing::new([0; 32]);
        let mut last = self.root;
        let mut left = self.rest;
        while let Some((frame, after)) = split_frame(left) {
            key.as_ref().unwrap_or(root_key).sign_into(&mut tag, [last]);
            show(&tag);
            key = Some(MacKey::from_tag(&tag));
            (last, left) = (frame, after);
        }
        (key, last)
    }
}

/// What a narrowed token is known by: from its tag, and saying nothing about that.
fn mark_of(tag: &[u8; 32]) -> Mark {
    let digest: [u8; 32] = Sha256::digest(tag).into();
    let mut mark = Mark::default();
    mark.iter_mut().zip(digest).for_each(|(own, byte)| *own = byte);
    mark
}

/// The attenuation blocks of a token, in the order in which they were added.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    frames: &'a [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (frame, rest) = split_frame(self.frames)?;
        self.frames = rest;
        frame.get(PREFIX..)
    }
}

/// The frame around a block.
pub(super) fn frame(block: &[u8]) -> Result<Vec<u8>, MintError> {
    let too_long =
        || MintError::FieldLength { field: "block", given: block.len(), most: MAX_BLOCK };
    if block.is_empty() || block.len() > MAX_BLOCK {
        return Err(too_long());
    }
    let length = u16::try_from(block.len()).map_err(|_| too_long())?;
    Ok([&length.to_be_bytes(), block].concat())
}

/// The tag of the frame that follows the one with tag `tag`.
pub(super) fn next_tag(tag: &[u8; 32], frame: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut next = Zeroizing::new([0; 32]);
    MacKey::from_tag(tag).sign_into(&mut next, [frame]);
    next
}

/// The first frame, its length included, and what follows it.
fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    if length == 0 || length > MAX_BLOCK {
        return None;
    }
    bytes.split_at_checked(PREFIX + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each narrowed token has its own share of what a grant remembers, and the log no part of its tag.
    #[test]
    fn every_tag_has_a_mark_of_its_own_that_is_no_part_of_it() {
        let tags = [[0; 32], [1; 32], [255; 32]];
        let marks = tags.map(|tag| mark_of(&tag));
        for (at, mark) in marks.iter().enumerate() {
            assert!(tags.iter().all(|tag| tag[..16] != *mark && tag[16..] != *mark));
            assert!(marks[..at].iter().all(|other| other != mark));
        }
    }
}
