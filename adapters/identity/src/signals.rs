//! Security event tokens (RFC 8417), received once each and acted upon.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::value::{Object, Value};
use hallpass::{Control, Halt};

use crate::algorithm::Algorithm;
use crate::event::{Action, EventKind, EventSubject, SecurityEvent};
use crate::jws::{Expected, audiences, claims, text, time};
use crate::keys::Keys;
use crate::memory::{Fact, Memory, MemoryError};
use crate::provider;
use crate::revocations::Revocations;
use crate::seen::Seen;
use crate::signal_error::{MOST_EVENTS, Refused, SignalError};
use crate::token_error::Why;
use crate::verifier::VerifierError;

/// How far a transmitter's clock may be ahead.
const LEEWAY: Duration = Duration::from_secs(60);

/// How old a token may be, unless the host says otherwise.
const OLDEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Receives security event tokens of one transmitter, verified as strictly as other tokens, and acts on each once.
///
/// ```
/// use hallpass::clock::Timestamp;
/// use hallpass::prelude::*;
/// use hallpass_identity::{Action, Algorithm, Keys, SignalReceiver};
///
/// # fn run(broker: &Broker, keys: Keys, pushed: &str, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
/// let receiver =
///     SignalReceiver::new("https://idp.acme.test", "hallpass", Algorithm::ES256, keys, Action::cautious)?;
/// // The body of each push (RFC 8935): `202` if this is well, `400` with `error.code()` if it is not.
/// for received in receiver.receive(pushed, &broker.control(), now)? {
///     println!("{received:?}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct SignalReceiver {
    issuer: Box<str>,
    audience: Box<str>,
    algorithm: Algorithm,
    keys: Keys,
    decide: Box<dyn Fn(&SecurityEvent) -> Action + Send + Sync>,
    named: OfSubject,
    oldest: Duration,
    revocations: Option<Revocations>,
    kept: Mutex<Kept>,
}

/// What is remembered, and where it is kept on file.
#[derive(Default)]
struct Kept {
    seen: Seen,
    memory: Option<Memory>,
}

type OfSubject = Box<dyn Fn(&EventSubject) -> Option<String> + Send + Sync>;

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// It was acted upon.
    Done {
        /// What has happened.
        kind: EventKind,
        /// To whom, as the broker knows them.
        id: String,
    },
    /// A later event of its kind about the same subject, or a later one that has restated it, was received before, or may
    /// have been and was forgotten. What takes away was done all the same; what restates was not.
    OutOfOrder {
        /// What has happened.
        kind: EventKind,
        /// To whom, as the broker knows them.
        id: String,
    },
    /// Nothing is to be done about it.
    Nothing {
        /// What has happened.
        kind: EventKind,
        /// To whom, as the broker knows them.
        id: String,
    },
    /// The token was received before: nothing is done again.
    Again,
}

impl SignalReceiver {
    /// For one transmitter, and the audience that it knows this receiver by. What `decide` says is done about each event.
    ///
    /// # Errors
    /// [`VerifierError`] of an issuer or an audience that is empty.
    pub fn new(
        issuer: &str,
        audience: &str,
        algorithm: Algorithm,
        keys: Keys,
        decide: impl Fn(&SecurityEvent) -> Action + Send + Sync + 'static,
    ) -> Result<Self, VerifierError> {
        if issuer.is_empty() || audience.is_empty() {
            return Err(VerifierError::new("the issuer or the audience is empty"));
        }
        provider::install();
        let own: Box<str> = issuer.into();
        let named = Box::new(move |subject: &EventSubject| named(subject, &own));
        Ok(SignalReceiver {
            issuer: issuer.into(),
            audience: audience.into(),
            algorithm,
            keys,
            decide: Box::new(decide),
            named,
            oldest: OLDEST,
            revocations: None,
            kept: Mutex::default(),
        })
    }

    /// Which id a subject has at the broker. By default that is the subject of the transmitter (`iss_sub`), the id of an `opaque`
    /// one, a `uri`, and of a `complex` one the `user`'s; an event about others is refused.
    #[must_use]
    pub fn named_by(
        mut self,
        named: impl Fn(&EventSubject) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.named = Box::new(named);
        self
    }

    /// How old a token may be, and so for how long its id is remembered: a day by default.
    #[must_use]
    pub fn oldest(mut self, oldest: Duration) -> Self {
        self.oldest = oldest;
        self
    }

