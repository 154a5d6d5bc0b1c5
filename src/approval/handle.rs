//! The text form of a question's handle, which an asker keeps, or has a client keep for it.
//!
//! It finds a question and lends no authority: what is redeemed is decided then, for who presents a live
//! grant. What is not this broker's own text is refused before anything is looked up.

use crate::base64;
use crate::clock::Timestamp;
use crate::key::{KeyId, LogKey};

/// The most bytes of a handle's text: the prefix, the longest body in base64url, a point and a tag.
pub(crate) const MAX_HANDLE_TEXT: usize = PREFIX.len() + (MAX_BODY * 4).div_ceil(3) + 1 + TAG_TEXT;

/// What every handle's text begins with.
pub(crate) const PREFIX: &str = "hpq1.";
/// A tag of 32 bytes in base64url.
const TAG_TEXT: usize = 43;
/// Key id, question, expiry, the length of the broker's name, and at most 255 bytes of it.
const MAX_BODY: usize = 4 + 16 + 8 + 1 + 255;

/// What a handle says, once its tag has been found to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    /// The question's id: 128 random bits.
    pub(crate) question: [u8; 16],
    /// The first instant at which nothing can come of it.
    pub(crate) expires: Timestamp,
}

/// Why a text is not a handle of this broker. For operators: an asker learns only that it is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandleError {
    #[error("a handle of {0} bytes, longer than any this crate makes")]
    TooLong(usize),
    #[error("an unknown version, expected text that begins with `hpq1.`")]
    UnknownVersion,
    #[error("the handle's framing is broken: it was cut or changed, or something stands around it")]
    Framing,
    #[error("the handle's key `{0}` is none of the log's")]
    UnknownKey(KeyId),
    #[error("the handle's tag does not verify")]
    BadTag,
    #[error("the handle is another broker's")]
    OtherBroker,
    #[error("the handle expired at {0}")]
    Expired(Timestamp),
}

impl Handle {
    /// The text of the handle; `None` for a broker whose name no token can hold, either.
    pub(crate) fn to_text(self, broker: &str, key: &LogKey) -> Option<String> {
        let length = u8::try_from(broker.len()).ok().filter(|length| *length > 0)?;
        let mut body = Vec::with_capacity(MAX_BODY);
        body.extend_from_slice(key.id.as_bytes());
        body.extend_from_slice(&self.question);
        body.extend_from_slice(&self.expires.unix_millis().to_be_bytes());
        body.push(length);
        body.extend_from_slice(broker.as_bytes());
        let mut text = String::with_capacity(MAX_HANDLE_TEXT);
        text.push_str(PREFIX);
        base64::encode_to(&body, &mut text);
        text.push('.');
        base64::encode_to(&key.handles.sign(&body), &mut text);
        Some(text)
    }

    /// Reads the one text that each handle has. `find` gives the log's key of an id.
    ///
    /// # Errors
    /// The first thing that is wrong with it; the broker's name and the expiry are looked at only once the
    /// tag has been found to be right.
    pub(crate) fn read<'k>(
        text: &str,
        broker: &str,
        find: impl FnOnce(KeyId) -> Option<&'k LogKey>,
        now: Timestamp,
    ) -> Result<Handle, HandleError> {
        if text.len() > MAX_HANDLE_TEXT {
            return Err(HandleError::TooLong(text.len()));
        }
        let parts = text.strip_prefix(PREFIX).ok_or(HandleError::UnknownVersion)?;
        let (body, tag) = split(parts).ok_or(HandleError::Framing)?;
        let (key, left) = body.split_first_chunk().ok_or(HandleError::Framing)?;
        let key = KeyId::from_bytes(*key);
        let key = find(key).ok_or(HandleError::UnknownKey(key))?;
        if !key.handles.verify(&body, &tag) {
            return Err(HandleError::BadTag);
        }
        let (question, left) = left.split_first_chunk().ok_or(HandleError::Framing)?;
        let (expires, left) = left.split_first_chunk().ok_or(HandleError::Framing)?;
        let (length, name) = left.split_first().ok_or(HandleError::Framing)?;
        let expires = Timestamp::from_unix_millis(i64::from_be_bytes(*expires));
        let expires = expires.ok_or(HandleError::Framing)?;
        if usize::from(*length) != name.len() {
            return Err(HandleError::Framing);
        }
        if name != broker.as_bytes() {
            return Err(HandleError::OtherBroker);
        }
        if now >= expires {
            return Err(HandleError::Expired(expires));
        }
        Ok(Handle { question: *question, expires })
    }
}

