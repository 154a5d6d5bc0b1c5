//! Operators, who have the fleet's key and are none of its nodes.

use hallpass::Halt;
use hallpass::fleet::{
    ActError, Done, Entry, Mark, MemoryStore, NodeRow, NodeState, Operator, OperatorAct,
    OperatorError, RowVersion, Snapshot, Store, StoreError,
};
use hallpass::prelude::*;

use crate::world::{LEASE, STEP, World, secret};

fn operator(world: &World) -> Operator {
    let operator = Operator::new("acme", &secret(0), world.store.clone()).unwrap();
    operator.terms(LEASE, 10).unwrap().clock(world.clock.clone())
}

/// Lets time pass until an act is final.
fn finish(world: &World, mut act: OperatorAct<'_>) -> Done {
    let mut passed = std::time::Duration::ZERO;
    loop {
        match act.look() {
            Ok(done) => return done,
            Err(ActError::NotYet(_)) => {}
            Err(error) => panic!("{error}"),
        }
        assert!(passed < 2 * LEASE, "{:?}", act.look());
        world.pass(STEP);
        passed += STEP;
    }
}

#[test]
fn an_operator_halts_and_resumes_every_node_and_sees_what_is_halted() {
    let world = World::of(3);
    let mut operator = operator(&world);
    let agent = Halt::identity("agent-7").unwrap();
    let done = finish(&world, operator.halt(&agent).unwrap());
    assert_eq!((done.number, done.unheard.len()), (1, 0));
    for node in &world.nodes {
        assert_eq!(node.denied("read"), Some(Reason::Halted));
    }
    let view = operator.look().unwrap();
    assert_eq!(
        (view.mark.number, view.epoch, &*view.halts),
        (1, 0, &["identity agent-7".into()][..])
    );
    let names: Vec<&str> = view.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["n0", "n1", "n2"]);
    for node in &view.nodes {
        assert_eq!(node.state, NodeState::Live);
        assert_eq!(node.said.as_ref().unwrap().applied, view.mark);
    }
    assert_eq!(finish(&world, operator.resume(&agent).unwrap()).number, 2);
    assert!(operator.look().unwrap().halts.is_empty());
    assert!(world.nodes.iter().all(|node| node.denied("read").is_none()));
}

#[test]
fn an_operator_revokes_and_keeps_out_by_one_entry() {
    let world = World::of(2);
    let mut operator = operator(&world);
    let agent = Halt::identity("agent-7").unwrap();
    let (_task, grant) = world.nodes[1].grant("read").unwrap();
    // What each node holds ends; what comes later is let in.
    finish(&world, operator.revoke(&agent, false).unwrap());
    assert_eq!(world.nodes[1].permit(&grant, "read").unwrap_err().reason(), Reason::TaskOver);
    assert_eq!(world.nodes[1].denied("read"), None);
    let (_task, grant) = world.nodes[1].grant("read").unwrap();
    let done = finish(&world, operator.revoke(&agent, true).unwrap());
    assert_eq!(done.number, 2, "one entry");
    assert_eq!(world.nodes[0].denied("read"), Some(Reason::Halted));
    finish(&world, operator.resume(&agent).unwrap());
    assert_eq!(world.nodes[1].permit(&grant, "read").unwrap_err().reason(), Reason::TaskOver);
    // A tool; and what can't be revoked.
    let (_task, grant) = world.nodes[1].grant("read").unwrap();
    let tool = Halt::tool("read").unwrap();
    finish(&world, operator.revoke(&tool, true).unwrap());
    assert!(world.nodes[1].permit(&grant, "read").is_err());
    assert_eq!(world.nodes[0].denied("read"), Some(Reason::Halted));
    for what in [Halt::Everything, Halt::task("t").unwrap()] {
        assert!(matches!(operator.revoke(&what, true), Err(OperatorError::Fault(_))));
        assert!(matches!(operator.revoke(&what, false), Err(OperatorError::Fault(_))));
    }
}

#[test]
fn a_task_is_not_said_to_be_ended_at_a_node_that_there_is_not() {
    let world = World::of(2);
    let (_task, grant) = world.nodes[1].grant("read").unwrap();
    let name = world.nodes[1].broker.standing().tasks[0].name.to_string();
    let mut operator = operator(&world);
    let refused = operator.end_task("n7", &name).map(drop);
    assert!(matches!(refused, Err(OperatorError::NoNode(_))), "{refused:?}");
    assert_eq!(operator.look().unwrap().mark.number, 0);
    finish(&world, operator.end_task("n1", &name).unwrap());
    assert_eq!(world.nodes[1].permit(&grant, "read").unwrap_err().reason(), Reason::TaskOver);
}

