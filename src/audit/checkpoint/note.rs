//! Signed notes (C2SP `signed-note`): a text, an empty line, and a line for each signature.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::CheckpointError;

/// How many signatures a note may have: a log's own, and those of as many witnesses as a policy names.
const MOST_SIGNATURES: usize = 64;

/// A longer note is none of a log's: 64 signatures of the longest kind known take less.
const LONGEST: usize = 512 * 1024;

/// What a line of a signature begins with.
const DASH: &str = "\u{2014} ";

/// A note whose form is right. Nothing shows that its signatures are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::audit) struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One line of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::audit) struct NoteSignature {
    pub(in crate::audit) name: String,
    pub(in crate::audit) key: [u8; 4],
    pub(in crate::audit) bytes: Vec<u8>,
}

impl Note {
    /// A note with one signature. The text ends in a line feed.
    pub(in crate::audit) fn new(text: String, signature: NoteSignature) -> Self {
        Note { text, signatures: vec![signature] }
    }

    /// Reads a note, which has one spelling.
    pub(in crate::audit) fn read(note: &str) -> Result<Self, CheckpointError> {
        let malformed = |what| Err(CheckpointError::NotANote(what));
        if note.len() > LONGEST {
            return malformed("it is longer than 512 KiB");
        }
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return malformed("it has a control character");
        }
        // What is signed has no empty line at its end, so the last one is what separates.
        let Some(at) = note.rfind("\n\n") else {
            return malformed("no empty line stands between its text and its signatures");
        };
        let (text, rest) = note.split_at(at + 1);
        let Some(lines) = rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')) else {
            return malformed("its last line has no end");
        };
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            let Some(signature) = NoteSignature::read(line) else {
                return malformed("a line after its text is not a signature");
            };
            signatures.push(signature);
        }
        if signatures.len() > MOST_SIGNATURES {
            return malformed("it has more than 64 signatures");
        }
        Ok(Note { text: text.to_owned(), signatures })
    }

    /// Adds signatures, as many as there is room for: each in the place of one of the same key.
    pub(super) fn add(&mut self, signatures: Vec<NoteSignature>) {
        for signature in signatures {
            let same = |own: &&mut NoteSignature| {
                (&*own.name, own.key) == (&*signature.name, signature.key)
            };
            let room = self.signatures.len() < MOST_SIGNATURES;
            match self.signatures.iter_mut().find(same) {
                Some(own) => *own = signature,
                None if room => self.signatures.push(signature),
                None => {}
            }
        }
    }

    /// What is signed, its last line feed included.
    pub(in crate::audit) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::audit) fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl NoteSignature {
    /// Reads a line without its end.
    pub(in crate::audit) fn read(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        if !is_name(name) {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key, bytes) = bytes.split_first_chunk::<4>()?;
        (!bytes.is_empty()).then(|| {
            let (name, key, bytes) = (name.to_owned(), *key, bytes.to_vec());
            NoteSignature { name, key, bytes }
        })
    }
}

/// Whether a text can be what a key is called.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.chars().any(|own| own.is_whitespace() || own.is_control() || own == '+')
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = STANDARD.encode([&self.key[..], &self.bytes].concat());
        write!(f, "{DASH}{} {bytes}", self.name)
    }
}