/// Body and tag. The tag has one length, so the point before it has one place.
fn split(parts: &str) -> Option<(Vec<u8>, [u8; 32])> {
    let (body, tag_text) = parts.split_at_checked(parts.len().checked_sub(TAG_TEXT)?)?;
    let body_text = body.strip_suffix('.')?;
    let mut tag = [0; 32];
    base64::decode(tag_text, &mut tag)?;
    let mut body = vec![0; base64::decoded_length(body_text)?];
    base64::decode(body_text, &mut body)?;
    Some((body, tag))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::{hkdf, hmac};

    use super::super::fuzzing::handle as one_spelling;
    use super::*;
    use crate::key::{LogKeys, SecretKey};

    const BROKER: &str = "hallpass";

    fn keys(first: u8) -> LogKeys {
        let bytes: Vec<u8> = (first..first + 32).collect();
        LogKeys::from_secret(SecretKey::from_bytes(&bytes).unwrap())
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    /// The vector of the page.
    fn vector() -> Handle {
        Handle { question: std::array::from_fn(|at| at as u8), expires: at(1_767_226_500_000) }
    }

    fn text() -> String {
        vector().to_text(BROKER, keys(0).active_key()).unwrap()
    }

    fn read(text: &str) -> Result<Handle, HandleError> {
        let keys = keys(0);
        Handle::read(text, BROKER, |id| keys.find(id), at(0))
    }

    #[test]
    fn what_is_written_is_read_until_it_expires() {
        assert_eq!(read(&text()), Ok(vector()));
        let keys = keys(0);
        let read_at = |now| Handle::read(&text(), BROKER, |id| keys.find(id), now);
        let end = vector().expires;
        assert_eq!(read_at(at(end.unix_millis() - 1)), Ok(vector()));
        assert_eq!(read_at(end), Err(HandleError::Expired(end)));
    }

    /// By the page, with another implementation of HKDF and HMAC.
    #[test]
    fn the_page_says_which_bytes_it_is_made_of() {
        let page = include_str!("../../docs/token-format.md");
        assert!(page.contains(&format!("{}\n", text())), "{}", text());
        let secret: Vec<u8> = (0..32).collect();
        let label = b"hallpass/v1/question";
        let info: &[&[u8]] = &[&[0, label.len() as u8], label, &[0, 0]];
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&secret);
        let key = hmac::Key::from(prk.expand(info, hmac::HMAC_SHA256).unwrap());
        let id = keys(0).active();
        let body = [
            id.as_bytes(),
            &vector().question[..],
            &1_767_226_500_000_i64.to_be_bytes(),
            &[8],
            b"hallpass",
        ]
        .concat();
        let tag = hmac::sign(&key, &body);
        let mut by_hand = String::from("hpq1.");
        base64::encode_to(&body, &mut by_hand);
        by_hand.push('.');
        base64::encode_to(tag.as_ref(), &mut by_hand);
        assert_eq!(by_hand, text());
    }

    /// attack 69: names that run into other fields
    #[test]
    fn no_two_handles_have_one_text() {
        let keys = keys(0);
        let key = keys.active_key();
        let one = vector().to_text("ab", key).unwrap();
        let two = vector().to_text("abc", key).unwrap();
        assert_ne!(one, two);
        assert_eq!(vector().to_text("", key), None);
        assert_eq!(vector().to_text(&"x".repeat(256), key), None);
        let longest = vector().to_text(&"x".repeat(255), key).unwrap();
        assert_eq!(longest.len(), MAX_HANDLE_TEXT);
        let broker = "x".repeat(255);
        assert_eq!(Handle::read(&longest, &broker, |id| keys.find(id), at(0)), Ok(vector()));
    }

    /// attacks 67, 73 and 79
    #[test]
    fn what_is_not_this_brokers_own_text_is_refused_and_said_why() {
        let keys = keys(0);
        let text = text();
        let read_as = |text: &str, broker| Handle::read(text, broker, |id| keys.find(id), at(0));
        assert_eq!(read_as(&text, "other"), Err(HandleError::OtherBroker));
        assert_eq!(read_as(&text, "hallpas"), Err(HandleError::OtherBroker));
        let other = self::keys(1);
        let unknown = Handle::read(&text, BROKER, |id| other.find(id), at(0));
        assert_eq!(unknown, Err(HandleError::UnknownKey(keys.active())));
        for wrong in ["", "hpq", "hpq2.", "HPQ1.", " hpq1.", "hp1.YQ"] {
            assert_eq!(read_as(wrong, BROKER), Err(HandleError::UnknownVersion), "{wrong:?}");
        }
        let tag = &text[text.len() - TAG_TEXT..];
        let (body, _) = text[PREFIX.len()..].split_once('.').unwrap();
        for wrong in [
            format!("hpq1.{body}"),
            format!("hpq1.{body}.{tag}="),
            format!("hpq1.{body}..{tag}"),
            format!("hpq1.{body}=.{tag}"),
            format!("hpq1.{body}. {tag}"),
            format!("hpq1.YR.{tag}"),
            format!("hpq1..{tag}"),
            format!("hpq1.YQ.{tag}"),
            "hpq1.".to_owned(),
        ] {
            assert_eq!(read_as(&wrong, BROKER), Err(HandleError::Framing), "{wrong:?}");
        }
        let long = "x".repeat(MAX_HANDLE_TEXT + 1);
        assert_eq!(read_as(&long, BROKER), Err(HandleError::TooLong(MAX_HANDLE_TEXT + 1)));
    }

    /// attack 70: a tag of another use of the same key
    #[test]
    fn a_tag_of_another_use_is_none() {
        let keys = keys(0);
        let key = keys.active_key();
        let text = text();
        let (body, _) = text[PREFIX.len()..].split_once('.').unwrap();
        let mut bytes = vec![0; base64::decoded_length(body).unwrap()];
        base64::decode(body, &mut bytes).unwrap();
        for tag in [key.chain.sign_parts([&bytes[..]]), key.digests.sign(&bytes)] {
            let mut text = format!("hpq1.{body}.");
            base64::encode_to(&tag, &mut text);
            let read = Handle::read(&text, BROKER, |id| keys.find(id), at(0));
            assert_eq!(read, Err(HandleError::BadTag));
        }
    }

    /// Signed by this broker, and not what it writes: a length that is not the name's, an instant that is none.
    #[test]
    fn a_body_with_its_right_tag_is_still_read_to_the_last_byte() {
        let keys = keys(0);
        let key = keys.active_key();
        let id = key.id;
        let body = |expires: i64, length: u8, name: &[u8]| {
            [id.as_bytes(), &[7; 16][..], &expires.to_be_bytes(), &[length], name].concat()
        };
        let whole = body(1_000, 8, b"hallpass");
        let mut bodies = vec![
            body(-1, 8, b"hallpass"),
            body(i64::MAX, 8, b"hallpass"),
            body(1_000, 7, b"hallpass"),
            body(1_000, 9, b"hallpass"),
            body(1_000, 8, b"hallpass!"),
        ];
        bodies.extend((4..whole.len()).map(|end| whole[..end].to_vec()));
        for body in bodies {
            let mut text = String::from(PREFIX);
            base64::encode_to(&body, &mut text);
            text.push('.');
            base64::encode_to(&key.handles.sign(&body), &mut text);
            let read = Handle::read(&text, BROKER, |id| keys.find(id), at(0));
            assert_eq!(read, Err(HandleError::Framing), "{body:?}");
        }
        one_spelling(&whole);
        one_spelling(text().as_bytes());
    }

    proptest! {
        #[test]
        fn whatever_is_read_has_one_spelling(
            bytes in proptest::collection::vec(any::<u8>(), 0..60),
            name in "[a-z]{1,9}",
            expires in any::<i64>(),
        ) {
            one_spelling(&bytes);
            let id = keys(0).active();
            let length = [name.len() as u8];
            let body = [id.as_bytes(), &[1; 16][..], &expires.to_be_bytes(), &length, name.as_bytes()];
            one_spelling(&body.concat());
        }
    }
}
