//! A restart gives nothing back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::{Durability, Event, FileLog, How, OpenError, Outcome, Record};
use hallpass::prelude::*;
use hallpass::{Broker, Halt};

use super::world::{Folder, ORIGIN, builder, keys, open, options, pay};

pub(crate) fn records(folder: &Folder) -> Vec<Record> {
    FileLog::read(folder.path(), &keys(), &ORIGIN, None).unwrap();
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    names.sort();
    let texts = names.iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| {
            let records = text.lines().skip(1).map(|line| Record::from_line(line).unwrap());
            records.collect::<Vec<_>>()
        })
        .collect()
}

/// attack 188
#[test]
fn halts_are_on_after_a_restart_and_those_that_were_lifted_are_not() {
    let folder = Folder::new();
    let broker = open(folder.path(), Durability::Flushed).unwrap();
    let control = broker.control();
    for what in [
        Halt::identity("agent-7").unwrap(),
        Halt::task("t-1").unwrap(),
        Halt::tool("x").unwrap(),
        Halt::Everything,
    ] {
        control.halt(what);
    }
    control.resume(&Halt::Everything);
    control.resume(&Halt::task("t-1").unwrap());
    assert_eq!(broker.flush(), 0);
    drop((control, broker));

    let broker = open(folder.path(), Durability::Flushed).unwrap();
    let on = broker.control().halts();
    assert_eq!(on.len(), 2);
    assert!(
        on.contains(&Halt::identity("agent-7").unwrap()) && on.contains(&Halt::tool("x").unwrap())
    );
    let agent = broker.assert_identity("agent-7").unwrap();
    let denial = broker.open(&agent, Purpose::new("pay-bill")).unwrap_err();
    assert_eq!(denial.reason(), Reason::Halted);
}

/// attack 188
#[test]
fn what_was_going_on_is_recorded_as_interrupted_and_generations_go_on() {
    let folder = Folder::new();
    let broker = open(folder.path(), Durability::Flushed).unwrap();
    let (task, permit) = pay(&broker);
    let (ended, _) = pay(&broker);
    ended.complete();
    let (number, generation) = (permit.number(), task.generation());
    assert_eq!(broker.flush(), 0);
    // As a process that is killed: no handle is dropped.
    std::mem::forget((task, permit));
    let later = broker.clone();
    std::mem::forget(broker);
    drop(later);
    unlock(&folder);

    let broker = open(folder.path(), Durability::Flushed).unwrap();
    let (task, permit) = pay(&broker);
    assert!(task.generation() > generation + 1 && permit.number() > number);
    assert_eq!(broker.flush(), 0);
    let records = records(&folder);
    let outcome =
        |record: &&Record| matches!(record.event, Event::Outcome { of, .. } if of == number);
    let unknown: Vec<_> = records.iter().filter(outcome).collect();
    assert_eq!(unknown.len(), 1);
    let Event::Outcome { outcome, .. } = unknown[0].event else { unreachable!() };
    assert_eq!(outcome, Outcome::Unknown);
    let hows: Vec<How> = records
        .iter()
        .filter_map(|record| match record.event {
            Event::Ended { generation: own, how, .. } if own == generation => Some(how),
            _ => None,
        })
        .collect();
    assert_eq!(hows, [How::Interrupted]);
    let void = records.iter().find(|record| matches!(record.event, Event::Void { .. })).unwrap();
    assert!(void.seq > number);
    let reopened = Event::Reopened { torn: None, unanchored: true };
    assert_eq!(records.iter().filter(|record| record.event == reopened).count(), 1);
}

/// A process that has died holds no lock. This one lives, so its lock is on a file that goes.
pub(crate) fn unlock(folder: &Folder) {
    std::fs::remove_file(folder.path().join("lock")).unwrap();
}