#[test]
fn an_operators_act_waits_for_a_node_that_is_not_heard_and_names_it() {
    let mut world = World::of(2);
    world.nodes[1].is_stopped = true;
    let mut operator = operator(&world);
    let mut act = operator.halt(&Halt::Everything).unwrap();
    world.pass(LEASE);
    let Err(ActError::NotYet(how_far)) = act.look() else { panic!("it is not over") };
    assert_eq!((how_far.number, &*how_far.waiting_for), (Some(1), &["n1".into()][..]));
    // Its lease is over by its own clock.
    assert_eq!(world.nodes[1].denied("read"), Some(Reason::NoLease));
    world.pass(LEASE / 10 + STEP);
    act.look().unwrap();
    // What stands still for so long is marked, and no later act waits for it.
    world.pass(2 * LEASE);
    let done = act.wait(std::time::Duration::ZERO).unwrap();
    assert_eq!(*done.unheard, ["n1".into()]);
    assert_eq!(operator.look().unwrap().nodes[1].state, NodeState::Silent);
}

#[test]
fn who_has_another_key_or_another_past_can_do_nothing() {
    let world = World::of(1);
    let (_, passed) = world.finish(&world.nodes[0].fleet.halt(Halt::tool("other").unwrap()));
    assert!(passed < LEASE);
    let mut stranger = Operator::new("acme", &secret(7), world.store.clone()).unwrap();
    assert!(matches!(stranger.look(), Err(OperatorError::Fault(_))));
    assert!(matches!(stranger.halt(&Halt::Everything), Err(OperatorError::Fault(_))));
    let mut mark = operator(&world).look().unwrap().mark;
    assert!(operator(&world).past(mark).look().is_ok());
    mark.digest[0] ^= 1;
    assert!(matches!(operator(&world).past(mark).look(), Err(OperatorError::Fault(_))));
    mark.number += 1;
    assert!(matches!(operator(&world).past(mark).look(), Err(OperatorError::Fault(_))));
    assert_eq!(world.nodes[0].denied("read"), None);
    // A row that no member wrote says nothing.
    let mut row = world.store.read(0).unwrap().rows.remove(0);
    let over = row.version();
    row.counter += 1;
    assert!(world.store.write(&row, Some(&over), 0).unwrap().0);
    assert_eq!(operator(&world).look().unwrap().nodes[0].said, None);
}

#[test]
fn a_node_that_is_removed_ends_its_tasks_and_never_comes_back() {
    let world = World::of(2);
    let (_task, grant) = world.nodes[1].grant("read").unwrap();
    let permit = world.nodes[1].permit(&grant, "read").unwrap();
    let mut operator = operator(&world);
    let mut removal = operator.remove("n1").unwrap();
    world.pass(LEASE / 3 + STEP);
    assert_eq!(removal.look().unwrap(), 1, "it may have had a lease");
    assert!(permit.start().is_err());
    world.pass(LEASE + LEASE / 10 + STEP);
    assert_eq!(removal.look().unwrap(), 0);
    world.pass(2 * LEASE);
    assert!(world.nodes[1].denied("read").is_some());
    assert_eq!(world.nodes[1].fleet.status().state, Some(NodeState::Gone));
    assert_eq!(operator.look().unwrap().nodes[1].state, NodeState::Gone);
    assert_eq!(world.nodes[1].broker.standing().tasks.len(), 0);
    // The others go on, and wait for it no longer.
    assert_eq!(world.nodes[0].denied("read"), None);
    let (done, passed) = world.finish(&world.nodes[0].fleet.halt(Halt::tool("read").unwrap()));
    assert!(done.unheard.is_empty() && passed < LEASE, "{done:?} {passed:?}");
    assert!(matches!(operator.remove("n7"), Err(OperatorError::NoNode(_))));
}

/// Who can write the database could say that a node is over, or is another, while an operator takes it out.
#[test]
fn a_row_that_was_written_by_hand_takes_no_node_out() {
    let write = |world: &World, row: &NodeRow| {
        let rows = world.store.read(0).unwrap().rows;
        let over = rows.iter().find(|found| found.name == row.name).unwrap().version();
        assert!(world.store.write(row, Some(&over), 0).unwrap().0);
    };
    for state in [NodeState::Gone, NodeState::Left, NodeState::Live] {
        // Another life, too.
        for incarnation in [None, Some([9; 16])] {
            let world = World::of(1);
            let own = world.store.read(0).unwrap().rows.remove(0);
            let mut by_hand = NodeRow { state, ..own.clone() };
            by_hand.incarnation = incarnation.unwrap_or(by_hand.incarnation);
            if by_hand == own {
                continue;
            }
            let mut operator = operator(&world);
            write(&world, &by_hand);
            let refused = operator.remove("n0").map(drop).unwrap_err();
            assert!(refused.to_string().contains("no member wrote the row of `n0`"), "{refused}");
            // Nor where it is put there meanwhile, and the node's own is put back.
            write(&world, &own);
            let mut removal = operator.reset().unwrap();
            write(&world, &by_hand);
            assert_eq!(removal.look().unwrap(), 1, "{by_hand:?}");
            write(&world, &own);
            world.pass(STEP);
            assert_eq!((removal.look().unwrap(), world.nodes[0].denied("read")), (1, None));
            drop(removal);
            write(&world, &by_hand);
            let mut removal = operator.reset().unwrap();
            assert_eq!(removal.look().unwrap(), 1, "{by_hand:?}");
            write(&world, &own);
            assert_eq!((removal.look().unwrap(), world.nodes[0].denied("read")), (1, None));
        }
    }
}

