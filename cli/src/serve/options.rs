//! What `hallpass serve` is told: the policy, who may ask, and where it listens.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use hallpass::identity::Kind;
use hallpass::value::{Object, Value};
use hallpass::{Broker, Context, Purpose};

use super::doors::Doors;
use super::entities::Entities;
use super::evaluate::Evaluator;
use super::events::EventsOption;
use super::http::{Service, router};
use super::listen::serve_until_told;
use crate::exit::Exit;
use crate::facts::fact;
use crate::fleet::{FleetOption, Joined};
use crate::kept_log::KeptLog;
use crate::policy::load;

const AFTER_HELP: &str = "\
Example:
  head -c 32 /dev/urandom | basenc --base64url > bearer
  hallpass serve --policy P.toml --purpose orders --bearer-file bearer

  curl -H \"Authorization: Bearer $(cat bearer)\" -H 'Content-Type: application/json' \\
    -d '{\"subject\":{\"type\":\"user\",\"id\":\"ana\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":\"order\",\"id\":\"7\"}}' \\
    http://127.0.0.1:8181/access/v1/evaluation

Each evaluation is a task of its own: a permit for exactly this call is granted, recorded as forwarded, and over before it
is answered. Who may ask says who its subjects are: give the secret, or certificates, to services that know, and to no
agent.

Exit codes: 0 if it was told to end, 2 if it could not begin or its log is not complete.";

/// Decide for services and proxies that ask over HTTP.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ServeCommand {
    /// The policy: TOML, or JSON where its name ends in `.json`
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// What all that is asked is for, as policies name it
    #[arg(long, value_name = "NAME")]
    purpose: String,
    /// Where to listen; port 0 takes any, which the first line of the output tells
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8181")]
    listen: SocketAddr,
    #[command(flatten)]
    doors: Doors,
    /// The address that clients know the server by, `https://HOST`: tells them by AuthZEN's metadata what it can do
    #[arg(long, value_name = "URL", value_parser = base)]
    url: Option<String>,
    /// What kind of identity subjects of a type are; may be said several times. `user`, `agent`, `workload` and `service`
    /// are known
    #[arg(long = "subject", value_name = "TYPE=KIND", value_parser = kind_of_type)]
    subjects: Vec<(Box<str>, Kind)>,
    /// Answer Envoy's external authorization, too: callers are those whom the certificate names that Envoy has verified, and
    /// identities of this kind, `workload` if it does not say
    #[arg(
        long,
        value_name = "KIND",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "workload",
        value_parser = kind_named
    )]
    ext_authz: Option<Kind>,
    /// What is known of subjects and resources, whatever requests say of them: JSON
    #[arg(long, value_name = "FILE")]
    entities: Option<PathBuf>,
    /// What is known of the moment, `NAME=TEXT` or `NAME:=JSON`, whatever requests say; may be said several times
    #[arg(long = "context", value_name = "K=V", value_parser = fact)]
    context: Vec<(String, Value)>,
    #[command(flatten)]
    events: EventsOption,
    #[command(flatten)]
    kept: KeptLog,
    #[command(flatten)]
    fleet: FleetOption,
    /// Say on standard error why something is denied
    #[arg(long)]
    explain: bool,
}

/// How long is waited for a log that takes nothing.
const FLUSH: Duration = Duration::from_secs(2);

impl ServeCommand {
    pub(crate) fn run(self) -> Exit {
        let (service, joined) = match self.begin() {
            Ok(begun) => begun,
            Err(problem) => return Exit::unable(problem),
        };
        let broker = service.evaluator.broker.clone();
        let tls = service.door.tls.clone();
        let served = serve_until_told(self.listen, "", tls, router(Arc::new(service)), || {});
        drop(broker.close(FLUSH));
        joined.leave();
        let flushed = broker.flush_within(FLUSH);
        match (served, flushed) {
            (Err(problem), _) => Exit::unable(problem),
            (Ok(()), Err(error)) => Exit::unable(format_args!("the log is not complete: {error}")),
            (Ok(()), Ok(())) => Exit::Fine,
        }
    }

