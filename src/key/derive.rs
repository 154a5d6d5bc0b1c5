//! One secret, many keys: a key for each use, so that no tag made for one passes for another.

use zeroize::Zeroizing;

use super::error::{KeyError, MAX_AUDIENCE};
use super::id::KeyId;
use super::mac::MacKey;
use super::secret::SecretKey;
use super::split_mac::SplitMac;
use super::stack::overwriting;

/// What a derived key is for. Every use of a ring's secret has its label here and nowhere else
/// (attack 70).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    /// Signing the root blocks of tokens for gates of one audience.
    GateToken,
    /// Signing those for verifiers of one audience. Its keys are given to verifiers, and those of gates never
    /// leave: no name of an audience makes one of the other.
    VerifierToken,
    /// Naming a key: the id that tokens and records carry.
    KeyId,
    /// Chaining the records of the log.
    LogChain,
    /// Digests in the log, so that short values cannot be guessed from them.
    LogDigest,
    /// Sealing what a log has to give back to the broker that goes on with it.
    LogSeal,
    /// The text form of a question's handle, which leaves the process and comes back.
    QuestionHandle,
    /// The seed of the key that signs a log's checkpoints.
    CheckpointSigner,
    /// The entries of a fleet's mark, for one fleet.
    #[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "no key of it is derived"))]
    FleetMark,
    /// What the nodes of one fleet say of themselves, for one fleet.
    #[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "no key of it is derived"))]
    FleetNode,
    /// What the nodes of one fleet say to each other, for one fleet.
    #[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "no key of it is derived"))]
    FleetCall,
    /// The counters that the nodes of one fleet share, for one fleet.
    #[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "no key of it is derived"))]
    FleetCounter,
}

impl KeyUse {
    /// The label that goes into the derivation. Changing one changes every key of that use.
    pub(super) const fn label(self) -> &'static str {
        match self {
            KeyUse::GateToken => "hallpass/v1/token",
            KeyUse::VerifierToken => "hallpass/v1/verifier-token",
            KeyUse::KeyId => "hallpass/v1/key-id",
            KeyUse::LogChain => "hallpass/v1/log-chain",
            KeyUse::LogDigest => "hallpass/v1/log-digest",
            KeyUse::LogSeal => "hallpass/v1/log-seal",
            KeyUse::QuestionHandle => "hallpass/v1/question",
            KeyUse::CheckpointSigner => "hallpass/v1/checkpoint-signer",
            KeyUse::FleetMark => "hallpass/v1/fleet-mark",
            KeyUse::FleetNode => "hallpass/v1/fleet-node",
            KeyUse::FleetCall => "hallpass/v1/fleet-call",
            KeyUse::FleetCounter => "hallpass/v1/fleet-counter",
        }
    }
}

impl SecretKey {
    /// What the key is called once it is in a ring, and in the tokens that it signs.
    pub fn id(&self) -> KeyId {
        let [a, b, c, d, ..] = **derive_bytes(self, KeyUse::KeyId, Context::NONE);
        KeyId::from_bytes([a, b, c, d])
    }

    /// The keys of one fleet: of its acts, of what its nodes say of themselves, of what they say to each other, and of
    /// the counters that they share.
    #[cfg(feature = "fleet")]
    pub(crate) fn fleet_keys(&self, fleet: &str) -> [Box<MacKey>; 4] {
        // Names of fleets are short.
        let context = Context::new(fleet.as_bytes()).unwrap_or(Context::NONE);
        [KeyUse::FleetMark, KeyUse::FleetNode, KeyUse::FleetCall, KeyUse::FleetCounter]
            .map(|key_use| MacKey::derive(self, key_use, context))
    }

    /// The seed of the key that signs checkpoints, and of nothing else.
    pub(crate) fn checkpoint_seed(&self) -> Box<Zeroizing<[u8; 32]>> {
        derive_bytes(self, KeyUse::CheckpointSigner, Context::NONE)
    }
}

impl MacKey {
    /// The key of this use and context. It stays where it is: moving it would leave copies.
    pub(super) fn derive(secret: &SecretKey, key_use: KeyUse, context: Context<'_>) -> Box<MacKey> {
        overwriting(|| {
            let mut derived = Zeroizing::new([0; 32]);
            derive_into(&mut derived, secret, key_use, context);
            Box::new(MacKey::from_tag(&derived))
        })
    }
}