/// A node that hears of nothing keeps its lease for as long as it lasts, and is not given up before.
#[test]
fn a_node_that_does_not_hear_that_it_is_removed_is_given_up_when_its_lease_is_over() {
    let world = World::of(2);
    let mut operator = operator(&world);
    world.nodes[1].link.cut(true);
    let mut removal = operator.remove("n1").unwrap();
    let mut passed = std::time::Duration::ZERO;
    while removal.look().unwrap() > 0 {
        assert!(passed < 2 * LEASE);
        world.pass(STEP);
        passed += STEP;
    }
    assert!(passed > LEASE, "{passed:?}");
    assert_eq!(world.nodes[1].denied("read"), Some(Reason::NoLease));
    // When it can be reached again, it learns of it.
    world.nodes[1].link.cut(false);
    world.pass(2 * LEASE);
    assert_eq!(world.nodes[1].fleet.status().state, Some(NodeState::Gone));
}

#[test]
fn a_store_that_was_restored_is_gone_on_with_once_no_node_takes_it_for_the_one_it_was() {
    let world = World::of(2);
    let restored = MemoryStore::new();
    let backup = world.store.read(0).unwrap();
    for row in &backup.rows {
        assert!(restored.write(row, None, 0).unwrap().0);
    }
    world.finish(&world.nodes[0].fleet.halt(Halt::tool("read").unwrap()));
    let mut operator = Operator::new("acme", &secret(0), restored.clone()).unwrap();
    operator = operator.terms(LEASE, 10).unwrap().clock(world.clock.clone());
    let mut removal = operator.reset().unwrap();
    assert_eq!(removal.look().unwrap(), 2);
    world.pass(LEASE + LEASE / 10 + STEP);
    assert_eq!(removal.look().unwrap(), 0);
    let view = operator.look().unwrap();
    assert_eq!(view.mark.number, 0);
    assert!(view.nodes.iter().all(|node| node.state == NodeState::Gone));

    // A store whose nodes renew their leases is the one it was.
    let mut operator = Operator::new("acme", &secret(0), world.store.clone()).unwrap();
    operator = operator.terms(LEASE, 10).unwrap().clock(world.clock.clone());
    let mut removal = operator.reset().unwrap();
    world.pass(3 * LEASE);
    assert_eq!(removal.look().unwrap(), 2);
    let error = removal.wait(std::time::Duration::ZERO).unwrap_err().to_string();
    assert!(error.contains("`n0`, `n1` can't be given up"), "{error}");
}

/// A store whose answer to an append is lost, and that is away then.
#[derive(Clone)]
struct Losing(MemoryStore, std::sync::Arc<std::sync::atomic::AtomicBool>, bool);

impl Losing {
    fn check(&self) -> Result<(), StoreError> {
        match self.1.load(std::sync::atomic::Ordering::SeqCst) {
            true => Err(StoreError::new("away")),
            false => Ok(()),
        }
    }
}

impl Store for Losing {
    fn read(&self, after: u64) -> Result<Snapshot, StoreError> {
        self.check()?;
        self.0.read(after)
    }

    fn append(&self, entry: &Entry, over: &Mark) -> Result<bool, StoreError> {
        self.check()?;
        let done = self.0.append(entry, over);
        self.1.store(self.2, std::sync::atomic::Ordering::SeqCst);
        if self.2 { done } else { Err(StoreError::new("the answer is lost")) }
    }

    fn write(
        &self,
        row: &NodeRow,
        over: Option<&RowVersion>,
        after: u64,
    ) -> Result<(bool, Snapshot), StoreError> {
        self.check()?;
        self.0.write(row, over, after)
    }
}

#[test]
fn an_act_whose_answer_is_lost_is_there_once_or_said_to_be_unknown() {
    for goes_away in [false, true] {
        let store = MemoryStore::new();
        let losing = Losing(store.clone(), std::sync::Arc::default(), goes_away);
        let mut operator = Operator::new("acme", &secret(0), losing).unwrap();
        let act = operator.halt(&Halt::Everything).map(drop);
        match goes_away {
            false => act.unwrap(),
            true => assert!(matches!(act, Err(OperatorError::Unknown(_))), "{act:?}"),
        }
        assert_eq!(store.read(0).unwrap().head.number, 1);
    }
}
