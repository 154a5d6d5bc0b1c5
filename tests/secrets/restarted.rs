//! A crash between any two steps: the log has what was planned, and the next start withdraws it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass::audit::{Durability, Event, FileLog, Record, WhenFull};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::credential::{Debt, Guarantees};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::testing::{Mint as Cue, ScriptedProvider, Withdraw};
use hallpass::{BrokerBuilder, Running};

use crate::minting::*;
use crate::settled::settled;

/// A folder of its own, removed with what is in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
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
    pub(crate) fn life<T>(
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

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let each = |record: &Record, _| records.push(record.clone());
        FileLog::read_each(&self.0, &Folder::keys(), &origin(), None, each).unwrap();
        records
    }

    /// Takes the last record away, as a machine does that loses what was not synced.
    fn lose_the_last_record(&self) {
        let names = std::fs::read_dir(&self.0).unwrap().map(|file| file.unwrap().path());
        let is_log = |file: &PathBuf| file.to_string_lossy().contains("/log-");
        let file = names.filter(is_log).max().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let (kept, _) = text.trim_end().rsplit_once('\n').unwrap();
        std::fs::write(&file, format!("{kept}\n")).unwrap();
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

/// attack 177
#[test]
fn a_restart_settles_what_the_process_before_could_not_once_and_nothing_again() {
    type Life = fn(&Mint) -> Option<Running>;
    // What is left when the process ends; how many credentials are gone, and stand, when it is settled.
    let lives: [(&str, Life, (usize, usize)); 6] = [
        ("a credential is owed", |world| left(world, false), (1, 0)),
        ("a call runs, and a credential is owed", |world| left(world, true), (1, 0)),
        (
            "a call runs, and nothing else",
            |world| {
                let (task, grant) = world.open();
                let call = world.permit(&grant, "ping").start().unwrap();
                task.complete();
                Some(call)
            },
            (0, 0),
        ),
        (
            "a call runs, and all credentials are gone",
            |world| {
                let call = left(world, true);
                world.tend();
                call
            },
            (1, 0),
        ),
        (
            "the task is open, and its credential is gone",
            |world| {
                let (task, grant) = world.open();
                world.run(&grant, "db.read").unwrap();
                drop(task.revoke_grant(&grant));
                world.tend();
                let call = world.permit(&world.grant(&task), "ping").start().unwrap();
                std::mem::forget(task);
                Some(call)
            },
            (1, 0),
        ),
        (
            "it is settled, and its credential stands",
            |world| {
                world.provider.next_withdrawals(Withdraw::Refuses, 1);
                let call = left(world, false);
                world.tend();
                call
            },
            (0, 1),
        ),
    ];
    for (what, life, (gone, owed)) in lives {
        let (folder, clock) = (Folder::new(), clock());
        let provider = ScriptedProvider::new("database");
        folder.life(&provider, &clock, |own| own, life);
        assert_eq!(settled(&folder.records()).len(), owed, "{what}");
        for _ in 0..2 {
            folder.life(
                &provider,
                &clock,
                |own| own,
                |world| {
                    clock.advance(400 * SECOND);
                    world.tend();
                },
            );
            let told = settled(&folder.records());
            assert_eq!(told.len(), 1, "{what}: {told:?}");
            assert_eq!((told[0].0.gone.len(), told[0].0.owed.len()), (gone, owed), "{what}");
            let read = FileLog::read(&folder.0, &Folder::keys(), &origin(), None).unwrap().0;
            assert_eq!(read.unsettled, [0_u64; 0], "{what}");
        }
    }
}

/// Ends a task for which a credential was minted, while a call of it runs or not.
fn left(world: &Mint, runs: bool) -> Option<Running> {
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    let call = runs.then(|| world.permit(&grant, "ping").start().unwrap());
    task.complete();
    call
}

/// attack 177: the process ends between the last credential's record and the one that settles the task
#[test]
fn a_task_is_settled_by_the_next_start_where_that_record_was_lost() {
    let (folder, clock) = (Folder::new(), clock());
    let provider = ScriptedProvider::new("database");
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            left(world, false);
            world.tend();
        },
    );
    let before = settled(&folder.records());
    assert_eq!(before.len(), 1);
    folder.lose_the_last_record();
    assert_eq!(settled(&folder.records()), []);
    folder.life(&provider, &clock, |own| own, |_| ());
    let told = settled(&folder.records());
    assert_eq!((told.len(), &told[0].0), (1, &before[0].0));
    let is_gone = |record: &&Record| matches!(record.event, Event::CredentialGone { .. });
    assert_eq!(folder.records().iter().filter(is_gone).count(), 1);
}
