//! What every store promises, on a real server.

use crate::contract::PROMISES;
use crate::database::Database;

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn the_store_on_a_server_keeps_what_every_store_promises() {
    let mut database = Database::start();
    for (number, (promise, holds)) in PROMISES.into_iter().enumerate() {
        println!("{promise}");
        database.turn_to(&format!("fleet-{number}"));
        // Each handle has a connection of its own, as each node does.
        holds(&|| Box::new(database.store()));
    }
}
