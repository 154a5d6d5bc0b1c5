//! The proof of a call-bound presentation: what the call is, signed under the tag it withholds.

use std::time::Duration;

use crate::call::Call;
use crate::clock::Timestamp;
use crate::key::MacKey;

/// What makes a presentation one of a kind: when it was made, and 16 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Nonce {
    pub(crate) at: Timestamp,
    pub(crate) bytes: [u8; 16],
}

impl Nonce {
    /// The first instant at which the presentation is worth nothing; `None` if it is worth nothing
    /// at `now`. Clocks may differ by `window` either way.
    pub(crate) fn lives_until(self, now: Timestamp, window: Duration) -> Option<Timestamp> {
        let near = self.at.since(now) < window && now.since(self.at) < window;
        if near { self.at.checked_add(window) } else { None }
    }
}

/// What a presentation carries in place of the tag.
#[derive(Clone, Copy)]
pub(super) struct Proof {
    pub(super) nonce: Nonce,
    mac: [u8; 32],
}

impl Proof {
    pub(super) const BYTES: usize = 8 + 16 + 32;

    /// For a call at this audience, under the chain's last tag.
    pub(super) fn of(call: &Call, nonce: Nonce, audience: &str, last_tag: &[u8; 32]) -> Proof {
        let mac = MacKey::from_tag(last_tag).sign(&message(audience, call, nonce));
        Proof { nonce, mac }
    }

    pub(super) fn read(bytes: &[u8; Proof::BYTES]) -> Option<Proof> {
        let (millis, rest) = bytes.split_first_chunk()?;
        let (nonce, mac) = rest.split_first_chunk()?;
        let at = Timestamp::from_unix_millis(i64::from_be_bytes(*millis))?;
        Some(Proof { nonce: Nonce { at, bytes: *nonce }, mac: *mac.first_chunk()? })
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let millis = self.nonce.at.unix_millis().to_be_bytes();
        [&millis[..], &self.nonce.bytes, &self.mac].concat()
    }

    /// Whether the proof is for this call at this audience, under the chain's last tag.
    pub(super) fn verify(&self, last_tag: &[u8; 32], audience: &str, call: &Call) -> bool {
        MacKey::from_tag(last_tag).verify(&message(audience, call, self.nonce), &self.mac)
    }
}

/// What is signed. It begins with two zero bytes, as no frame does, so it never passes for one more
/// block; the byte after them says that it is a call.
fn message(audience: &str, call: &Call, nonce: Nonce) -> Vec<u8> {
    let mut message = Vec::with_capacity(256);
    message.extend_from_slice(&[0, 0, 1]);
    for name in [audience, call.tool()] {
        // Neither is longer than 255 bytes: a token's audience and a tool's name are checked.
        message.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        message.extend_from_slice(name.as_bytes());
    }
    message.extend_from_slice(call.args().object().digest().as_bytes());
    message.extend_from_slice(&nonce.at.unix_millis().to_be_bytes());
    message.extend_from_slice(&nonce.bytes);
    message
}
