//! A node in a process of its own, which calls without rest and does what it is told on its standard input. It tells each start,
//! with the last reading that was made for it, and each act, once that has returned.

use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use hallpass::Halt;
use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::fleet::{ActError, Acting, Done, Fleet};
use hallpass::key::{KeyRing, LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass_fleet_http::{HttpTransport, Listener, Protection};
use hallpass_postgres::PostgresStore;

use crate::dice::Dice;
use crate::planted::{PlantedClock, PlantedStore, Steps, shared_time, starting};
use crate::server::PASSWORD;
use crate::wire::Wire;

/// Tools that are halted and resumed, one that reloads forbid, and one whose calls are limited per identity.
pub(crate) const HALTED: [&str; 4] = ["h0", "h1", "h2", "h3"];
pub(crate) const RELOADED: &str = "r";
pub(crate) const COUNTED: &str = "c";
pub(crate) const COUNT: usize = 40;

/// How long an act is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

fn policy(forbids: bool) -> String {
    let forbid = match forbids {
        true => {
            r#"[[rule]]
            id = "not-this-one"
            effect = "forbid"
            what = { tool = "r" }"#
        }
        false => "",
    };
    format!(
        r#"version = 1
        [[rule]]
        id = "all"
        effect = "permit"
        what = {{ tool = {{ one_of = ["h0", "h1", "h2", "h3", "r"] }}, args = "any" }}
        [[rule]]
        id = "counted"
        effect = "permit"
        what = {{ tool = "c", args = "any" }}
        grant = {{ uses = {COUNT}, per = "identity" }}
        {forbid}"#
    )
}

/// Says a line to who started this process.
pub(crate) fn tell(line: std::fmt::Arguments<'_>) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

pub(crate) fn secret() -> SecretKey {
    SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap()
}

pub(crate) fn log_keys() -> LogKeys {
    LogKeys::from_secret(secret())
}

/// A token of another node's task: when its grant had been given, the task with its home, and the token.
type Given = (u64, String, Token);

struct Node {
    broker: Broker,
    fleet: Fleet,
    name: String,
    agent: Identity,
    given: Mutex<Vec<Given>>,
}

/// `NAME FLEET PORT FOLDER LEASE SEED`: of the fleet's store at this port of the loopback, in this folder of its own.
pub(crate) fn run(args: &[String]) {
    let [name, fleet, port, folder, lease, seed] = args else { panic!("{args:?}") };
    let (folder, seed) = (Path::new(folder), seed.parse::<u64>().unwrap());
    let steps = Steps::default();
    let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
    let issuer = format!("{fleet}/{name}");
    let origin = Origin::new(&issuer, "tools");
    let log = options.open(folder.join("log"), &log_keys(), &origin).unwrap();
    let broker = Broker::builder(Policy::from_toml(&policy(false)).unwrap())
        .issuer(&issuer)
        .audience("tools")
        .keys(KeyRing::from_secret(SecretKey::from_bytes(&(1..33).collect::<Vec<u8>>()).unwrap()))
        .log_keys(log_keys())
        .clock(PlantedClock::new(steps.clone()))
        .resume_from(&log)
        .build()
        .unwrap();

    let mut server = tokio_postgres::Config::new();
    server
        .host("127.0.0.1")
        .port(port.parse().unwrap())
        .user("hp_node")
        .password(PASSWORD)
        .dbname("postgres");
    let lease = Duration::from_millis(lease.parse().unwrap());
    let store = PostgresStore::builder(server, "acme", fleet).within(lease).open().unwrap();
    let store = PlantedStore(store, steps.clone());

    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let address = format!("unix:{}", folder.join("node").display());
    let listener = Listener::bind(&address, Protection::local()).unwrap();
    let transport = HttpTransport::new(threads.handle().clone(), Protection::local());
    let builder = ["n0", "n1", "n2"].iter().filter(|other| *other != name).fold(
        Fleet::builder(fleet, name)
            .lease(lease)
            .answers_at(&address)
            .transport(Wire::new(transport, seed)),
        |builder, other| builder.vouched_by(other, "agent-*"),
    );
    let fleet = builder.join(&broker, &secret(), store).unwrap();
    let _tending = fleet.start_tending().unwrap();
    let _serving = listener.serve(threads.handle(), fleet.clone()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let given = Mutex::new(Vec::new());
    let node = Arc::new(Node { broker, fleet, name: name.clone(), agent, given });

    for (worker, work) in [Node::call_here, Node::call_here, Node::call_elsewhere]
        .into_iter()
        .zip(0u64..)
        .map(|(w, n)| (n, w))
    {
        let node = node.clone();
        spawn(move || {
            let mut dice = Dice::of(seed ^ (worker + 1) << 32);
            loop {
                work(&node, &mut dice);
                sleep(dice.milliseconds(2, 12));
            }
        });
    }
    for line in stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        node.obey(&words, &steps);
    }
}

impl Node {
    fn a_tool(dice: &mut Dice) -> &'static str {
        match dice.percent(5) {
            true => COUNTED,
            false if dice.percent(20) => RELOADED,
            false => HALTED[dice.below(HALTED.len())],
        }
    }

    /// A task of this node's, with a few calls.
    fn call_here(&self, dice: &mut Dice) {
        let tool = Node::a_tool(dice);
        let Ok(task) = self.broker.open(&self.agent, Purpose::new("errand")) else { return };
        let Ok(grant) = task.request(Scope::tool(tool).any_args(), &Context::new()) else { return };
        let given = shared_time();
        let named = format!("{}/{}", self.name, task.name());
        tell(format_args!("token {given} {tool} {named} {}", grant.token().expose()));
        for _ in 0..dice.below(4) + 1 {
            let call = Call::new(tool, serde_json::json!({})).unwrap();
            let gate = self.broker.gate();
            let Ok(permit) = gate.authorize(&grant, &self.agent, call, &Context::new()) else {
                break;
            };
            if dice.percent(30) {
                sleep(dice.milliseconds(1, 600));
            }
            if let (Ok(running), at) = starting(|| permit.start()) {
                tell(format_args!("started {at} {given} {tool} {named}"));
                running.succeed();
            }
        }
        if dice.percent(20) {
            sleep(dice.milliseconds(1, 200));
        }
        if dice.percent(50) {
            task.complete();
        }
    }

    /// A call of a task of another node's.
    fn call_elsewhere(&self, dice: &mut Dice) {
        let Some((given, named, token)) = self.given.lock().unwrap().pop() else { return };
        let (tool, named) = named.split_once(' ').unwrap();
        let call = Call::new(tool, serde_json::json!({})).unwrap();
        let asked = self.fleet.authorize(&token, &self.agent, call, &Context::new());
        let Ok(permit) = asked else { return };
        if dice.percent(30) {
            sleep(dice.milliseconds(1, 300));
        }
        if let (Ok(running), at) = starting(|| permit.start()) {
            tell(format_args!("started {at} {given} {tool} {named}"));
            running.succeed();
        }
    }

    fn obey(self: &Arc<Self>, words: &[&str], steps: &Steps) {
        match *words {
            ["token", given, tool, named, token] => {
                let mut all = self.given.lock().unwrap();
                // The newest alone: those of before are over.
                all.truncate(8);
                all.push((
                    given.parse().unwrap(),
                    format!("{tool} {named}"),
                    Token::from_text(token.to_owned()),
                ));
            }
            ["stop", step] => steps.plant(step),
            ["lease"] => tell(format_args!("lease {}", self.fleet.status().lease.is_some())),
            [id, ..] => {
                let (own, node) =
                    (words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), self.clone());
                let id = id.to_owned();
                spawn(move || {
                    let words: Vec<&str> = own[1..].iter().map(String::as_str).collect();
                    match node.act(&words) {
                        Ok(done) => {
                            let at = shared_time();
                            tell(format_args!(
                                "acted {id} {at} {} {}",
                                done.number,
                                done.unheard.len()
                            ));
                        }
                        Err(why) => tell(format_args!("undone {id} {why}")),
                    }
                });
            }
            [] => {}
        }
    }

    fn act(&self, words: &[&str]) -> Result<Done, ActError> {
        let wait = |act: Acting| act.wait(PATIENCE);
        match *words {
            ["halt", tool] => wait(self.fleet.halt(Halt::tool(tool).unwrap())),
            ["resume", tool] => wait(self.fleet.resume(&Halt::tool(tool).unwrap())),
            ["revoke"] => wait(self.fleet.revoke_identity("agent-7").unwrap()),
            ["end", node, task] => wait(self.fleet.end_task(node, task).unwrap()),
            ["forbid"] => wait(self.fleet.reload(&policy(true), self.fleet.epoch()).unwrap()),
            ["allow"] => wait(self.fleet.reload(&policy(false), self.fleet.epoch()).unwrap()),
            _ => panic!("{words:?}"),
        }
    }
}
