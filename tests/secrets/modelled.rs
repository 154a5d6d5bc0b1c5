//! Minted credentials next to a naive model: what is outside, what is owed, and which calls share one, after any course of events.

use std::collections::VecDeque;

use hallpass::RunError;
use hallpass::clock::{Clock as _, Timestamp};
use hallpass::prelude::*;
use hallpass::testing::{Mint as Cue, ScriptedProvider, Withdraw};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::minting::{Mint, SECOND, scope};

const LONG: &str = r#"
    version = 1
    tool = [
        { name = "db.read", credential = "orders-db" },
        { name = "db.write", credential = "orders-db" },
        { name = "ping" },
    ]
    rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" }, grant = { ttl = "1h", uses = 1000, depth = 4 }, on = ["request", "call", "delegate"] }]
"#;

#[derive(Clone, Debug)]
enum Act {
    Open,
    Request(Index),
    Delegate(Index),
    Renew(Index),
    Run(Index, &'static str),
    EndTask(Index, u8),
    Revoke(Index),
    Advance(u64),
    MintsGoWrong(u8),
    WithdrawalsFail(usize),
    Tend,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let any = any::<Index>;
    let tool = select(vec!["db.read", "db.write", "ping"]);
    let one = prop_oneof![
        2 => Just(Act::Open),
        2 => any().prop_map(Act::Request),
        1 => any().prop_map(Act::Delegate),
        5 => any().prop_map(Act::Renew),
        12 => (any(), tool).prop_map(|(grant, tool)| Act::Run(grant, tool)),
        1 => (any(), 0..4_u8).prop_map(|(task, how)| Act::EndTask(task, how)),
        1 => any().prop_map(Act::Revoke),
        1 => (1..3000_u64).prop_map(Act::Advance),
        2 => (0..4_u8).prop_map(Act::MintsGoWrong),
        1 => (1..4_usize).prop_map(Act::WithdrawalsFail),
        3 => Just(Act::Tend),
    ];
    vec(one, 1..80)
}

/// A grant as the model has it.
struct Held {
    task: usize,
    parent: Option<usize>,
    grant: Grant,
    ended: bool,
    /// Which of its decisions counts: a renewal is another.
    serial: u32,
}

/// A credential that was made.
#[derive(Debug)]
struct Made {
    of: usize,
    serial: u32,
    /// Nothing where the answer was lost.
    secret: Option<String>,
    expires: Timestamp,
    owed: bool,
}

struct Model {
    world: Mint,
    tasks: Vec<Option<Task>>,
    held: Vec<Held>,
    /// What is outside.
    made: Vec<Made>,
    secrets: Vec<String>,
    cues: VecDeque<Cue>,
    failing: usize,
}

impl Model {
    fn new() -> Model {
        let world = Mint::of(LONG, ScriptedProvider::new("database"), |builder| builder);
        let (tasks, held, made, secrets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Model { world, tasks, held, made, secrets, cues: VecDeque::new(), failing: 0 }
    }

    fn now(&self) -> Timestamp {
        self.world.clock.read().unwrap().wall
    }

    /// Whether a grant and all that it hangs from live, and until when.
    fn until(&self, at: usize) -> Option<Timestamp> {
        let own = &self.held[at];
        let lives =
            !own.ended && self.tasks[own.task].is_some() && self.now() < own.grant.expires();
        let above = own.parent.map(|parent| self.until(parent));
        match (lives, above) {
            (false, _) | (_, Some(None)) => None,
            (true, None) => Some(own.grant.expires()),
            (true, Some(Some(above))) => Some(own.grant.expires().min(above)),
        }
    }

    /// What was made for grants that have ended has to go.
    fn owe_ended(&mut self) {
        let ended: Vec<bool> = (0..self.held.len()).map(|at| self.until(at).is_none()).collect();
        self.made.iter_mut().filter(|own| ended[own.of]).for_each(|own| own.owed = true);
    }

    fn act(&mut self, act: &Act) {
        let context = Context::new();
        match act {
            Act::Open => {
                let task = self.world.broker.open(&self.world.agent, Purpose::new("errand"));
                self.tasks.push(Some(task.unwrap()));
            }
            Act::Request(task) => {
                if let Some((at, task)) = self.task(task) {
                    // A task that has lived as long as it may is given nothing more.
                    if let Ok(grant) = task.request(scope(), &context) {
                        self.hold(at, None, grant);
                    }
                }
            }
            Act::Delegate(parent) => {
                let Some(at) = self.grant(parent) else { return };
                let own = &self.held[at];
                let Some(task) = &self.tasks[own.task] else { return };
                let worker = self.world.broker.assert_identity("worker-1").unwrap();
                let child = task.delegate(&own.grant, &worker, scope(), &context);
                match (child, self.until(at)) {
                    (Ok(child), Some(_)) => self.hold(own.task, Some(at), child),
                    // The chain is as long as the rules allow, or nothing is left of it.
                    (Err(_), _) => {}
                    (Ok(_), None) => panic!("a grant that has ended was delegated"),
                }
            }
            Act::Renew(grant) => {
                let Some(at) = self.grant(grant) else { return };
                let own = &mut self.held[at];
                let holder = own.grant.holder().clone();
                let Some(task) = &self.tasks[own.task] else { return };
                if task.renew(&mut own.grant, &holder, &context).is_ok() {
                    own.serial += 1;
                }
            }
            Act::Run(grant, tool) => {
                if let Some(at) = self.grant(grant) {
                    self.run(at, tool);
                }
            }
            Act::EndTask(task, how) => {
                let Some((at, _)) = self.task(task) else { return };
                let Some(task) = self.tasks[at].take() else { return };
                match how {
                    0 => drop(task.complete()),
                    1 => drop(task.fail("the model says so")),
                    2 => drop(task.revoke()),
                    _ => drop(task),
                }
                self.owe_ended();
            }
            Act::Revoke(grant) => {
                let Some(at) = self.grant(grant) else { return };
                let Some(task) = &self.tasks[self.held[at].task] else { return };
                drop(task.revoke_grant(&self.held[at].grant));
                self.held[at].ended = true;
                self.owe_ended();
            }
            Act::Advance(seconds) => self.world.clock.advance(SECOND * *seconds as u32),
            Act::MintsGoWrong(how) => {
                let cue = [Cue::Fails, Cue::Loses, Cue::Panics, Cue::Shows][usize::from(*how)];
                self.world.provider.next_mints(cue, 1);
                self.cues.push_back(cue);
            }
            Act::WithdrawalsFail(times) => {
                self.world.provider.next_withdrawals(Withdraw::Fails, *times);
                self.failing += times;
            }
            Act::Tend => {
                // Whatever failed before is due again by now.
                self.world.clock.advance(300 * SECOND);
                self.owe_ended();
                self.tend();
            }
        }
    }

    fn tend(&mut self) {
        let owed = self.made.iter().filter(|own| own.owed).count();
        let failing = self.failing.min(owed);
        self.failing -= failing;
        let gone = owed - failing;
        assert_eq!(self.world.tend(), (gone, gone, failing));
        // Which of them failed makes no difference to what follows.
        let mut left = gone;
        self.made.retain(|own| {
            let goes = own.owed && left > 0;
            left -= usize::from(goes);
            !goes
        });
        assert_eq!(self.world.broker.obligations().len(), failing);
        assert_eq!(self.world.broker.standing().downstream.len(), self.made.len());
    }

    fn run(&mut self, at: usize, tool: &str) {
        let call = Call::new(tool, json!({})).unwrap();
        let (grant, gate) = (&self.held[at].grant, self.world.broker.gate());
        let permit = gate.authorize(grant, grant.holder(), call, &Context::new());
        let until = self.until(at);
        assert_eq!(permit.is_ok(), until.is_some());
        let (Ok(permit), Some(until)) = (permit, until) else { return };
        let ran = permit.run_with(|_, secrets| {
            let secret = secrets.get("orders-db").and_then(|own| own.expose_text());
            Ok::<_, ()>(secret.map(str::to_owned))
        });
        let ran = match ran {
            Ok(receipt) => Some(receipt.raw()),
            Err(RunError::Denied(denial)) => {
                assert_eq!(denial.reason(), Reason::CredentialUnavailable);
                None
            }
            Err(RunError::Tool(_)) => panic!("the tool does not fail"),
        };
        if tool == "ping" {
            assert_eq!(ran, Some(None), "no failure of a provider is its own");
            return;
        }
        let (serial, now) = (self.held[at].serial, self.now());
        let of_grant = |own: &&mut Made| own.of == at && !own.owed;
        if let Some(own) = self.made.iter_mut().find(of_grant) {
            if own.serial == serial && now < own.expires && own.expires <= until {
                assert_eq!(ran, Some(own.secret.clone()), "calls of a grant share it");
                return;
            }
            own.owed = true;
        }
        let cue = self.cues.pop_front();
        match (cue, ran) {
            (None, Some(Some(secret))) => {
                assert!(!self.secrets.contains(&secret), "no other grant has ever had it");
                self.secrets.push(secret.clone());
                let secret = Some(secret);
                self.made.push(Made { of: at, serial, secret, expires: until, owed: false });
            }
            (Some(Cue::Fails), None) => {}
            (Some(_), None) => {
                let expires = until;
                self.made.push(Made { of: at, serial, secret: None, expires, owed: true });
            }
            (cue, ran) => panic!("{cue:?} {ran:?}"),
        }
    }

    fn hold(&mut self, task: usize, parent: Option<usize>, grant: Grant) {
        self.held.push(Held { task, parent, grant, ended: false, serial: 0 });
    }

    fn task(&self, which: &Index) -> Option<(usize, &Task)> {
        let open: Vec<usize> =
            (0..self.tasks.len()).filter(|at| self.tasks[*at].is_some()).collect();
        let at = *open.get(which.index(open.len().max(1)))?;
        Some((at, self.tasks[at].as_ref()?))
    }

    /// One of the few that were given last, so that several things happen to the same.
    fn grant(&self, which: &Index) -> Option<usize> {
        let few = self.held.len().min(3);
        (few > 0).then(|| self.held.len() - 1 - which.index(few))
    }
}

proptest! {
    /// P2, P8, P11, attack 178
    #[test]
    fn what_is_outside_is_what_live_grants_have_and_what_is_owed(acts in acts()) {
        let mut model = Model::new();
        for act in &acts {
            model.act(act);
            prop_assert_eq!(model.world.provider.live().len(), model.made.len(), "{:?}", act);
        }
        // In the end nothing is left, however it went.
        model.world.provider.recover();
        model.failing = 0;
        model.tasks.clear();
        model.world.clock.advance(300 * SECOND);
        model.made.iter_mut().for_each(|own| own.owed = true);
        model.tend();
        prop_assert!(model.world.provider.live().is_empty());
        prop_assert!(model.world.broker.standing().is_empty());
        prop_assert!(model.world.unsettled().is_empty());
    }
}
