//! Which trace a question belongs to.

use std::fmt;
use std::str::FromStr;

use crate::visible::{SHOWN, escape_for_people};

/// As long as the header is in the version that this crate reads.
const LENGTH: usize = 55;

/// Where in a distributed trace a question was asked: a `traceparent` as the
/// [W3C Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header) writes it.
///
/// The log keeps it with what was decided, so that a record is found from a trace and a trace from a record. No rule sees it,
/// and nothing is decided by it: who sends a request can send any.
///
/// ```
/// use hallpass::context::{Context, TraceParent};
///
/// let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let context = Context::new().with("env", "prod").traced(sent.parse()?);
/// assert_eq!(context.trace().map(TraceParent::trace_id), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
/// # Ok::<(), hallpass::context::TraceParentError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent([u8; LENGTH]);

/// What separates its four parts, and where each of them stands.
const DASHES: [usize; 3] = [2, 35, 52];

impl TraceParent {
    /// What a request's headers of this name say; `None` where there is none, several, or one that can't be read: the standard has
    /// a trace begin anew there.
    ///
    /// ```
    /// use hallpass::context::TraceParent;
    ///
    /// let sent: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// assert!(TraceParent::of_headers([sent]).is_some());
    /// assert!(TraceParent::of_headers([sent, sent]).is_none());
    /// ```
    pub fn of_headers<'h>(values: impl IntoIterator<Item = &'h [u8]>) -> Option<TraceParent> {
        let mut values = values.into_iter();
        let (only, None) = (values.next()?, values.next()) else { return None };
        std::str::from_utf8(only).ok()?.parse().ok()
    }

    /// The whole of it, as it was read.
    pub fn as_str(&self) -> &str {
        // It was read from text, all of it ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.as_str().get(3..35).unwrap_or_default()
    }

    /// The span that asked: 16 hexadecimal digits.
    pub fn parent_id(&self) -> &str {
        self.as_str().get(36..52).unwrap_or_default()
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    /// # Errors
    /// Of a header of another version, or that is not one: the standard has a trace begin anew there.
    fn from_str(text: &str) -> Result<Self, TraceParentError> {
        let fault = |problem| TraceParentError { given: text.into(), problem };
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| fault(Problem::Length))?;
        let is_right = |(at, byte): (usize, &u8)| match DASHES.contains(&at) {
            true => *byte == b'-',
            false => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        };
        if !bytes.iter().enumerate().all(is_right) {
            return Err(fault(Problem::Digits));
        }
        let read = TraceParent(bytes);
        if !text.starts_with("00-") {
            return Err(fault(Problem::Version));
        }
        let is_nothing = |id: &str| id.bytes().all(|digit| digit == b'0');
        if is_nothing(read.trace_id()) || is_nothing(read.parent_id()) {
            return Err(fault(Problem::Nothing));
        }
        Ok(read)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceParent({self})")
    }
}

/// Why a text is not read as a [`TraceParent`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a `traceparent`: {problem}", escape_for_people(.given, SHOWN))]
pub struct TraceParentError {
    given: Box<str>,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error(
        "expected {LENGTH} characters, `00-`, 32 and 16 hexadecimal digits and two more, separated by `-`"
    )]
    Length,
    #[error("expected lowercase hexadecimal digits, separated by `-`")]
    Digits,
    #[error("expected version `00`")]
    Version,
    #[error("the ids of trace and span are not all zeros")]
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_was_sent_is_kept_letter_by_letter() {
        let read: TraceParent = SENT.parse().unwrap();
        assert_eq!(read.as_str(), SENT);
        assert_eq!(format!("{read} {read:?}"), format!("{SENT} TraceParent({SENT})"));
        assert_eq!(read.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(read.parent_id(), "00f067aa0ba902b7");
    }

    #[test]
    fn what_is_not_one_is_refused_with_what_is_wrong() {
        let zeros = |from: usize, to: usize| {
            let mut text = SENT.to_owned();
            text.replace_range(from..to, &"0".repeat(to - from));
            text
        };
        for (given, said) in [
            (String::new(), "expected 55 characters"),
            (format!("{SENT}-more"), "expected 55 characters"),
            (SENT[..54].to_owned(), "expected 55 characters"),
            (SENT.replace("4bf9", "4BF9"), "lowercase hexadecimal"),
            (SENT.replace("4bf9", "4bg9"), "lowercase hexadecimal"),
            (SENT.replace('-', "_"), "lowercase hexadecimal"),
            (SENT.replace("4736-00", "47360-0"), "lowercase hexadecimal"),
            (SENT.replace("00-4b", "01-4b"), "expected version `00`"),
            (SENT.replace("00-4b", "ff-4b"), "expected version `00`"),
            (zeros(3, 35), "not all zeros"),
            (zeros(36, 52), "not all zeros"),
            (SENT.replace("4bf92f", "é\u{202e}"), "`00-é\\u{202e}3577"),
        ] {
            assert_eq!(TraceParent::of_headers([given.as_bytes()]), None);
            let error = given.parse::<TraceParent>().unwrap_err().to_string();
            assert!(error.contains(said), "{given}: {error}");
            assert!(error.contains("is not a `traceparent`"));
        }
    }
}
