//! What needs no server: none is there, or what is there is none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use hallpass::credential::{
    AsyncCredentialProvider as _, CredentialProvider as _, Gone, Handle, Withdrawn,
};
use hallpass::prelude::*;
use hallpass::{BrokerBuilder, RunError};
use hallpass_postgres::{BlockingPostgres, Postgres};
use serde_json::json;

use crate::world::POLICY;

fn handle() -> Handle {
    Handle::new("hp_orders_00000000000000000000000000000000", "oid=16401")
}

/// Mints where this listens.
fn at(host: &str, port: u16) -> Postgres {
    let config = format!("host={host} port={port} user=hp_broker password=x dbname=postgres");
    Postgres::new(config.parse().unwrap()).unwrap().group("hp_reader")
}

/// A port on which nothing listens, and one that takes connections and says nothing.
fn silent() -> (TcpListener, Postgres) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, at("127.0.0.1", port))
}

fn why(withdrawn: Withdrawn) -> String {
    match withdrawn {
        Withdrawn::Retry { why, .. } => why.into(),
        other => panic!("{other:?}"),
    }
}

/// A permit of a tool whose role is minted by this.
fn permit(with: impl FnOnce(BrokerBuilder) -> BrokerBuilder) -> (Broker, Task, Permit) {
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).name("orders");
    let broker = with(builder).tended_by_host().build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("db.query").any_args(), &Context::new()).unwrap();
    let call = Call::new("db.query", json!({})).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap();
    (broker, task, permit)
}

/// A thread of a runtime can't wait, and nothing is done on one.
#[test]
fn on_a_thread_of_a_runtime_what_blocks_says_so_and_does_nothing() {
    let (_listener, postgres) = silent();
    let provider = BlockingPostgres::new(postgres);
    let (broker, _task, permit) = permit(|own| own.provider("orders-db", provider.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(why(provider.withdraw(&handle(), None)).contains("a thread of a runtime"));
        assert_eq!(provider.verify(&handle()), Gone::Unknown);
        assert_eq!(provider.sweep(&|_| true), [] as [Handle; 0]);
        match permit.run_with(|_, _| Ok::<_, String>(())) {
            Err(RunError::Denied(denial)) => {
                let told = denial.explain().to_string();
                assert!(told.contains("a thread of a runtime"), "{told}");
            }
            _ => panic!("it ran"),
        }
    });
    assert_eq!(broker.obligations(), [], "nothing was sent");
}

/// attack 176
#[test]
fn a_server_that_can_not_be_asked_leaves_a_role_owed() {
    let (listener, postgres) = silent();
    drop(listener);
    let provider = BlockingPostgres::new(postgres);
    assert!(!why(provider.withdraw(&handle(), None)).is_empty());
    assert_eq!(provider.verify(&handle()), Gone::Unknown);
    assert_eq!(provider.sweep(&|_| true), [] as [Handle; 0]);
}

/// attack 176: the time passes where nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_and_what_may_be_there_is_owed() {
    let (_listener, provider) = silent();
    let hour = Duration::from_secs(3600);
    let withdrawn = tokio::time::timeout(hour, provider.withdraw(&handle(), None)).await.unwrap();
    assert_eq!(why(withdrawn), "the server did not answer in time");
    let verified = tokio::time::timeout(hour, provider.verify(&handle())).await.unwrap();
    assert_eq!(verified, Gone::Unknown);
    let (broker, _task, permit) = permit(|own| own.async_provider("orders-db", provider));
    let ran = permit.run_with_async(async |_, _| Ok::<_, String>(()));
    match tokio::time::timeout(hour, ran).await.unwrap() {
        Err(RunError::Denied(denial)) => {
            let told = denial.explain().to_string();
            assert!(told.contains("the server did not answer in time"), "{told}");
        }
        _ => panic!("it ran"),
    }
    assert_eq!(broker.obligations().len(), 1);
}

/// Under a name that is not an address, another machine may answer: nothing goes there in the clear, the broker's name neither.
#[test]
fn a_server_under_a_name_is_asked_for_tls_and_told_nothing_without() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).unwrap();
        // That it has none.
        let _ = stream.write_all(b"N");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        (asked, rest)
    });
    let provider = BlockingPostgres::new(at("localhost", port));
    assert_eq!(provider.verify(&handle()), Gone::Unknown);
    // The request for TLS of the protocol: its length, and its number.
    assert_eq!(heard.join().unwrap(), ([0, 0, 0, 8, 4, 210, 22, 47], Vec::new()));
}
