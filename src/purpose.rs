//! Why access is asked for.

use crate::value::TextValue;
use crate::value::Value;
use crate::visible::{TextFault, TextRule, not_a_name_char};

const NAME: TextRule = TextRule {
    max: 64,
    refuses: not_a_name_char,
    expected: "letters a-z and A-Z, digits and `_.:/-`",
};
const TICKET: TextRule = TextRule {
    max: 128,
    refuses: |text| text.chars().position(|c| !matches!(c, ' '..='~')),
    expected: "printable ASCII, no space at either end",
};

/// The longest intent in bytes: a page of words. It is kept in each record of a request and shown to
/// each reviewer, and people read no more than a page before answering.
const INTENT_MAX: usize = 4096;

/// Why a task is opened: a name that rules match, a ticket reference, and an intent in words.
///
/// Building never fails; what does not fit is refused when the purpose is used: a name is 1 to 64
/// characters out of `[A-Za-z0-9_.:/-]`, a ticket 1 to 128 characters of printable ASCII without a
/// space at either end, an intent at most 4096 bytes. An empty ticket is an error, not "no ticket".
///
/// ```
/// use hallpass::purpose::Purpose;
///
/// let why = Purpose::new("pay-bill").ticket("INV-1203").intent("pay the March invoice");
/// assert_eq!(why.name(), "pay-bill");
/// assert_eq!(why.ticket_ref(), Some("INV-1203"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    parts: CheckedPurpose,
    mistake: Option<PurposeError>,
}

impl Purpose {
    /// A purpose of this name, without ticket or intent.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        let name = TextValue::new(name.into());
        Purpose::of(CheckedPurpose { name, ticket: None, intent: None })
    }

    /// States the ticket this work is done under. A second ticket replaces the first.
    #[must_use]
    pub fn ticket(mut self, ticket: impl Into<Box<str>>) -> Self {
        self.parts.ticket = Some(TextValue::new(ticket.into()));
        Purpose::of(self.parts)
    }

    /// Says in words what is meant. People read it; no rule ever does. Kept as given, so code that
    /// shows it escapes it.
    #[must_use]
    pub fn intent(mut self, intent: impl Into<Box<str>>) -> Self {
        self.parts.intent = Some(intent.into());
        Purpose::of(self.parts)
    }

    /// The name as given.
    pub fn name(&self) -> &str {
        self.parts.name()
    }

    /// The ticket as given.
    pub fn ticket_ref(&self) -> Option<&str> {
        self.parts.ticket()
    }

    /// The intent as given.
    pub fn intent_text(&self) -> Option<&str> {
        self.parts.intent()
    }

    /// # Errors
    /// The first part that does not fit.
    pub(crate) fn check(self) -> Result<CheckedPurpose, PurposeError> {
        match self.mistake {
            None => Ok(self.parts),
            Some(mistake) => Err(mistake),
        }
    }

    /// As [`check`](Self::check), without giving the purpose away.
    ///
    /// # Errors
    /// The first part that does not fit.
    pub(crate) fn checked(&self) -> Result<&CheckedPurpose, PurposeError> {
        match &self.mistake {
            None => Ok(&self.parts),
            Some(mistake) => Err(mistake.clone()),
        }
    }

    fn of(parts: CheckedPurpose) -> Self {
        let mistake = parts.mistake().err();
        Purpose { parts, mistake }
    }
}

/// A purpose whose parts all fit, in the form rules read. It leaves a [`Purpose`] only through its
/// check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckedPurpose {
    name: TextValue,
    ticket: Option<TextValue>,
    intent: Option<Box<str>>,
}

