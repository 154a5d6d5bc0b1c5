//! Who sends, how often, and what is kept of it.

use hallpass::prelude::*;

use crate::wire::CALL;
use crate::world::{LEASE, World};

/// A minute that stands still, in which one node asks more often than a home keeps calls: nothing is kept of those that
/// are over.
#[test]
fn a_node_may_ask_as_often_as_it_likes_where_it_tells_what_became_of_it() {
    let (world, _wire) = World::calling();
    for n in 0..1400 {
        let (task, grant) = world.nodes[0].grant("read").unwrap();
        for _ in 0..3 {
            let permit = world.call_at(1, &grant, "read");
            permit.unwrap_or_else(|denial| panic!("{n}: {denial:?}")).start().unwrap().succeed();
        }
        assert_eq!(world.nodes[1].fleet.deliver(), 0);
        assert_eq!(task.complete().running.len(), 0);
    }
}

/// A member has the fleet's key, and could speak as another: what it says is held to who the transport knows it to be.
#[test]
fn a_message_of_another_node_than_the_one_that_sends_it_is_denied_and_recorded() {
    let (world, wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    world.call_at(1, &grant, "read").unwrap().start().unwrap().succeed();
    let (hello, home) = (wire.seen.lock().unwrap()[0].0.clone(), &world.nodes[0].fleet);
    let asked = std::cell::RefCell::new(Vec::new());
    let says = |message: &[u8], sender: &'static str| {
        home.answer_from(message, |name| {
            asked.borrow_mut().push(name.to_owned());
            name == sender
        })
    };
    assert_eq!(says(&hello, "n2"), [1, 5]);
    assert_eq!(world.count(0, r#""foreign_message""#), 1);
    assert_ne!(says(&hello, "n1"), [1, 5]);
    // Of a session, too, that another has begun.
    wire.withholds.lock().unwrap().push(CALL);
    world.call_at(1, &grant, "read").unwrap().start().unwrap().succeed();
    let sealed = wire.withheld.lock().unwrap().pop().unwrap();
    assert_eq!(says(&sealed, "n2"), [1, 5]);
    assert_eq!(world.count(0, r#""foreign_message""#), 2);
    assert_eq!(asked.into_inner(), ["n1"; 3]);
}

#[test]
fn a_home_that_joined_later_is_known_once_it_was_asked_for() {
    let (mut world, wire) = World::calling();
    let late = world.add_calling("n2", &wire, &["n0", "n1"]);
    world.pass(2 * LEASE);
    let (_task, grant) = world.nodes[late].grant("read").unwrap();
    assert_eq!(world.call_at(0, &grant, "read").unwrap_err().reason(), Reason::ForeignToken);
    world.pass(LEASE / 10);
    world.call_at(0, &grant, "read").unwrap().start().unwrap().succeed();
}
