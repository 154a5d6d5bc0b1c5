//! The tree over a log while this process has it: it follows the synced lines of the files.
//!
//! Lines are hashed as they are read back, by the thread that makes a checkpoint: a record costs its caller nothing, and
//! a root is over what a reader will find.

use std::io;

use super::disk::Disk;
use super::follow::{Position, follow};
use super::hashes::{Hashes, StoredHashes};
use crate::audit::tree::{Frontier, leaf_of};
use crate::audit::{Anchor, ChainTag, TreeHash};

/// How many bytes of hashes are written at once.
const CHUNK: usize = 1 << 16;

/// The tree over the first lines of a log.
pub(super) struct Growth {
    /// As far as the file `tree` has its hashes.
    grown: Grown,
    hashes: Hashes,
    /// What was read back is not what was written: nothing more is built upon it.
    broken: bool,
}

#[derive(Clone)]
struct Grown {
    frontier: Frontier,
    /// The place after the last line.
    at: Position,
    /// The tag of that.
    tag: Option<ChainTag>,
}

impl Growth {
    /// The tree of a log whose lines have verified and end at `end`, and its root at `size`, if it has that many lines.
    ///
    /// All lines are read. The tree stands where the file `tree` begins to say something else, and changes nothing there.
    pub(super) fn open(
        disk: &dyn Disk,
        end: Position,
        size: u64,
    ) -> io::Result<(Self, Option<TreeHash>)> {
        let mut all = Grown { frontier: Frontier::default(), at: Position::START, tag: None };
        let mut stored = StoredHashes::of(disk)?;
        let (mut grown, mut fits) = (all.clone(), true);
        let mut root = (size == 0).then(TreeHash::of_empty_tree);
        follow(disk, all.at, end, |line, tag, at| {
            all.frontier
                .push(leaf_of(line, &tag), |hash| fits = fits && stored.next() == Some(hash));
            (all.at, all.tag) = (at, Some(tag));
            if fits {
                grown = all.clone();
            }
            if all.frontier.size() == size {
                root = Some(all.frontier.root());
            }
            Ok(())
        })?;
        Ok((Growth { grown, hashes: Hashes::default(), broken: false }, root))
    }

    /// Grows the tree over all lines up to `to`, the last of which has the tag of `last`.
    ///
    /// # Errors
    /// Where the disk fails, in which case it stands at some line before; or where what is read is not what was
    /// written, in which case it never grows again.
    pub(super) fn grow(&mut self, disk: &dyn Disk, to: Position, last: Anchor) -> io::Result<()> {
        if self.broken {
            return Err(changed());
        }
        let mut next = self.grown.clone();
        let mut bytes = Vec::new();
        let Growth { grown, hashes, .. } = self;
        follow(disk, grown.at, to, |line, tag, at| {
            next.frontier
                .push(leaf_of(line, &tag), |hash| bytes.extend_from_slice(hash.as_bytes()));
            (next.at, next.tag) = (at, Some(tag));
            if bytes.len() >= CHUNK {
                hashes.append(disk, grown.frontier.size(), &bytes)?;
                bytes.clear();
                grown.clone_from(&next);
            }
            Ok(())
        })
        .inspect_err(|error| self.broken = error.kind() == io::ErrorKind::InvalidData)?;
        // What comes after it is told by the chain; this tells that these are the lines which were written.
        if next.tag != Some(last.tag) {
            self.broken = true;
            return Err(changed());
        }
        self.hashes.append(disk, self.grown.frontier.size(), &bytes)?;
        self.grown = next;
        Ok(())
    }

    /// How many lines it is over.
    pub(super) fn size(&self) -> u64 {
        self.grown.frontier.size()
    }

    pub(super) fn root(&self) -> TreeHash {
        self.grown.frontier.root()
    }
}

fn changed() -> io::Error {
    let what = "the log's files are not what was written to them: open the log again";
    io::Error::new(io::ErrorKind::InvalidData, what)
}
