//! What is minted is the parent's, which withdraws it: wherever a process forks, its child makes, withdraws and hands over nothing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::Tended;
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::credential::{
    CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn,
};
use hallpass::prelude::*;
use hallpass::testing::ScriptedProvider;
use hallpass::vault::Secret;
use serde_json::json;

use crate::child::{Failed, fork_here, forking, in_child};
use crate::{denied, of, same};

const POLICY: &str = r#"
    version = 1
    tool = [{ name = "db.read", credential = "orders-db" }]
    rule = [{ id = "read", effect = "permit", what = { tool = "db.read", args = "any" } }]
"#;

const MINUTE: Duration = Duration::from_secs(60);

/// Where the provider forks: it has done by then what it was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forks {
    Nowhere,
    InMint,
    InWithdraw,
    InVerify,
}

/// Answers as a scripted one, and forks where it is told to.
#[derive(Clone)]
struct Forking {
    inner: ScriptedProvider,
    forks: Arc<Mutex<Forks>>,
    held: Held,
}

/// How often another thread has held the ledger.
#[derive(Clone, Default)]
struct Held(Arc<AtomicUsize>);

impl Held {
    /// Forks while it does: this thread has just had the ledger itself.
    fn fork(&self) {
        let before = self.0.load(Ordering::SeqCst);
        while self.0.load(Ordering::SeqCst) < before + 2 {
            std::thread::yield_now();
        }
        fork_here();
    }
}

impl Forking {
    fn at(&self, place: Forks) {
        let mut at = self.forks.lock().unwrap();
        if *at == place {
            *at = Forks::Nowhere;
            drop(at);
            self.held.fork();
        }
    }
}

impl CredentialProvider for Forking {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.inner.plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let minted = self.inner.mint(plan);
        self.at(Forks::InMint);
        minted
    }

    fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn {
        let withdrawn = self.inner.withdraw(handle, secret);
        self.at(Forks::InWithdraw);
        withdrawn
    }

    fn verify(&self, handle: &Handle) -> Gone {
        let gone = self.inner.verify(handle);
        self.at(Forks::InVerify);
        gone
    }
}

struct World {
    broker: Broker,
    agent: Identity,
    provider: Forking,
    /// How often something was handed over.
    handed: Arc<AtomicUsize>,
}

impl World {
    fn new() -> World {
        let (provider, handed) = (ScriptedProvider::new("database"), Arc::new(AtomicUsize::new(0)));
        let forks = Arc::new(Mutex::new(Forks::Nowhere));
        let provider = Forking { inner: provider, forks, held: Held::default() };
        let count = handed.clone();
        let broker = Broker::builder(Policy::from_toml(POLICY).unwrap())
            .clock(ManualClock::new(Timestamp::MIN))
            .name("orders")
            .provider("orders-db", provider.clone())
            .tended_by_host()
            .on_owed(move |owed| _ = count.fetch_add(owed.len(), Ordering::SeqCst));
        let broker = broker.build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        World { broker, agent, provider, handed }
    }

    fn open(&self) -> (Task, Grant) {
        let task = self.broker.open(&self.agent, Purpose::new("errand")).unwrap();
        let scope = Scope::tool("db.read").any_args();
        let grant = task.request(scope, &Context::new()).unwrap();
        (task, grant)
    }

    fn permit(&self, grant: &Grant) -> Permit {
        let call = Call::new("db.read", json!({})).unwrap();
        self.broker.gate().authorize(grant, &self.agent, call, &Context::new()).unwrap()
    }

    fn run(&self, grant: &Grant) -> Result<(), Denial> {
        self.permit(grant).run_with(|_, _| Ok::<_, ()>(())).map(drop).map_err(of)
    }

    /// This many credentials that are owed.
    fn owing(&self, count: usize) {
        for _ in 0..count {
            let (task, grant) = self.open();
            self.run(&grant).unwrap();
            drop(task.complete());
        }
    }

