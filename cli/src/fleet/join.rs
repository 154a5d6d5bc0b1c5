//! A command that is a node of a fleet.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use hallpass::Broker;
use hallpass::fleet::{Fleet, FleetBuilder, NodeState, Tending};

use super::file::{FleetFile, issuer};
use super::wire::Answering;

/// Which fleet a command joins, if it does.
#[derive(Debug, Args)]
pub(crate) struct FleetOption {
    /// Join the fleet that this file says, as the node that it says: TOML
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
}

/// A broker that is a node, for as long as this is kept.
pub(crate) struct Joined(Option<Member>);

struct Member {
    fleet: Fleet,
    _tending: Tending,
    _answering: Option<Answering>,
}

/// How often it is looked whether there is a lease, and whether the node has left.
const LOOK: Duration = Duration::from_millis(10);

/// For how long it is waited, with four leases, until a node has its first.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long it is waited until the store knows that the node has left.
const LEAVING: Duration = Duration::from_secs(2);

impl FleetOption {
    /// The issuer that the broker has to have, where other nodes ask it; the default otherwise.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn issuer(&self) -> Result<String, String> {
        let said = self.fleet.as_deref().map(issuer).transpose()?.flatten();
        Ok(said.unwrap_or_else(|| "hallpass".to_owned()))
    }

    /// Makes a broker the node that is said, and waits until it has a lease: before, nothing can be opened.
    ///
    /// # Errors
    /// What is wrong with the file or the fleet, and why there is no lease.
    pub(crate) fn join(&self, broker: &Broker) -> Result<Joined, String> {
        let Some(path) = &self.fleet else { return Ok(Joined(None)) };
        let file = FleetFile::read(path)?;
        let named = |problem: String| format!("{}: {problem}", path.display());
        let node =
            file.node.ok_or_else(|| named("expected `node`, whose name is its own".to_owned()))?;
        let before = broker.epoch().1;
        let builder = Fleet::builder(&file.name, &node).lease(file.lease).drift(file.drift);
        let builder = file.past.into_iter().fold(builder, FleetBuilder::past);
        let (builder, listening) = match file.wire {
            Some(wire) => {
                let (builder, listener) = wire.listen(builder).map_err(named)?;
                (builder, Some((wire, listener)))
            }
            None => (builder, None),
        };
        let fleet = builder.join(broker, &file.secret, file.store.clone());
        let fleet = fleet.map_err(|error| named(error.to_string()))?;
        let tending = fleet.start_tending().map_err(|error| named(error.to_string()))?;
        let answering = listening.map(|(wire, listener)| wire.answer(listener, &fleet));
        let answering = answering.transpose().map_err(named)?;
        let patience = PATIENCE + 4 * file.lease;
        for _ in 0..patience.as_millis() / LOOK.as_millis() {
            if fleet.status().lease.is_some() {
                // What is held against the file's policy here would be held against another.
                if broker.epoch().1 != before {
                    return Err(named(
                        "the fleet's policy is another than that of the file, expected the same"
                            .to_owned(),
                    ));
                }
                return Ok(Joined(Some(Member {
                    fleet,
                    _tending: tending,
                    _answering: answering,
                })));
            }
            sleep(LOOK);
        }
        let trouble = fleet.status().trouble.map(String::from).or_else(|| file.store.trouble());
        let why = trouble.unwrap_or_else(|| "a process of this name may be there".to_owned());
        Err(named(format!("no lease within {patience:?}: {why}")))
    }
}

impl Joined {
    /// Leaves the fleet, so that no act waits for this node. What is open is to be over.
    pub(crate) fn leave(self) {
        let Some(member) = self.0 else { return };
        member.fleet.leave();
        for _ in 0..LEAVING.as_millis() / LOOK.as_millis() {
            if matches!(member.fleet.status().state, Some(NodeState::Left | NodeState::Gone)) {
                return;
            }
            sleep(LOOK);
        }
    }
}
