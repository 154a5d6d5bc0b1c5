//! What many tasks leave behind: nothing, in the catalogue and in the log.

use crate::world::*;

/// How many tasks, unless `HALLPASS_TASKS` says so: each takes half a dozen connections, and seconds where the password is stretched
/// by what is built for tests.
const TASKS: usize = 40;

fn tasks() -> usize {
    let said = std::env::var("HALLPASS_TASKS");
    said.map_or(TASKS, |said| said.parse().unwrap())
}

/// Rights are the group's: those of a table stay as they are, however many roles there were.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn after_many_tasks_the_catalogue_is_what_it_was() {
    let world = World::new();
    let before = world.catalogue();
    for _ in 0..tasks() {
        let (task, grant) = world.open();
        let role = world.lent(&grant);
        let during =
            world.superuser.ask("SELECT relacl::text FROM pg_class WHERE relname = 'orders'");
        assert!(!during[0].contains(&role.0), "{during:?}");
        task.complete();
        world.tend();
    }
    assert_eq!(world.catalogue(), before);
}

/// attack 126: what creates a role stands in the server's log
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn no_password_is_in_the_log_of_the_server() {
    let world = World::new();
    let (task, grant) = world.open();
    let (name, password) = world.lent(&grant);
    task.complete();
    world.tend();
    let told = world.server.told();
    assert!(told.contains(&name) && told.contains("SCRAM-SHA-256$"), "{told}");
    assert!(!told.contains(&password));
}