    /// Does this while another thread holds the ledger for nearly all of its time.
    fn while_the_ledger_is_held(&self, work: impl FnOnce()) {
        let (stop, rounds) = (AtomicBool::new(false), &self.provider.held.0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    drop(self.broker.obligations());
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
            });
            while rounds.load(Ordering::SeqCst) < 4 {
                std::thread::yield_now();
            }
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            stop.store(true, Ordering::SeqCst);
            done.unwrap();
        });
    }
}

/// P2, attack 98
#[test]
fn a_brokers_copy_in_a_child_withdraws_nothing_and_hands_nothing_over() {
    let world = World::new();
    world.owing(100);
    let (task, grant) = world.open();
    let (handed, provider) = (world.handed.clone(), world.provider.inner.clone());
    let mut held = Some((world, task, grant));
    for _ in 0..30 {
        let (world, task, grant) = held.take().unwrap();
        let mut permit = Some(world.permit(&grant));
        world.while_the_ledger_is_held(|| {
            in_child(|| {
                same("tending", world.broker.tend(MINUTE), Tended::default())?;
                same("what is owed", world.broker.obligations().len(), 0)?;
                let run = permit.take().unwrap().run_with(|_, _| Ok::<_, ()>(()));
                denied("a call", run.map_err(of))?;
                same("what is outside", provider.live().len(), 100)
            });
        });
        held = Some((world, task, grant));
    }
    in_child(|| {
        drop(held.take());
        same("what is handed over", handed.load(Ordering::SeqCst), 0)
    });
    drop(held);
    assert_eq!(handed.load(Ordering::SeqCst), 100);
}

/// P2: its end is the parent's to note
#[test]
fn a_child_that_a_tool_or_a_provider_forks_notes_nothing_and_waits_for_no_lock() {
    type Work = fn(&World) -> Result<(), Failed>;
    let one: [Work; 4] = [
        |world| {
            let (task, grant) = world.open();
            let run = world.permit(&grant).run_with(|_, _| {
                world.provider.held.fork();
                Ok::<_, ()>(())
            });
            drop((run, grant, task));
            Ok(())
        },
        |world| {
            let (task, grant) = world.open();
            *world.provider.forks.lock().unwrap() = Forks::InMint;
            denied("a call", world.run(&grant))?;
            drop((grant, task));
            Ok(())
        },
        |world| {
            *world.provider.forks.lock().unwrap() = Forks::InWithdraw;
            let tended = world.broker.tend(MINUTE);
            same("what is withdrawn after that", world.provider.inner.live().len(), 49)?;
            same("what it came to", tended, Tended::default())
        },
        |world| {
            *world.provider.forks.lock().unwrap() = Forks::InVerify;
            let tended = world.broker.tend(MINUTE);
            same("what is withdrawn after that", world.provider.inner.live().len(), 49)?;
            same("what it came to", (tended.gone, tended.owed), (0, 0))
        },
    ];
    for work in one {
        for _ in 0..15 {
            let world = World::new();
            world.owing(50);
            world.while_the_ledger_is_held(|| forking(|| work(&world)));
        }
    }
}

/// P8: what was found in a result before the fork is told once, by the parent
#[test]
fn a_leak_that_is_found_in_a_child_is_told_by_the_parent_alone() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let broker = Broker::builder(Policy::from_toml(POLICY).unwrap())
        .name("orders")
        .provider("orders-db", ScriptedProvider::new("database"))
        .tended_by_host()
        .on_leak(move |_| _ = count.fetch_add(1, Ordering::SeqCst));
    let broker = broker.build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("db.read").any_args(), &Context::new()).unwrap();
    let call = Call::new("db.read", json!({})).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap();
    let receipt = permit.run_with(|_, secrets| {
        let secret = secrets.get("orders-db").and_then(Secret::expose_text);
        secret.map(str::to_owned).ok_or("no secret")
    });
    let mut receipt = Some(receipt.unwrap());
    in_child(|| {
        same("a result", receipt.take().unwrap().scrubbed(), "[redacted]".to_owned())?;
        same("what is told", told.load(Ordering::SeqCst), 0)
    });
    assert_eq!(receipt.take().unwrap().scrubbed(), "[redacted]");
    assert_eq!(told.load(Ordering::SeqCst), 1);
}