#[test]
fn a_log_that_was_closed_says_nothing_of_lost_numbers() {
    let folder = Folder::new();
    for _ in 0..3 {
        let broker = open(folder.path(), Durability::Synced).unwrap();
        pay(&broker).0.complete();
        broker.close(Duration::from_secs(5));
    }
    let records = records(&folder);
    assert!((1..).zip(&records).all(|(seq, record)| record.seq == seq));
    let ends = records.iter().filter(|record| matches!(record.event, Event::Ended { .. }));
    assert_eq!(ends.count(), 3);
}

#[test]
fn a_second_writer_is_refused_while_the_first_lives() {
    let folder = Folder::new();
    let broker = open(folder.path(), Durability::Buffered).unwrap();
    assert!(matches!(open(folder.path(), Durability::Buffered), Err(OpenError::HasWriter)));
    // Reading needs no lock.
    assert!(FileLog::read(folder.path(), &keys(), &ORIGIN, None).is_ok());
    drop::<Broker>(broker);
    assert!(open(folder.path(), Durability::Buffered).is_ok());
}

/// What is denied after a close has numbers that were handed to the host.
#[test]
fn no_number_that_was_given_out_after_a_close_is_used_again() {
    let folder = Folder::new();
    let owed = Arc::new(Mutex::new(Vec::new()));
    let told = owed.clone();
    let log = options(Durability::Synced).open(folder.path(), &keys(), &ORIGIN).unwrap();
    let broker = builder()
        .log_keys(keys())
        .resume_from(&log)
        .on_unwritten(move |entries| told.lock().unwrap().extend(entries.iter().map(|e| e.seq)))
        .build()
        .unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
    broker.close(Duration::from_secs(5));
    assert!(task.request(Scope::tool("bank.pay").any_args(), &Context::new()).is_err());
    assert!(broker.open(&agent, Purpose::new("late")).is_err());
    drop((task, agent, broker, log));
    let owed = owed.lock().unwrap().clone();
    assert_eq!(owed, [5, 6]);

    drop(open(folder.path(), Durability::Synced).unwrap());
    let records = records(&folder);
    let after: Vec<_> = records.iter().filter(|record| record.seq > 4).collect();
    assert_eq!((after[0].seq, &after[0].event), (6, &Event::Void { from: 5 }), "and no more");
}

/// A process that ends without dropping its broker may have given out what was reserved.
#[test]
fn what_a_closed_broker_that_lives_has_reserved_stays_reserved() {
    let folder = Folder::new();
    let broker = open(folder.path(), Durability::Synced).unwrap();
    broker.close(Duration::from_secs(5));
    std::mem::forget(broker);
    unlock(&folder);
    drop(open(folder.path(), Durability::Synced).unwrap());
    let voids = records(&folder);
    assert!(voids.iter().any(|record| matches!(record.event, Event::Void { from: 3 })));
}

#[cfg(unix)]
#[test]
fn a_folder_with_an_odd_name_and_a_link_to_it_have_one_writer() {
    let folder = Folder::new();
    let odd = folder.path().join("a b\n'\"%41\\é");
    let broker = open(&odd, Durability::Synced).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&odd, &link).unwrap();
    assert!(matches!(open(&link, Durability::Synced), Err(OpenError::HasWriter)));
    drop(broker);
    drop(open(&link, Durability::Synced).unwrap());
}

/// As a process leaves it that dies while it reserves numbers, or begins a file.
#[test]
fn a_reservation_and_a_file_that_were_only_begun_are_begun_anew() {
    let folder = Folder::new();
    drop(open(folder.path(), Durability::Synced).unwrap());
    std::fs::write(folder.path().join("reserved.next"), "{").unwrap();
    for (file, begun) in [(2, ""), (3, "{\"hallpass_l")] {
        std::fs::write(folder.path().join(format!("log-000000000{file}.jsonl")), begun).unwrap();
        drop(open(folder.path(), Durability::Synced).unwrap());
    }
    assert!(records(&folder).len() > 2);
}
