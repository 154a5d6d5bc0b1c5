//! P8: what nodes tell each other, and what they leave in the store, has no secret in it.

use std::fmt::Debug;

use hallpass::Halt;
use hallpass::audit::MemoryLog;
use hallpass::fleet::{FleetBuilder, Store as _};
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::wire::{Wire, ring};
use crate::world::{LEASE, World};

const POLICY: &str = r#"
    version = 1
    tool = [{ name = "read" }, { name = "keyed", credential = "key" }]
    rule = [{ id = "all", effect = "permit", what = { tool = "any", args = "any" }, grant = { uses = 20 } }]
"#;

/// Its forms have no escape in them.
const SECRET: &str = "fleet-QpLm7ZxT4wVk9sRd";

#[derive(Clone, Copy, Debug)]
enum Act {
    /// At the task's home, or at the other node.
    Run(usize, &'static str, bool),
    Halt(usize),
    Reopen(bool),
    Cut(usize, bool),
    Pass,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let run = (0..2_usize, select(vec!["read", "keyed"]), any::<bool>());
    let one = prop_oneof![
        6 => run.prop_map(|(node, tool, fails)| Act::Run(node, tool, fails)),
        1 => (0..2_usize).prop_map(Act::Halt),
        1 => any::<bool>().prop_map(Act::Reopen),
        1 => (0..2_usize, any::<bool>()).prop_map(|(node, cut)| Act::Cut(node, cut)),
        1 => Just(Act::Pass),
    ];
    vec(one, 1..12)
}

struct Seen(Vec<u8>);

impl Seen {
    fn shown(&mut self, shown: &impl Debug) {
        self.0.extend(format!("{shown:?} {shown:#?}\n").into_bytes());
    }