    /// Has tokens refused, too, that were issued to a subject before it was revoked: to the subject that the transmitter names, and
    /// to that of the id which it has at the broker.
    #[must_use]
    pub fn revokes(mut self, revocations: &Revocations) -> Self {
        self.revocations = Some(revocations.clone());
        self
    }

    /// Keeps what was received in this file, so that each event is acted upon once also over restarts, and what was
    /// [revoked](Self::revokes) stays so. A file is of one receiver, in one process. Said after `revokes`.
    ///
    /// A token is answered once it is on disk. If the process ends between what is done and that, the token is sent again, and it is done
    /// again: what takes away is the same twice.
    ///
    /// # Errors
    /// [`MemoryError`] of a file that can't be read or written, or says what is not known.
    pub fn remembering(self, file: impl AsRef<Path>) -> Result<Self, MemoryError> {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let memory = Memory::open(file.as_ref(), &mut kept.seen, self.revocations.as_ref())?;
            kept.memory = Some(memory);
        }
        Ok(self)
    }

    /// Takes a token at this time, which is the broker's, and acts on it. What came of each event that is known, in the order
    /// of their URIs; other events are passed over.
    ///
    /// # Errors
    /// [`SignalError`]. Of several events, those before the one at fault were acted upon; the token is not remembered then.
    pub fn receive(
        &self,
        token: &str,
        control: &Control,
        now: Timestamp,
    ) -> Result<Vec<Received>, SignalError> {
        Ok(self.take(token, control, now)?)
    }

    fn take(
        &self,
        token: &str,
        control: &Control,
        now: Timestamp,
    ) -> Result<Vec<Received>, Refused> {
        let expected =
            Expected { algorithm: self.algorithm, keys: &self.keys, types: &["secevent+jwt"] };
        let claims = claims(token, &expected, now)?;
        if text(&claims, "iss")?.ok_or(Why::Missing("iss"))? != &*self.issuer {
            return Err(Why::Issuer.into());
        }
        let audiences = audiences(&claims)?;
        if audiences.is_empty() || audiences.iter().any(|of| **of != *self.audience) {
            return Err(Why::Audience.into());
        }
        let id = text(&claims, "jti")?.filter(|id| !id.is_empty()).ok_or(Why::Missing("jti"))?;
        let issued = time(&claims, "iat")?.ok_or(Why::Missing("iat"))?;
        if issued > now.checked_add(LEEWAY).unwrap_or(now) {
            return Err(Why::Early("iat").into());
        }
        if time(&claims, "exp")?.is_some_and(|expires| now >= expires) {
            return Err(Why::Expired.into());
        }
        if now.since(issued) > self.oldest {
            return Err(Refused::Late);
        }
        let events = self.events(&claims, issued)?;

        // One at a time, so that a token which comes twice at once is acted upon once.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { seen, memory } = &mut *kept;
        seen.forget_tokens(now, self.oldest);
        if seen.has_token(id) {
            return Ok(vec![Received::Again]);
        }
        if !seen.has_room_for_token() {
            return Err(Refused::Full);
        }
        let mut facts = Vec::new();
        let received: Result<Vec<Received>, Refused> =
            events.iter().map(|event| self.act(event, control, now, seen, &mut facts)).collect();
        if received.is_ok() {
            facts.push(Fact::Token(id.to_owned(), issued));
        }
        // Of a token that fails, what was done is kept: what is older than that comes too late.
        if let Some(memory) = memory {
            facts.iter().for_each(|fact| seen.learn(fact));
            if let Err(error) = memory.keep(&facts, seen) {
                seen.forget_token(id);
                return Err(Refused::Unkept(error.to_string()));
            }
        }
        let received = received?;
        seen.note_token(id, issued);
        Ok(received)
    }

    fn events(&self, claims: &Object, issued: Timestamp) -> Result<Vec<SecurityEvent>, Refused> {
        let events = claims.get("events").and_then(Value::as_object).ok_or(Refused::Events)?;
        if events.is_empty() || events.len() > MOST_EVENTS {
            return Err(Refused::Events);
        }
        let whole = claims.get("sub_id").map(|own| own.as_object().ok_or(Refused::UnknownSubject));
        let whole = whole.transpose()?;
        let known = events.iter().filter_map(|(uri, own)| Some((EventKind::of_uri(uri)?, own)));
        known
            .map(|(kind, own)| {
                let details = own.as_object().ok_or(Refused::Events)?;
                let of_event = details
                    .get("subject")
                    .map(|own| own.as_object().ok_or(Refused::UnknownSubject));
                let subject = match (whole, of_event.transpose()?) {
                    (Some(whole), Some(own)) if whole != own => return Err(Refused::Subjects),
                    (Some(subject), _) | (None, Some(subject)) => {
                        EventSubject::new(subject.clone())
                    }
                    (None, None) => return Err(Refused::UnknownSubject),
                };
                let id = catch_unwind(AssertUnwindSafe(|| (self.named)(&subject)));
                let id = id.map_err(|_| Refused::Hook)?.ok_or(Refused::UnknownSubject)?;
                let at = time(details, "event_timestamp")?.unwrap_or(issued);
                // What has yet to happen would be later than all that does.
                if at > issued.checked_add(LEEWAY).unwrap_or(issued) {
                    return Err(Why::Early("event_timestamp").into());
                }
                Ok(SecurityEvent { kind, subject, id, at, details: details.clone() })
            })
            .collect()
    }

    fn act(
        &self,
        event: &SecurityEvent,
        control: &Control,
        now: Timestamp,
        seen: &mut Seen,
        facts: &mut Vec<Fact>,
    ) -> Result<Received, Refused> {
        let action = catch_unwind(AssertUnwindSafe(|| (self.decide)(event)));
        let action = action.map_err(|_| Refused::Hook)?;
        let (kind, id) = (event.kind, event.id.clone());
        if !seen.has_room_for(&id, now, self.oldest) {
            return Err(Refused::Full);
        }
        let is_old = seen.is_old(&id, Some(kind), event.at);
        let unfit = |error: &dyn fmt::Display| Refused::Subject(error.to_string());
        let received = match action {
            Action::Nothing => Received::Nothing { kind, id },
            // It states all there is, so that a later one of any kind has said more than it knows.
            Action::Restate(_) if is_old || seen.is_old(&id, None, event.at) => {
                Received::OutOfOrder { kind, id }
            }
            Action::Restate(stated) => {
                control.restate(stated).map_err(|error| unfit(&error))?.finish();
                seen.note(&id, None, event.at);
                facts.push(Fact::Event(id.clone(), None, event.at));
                Received::Done { kind, id }
            }
            Action::Revoke => {
                let mut is_full = false;
                // First, so that no earlier token is taken once what it has brought has ended.
                if let Some(revocations) = &self.revocations {
                    // Tokens call it what the transmitter does, and not what it is called here.
                    let of_tokens = named(&event.subject, &self.issuer);
                    for name in of_tokens.iter().chain([&id]) {
                        if revocations.revoke(name, event.at) {
                            facts.push(Fact::Revoked(name.clone(), event.at));
                        } else {
                            is_full = true;
                        }
                    }
                }
                let _ = control.revoke_identity(&id).map_err(|error| unfit(&error))?;
                // What is held has ended all the same.
                if is_full {
                    return Err(Refused::Full);
                }
                if is_old { Received::OutOfOrder { kind, id } } else { Received::Done { kind, id } }
            }
            Action::Halt => {
                let halt = Halt::identity(&id).map_err(|error| unfit(&error))?;
                let _ = control.halt(halt);
                if is_old { Received::OutOfOrder { kind, id } } else { Received::Done { kind, id } }
            }
        };
        seen.note(&event.id, Some(kind), event.at);
        facts.push(Fact::Event(event.id.clone(), Some(kind), event.at));
        Ok(received)
    }
}

/// The id of a subject, where that can't be another's.
fn named(subject: &EventSubject, issuer: &str) -> Option<String> {
    match subject.format() {
        "iss_sub" if subject.text("iss") == Some(issuer) => subject.text("sub").map(str::to_owned),
        "opaque" => subject.text("id").map(str::to_owned),
        "uri" => subject.text("uri").map(str::to_owned),
        "complex" => {
            let user = subject.part("user").filter(|user| user.format() != "complex")?;
            named(&user, issuer)
        }
        _ => None,
    }
}

impl fmt::Debug for SignalReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalReceiver")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