impl SplitMac {
    /// The key of this use, which has one.
    pub(super) fn derive(secret: &SecretKey, key_use: KeyUse) -> Box<SplitMac> {
        overwriting(|| {
            let mut derived = Zeroizing::new([0; 32]);
            derive_into(&mut derived, secret, key_use, Context::NONE);
            Box::new(SplitMac::from_tag(&derived))
        })
    }
}

/// What sets keys of one use apart, short enough to be length-prefixed without doubt.
#[derive(Clone, Copy)]
pub(super) struct Context<'a>(&'a [u8]);

impl<'a> Context<'a> {
    /// No context: the use has one key.
    pub(super) const NONE: Context<'static> = Context(&[]);

    /// The context of keys for one audience.
    ///
    /// # Errors
    /// [`KeyError::Audience`] of a name that a token can't hold.
    pub(super) fn audience(name: &'a str) -> Result<Context<'a>, KeyError> {
        Context::new(name.as_bytes())
            .filter(|_| (1..=MAX_AUDIENCE).contains(&name.len()))
            .ok_or(KeyError::Audience(name.len()))
    }

    /// This context, unless it is longer than a length prefix can say.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Context<'a>> {
        u16::try_from(bytes.len()).is_ok().then_some(Context(bytes))
    }
}

/// The bytes of the key of this use and context.
pub(super) fn derive_bytes(
    secret: &SecretKey,
    key_use: KeyUse,
    context: Context<'_>,
) -> Box<Zeroizing<[u8; 32]>> {
    overwriting(|| {
        let mut derived = Box::new(Zeroizing::new([0; 32]));
        derive_into(&mut derived, secret, key_use, context);
        derived
    })
}

/// HKDF-SHA256 (RFC 5869) without salt, for 32 bytes of output, with
/// `info = u16 length | label | u16 length | context`.
///
/// One block of output is two HMACs; spelled out because a crate for it would be one more, and could
/// fail where this cannot.
fn derive_into(derived: &mut [u8; 32], secret: &SecretKey, key_use: KeyUse, context: Context<'_>) {
    let mut pseudorandom = Zeroizing::new([0; 32]);
    MacKey::from_bytes(&[]).sign_into(&mut pseudorandom, [secret.bytes()]);
    let expand = MacKey::from_tag(&pseudorandom);
    let label = key_use.label().as_bytes();
    // Labels are constants and contexts are bounded by their constructor.
    let length = |part: &[u8]| u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes();
    let parts = [&length(label)[..], label, &length(context.0), context.0, &[1]];
    expand.sign_into(derived, parts);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ring::{hkdf, hmac};

    use super::*;

    const ALL: [KeyUse; 11] = [
        KeyUse::GateToken,
        KeyUse::VerifierToken,
        KeyUse::KeyId,
        KeyUse::LogChain,
        KeyUse::LogDigest,
        KeyUse::LogSeal,
        KeyUse::QuestionHandle,
        KeyUse::CheckpointSigner,
        KeyUse::FleetMark,
        KeyUse::FleetNode,
        KeyUse::FleetCall,
    ];

    fn secret() -> SecretKey {
        SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap()
    }

    #[test]
    fn the_derivation_is_the_hkdf_of_rfc_5869() {
        let info: &[&[u8]] = &[b"\x00\x11hallpass/v1/token", b"\x00\x04gate"];
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret().bytes());
        let theirs = hmac::Key::from(prk.expand(info, hmac::HMAC_SHA256).unwrap());
        let ours = MacKey::derive(&secret(), KeyUse::GateToken, Context::new(b"gate").unwrap());
        assert_eq!(ours.sign(b"x"), hmac::sign(&theirs, b"x").as_ref());
    }

    /// attacks 70 and 71: a tag of one use or context is none of another
    #[test]
    fn every_use_and_context_has_its_own_key() {
        let contexts = [Context::NONE, Context(b"a"), Context(b"b")];
        let tags: BTreeSet<_> = ALL
            .iter()
            .flat_map(|&u| contexts.map(|c| MacKey::derive(&secret(), u, c).sign(b"message")))
            .collect();
        assert_eq!(tags.len(), ALL.len() * contexts.len());
    }

    /// attack 69, for the derivation
    #[test]
    fn label_and_context_cannot_trade_bytes() {
        let labels: BTreeSet<_> = ALL.iter().map(|u| u.label()).collect();
        assert_eq!(labels.len(), ALL.len());
        assert!(Context::new(&[0; 65536]).is_none());
        assert!(Context::new(&[0; 65535]).is_some());
    }
}
