//! Security events, as OpenID CAEP names them.

use std::fmt;

use hallpass::clock::Timestamp;
use hallpass::identity::Assertion;
use hallpass::value::{Object, Value};

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A session was revoked.
    SessionRevoked,
    /// Claims in tokens that were issued have changed.
    TokenClaimsChange,
    /// A credential was made, changed, revoked or deleted.
    CredentialChange,
    /// How strongly a subject was authenticated has changed.
    AssuranceLevelChange,
    /// A device complies, or does not any more.
    DeviceComplianceChange,
    /// The risk level of a subject has changed.
    RiskLevelChange,
}

const PREFIX: &str = "https://schemas.openid.net/secevent/caep/event-type/";

impl EventKind {
    const ALL: [(EventKind, &'static str); 6] = [
        (EventKind::SessionRevoked, "session-revoked"),
        (EventKind::TokenClaimsChange, "token-claims-change"),
        (EventKind::CredentialChange, "credential-change"),
        (EventKind::AssuranceLevelChange, "assurance-level-change"),
        (EventKind::DeviceComplianceChange, "device-compliance-change"),
        (EventKind::RiskLevelChange, "risk-level-change"),
    ];

    /// The kind of this URI, in exactly this spelling.
    pub fn of_uri(uri: &str) -> Option<Self> {
        Self::named(uri.strip_prefix(PREFIX)?)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own)| *own == name).map(|(kind, _)| kind)
    }

    /// The last part of its URI: `session-revoked`.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(own, _)| *own == self).map_or("", |(_, name)| name)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom or what an event is about (RFC 9493).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSubject(Object);

impl EventSubject {
    pub(crate) fn new(subject: Object) -> Self {
        EventSubject(subject)
    }

    /// How it is identified: `iss_sub`, `email`, `opaque`, `uri`, `complex` or another.
    pub fn format(&self) -> &str {
        self.text("format").unwrap_or_default()
    }

    /// A member that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_text()
    }

    /// A part of a `complex` subject: the `user`, the `device`, the `session`.
    pub fn part(&self, name: &str) -> Option<EventSubject> {
        self.0.get(name)?.as_object().cloned().map(EventSubject)
    }
}

/// One event, of a token that was verified.
#[derive(Clone, Debug)]
pub struct SecurityEvent {
    pub(crate) kind: EventKind,
    pub(crate) subject: EventSubject,
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) details: Object,
}

impl SecurityEvent {
    /// What has happened.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// Whom or what it is about, as the transmitter says.
    pub fn subject(&self) -> &EventSubject {
        &self.subject
    }

    /// The id that the subject has at the broker.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it happened: its `event_timestamp`, or else when the token was issued.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// A member of the event that is text: `current_status`, `change_type`, `current_level`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.details.get(name).and_then(Value::as_text)
    }

    /// The whole of what the event says.
    pub fn details(&self) -> &Object {
        &self.details
    }
}

/// What is done about an event.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// All that the identity holds and has opened ends, and tokens that were issued to it before are refused, where
    /// [`Revocations`](crate::Revocations) are kept. It can come back with new ones.
    Revoke,
    /// The identity is halted until an operator resumes it.
    Halt,
    /// This is what is attested of the subject from now on: all of its groups and attributes, in the place of those that
    /// were. What they no longer permit ends.
    Restate(Assertion),
}

impl Action {
    /// What a careful host does without knowing more: a revoked session, and a credential that is revoked or deleted, revoke; a device
    /// that does not comply and a risk that is not low halt; all else does nothing.
    pub fn cautious(event: &SecurityEvent) -> Action {
        match event.kind {
            EventKind::SessionRevoked => Action::Revoke,
            EventKind::CredentialChange => match event.text("change_type") {
                Some("create" | "update") => Action::Nothing,
                _ => Action::Revoke,
            },
            EventKind::DeviceComplianceChange => match event.text("current_status") {
                Some("compliant") => Action::Nothing,
                _ => Action::Halt,
            },
            EventKind::RiskLevelChange => match event.text("current_level") {
                Some("LOW") => Action::Nothing,
                _ => Action::Halt,
            },
            EventKind::TokenClaimsChange | EventKind::AssuranceLevelChange => Action::Nothing,
        }
    }
}