    /// Everything that has to be in order before the address is bound.
    fn begin(&self) -> Result<(Service, Joined), String> {
        let door = self.doors.open(&self.listen)?;
        let policy =
            load(&self.policy).map_err(|error| format!("{}: {error}", self.policy.display()))?;
        if let Some(rule) = policy.rules().find(|rule| rule.remembers()) {
            return Err(format!(
                "{}: rule `{}` depends on what its task did before, and each evaluation is a task of its own: leave \
                 out `seen` and limits of how much or how long",
                self.policy.display(),
                rule.id()
            ));
        }
        let builder = Broker::builder(policy.clone());
        let broker = self.kept.build(&self.fleet.issuer()?, builder)?;
        let joined = self.fleet.join(&broker)?;
        let (facts, kinds) = (self.facts(&broker)?, Kinds::with(&self.subjects));
        let entities = match &self.entities {
            Some(path) => Entities::read(path, &kinds, &broker)?,
            None => Entities::default(),
        };
        let entities = Arc::new(entities);
        let events = self.events.receiver(&broker, &entities)?;
        let purpose = Purpose::new(self.purpose.as_str());
        let (gate, explains) = (broker.gate(), self.explain);
        let evaluator =
            Evaluator { broker, policy, gate, purpose, facts, kinds, entities, explains };
        let (base, callers) = (self.url.clone(), self.ext_authz);
        let service = Service { evaluator, door, base, callers, events };
        Ok((service, joined))
    }

    /// What is known of the moment, once a task of the purpose could be opened with it.
    fn facts(&self, broker: &Broker) -> Result<Object, String> {
        let facts = Object::from_pairs(self.context.iter().cloned());
        let facts = facts.map_err(|twice| format!("`--context` says `{}` twice", twice.0))?;
        let context = facts
            .iter()
            .fold(Context::new(), |all, (name, own)| all.with(name.to_owned(), own.clone()));
        let who = broker.assert_identity("hallpass").map_err(|error| error.to_string())?;
        let task = broker.open(&who, Purpose::new(self.purpose.as_str()));
        let task = task.map_err(|denial| format!("`--purpose`: {}", denial.explain()))?;
        let asked = task.askable(["ping"], &context);
        asked.map_err(|denial| format!("`--context`: {}", denial.explain()))?;
        drop(task.complete());
        Ok(facts)
    }
}

/// Which kind of identity the subjects of a type are.
#[derive(Debug)]
pub(super) struct Kinds(BTreeMap<Box<str>, Kind>);

impl Kinds {
    fn with(own: &[(Box<str>, Kind)]) -> Self {
        let known = [
            ("user", Kind::Human),
            ("agent", Kind::Agent),
            ("workload", Kind::Workload),
            ("service", Kind::Workload),
        ];
        let known = known.into_iter().map(|(of_type, kind)| (Box::from(of_type), kind));
        Kinds(known.chain(own.iter().cloned()).collect())
    }

    /// The kind of a type, if one is told.
    pub(super) fn of(&self, of_type: &str) -> Option<Kind> {
        self.0.get(of_type).copied()
    }
}

fn kind_of_type(text: &str) -> Result<(Box<str>, Kind), String> {
    let (of_type, kind) = text.rsplit_once('=').ok_or("expected `TYPE=KIND`")?;
    let kind = kind_named(kind)?;
    if of_type.is_empty() {
        Err("the type is missing".to_owned())
    } else {
        Ok((of_type.into(), kind))
    }
}

pub(super) fn kind_named(kind: &str) -> Result<Kind, String> {
    match kind {
        "human" => Ok(Kind::Human),
        "agent" => Ok(Kind::Agent),
        "workload" => Ok(Kind::Workload),
        _ => Err(format!("no kind `{kind}`, expected `human`, `agent` or `workload`")),
    }
}

/// An address that metadata may tell: `https`, a host, and nothing after it.
fn base(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(is_host) => {
            Ok(format!("https://{host}"))
        }
        _ => Err("expected `https://HOST`, with no path or query".to_owned()),
    }
}
