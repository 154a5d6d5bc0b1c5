//! Who asks, for what, under which policy, as it is said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hallpass::identity::{Assertion, Identity, IdentityError, Kind};
use hallpass::value::Value;
use hallpass::{Broker, Context, Policy, Purpose};

use super::task::Errand;
use crate::facts::fact;
use crate::kept_log::KeptLog;
use crate::policy::load;

/// Who asks, for what, under which policy.
#[derive(Debug, Args)]
pub(crate) struct ErrandOptions {
    /// The policy: TOML, or JSON where its name ends in `.json`
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Who the agent is
    #[arg(long = "as", value_name = "ID")]
    who: String,
    /// What kind of identity that is
    #[arg(long, value_enum, default_value_t = OfKind::Agent)]
    kind: OfKind,
    /// A group that the agent is in; may be said several times
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// The person whom the agent acts for
    #[arg(long = "for", value_name = "PERSON")]
    acts_for: Option<String>,
    /// What the agent is to do
    #[arg(long, value_name = "NAME")]
    purpose: String,
    /// The ticket of the purpose
    #[arg(long)]
    ticket: Option<String>,
    /// What is known of the moment, `NAME=TEXT` or `NAME:=JSON`; may be said several times
    #[arg(long = "context", value_name = "K=V", value_parser = fact)]
    context: Vec<(String, Value)>,
    #[command(flatten)]
    kept: KeptLog,
    /// Where people answer what a policy asks: nowhere, so that it is denied
    #[arg(long, value_enum, default_value_t = Approve::None)]
    approve: Approve,
    /// Say on standard error why each call is denied: for those who write policies, since agents may read it
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OfKind {
    Agent,
    Human,
    Workload,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Approve {
    None,
}

impl ErrandOptions {
    /// Everything that has to be in order before anything is started.
    ///
    /// # Errors
    /// What is not, for who starts the command.
    pub(crate) fn begin(&self) -> Result<Errand, String> {
        self.begin_as("hallpass")
    }

    /// As [`begin`](Self::begin), with a broker of another issuer.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn begin_as(&self, issuer: &str) -> Result<Errand, String> {
        let Approve::None = self.approve;
        let policy =
            load(&self.policy).map_err(|error| format!("{}: {error}", self.policy.display()))?;
        let remembers = policy.rules().any(|rule| rule.remembers());
        let pins = policy.pins().map(|(tool, pin)| (tool.to_owned(), pin)).collect();
        let broker = self.broker(policy, issuer)?;
        let who = self.identity(&broker).map_err(|error| error.to_string())?;
        let mut purpose = Purpose::new(self.purpose.as_str());
        if let Some(ticket) = &self.ticket {
            purpose = purpose.ticket(ticket.as_str());
        }
        let facts = self.context.iter().cloned();
        let context = facts.fold(Context::new(), |own, (name, value)| own.with(name, value));
        Ok(Errand { broker, who, purpose, context, remembers, pins })
    }

    fn broker(&self, policy: Policy, issuer: &str) -> Result<Broker, String> {
        let first = policy.rules().find(|rule| rule.remembers()).map(|rule| rule.id().to_owned());
        let builder = Broker::builder(policy).ceiling(CEILING);
        match (first, self.kept.folder()) {
            (Some(rule), None) => {
                return Err(format!(
                    "rule `{rule}` depends on what the task did before, which would be forgotten each time the \
                     server is started: say `--log FOLDER --key-file FILE`"
                ));
            }
            (Some(rule), Some(log))
                if log.read_dir().is_ok_and(|mut entries| entries.next().is_some()) =>
            {
                return Err(format!(
                    "{}: rule `{rule}` depends on what was done before, and this log was begun by an earlier session, \
                     whose history can't be gone on with: an operator begins another with a folder of its own",
                    log.display()
                ));
            }
            _ => {}
        }
        self.kept.build(issuer, builder)
    }

    fn identity(&self, broker: &Broker) -> Result<Identity, IdentityError> {
        let who = match self.kind {
            OfKind::Agent => Assertion::agent(self.who.as_str()),
            OfKind::Human => Assertion::human(self.who.as_str()),
            OfKind::Workload => Assertion::workload(self.who.as_str()),
        };
        let who = who.groups(self.groups.iter().map(String::as_str));
        let who = match &self.acts_for {
            Some(person) => who.acts_for(person.as_str(), Kind::Human),
            None => who,
        };
        broker.assert_identity(who)
    }
}

/// How long a session lasts: as long as any task may.
const CEILING: Duration = Duration::from_secs(7 * 24 * 60 * 60);
