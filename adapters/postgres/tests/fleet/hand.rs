//! What is written into the database by hand, and a database that is an older one.

use hallpass::Halt;
use hallpass::fleet::{Mark, Store as _};
use hallpass::prelude::*;

use crate::database::Database;
use crate::world::{LEASE, READ, World};

fn halt() -> Halt {
    Halt::tool("read").unwrap()
}

/// Asserts that no node gives anything, that each has what it had, and says why.
fn assert_all_refuse(world: &World, head: Mark, why: &str) {
    for node in &world.nodes {
        assert_eq!(node.fleet.mark(), head);
        assert_eq!(node.denied("list"), Some(Reason::NoLease));
        assert_eq!(node.broker.control().halts(), [halt()]);
        assert!(node.trouble().contains(why), "{}", node.trouble());
    }
}

/// attack: who can write the database lets go on what is halted
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn an_entry_that_was_written_by_hand_stops_the_fleet_and_is_not_applied() {
    let forged = [
        // The resume of another time, once more.
        "INSERT INTO hallpass.entry SELECT tenant, fleet, 4, id, digest, bytes FROM hallpass.entry WHERE number = 2",
        // One that nobody has signed.
        "INSERT INTO hallpass.entry SELECT tenant, fleet, 4, id, digest, '\\x02' || '{\"resume\":{\"what\":\"tool read\"}}'::bytea FROM hallpass.entry WHERE number = 2",
        // A gap.
        "INSERT INTO hallpass.entry SELECT tenant, fleet, 5, id, digest, bytes FROM hallpass.entry WHERE number = 2",
    ];
    let mut database = Database::start();
    for ((statement, number), fleet) in forged.into_iter().zip([4, 4, 5]).zip(["a", "b", "c"]) {
        database.turn_to(fleet);
        let world = World::of(2, &database);
        let node = &world.nodes[0].fleet;
        world.finish(&node.halt(halt()));
        world.finish(&node.resume(&halt()));
        world.finish(&node.halt(halt()));
        let head = node.mark();
        // Ids are unique: the attacker takes another.
        let id = "decode(md5(random()::text), 'hex')";
        let statement = statement.replace(", id,", &format!(", {id},"));
        let statement = format!("{statement} AND fleet = '{fleet}'");
        database.owner.run(&statement).unwrap();
        let mark = format!(
            "UPDATE hallpass.fleet f SET number = e.number, digest = e.digest FROM hallpass.entry e WHERE e.number = {number} AND (e.fleet, f.fleet) = ('{fleet}', '{fleet}')"
        );
        database.owner.run(&mark).unwrap();
        world.pass(LEASE + LEASE / 10);
        assert_all_refuse(&world, head, &format!("entry {number}"));
    }
}

/// attack: who can write the database puts another policy in force
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_policy_that_was_changed_by_hand_is_in_force_at_no_node() {
    let database = Database::start();
    let mut world = World::of(1, &database);
    let fleet = &world.nodes[0].fleet;
    world.finish(&fleet.reload(READ, 0).unwrap());
    world.finish(&fleet.halt(halt()));
    assert_ne!(world.nodes[0].denied("list"), None);
    let before = database.owner.ask("SELECT md5(bytes) FROM hallpass.entry WHERE number = 1");
    database
        .owner
        .run("UPDATE hallpass.entry SET bytes = set_byte(bytes, 60, 65) WHERE number = 1")
        .unwrap();
    assert_ne!(
        database.owner.ask("SELECT md5(bytes) FROM hallpass.entry WHERE number = 1"),
        before
    );
    // Who has applied it goes on; who joins does not take it.
    let joined = world.add("n1", database.store(), None);
    world.pass(2 * LEASE);
    assert_eq!(world.nodes[joined].denied("list"), Some(Reason::NoLease));
    let trouble = world.nodes[joined].trouble();
    assert!(trouble.contains("entry 1 of the mark was not made by a member"), "{trouble}");
    assert_eq!(world.nodes[joined].fleet.epoch(), 0);
}

/// A row says of itself, and by its tag, who wrote it: another's word excuses no node from being waited for.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_row_that_was_written_by_hand_hurries_no_act_and_renews_no_lease() {
    let mut database = Database::start();
    for state in ["silent", "gone", "left"] {
        database.turn_to(state);
        let mut world = World::of(2, &database);
        let stopped = world.nodes.pop().unwrap();
        database
            .owner
            .run(&format!(
                "UPDATE hallpass.node SET state = '{state}' WHERE name = 'n1' AND fleet = '{state}'"
            ))
            .unwrap();
        let act = world.nodes[0].fleet.halt(halt());
        world.pass(LEASE - LEASE / 10);
        assert!(act.look().is_err(), "{state}");
        let done = world.finish(&act);
        assert_eq!((done.number, &*done.unheard), (1, &["n1".into()][..]));
        assert_eq!(stopped.denied("read"), Some(Reason::NoLease), "{state}");
        // It does not take the word for it either, and does not write over what is not its own.
        world.nodes.push(stopped);
        world.pass(2 * LEASE);
        assert_eq!(world.nodes[1].denied("list"), Some(Reason::NoLease));
        assert!(
            world.nodes[1].trouble().contains("not the one it wrote"),
            "{}",
            world.nodes[1].trouble()
        );
    }
}

/// attack: a backup from before a halt
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_was_restored_from_a_backup_is_noticed_by_all_who_knew_better() {
    let database = Database::start();
    let mut world = World::of(2, &database);
    world.finish(&world.nodes[0].fleet.halt(Halt::tool("drop").unwrap()));
    let backup = database.server.back_up();
    world.wait_for_stores();
    world.finish(&world.nodes[0].fleet.halt(halt()));
    let mark = world.nodes[0].fleet.mark();
    database.server.restore(&backup);
    world.wait_for_stores();
    world.pass(LEASE + LEASE / 10);
    for node in &world.nodes {
        assert_eq!((node.fleet.mark(), node.denied("list")), (mark, Some(Reason::NoLease)));
        assert!(
            node.trouble().contains("mark") || node.trouble().contains("row"),
            "{}",
            node.trouble()
        );
    }
    // What is new there does not make it the one it was.
    let unaware = world.add("n2", database.store(), None);
    let told = world.add("n3", database.store(), Some(mark));
    world.pass(2 * LEASE);
    assert_eq!(world.nodes[unaware].denied("list"), None, "it can't tell, unless it is told");
    world.finish(&world.nodes[unaware].fleet.halt(Halt::tool("send").unwrap()));
    world.pass(2 * LEASE);
    for node in [0, 1, told] {
        assert_eq!(world.nodes[node].denied("list"), Some(Reason::NoLease), "node {node}");
        assert!(!world.nodes[node].trouble().is_empty());
    }
    assert_eq!(world.nodes[unaware].store.read(0).unwrap().head.number, mark.number);
}
