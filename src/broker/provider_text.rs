//! Texts that a provider gave, which may hold the secret that it minted.

use std::sync::Arc;

use crate::scrub::{ScrubSource, UsedSecrets};
use crate::vault::Sealed;

/// Whether a text holds a secret, in any of the forms in which secrets are found.
pub(super) fn holds(sealed: &Arc<Sealed>, text: &str) -> bool {
    scrubbed(Some(sealed), text) != text
}

/// A text without the secret, where there is one.
pub(super) fn scrubbed(sealed: Option<&Arc<Sealed>>, text: &str) -> String {
    let Some(sealed) = sealed else { return text.to_owned() };
    let used = UsedSecrets::new(|_| {});
    used.add([sealed]);
    let source = ScrubSource { used: Some(Arc::new(used)), ..ScrubSource::default() };
    source.scrubber().text(text.to_owned())
}