    fn holds(&self, form: &[u8]) -> bool {
        self.0.windows(form.len()).any(|window| window == form)
    }
}

/// Two nodes that ask each other, whose tools run with the same secret.
fn fleet() -> (World, Wire) {
    let (mut world, wire) = (World::empty(), Wire::default());
    for (name, other) in [("n0", "n1"), ("n1", "n0")] {
        let vault = Vault::new().unwrap();
        vault.seal("key", Secret::new(SECRET).unwrap()).unwrap();
        let built = Broker::builder(Policy::from_toml(POLICY).unwrap()).clock(world.clock.clone());
        let built = built.issuer(&format!("acme/{name}")).keys(ring()).vault(&vault);
        let place = |fleet: FleetBuilder| {
            let fleet = fleet.answers_at(&format!("at-{name}")).transport(wire.clone());
            fleet.vouched_by(other, "agent-*")
        };
        let at = world.add_built(name, |_| built, place);
        wire.nodes.lock().unwrap().insert(format!("at-{name}"), world.nodes[at].fleet.clone());
    }
    world.pass(2 * LEASE);
    (world, wire)
}

fn open(world: &World) -> Option<(Task, Grant)> {
    let node = &world.nodes[0];
    let task = node.broker.open(&node.agent, Purpose::new("errand")).ok()?;
    let scope = Scope::tool("read").any_args().and(Scope::tool("keyed").any_args());
    let grant = task.request(scope, &Context::new()).ok()?;
    Some((task, grant))
}

/// Runs a call at the task's home, and shows what comes of it.
fn run(world: &World, grant: &Grant, tool: &str, fails: bool, seen: &mut Seen) -> bool {
    let permit = match world.nodes[0].permit(grant, tool) {
        Ok(permit) => permit,
        Err(denial) => {
            seen.shown(&(&denial, denial.explain()));
            return false;
        }
    };
    let result = permit.run_with(|running, secrets| {
        seen.shown(running);
        let lent = secrets.get("key").and_then(Secret::expose_text).unwrap_or("none");
        let text = format!("it was {lent}");
        if fails { Err(text) } else { Ok(text) }
    });
    match result {
        Ok(receipt) => seen.0.extend(receipt.scrubbed().into_bytes()),
        Err(error) => seen.0.extend(error.to_string().into_bytes()),
    }
    tool == "keyed"
}

/// All that is seen of a run, and how often a tool had the secret.
fn all(acts: &[Act]) -> (Seen, usize) {
    let (world, wire) = fleet();
    let (mut seen, mut lent) = (Seen(Vec::new()), 0);
    let mut open_task = open(&world);
    for act in acts {
        match *act {
            Act::Run(0, tool, fails) => {
                let Some((_, grant)) = &open_task else { continue };
                lent += usize::from(run(&world, grant, tool, fails, &mut seen));
            }
            Act::Run(node, tool, _) => {
                let Some((_, grant)) = &open_task else { continue };
                match world.call_at(node, grant, tool).and_then(|permit| permit.start()) {
                    Ok(running) => running.succeed(),
                    Err(denial) => seen.shown(&(&denial, denial.explain())),
                }
            }
            Act::Halt(node) => {
                let acting = world.nodes[node].fleet.halt(Halt::tool("other").unwrap());
                seen.shown(&acting);
                world.pass(LEASE);
                seen.shown(&acting.look());
            }
            Act::Reopen(completes) => {
                match open_task.take() {
                    Some((task, _)) if completes => seen.shown(&task.complete()),
                    other => drop(other),
                }
                world.pass(LEASE);
                open_task = open(&world);
            }
            Act::Cut(node, is_cut) => world.nodes[node].link.cut(is_cut),
            Act::Pass => world.pass(LEASE),
        }
    }
    drop(open_task);
    for node in &world.nodes {
        node.link.cut(false);
    }
    world.pass(3 * LEASE);
    for node in &world.nodes {
        node.fleet.deliver();
        node.broker.flush();
        seen.shown(&(&node.broker, &node.fleet, node.fleet.status(), node.broker.standing()));
        let log: &MemoryLog = node.broker.log().unwrap();
        for record in log.records() {
            seen.shown(&record);
        }
    }
    let kept = world.store.read(0).unwrap();
    seen.shown(&kept);
    for entry in &kept.entries {
        seen.0.extend(&entry.bytes);
    }
    for row in &kept.rows {
        seen.0.extend(&row.bytes);
    }
    for (message, answer) in wire.seen.lock().unwrap().iter() {
        seen.0.extend([&message[..], answer].concat());
    }
    (seen, lent)
}

fn forms() -> Vec<Vec<u8>> {
    let hex = |upper: bool| -> String {
        let one = |byte: u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        SECRET.bytes().map(one).collect()
    };
    // As `Debug` writes bytes, too.
    let listed = format!("{:?}", SECRET.as_bytes());
    let forms = [SECRET.to_owned(), hex(false), hex(true), listed.trim_matches(['[', ']']).into()];
    forms.into_iter().map(String::into_bytes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// P8, attack 126
    #[test]
    fn no_secret_is_in_what_nodes_tell_each_other_or_leave_in_the_store(acts in acts()) {
        let (seen, _) = all(&acts);
        for form in forms() {
            prop_assert!(!seen.holds(&form), "{}", String::from_utf8_lossy(&form));
        }
    }
}

/// The run lends the secret, and nodes tell each other of calls and halts.
#[test]
fn what_is_searched_has_calls_halts_and_leaks_of_a_fleet_in_it() {
    let acts = [
        Act::Run(0, "keyed", true),
        Act::Run(1, "read", false),
        Act::Run(1, "keyed", false),
        Act::Halt(1),
        Act::Reopen(true),
    ];
    let (seen, lent) = all(&acts);
    assert_eq!(lent, 1);
    for part in ["[redacted]", "SecretFound", "Halted", "Permitted"] {
        assert!(seen.holds(part.as_bytes()), "{part}");
    }
    let mut with = Seen(Vec::new());
    with.0.extend(forms().concat());
    assert!(forms().iter().all(|form| with.holds(form)));
}
