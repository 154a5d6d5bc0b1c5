//! A log whose signer fails, or is another.

use super::checkpoints::*;
use super::*;
use crate::audit::{CheckpointFault, LogSigner, Signer, SignerError};

/// A signer that fails.
struct Unplugged;

impl Signer for Unplugged {
    fn public_key(&self) -> [u8; 32] {
        signer().public_key()
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignerError> {
        Err(SignerError::new("the device is not plugged in"))
    }
}

#[test]
fn a_log_goes_on_without_a_signature_and_the_next_checkpoint_covers_all() {
    let disk = FaultyDisk::default();
    let life = Life::begin(&disk, &options(Durability::Flushed).checkpoints(Unplugged)).unwrap();
    assert!(life.permit("a").is_some());
    let refused = life.log.checkpoint().unwrap_err();
    assert_eq!(refused.to_string(), "the signer did not sign: the device is not plugged in");
    assert!(life.permit("b").is_some());
    life.close();
    assert!(!disk.names().unwrap().contains(&"checkpoint".to_owned()));
    let life = Life::begin(&disk, &signed(Durability::Flushed)).unwrap();
    assert_eq!(life.log.checkpoint().unwrap().size(), 3);
    life.kill();
    // Another signer's log is not gone on with.
    let other =
        LogSigner::from_secret(SecretKey::from_bytes(&(1..33).collect::<Vec<u8>>()).unwrap());
    let refused =
        Life::begin(&disk, &options(Durability::Flushed).checkpoints(other)).err().unwrap();
    assert!(matches!(refused, OpenError::Checkpoint(CheckpointFault::Unverified(_))), "{refused}");
}
