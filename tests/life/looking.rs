//! Looking holds up no end: neither asking what a task could ask for, nor a preview of another policy.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hallpass::prelude::*;
use hallpass::scope::one_of;

use crate::world::{World, here, policy};

/// How often it is tried. Threads meet where the machine lets them: more than half have to.
const ROUNDS: usize = 8;

/// How many tools and grants are looked at: some hundred milliseconds of work, many times what is done
/// before the end.
const MANY: usize = 250;

fn tool(at: usize) -> String {
    format!("tool-{at}")
}

/// Permits for each tool, each with many values to look through.
fn rules(most: usize) -> Vec<Rule> {
    let values = |at: usize| one_of((0..most).map(|n| format!("{at}-{n}")));
    let rule = |at: usize| Rule::permit(tool(at)).tool(&tool(at)).arg("to", values(at));
    (0..MANY).map(rule).collect()
}

/// Looks on another thread, ends the task while that is under way, and hands back what was seen.
fn meanwhile<T: Send>(world: &World, task: &Task, look: impl FnOnce() -> T + Send) -> T {
    let begun = AtomicBool::new(false);
    thread::scope(|scope| {
        let looking = scope.spawn(|| {
            begun.store(true, Ordering::SeqCst);
            look()
        });
        while !begun.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        // Some moments, in which it takes whatever locks it takes.
        let bystander = world.agent("bystander");
        (0..20).for_each(|_| drop(world.open(&bystander).complete()));
        world.control.revoke_task(task.name()).unwrap();
        looking.join().unwrap()
    })
}

#[test]
fn an_end_does_not_wait_for_what_its_task_could_ask_for() {
    let world = World::rules(rules(40));
    let agent = world.agent("a");
    let whole = world.open(&agent).could_request(&here()).unwrap();
    assert_eq!(whole.scopes().len(), MANY);
    let met = (0..ROUNDS).filter(|_| {
        let task = world.open(&agent);
        let seen = meanwhile(&world, &task, || task.could_request(&here()));
        // The end came between two tools: had it waited, all of them would be told.
        seen.is_err_and(|denial| denial.reason() == Reason::TaskOver)
    });
    assert!(met.count() > ROUNDS / 2);
}

#[test]
fn an_end_does_not_wait_for_a_preview() {
    let world = World::rules(rules(40));
    let agent = world.agent("a");
    // Permits less of each tool, so that each grant has drifted.
    let tighter = policy(rules(39));
    let open = || {
        let task = world.open(&agent);
        let values = |at: usize| one_of((0..40).map(|n| format!("{at}-{n}")));
        let ask = |at: usize| task.request(Scope::tool(&tool(at)).arg("to", values(at)), &here());
        let grants: Vec<Grant> = (0..MANY).map(|at| ask(at).unwrap()).collect();
        (task, grants)
    };
    let met = (0..ROUNDS).filter(|_| {
        let (task, grants) = open();
        if grants.len() != world.broker.preview(&tighter).grants.len() {
            return false;
        }
        // The end came while policy was asked: had it waited, all that has drifted would be named.
        meanwhile(&world, &task, || world.broker.preview(&tighter)).grants.is_empty()
    });
    assert!(met.count() > ROUNDS / 2);
}
