//! What operators do to a fleet: with its key, and without a lease.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hallpass::Halt;
use hallpass::fleet::{ActError, Operator, OperatorAct, OperatorError};

use super::file::FleetFile;
use super::report;
use super::whole::{self, Wide};
use crate::exit::Exit;

const AFTER_HELP: &str = "\
Example of a fleet's file:
  name = \"acme\"
  tenant = \"acme\"
  node = \"n1\"                 # of `hallpass serve --fleet` and `hallpass mcp --fleet`: a name of its own
  store = \"host=/run/postgresql user=hallpass_node dbname=hallpass\"
  key_file = \"fleet.key\"      # the same at every node, and used for nothing else

Exit codes: 0 if it is done everywhere, 1 if it is under way and waits for nodes, 2 if it could not be done.";

/// Stop, let go on and look at a fleet, without being one of its nodes.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct FleetCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the nodes, how far each has applied the fleet's acts, and what is halted
    Status {
        #[command(flatten)]
        whose: Whose,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show what stands at all nodes: tasks, grants, and credentials outside
    Standing {
        #[command(flatten)]
        whose: Whose,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show what waits for people at all nodes
    Reviews {
        #[command(flatten)]
        whose: Whose,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show what has to be withdrawn outside, at all nodes
    Obligations {
        #[command(flatten)]
        whose: Whose,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Stop what is named, at every node, until it is resumed
    Halt(Named),
    /// Let go on what was halted, at every node
    Resume(Named),
    /// End what each node holds of an identity or a tool
    Revoke {
        #[command(flatten)]
        named: Named,
        /// Keep it out, too, until it is resumed: by the same entry, so that nothing comes between
        #[arg(long)]
        halt: bool,
    },
    /// End a task, at the node that opened it
    End {
        /// The task's home
        node: String,
        /// Its name there
        task: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Take a node out: it ends its tasks, and never comes back but as another
    Remove {
        /// Its name
        node: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Go on with a store that was restored: give up every node that it says is there, once none renews its lease
    Reset {
        #[command(flatten)]
        whose: Whose,
    },
}

/// Which fleet, and how long.
#[derive(Debug, Args)]
struct Whose {
    /// The fleet's file: TOML
    #[arg(long, value_name = "FILE")]
    fleet: PathBuf,
    /// How many seconds it is waited until it is final
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=3600))]
    within: u64,
}

/// What is stopped, ended or let go on.
#[derive(Debug, Args)]
struct Named {
    /// What is named
    #[arg(value_enum)]
    kind: Kind,
    /// Its name; `everything` has none
    name: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Everything,
    Identity,
    Task,
    Tool,
}

impl FleetCommand {
    pub(crate) fn run(self) -> Exit {
        match self.what.run() {
            Ok(exit) => exit,
            Err(problem) => Exit::unable(problem),
        }
    }
}

impl What {
    fn run(self) -> Result<Exit, String> {
        match self {
            What::Status { whose, json } => {
                let view = whose.operator()?.look().map_err(text)?;
                Ok(Exit::of_report(report::show(&mut io::stdout().lock(), &view, json)))
            }
            What::Standing { whose, json } => {
                let seen = whose.operator()?.standing().map_err(text)?;
                whole::show(&mut io::stdout().lock(), &seen, Wide::Standing, json)
            }
            What::Reviews { whose, json } => {
                let seen = whose.operator()?.waiting().map_err(text)?;
                whole::show(&mut io::stdout().lock(), &seen, Wide::Reviews, json)
            }
            What::Obligations { whose, json } => {
                let seen = whose.operator()?.obligations().map_err(text)?;
                whole::show(&mut io::stdout().lock(), &seen, Wide::Obligations, json)
            }
            What::Halt(named) => named.act(|operator, what| operator.halt(what)),
            What::Resume(named) => named.act(|operator, what| operator.resume(what)),
            What::Revoke { named, halt } => named.act(|operator, what| operator.revoke(what, halt)),
            What::End { node, task, whose } => {
                let mut operator = whose.operator()?;
                finish(operator.end_task(&node, &task).map_err(text)?, &whose)
            }
            What::Remove { node, whose } => {
                let mut operator = whose.operator()?;
                let removal = operator.remove(&node).map_err(text)?;
                removal.wait(whose.within()).map_err(text)?;
                told(format_args!("`{node}` is given up: its tasks are over"))
            }
            What::Reset { whose } => {
                let mut operator = whose.operator()?;
                let mark = operator.reset().map_err(text)?.wait(whose.within()).map_err(text)?;
                told(format_args!(
                    "every node is given up. What nodes may be told to be past: {mark}"
                ))
            }
        }
    }
}

impl Named {
    fn act(
        &self,
        act: impl for<'o> FnOnce(&'o mut Operator, &Halt) -> Result<OperatorAct<'o>, OperatorError>,
    ) -> Result<Exit, String> {
        let what = self.what()?;
        let mut operator = self.whose.operator()?;
        finish(act(&mut operator, &what).map_err(text)?, &self.whose)
    }

    fn what(&self) -> Result<Halt, String> {
        let named = match (self.kind, self.name.as_deref()) {
            (Kind::Everything, None) => return Ok(Halt::Everything),
            (Kind::Everything, Some(_)) => return Err("`everything` has no name".to_owned()),
            (_, None) => return Err("the name is missing".to_owned()),
            (Kind::Identity, Some(name)) => Halt::identity(name),
            (Kind::Task, Some(name)) => Halt::task(name),
            (Kind::Tool, Some(name)) => Halt::tool(name),
        };
        named.map_err(|error| error.to_string())
    }
}

impl Whose {
    fn operator(&self) -> Result<Operator, String> {
        let file = FleetFile::read(&self.fleet)?;
        let named = |problem: String| format!("{}: {problem}", self.fleet.display());
        let operator = Operator::new(&file.name, &file.secret, file.store);
        let operator = operator.and_then(|own| own.terms(file.lease, file.drift));
        let operator = operator.map_err(|error| named(error.to_string()))?;
        let operator = file.past.into_iter().fold(operator, Operator::past);
        let Some(wire) = file.wire else { return Ok(operator) };
        Ok(operator.transport(wire.asking(), file.operator.as_deref()))
    }

    fn within(&self) -> Duration {
        Duration::from_secs(self.within)
    }
}

/// Waits until an act is final, and says what it came to.
fn finish(act: OperatorAct<'_>, whose: &Whose) -> Result<Exit, String> {
    match act.wait(whose.within()) {
        Ok(done) => {
            let exit = told(format_args!("act {} is final at every node", done.number))?;
            if !done.unheard.is_empty() {
                // Who can write the store could have put any name there.
                let names = done.unheard.iter().map(|name| name.escape_debug().to_string());
                let names = names.collect::<Vec<_>>().join("`, `");
                told(format_args!("not heard, and without a lease: `{names}`"))?;
            }
            if done.running > 0 {
                told(format_args!("calls that run on: {}", done.running))?;
            }
            Ok(exit)
        }
        Err(error @ ActError::NotYet(_)) => {
            told(format_args!("not final: {error}"))?;
            Ok(Exit::Findings)
        }
        Err(error) => Err(error.to_string()),
    }
}

fn told(what: std::fmt::Arguments<'_>) -> Result<Exit, String> {
    match writeln!(io::stdout(), "{what}") {
        Ok(()) => Ok(Exit::Fine),
        Err(error) => Err(format!("can't write the report: {error}")),
    }
}

fn text(error: OperatorError) -> String {
    error.to_string()
}
