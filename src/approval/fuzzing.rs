//! What a fuzz target checks of handles, which are not public. There only under `cfg(fuzzing)`, and in tests,
//! which replay `fuzz/seeds`. Nothing is switched off by it.
#![allow(clippy::panic, clippy::expect_used, reason = "a target fails by panicking")]

use super::handle::Handle;
use crate::base64;
use crate::clock::Timestamp;
use crate::key::{LogKeys, SecretKey};

/// Any bytes, as text and as a body with its right tag: what is read is written the same, and nothing near
/// it is read.
pub fn handle(bytes: &[u8]) {
    let secret: Vec<u8> = (0..32).collect();
    let keys = LogKeys::from_secret(SecretKey::from_bytes(&secret).expect("a secret"));
    let key = keys.active_key();
    let read = |text: &str| Handle::read(text, "hallpass", |id| keys.find(id), Timestamp::MIN);
    let mut with_tag = String::from("hpq1.");
    base64::encode_to(bytes, &mut with_tag);
    with_tag.push('.');
    base64::encode_to(&key.handles.sign(bytes), &mut with_tag);
    for text in [std::str::from_utf8(bytes).unwrap_or_default(), &with_tag] {
        let Ok(handle) = read(text) else { continue };
        let written = handle.to_text("hallpass", key).expect("a name");
        assert_eq!(written, text, "one spelling");
        for at in 0..text.len() {
            for other in ["A", "B", "", "AA"] {
                let near = [text.get(..at), Some(other), text.get(at + 1..)];
                let near: String = near.into_iter().map(|part| part.expect("ASCII")).collect();
                assert!(near == text || read(&near).is_err(), "{near}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    /// Of everything that is there to begin with, and that was once found.
    #[test]
    fn seeds_of_handles_have_one_spelling() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/handle");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
        assert!(!files.is_empty());
        files
            .into_iter()
            .for_each(|file| super::handle(&std::fs::read(file.unwrap().path()).unwrap()));
    }
}