impl CheckedPurpose {
    fn mistake(&self) -> Result<(), PurposeError> {
        NAME.check(self.name()).map_err(PurposeError::name)?;
        if let Some(ticket) = self.ticket() {
            TICKET.check(ticket).map_err(PurposeError::ticket)?;
            // A ticket of one space would satisfy `present` and refer to nothing.
            if ticket.trim_matches(' ').len() != ticket.len() {
                return Err(PurposeError(Problem::PaddedTicket));
            }
        }
        if let Some(length) = self.intent().map(str::len).filter(|len| *len > INTENT_MAX) {
            return Err(PurposeError(Problem::Intent { length }));
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(crate) fn name_value(&self) -> &Value {
        self.name.value()
    }

    pub(crate) fn ticket(&self) -> Option<&str> {
        self.ticket.as_ref().map(TextValue::as_str)
    }

    pub(crate) fn ticket_value(&self) -> Option<&Value> {
        self.ticket.as_ref().map(TextValue::value)
    }

    /// As given: escape it before a person sees it.
    pub(crate) fn intent(&self) -> Option<&str> {
        self.intent.as_deref()
    }
}

/// Why a [`Purpose`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PurposeError(Problem);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("purpose name {0}")]
    Name(TextFault),
    #[error("purpose ticket {0}")]
    Ticket(TextFault),
    #[error("purpose ticket starts or ends with a space")]
    PaddedTicket,
    #[error("purpose intent has {length} bytes, expected at most {INTENT_MAX}")]
    Intent { length: usize },
}

impl PurposeError {
    fn name(fault: TextFault) -> Self {
        PurposeError(Problem::Name(fault))
    }

    fn ticket(fault: TextFault) -> Self {
        PurposeError(Problem::Ticket(fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(purpose: Purpose) -> String {
        purpose.check().unwrap_err().to_string()
    }

    #[test]
    fn rules_read_name_and_ticket_as_values() {
        let why = Purpose::new("pay-bill").ticket("INV 1203").intent("pay\nit").check().unwrap();
        assert_eq!(why.name(), "pay-bill");
        assert_eq!(why.name_value(), &Value::Text("pay-bill".into()));
        assert_eq!(why.ticket(), Some("INV 1203"));
        assert_eq!(why.ticket_value(), Some(&Value::Text("INV 1203".into())));
        assert_eq!(why.intent(), Some("pay\nit"));
    }

    #[test]
    fn what_is_not_stated_is_absent() {
        let why = Purpose::new("reporting").check().unwrap();
        assert_eq!((why.ticket(), why.ticket_value(), why.intent()), (None, None, None));
    }

    #[test]
    fn a_name_has_1_to_64_characters_of_a_tool_name() {
        assert!(complaint(Purpose::new("")).starts_with("purpose name is empty"));
        assert!(Purpose::new("p".repeat(64)).check().is_ok());
        assert!(complaint(Purpose::new("p".repeat(65))).contains("65 bytes"));
        assert!(complaint(Purpose::new("pay bill")).contains("`\\u{20}` as character 4"));
    }

    #[test]
    fn an_empty_ticket_is_an_error_and_not_an_absent_one() {
        assert!(complaint(Purpose::new("p").ticket("")).contains("ticket is empty"));
    }

    #[test]
    fn a_ticket_is_printable_ascii_of_at_most_128_bytes() {
        assert!(Purpose::new("p").ticket("T".repeat(128)).check().is_ok());
        assert!(complaint(Purpose::new("p").ticket("T".repeat(129))).contains("129 bytes"));
        assert!(complaint(Purpose::new("p").ticket("T\t1")).contains(r"\u{9}"));
        assert!(complaint(Purpose::new("p").ticket("Т1")).contains(r"\u{422}"));
    }

    #[test]
    fn a_blank_or_padded_ticket_is_refused() {
        for ticket in [" ", " T1", "T1 "] {
            assert!(complaint(Purpose::new("p").ticket(ticket)).contains("space"), "{ticket:?}");
        }
    }

    #[test]
    fn an_intent_has_at_most_4096_bytes() {
        assert!(Purpose::new("p").intent("é".repeat(2048)).check().is_ok());
        assert!(complaint(Purpose::new("p").intent("x".repeat(4097))).contains("4097 bytes"));
    }
}
