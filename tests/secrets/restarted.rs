//! A crash between any two steps: the log has what was planned, and the next start withdraws it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass::BrokerBuilder;
use hallpass::audit::{Durability, FileLog, WhenFull};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::credential::{Debt, Guarantees};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::testing::{Mint as Cue, ScriptedProvider, Withdraw};

use crate::minting::*;

/// A folder of its own, removed with what is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "hallpass-minted-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Folder(std::env::temp_dir().join(name))
    }

    fn keys() -> LogKeys {
        LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
    }

    fn open(&self) -> FileLog {
        let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
        options.open(&self.0, &Folder::keys(), &origin()).unwrap()
    }

    /// One life of a broker, which is killed: the log is as it was then, whatever is ended and dropped after that.
    fn life<T>(
        &self,
        provider: &ScriptedProvider,
        clock: &ManualClock,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
        live: impl FnOnce(&Mint) -> T,
    ) {
        let log = self.open();
        let clock = clock.clone();
        let builder = Broker::builder(Policy::from_toml(POLICY).unwrap())
            .clock(clock.clone())
            .name("orders")
            .provider("orders-db", provider.clone())
            .tended_by_host()
            .log_keys(Folder::keys())
            .resume_from(&log);
        let broker = settings(builder).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let world = Mint { broker, clock, provider: provider.clone(), agent };
        let told = live(&world);
        world.broker.flush();
        let killed = self.0.with_extension("killed");
        std::fs::create_dir(&killed).unwrap();
        for file in std::fs::read_dir(&self.0).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), killed.join(file.file_name())).unwrap();
        }
        drop((told, world, log));
        std::fs::remove_dir_all(&self.0).unwrap();
        std::fs::rename(&killed, &self.0).unwrap();
    }

    fn unsettled(&self) -> Vec<Box<str>> {
        FileLog::read(&self.0, &Folder::keys(), &origin(), None).unwrap().0.credentials
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// attack 177: between plan and mint, mint and record, withdrawal and verification
#[test]
fn a_crash_between_any_two_steps_leaves_what_the_next_start_withdraws_and_verifies() {
    type Life = fn(&Mint) -> (Task, Grant);
    // What was done when the process ended; and what is outside then.
    let crashes: [(&str, usize, Life); 5] = [
        ("planned, and minted late", 0, |world| {
            let (task, grant) = world.open();
            world.provider.next_mints(Cue::LandsLate, 1);
            world.run(&grant, "db.read").unwrap_err();
            (task, grant)
        }),
        ("minted, and not recorded", 1, |world| {
            let (task, grant) = world.open();
            world.provider.next_mints(Cue::Loses, 1);
            world.run(&grant, "db.read").unwrap_err();
            (task, grant)
        }),
        ("in use", 1, |world| {
            let (task, grant) = world.open();
            world.run(&grant, "db.read").unwrap();
            (task, grant)
        }),
        ("owed", 1, |world| {
            let (task, grant) = world.open();
            world.run(&grant, "db.read").unwrap();
            drop(task.revoke_grant(&grant));
            world.provider.next_withdrawals(Withdraw::Fails, 1);
            world.tend();
            (task, grant)
        }),
        ("withdrawn, and not verified", 1, |world| {
            let (task, grant) = world.open();
            world.run(&grant, "db.read").unwrap();
            drop(task.revoke_grant(&grant));
            world.provider.next_withdrawals(Withdraw::Pretends, 1);
            world.tend();
            (task, grant)
        }),
    ];
    for (what, outside, life) in crashes {
        let (folder, clock) = (Folder::new(), clock());
        let provider = ScriptedProvider::new("database");
        folder.life(&provider, &clock, |own| own, life);
        provider.recover();
        assert_eq!(provider.live().len(), outside, "{what}");
        assert_eq!(folder.unsettled().len(), 1, "{what}");
        provider.plant("hp_orders_of_another_life", far());
        provider.plant("hp_other_00000000000000000000000000000000", far());
        folder.life(
            &provider,
            &clock,
            |own| own,
            |world| {
                assert_eq!(world.broker.obligations().len(), 1, "{what}");
                assert!(world.broker.standing().is_empty(), "{what}");
                world.tend();
                clock.advance(11 * SECOND);
                world.tend();
                assert_eq!(world.broker.obligations(), [], "{what}");
            },
        );
        assert_eq!(provider.live().len(), 2, "{what}: what is not in this log is left alone");
        assert_eq!(folder.unsettled(), [] as [Box<str>; 0], "{what}");
        folder.life(
            &provider,
            &clock,
            |own| own,
            |world| {
                assert_eq!(world.broker.obligations(), [], "{what}: it is settled for good");
            },
        );
    }
}

fn far() -> Timestamp {
    Timestamp::parse_rfc3339("2030-01-01T00:00:00Z").unwrap()
}

#[test]
fn a_sweep_at_the_start_adds_what_the_log_does_not_know() {
    let (folder, clock) = (Folder::new(), clock());
    let provider = ScriptedProvider::new("database");
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            let (_task, grant) = world.open();
            world.provider.next_mints(Cue::Loses, 1);
            world.run(&grant, "db.read").unwrap_err();
        },
    );
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            assert_eq!(&*world.broker.obligations()[0].detail, "");
            world.provider.next_withdrawals(Withdraw::Fails, 1);
            world.tend();
            assert_eq!(&*world.broker.obligations()[0].detail, "found");
        },
    );
}

#[test]
fn what_a_restart_has_lost_the_secret_of_stands_until_it_expires_and_is_said_to() {
    let (folder, clock) = (Folder::new(), clock());
    let own = Guarantees::immediate().needs_secret();
    let provider = ScriptedProvider::new("tokens").guaranteeing(own);
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            let (task, grant) = world.open();
            world.run(&grant, "db.read").unwrap();
            (task, grant)
        },
    );
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            world.tend();
            let owed = world.broker.obligations();
            assert_eq!((owed[0].debt, owed[0].due), (Debt::Lasting, owed[0].expires));
            clock.advance(300 * SECOND);
            world.provider.withdraw_all();
            world.tend();
            assert_eq!(world.broker.obligations(), []);
        },
    );
    assert_eq!(folder.unsettled(), [] as [Box<str>; 0]);
}

#[test]
fn what_is_owed_by_a_provider_that_is_not_there_any_more_stays_owed() {
    let (folder, clock) = (Folder::new(), clock());
    let provider = ScriptedProvider::new("database");
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            let (task, grant) = world.open();
            world.run(&grant, "db.read").unwrap();
            (task, grant)
        },
    );
    let log = folder.open();
    let policy = Policy::builder().build().unwrap();
    let builder = Broker::builder(policy).clock(clock.clone()).log_keys(Folder::keys());
    let broker = builder.resume_from(&log).build().unwrap();
    broker.tend(SECOND);
    let owed = broker.obligations();
    assert_eq!(owed[0].last_error.as_deref(), Some("this broker has no such provider"));
    broker.flush();
    drop((broker, log));
    assert_eq!(folder.unsettled().len(), 1, "the next life finds it still");
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            assert_eq!(world.tend(), (1, 1, 0));
        },
    );
}
