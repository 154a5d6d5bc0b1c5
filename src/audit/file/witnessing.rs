//! Having witnesses sign a checkpoint.

use super::checkpointing::Checkpointing;
use super::{FileLog, hashes};
use crate::audit::checkpoint::{
    CheckpointFailure, NoteSignature, SignedCheckpoint, Witness, WitnessError, WitnessPolicy,
    Witnessed, witness_request,
};
use crate::audit::tree::consistency;

/// The longest reply that is read: as many signatures as a note has.
const LONGEST: usize = 512 * 1024;

/// A checkpoint that was shown to witnesses.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cosigned {
    /// The checkpoint, with the signatures of those that gave one.
    pub checkpoint: SignedCheckpoint,
    /// Who has seen it, and whether that is enough.
    pub witnessed: Witnessed,
    /// The witnesses that have not signed, and why.
    pub refusals: Vec<(String, WitnessError)>,
}

impl FileLog {
    /// Makes a [checkpoint](FileLog::checkpoint) and asks each of these witnesses in turn to sign it. What they give is
    /// verified under the keys of the policy, kept with the checkpoint, and synced.
    ///
    /// # Errors
    /// [`CheckpointFailure`] where there is no checkpoint, or it can't be kept. A witness that does not sign is told in
    /// [`Cosigned::refusals`]: also one that has seen more of the log than there is, or another log, which says that this
    /// one was put back, or was written twice.
    pub fn cosign(
        &self,
        policy: &WitnessPolicy,
        witnesses: &[&dyn Witness],
    ) -> Result<Cosigned, CheckpointFailure> {
        let checkpoint = self.checkpoint()?;
        let own = self.checkpointing()?;
        let (mut signed, mut refusals) = (checkpoint.clone(), Vec::new());
        for witness in witnesses {
            let known = own.size_seen_by(witness.name());
            match ask(own, policy, *witness, &checkpoint, known) {
                Ok(signatures) => {
                    own.note_seen_by(witness.name(), checkpoint.size());
                    signed = signed.and_signatures(signatures);
                }
                Err(error) => refusals.push((witness.name().to_owned(), error)),
            }
        }
        let checkpoint = own.keep_signed(signed)?;
        self.note_witnessed(&checkpoint);
        let witnessed = policy.witnessed(&checkpoint)?;
        Ok(Cosigned { checkpoint, witnessed, refusals })
    }
}

/// Asks a witness that has seen `known` lines, as far as is known here.
fn ask(
    own: &Checkpointing,
    policy: &WitnessPolicy,
    witness: &dyn Witness,
    checkpoint: &SignedCheckpoint,
    known: u64,
) -> Result<Vec<NoteSignature>, WitnessError> {
    let mut old = known;
    // Once more with what it says that it has seen.
    for _ in 0..2 {
        let proof = proof(own, old, checkpoint.size())?;
        let reply = witness.add_checkpoint(&witness_request(old, &proof, checkpoint))?;
        if reply.body.len() > LONGEST {
            return Err(WitnessError::new("the reply is longer than 512 KiB"));
        }
        match reply.status {
            200 => return signatures(policy, &reply.body, checkpoint),
            409 => old = size_of(&reply.body)?,
            status => {
                return Err(WitnessError::new(&format!("it replied with the status {status}")));
            }
        }
        if old > checkpoint.size() {
            return Err(WitnessError::new(&format!(
                "it has seen {old} records, more than the {} there are: the log was put back to an older state",
                checkpoint.size()
            )));
        }
    }
    Err(WitnessError::new("it says each time that it has seen another size"))
}

fn proof(
    own: &Checkpointing,
    old: u64,
    size: u64,
) -> Result<Vec<crate::audit::TreeHash>, WitnessError> {
    if old == 0 {
        return Ok(Vec::new());
    }
    let disk = own.disk();
    consistency(old, size, &mut |place| hashes::read_at(disk, place))
        .map(Option::unwrap_or_default)
        .map_err(|error| WitnessError::new(&format!("the file `tree` can't be read: {error}")))
}

fn size_of(body: &str) -> Result<u64, WitnessError> {
    let size = body.strip_suffix('\n').and_then(|text| text.parse().ok());
    size.ok_or_else(|| WitnessError::new("it replied 409 without the size that it has seen"))
}

/// The signatures of a reply that are to be kept.
fn signatures(
    policy: &WitnessPolicy,
    body: &str,
    checkpoint: &SignedCheckpoint,
) -> Result<Vec<NoteSignature>, WitnessError> {
    let text = checkpoint.checkpoint().to_string();
    let lines = body.lines().filter_map(NoteSignature::read);
    let kept: Vec<_> = lines.filter(|own| policy.keeps(&text, own)).take(16).collect();
    match kept.is_empty() {
        true => Err(WitnessError::new("it gave no signature of a witness of the policy")),
        false => Ok(kept),
    }
}
