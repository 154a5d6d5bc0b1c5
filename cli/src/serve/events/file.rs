//! The file of `--events`: whose events are taken, and what is done about them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use hallpass::Broker;
use hallpass::identity::{Attestor, Kind};
use hallpass::value::{Object, Value};
use hallpass_identity::{
    Action, Algorithm, EventKind, KeySet, Keys, Received, SecurityEvent, SignalError,
    SignalReceiver,
};
use serde::Deserialize;

use crate::policy::text_of;
use crate::serve::bearer::Bearers;
use crate::serve::entities::{Entities, assertion};
use crate::serve::options::kind_named;

/// How often the file of keys is looked at again, whatever keys tokens name.
const EVERY: Duration = Duration::from_secs(60);

/// Whether security events are taken.
#[derive(Debug, Args)]
pub(crate) struct EventsOption {
    /// Take security events (OpenID CAEP) that an identity provider pushes to `/events`, and act as the file says: TOML
    #[arg(long = "events", value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: String,
    audience: String,
    algorithm: String,
    keys: PathBuf,
    bearer: PathBuf,
    remember: PathBuf,
    kind: Option<String>,
    #[serde(default)]
    on: BTreeMap<String, Said>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Said {
    Word(String),
    Restate(Restated),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Restated {
    restate: BTreeMap<String, String>,
}

/// What is done about the events of a kind.
enum Done {
    Cautious,
    Nothing,
    Revoke,
    Halt,
    /// Attributes, by their names, and of which member of the event each is.
    Restate(BTreeMap<String, String>),
}

/// Receives the events of one transmitter.
pub(crate) struct Events {
    pub(super) bearers: Bearers,
    pub(super) broker: Broker,
    receiver: SignalReceiver,
    entities: Arc<Entities>,
    kind: Kind,
    /// One token at a time, and what it would state of whom: it counts once the receiver has acted on it.
    states: Arc<Mutex<Vec<States>>>,
    one: Mutex<()>,
}

struct States {
    kind: EventKind,
    id: String,
    as_known: Box<str>,
    attributes: Vec<(String, Value)>,
}

impl EventsOption {
    /// Reads what is said, if anything is.
    ///
    /// # Errors
    /// What is wrong with the file, or one that it names.
    pub(crate) fn receiver(
        &self,
        broker: &Broker,
        entities: &Arc<Entities>,
    ) -> Result<Option<Events>, String> {
        let Some(path) = &self.file else { return Ok(None) };
        let named = |why: String| format!("{}: {why}", path.display());
        let text = text_of(path).map_err(|error| named(format!("can't be read: {error}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Events::of(&text, folder, broker, entities).map(Some).map_err(named)
    }
}

impl Events {
    fn of(
        text: &str,
        folder: &Path,
        broker: &Broker,
        entities: &Arc<Entities>,
    ) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let algorithm = Algorithm::named(&file.algorithm)
            .ok_or(format!("no algorithm `{}`, expected `ES256`, say", file.algorithm))?;
        let kind = file.kind.as_deref().map_or(Ok(Kind::Human), kind_named)?;
        let done = done(file.on)?;
        let at = folder.join(&file.keys);
        let set = key_set(&at)?;
        let keys = Keys::fetched(set, EVERY, move || key_set(&at).ok());
        let states: Arc<Mutex<Vec<States>>> = Arc::default();
        let decide = Decide {
            done,
            kind,
            attestor: broker.attestor(),
            entities: entities.clone(),
            states: states.clone(),
        };
        let receiver =
            SignalReceiver::new(&file.issuer, &file.audience, algorithm, keys, move |event| {
                decide.action(event)
            });
        let receiver = receiver.map_err(|error| error.to_string())?;
        let remember = folder.join(file.remember);
        let receiver = receiver.remembering(&remember);
        let receiver = receiver.map_err(|error| format!("{}: {error}", remember.display()))?;
        let bearers = Bearers::read(&folder.join(file.bearer))?;
        let (broker, entities) = (broker.clone(), entities.clone());
        Ok(Events { bearers, broker, receiver, entities, kind, states, one: Mutex::default() })
    }

    /// Takes a token, and acts upon its events.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(super) fn receive(
        &self,
        token: &str,
        now: hallpass::clock::Timestamp,
    ) -> Result<(), SignalError> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let held = || self.states.lock().unwrap_or_else(PoisonError::into_inner);
        held().clear();
        let received = self.receiver.receive(token, &self.broker.control(), now)?;
        let states: Vec<States> = held().drain(..).collect();
        for own in states {
            let is_done = |received: &Received| matches!(received, Received::Done { kind, id } if (*kind, id) == (own.kind, &own.id));
            if received.iter().any(is_done) {
                self.entities.stated().state(self.kind, &own.as_known, &own.attributes);
            }
        }
        Ok(())
    }
}

/// Says what is done about an event.
struct Decide {
    done: BTreeMap<&'static str, Done>,
    kind: Kind,
    attestor: Attestor,
    entities: Arc<Entities>,
    states: Arc<Mutex<Vec<States>>>,
}

impl Decide {
    fn action(&self, event: &SecurityEvent) -> Action {
        match self.done.get(event.kind().as_str()).unwrap_or(&Done::Cautious) {
            Done::Cautious => Action::cautious(event),
            Done::Nothing => Action::Nothing,
            Done::Revoke => Action::Revoke,
            Done::Halt => Action::Halt,
            // What can't be stated is not passed over.
            Done::Restate(members) => self.restated(event, members).unwrap_or(Action::Halt),
        }
    }

    fn restated(
        &self,
        event: &SecurityEvent,
        members: &BTreeMap<String, String>,
    ) -> Option<Action> {
        let attribute = |(name, member): (&String, &String)| {
            Some((name.clone(), event.details().get(member)?.clone()))
        };
        let attributes: Vec<_> = members.iter().map(attribute).collect::<Option<_>>()?;
        let plain = self.attestor.attest(assertion(self.kind, event.id())).ok()?;
        let as_known: Box<str> = plain.subject().as_str().into();
        if !self.entities.stated().has_room(self.kind, &as_known) {
            return None;
        }
        let said = Object::from_pairs(attributes.iter().cloned()).ok()?;
        let stated = self.entities.restated(self.kind, event.id(), &as_known, &said);
        let id = event.id().to_owned();
        let states = States { kind: event.kind(), id, as_known, attributes };
        self.states.lock().unwrap_or_else(PoisonError::into_inner).push(states);
        Some(Action::Restate(stated))
    }
}

fn done(said: BTreeMap<String, Said>) -> Result<BTreeMap<&'static str, Done>, String> {
    let kinds = KINDS.map(EventKind::as_str);
    let own = said.into_iter().map(|(event, said)| {
        let kind = kinds.into_iter().find(|kind| *kind == event);
        let kind = kind.ok_or(format!("`on`: no event `{event}`, expected one of {kinds:?}"))?;
        let done = match said {
            Said::Restate(Restated { restate }) if restate.is_empty() => {
                return Err(format!("`on.{event}`: `restate` names no attribute"));
            }
            Said::Restate(Restated { restate }) => Done::Restate(restate),
            Said::Word(word) => match &*word {
                "cautious" => Done::Cautious,
                "nothing" => Done::Nothing,
                "revoke" => Done::Revoke,
                "halt" => Done::Halt,
                _ => {
                    return Err(format!(
                        "`on.{event}`: no action `{word}`, expected `cautious`, `nothing`, `revoke`, `halt` or \
                         `{{ restate = {{ ATTRIBUTE = \"MEMBER\" }} }}`"
                    ));
                }
            },
        };
        Ok((kind, done))
    });
    own.collect()
}

const KINDS: [EventKind; 6] = [
    EventKind::SessionRevoked,
    EventKind::TokenClaimsChange,
    EventKind::CredentialChange,
    EventKind::AssuranceLevelChange,
    EventKind::DeviceComplianceChange,
    EventKind::RiskLevelChange,
];

fn key_set(path: &Path) -> Result<KeySet, String> {
    let named = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let text = text_of(path).map_err(|error| named(&format_args!("can't be read: {error}")))?;
    KeySet::from_json(&text).map_err(|error| named(&error))
}
