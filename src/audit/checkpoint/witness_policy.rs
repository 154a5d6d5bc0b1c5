//! Which witnesses count, and how many of them are enough (C2SP `tlog-policy`).

use std::collections::BTreeSet;

use super::cosignature::signed_at;
use super::{CheckpointError, Note, NoteSignature, SignedCheckpoint, VerifierKey};
use crate::clock::Timestamp;

/// More bytes, or more names, than any policy needs.
const LONGEST: usize = 64 * 1024;
const MOST_NAMES: usize = 256;

/// Which witnesses count, with their pinned keys, and how many of them have to have seen a checkpoint.
///
/// ```
/// use hallpass::audit::{VerifierKey, WitnessPolicy};
/// # let keys = [1, 2, 3].map(|n| VerifierKey::of_witness(&format!("w{n}.example"), [n; 32]).unwrap());
/// # let [one, two, three] = keys;
/// let policy: WitnessPolicy = format!(
///     "witness one {one}\n\
///      witness two {two}\n\
///      witness three {three}\n\
///      group all-of-them 2 one two three\n\
///      quorum all-of-them\n"
/// ).parse()?;
/// assert_eq!(policy.witnesses().count(), 3);
/// # Ok::<(), hallpass::audit::WitnessPolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessPolicy {
    logs: Vec<VerifierKey>,
    members: Vec<Member>,
    /// Nothing where no witness is needed.
    quorum: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: String,
    kind: MemberKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum MemberKind {
    Witness(VerifierKey),
    /// A witness whose signatures are of a kind that is not checked here: kept, and never counted.
    Uncounted {
        /// What its key is called, and the key's id: others of that name may be of keys that are checked.
        name: String,
        id: [u8; 4],
    },
    Group {
        fewest: usize,
        of: Vec<usize>,
    },
}

/// Which line of a policy is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the witness policy: {what}")]
pub struct WitnessPolicyError {
    line: usize,
    what: String,
}

/// Who has seen a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Witnessed {
    /// The names of the keys of the witnesses whose signature has verified, and when each signed.
    pub by: Vec<(String, Timestamp)>,
    /// Whether they are enough.
    pub is_quorum: bool,
    /// The time of the oldest signature that is needed, where they are enough and any is needed: compare it with how old it
    /// may be.
    pub since: Option<Timestamp>,
}

impl WitnessPolicy {
    /// The keys of the witnesses whose signatures are checked.
    pub fn witnesses(&self) -> impl Iterator<Item = &VerifierKey> {
        self.members.iter().filter_map(|member| match &member.kind {
            MemberKind::Witness(key) => Some(key),
            _ => None,
        })
    }

    /// Whether any witness is needed.
    #[must_use]
    pub fn needs_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Who has seen a checkpoint. Signatures of keys that are not in the policy say nothing.
    ///
    /// # Errors
    /// [`CheckpointError`] where a signature says that it is one of a witness of the policy and is not, and where the policy
    /// names logs, and this is none of them.
    pub fn witnessed(&self, checkpoint: &SignedCheckpoint) -> Result<Witnessed, CheckpointError> {
        if !self.logs.is_empty() && !self.logs.contains(checkpoint.key()) {
            let (found, expected) =
                (checkpoint.key().to_string(), "a log of the policy".to_owned());
            return Err(CheckpointError::Foreign { found, expected });
        }
        let note = checkpoint.note();
        let mut by = Vec::new();
        // A group comes after all that it is of.
        let mut times: Vec<Option<Timestamp>> = Vec::new();
        for member in &self.members {
            let time = match &member.kind {
                MemberKind::Witness(key) => {
                    let time = last_signed(note, key)?;
                    by.extend(time.map(|time| (key.name().to_owned(), time)));
                    time
                }
                MemberKind::Uncounted { .. } => None,
                MemberKind::Group { fewest, of } => {
                    let mut own: Vec<Timestamp> =
                        of.iter().filter_map(|index| *times.get(*index)?).collect();
                    own.sort_unstable_by(|one, other| other.cmp(one));
                    fewest.checked_sub(1).and_then(|last| own.get(last)).copied()
                }
            };
            times.push(time);
        }
        let since = self.quorum.and_then(|index| times.get(index).copied().flatten());
        let is_quorum = self.quorum.is_none() || since.is_some();
        Ok(Witnessed { by, is_quorum, since })
    }

    /// Whether a signature that a witness gave is to be kept: one that verifies, or of a kind that is not checked and of a
    /// key that the policy has. So none that was not verified takes the place of one that was.
    pub(in crate::audit) fn keeps(&self, text: &str, signature: &NoteSignature) -> bool {
        self.members.iter().any(|member| match &member.kind {
            MemberKind::Witness(key) => matches!(signed_at(text, signature, key), Ok(Some(_))),
            MemberKind::Uncounted { name, id } => (name, id) == (&signature.name, &signature.key),
            MemberKind::Group { .. } => false,
        })
    }

    /// Whether a key is called so and has this id: signatures of another could not be told from its own.
    fn has_id(&self, called: &str, own: [u8; 4]) -> bool {
        self.members.iter().any(|member| match &member.kind {
            MemberKind::Witness(key) => (key.name(), key.id()) == (called, own),
            MemberKind::Uncounted { name, id } => (&**name, *id) == (called, own),
            MemberKind::Group { .. } => false,
        })
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }

    fn add(&mut self, name: &str, kind: MemberKind) -> Result<(), String> {
        if name == "none" || self.index_of(name).is_some() {
            return Err(format!("`{name}` is taken already"));
        }
        if self.members.len() == MOST_NAMES {
            return Err(format!("expected at most {MOST_NAMES} names"));
        }
        self.members.push(Member { name: name.to_owned(), kind });
        Ok(())
    }

    fn add_witness(&mut self, name: &str, key: &str) -> Result<(), String> {
        let kind = match key.parse::<VerifierKey>() {
            Ok(key) if !key.is_of_witness() => {
                return Err("the key is that of a log, expected that of a witness".to_owned());
            }
            Ok(key) => {
                if self.witnesses().any(|other| other.public_key() == key.public_key()) {
                    return Err(format!("the key of `{name}` stands there already"));
                }
                if self.has_id(key.name(), key.id()) {
                    return Err(format!("the id of the key of `{name}` stands there already"));
                }
                MemberKind::Witness(key)
            }
            Err(CheckpointError::UnknownKind) => {
                let mut parts = key.split('+');
                let name = parts.next().unwrap_or_default().to_owned();
                let id = parts.next().filter(|id| id.len() == 8);
                let id = id.and_then(|id| u32::from_str_radix(id, 16).ok());
                let id = id.ok_or("the key's id is not eight hexadecimal digits")?.to_be_bytes();
                if self.has_id(&name, id) {
                    return Err(format!("the id of the key of `{name}` stands there already"));
                }
                MemberKind::Uncounted { name, id }
            }
            Err(error) => return Err(error.to_string()),
        };
        self.add(name, kind)
    }

    fn add_group(
        &mut self,
        name: &str,
        fewest: &str,
        names: &[&str],
        grouped: &mut BTreeSet<usize>,
    ) -> Result<(), String> {
        let mut of = Vec::new();
        for member in names {
            let index = self.index_of(member).ok_or_else(|| unknown(member))?;
            // Otherwise one witness would count more than once.
            if !grouped.insert(index) {
                return Err(format!("`{member}` is in a group already"));
            }
            of.push(index);
        }
        let fewest = match fewest {
            "any" => 1,
            "all" => of.len(),
            number => match number.parse() {
                Ok(fewest) if fewest > 0 && format!("{fewest}") == number => fewest,
                _ => {
                    return Err(format!(
                        "`{number}` is not a number, expected one, `any` or `all`"
                    ));
                }
            },
        };
        if of.is_empty() || fewest > of.len() {
            return Err(format!("expected {fewest} of {} members to be possible", of.len()));
        }
        self.add(name, MemberKind::Group { fewest, of })
    }
}

/// The last time at which a witness signed.
fn last_signed(note: &Note, key: &VerifierKey) -> Result<Option<Timestamp>, CheckpointError> {
    let mut last = None;
    for signature in note.signatures() {
        last = last.max(signed_at(note.text(), signature, key)?);
    }
    Ok(last)
}

fn unknown(name: &str) -> String {
    format!("`{name}` is not defined on a line before")
}

impl std::str::FromStr for WitnessPolicy {
    type Err = WitnessPolicyError;

    fn from_str(text: &str) -> Result<Self, WitnessPolicyError> {
        let at = |line, what: String| WitnessPolicyError { line, what };
        if text.len() > LONGEST {
            return Err(at(1, "the policy is longer than 64 KiB".to_owned()));
        }
        let mut policy = WitnessPolicy { logs: Vec::new(), members: Vec::new(), quorum: None };
        let (mut grouped, mut quorum) = (BTreeSet::new(), None);
        for (index, line) in text.split('\n').enumerate() {
            let line_number = index + 1;
            if line.chars().any(|own| own != '\t' && own.is_ascii_control()) {
                return Err(at(line_number, "it has a control character".to_owned()));
            }
            let words: Vec<&str> =
                line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            let done = match words.as_slice() {
                [] => Ok(()),
                [word, ..] if word.starts_with('#') => Ok(()),
                ["log", key] | ["log", key, _] => match key.parse::<VerifierKey>() {
                    Ok(key) if key.is_of_witness() => {
                        Err("the key is that of a witness".to_owned())
                    }
                    Ok(key)
                        if policy.logs.iter().any(|own| own.public_key() == key.public_key()) =>
                    {
                        Err("the key stands there already".to_owned())
                    }
                    Ok(key) => {
                        policy.logs.push(key);
                        Ok(())
                    }
                    Err(error) => Err(error.to_string()),
                },
                ["witness", name, key] | ["witness", name, key, _] => policy.add_witness(name, key),
                ["group", name, fewest, members @ ..] => {
                    policy.add_group(name, fewest, members, &mut grouped)
                }
                ["quorum", _] if quorum.is_some() => {
                    Err("a quorum stands there already".to_owned())
                }
                ["quorum", "none"] => {
                    quorum = Some(None);
                    Ok(())
                }
                ["quorum", name] => match policy.index_of(name) {
                    Some(index) => {
                        quorum = Some(Some(index));
                        Ok(())
                    }
                    None => Err(unknown(name)),
                },
                [word, ..] => Err(format!(
                    "`{word}` with what follows is not known, expected `log KEY [URL]`, `witness NAME KEY [URL]`, \
                     `group NAME N|any|all MEMBER…` or `quorum NAME|none`"
                )),
            };
            done.map_err(|what| at(line_number, what))?;
        }
        let last = text.split('\n').count();
        policy.quorum = quorum.ok_or_else(|| at(last, "expected a line `quorum`".to_owned()))?;
        Ok(policy)
    }
}
