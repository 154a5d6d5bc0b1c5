use super::super::{next_keys, verify_headless};
use super::*;
use crate::audit::{Body, ChainKey, Outcome};

const EXPIRES: i64 = 1_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

fn permitted() -> Event<'static> {
    Event::Permitted {
        task: "t".into(),
        generation: 1,
        grant: "g".into(),
        serial: 1,
        who: "agent-7".into(),
        acts_for: vec![],
        tool: "db.read".into(),
        resource_type: None,
        resource_id: None,
        args: "00".into(),
        context: None,
        rules: vec![],
        approvals: vec![],
        spent: vec![],
        epoch: 1,
        break_glass: false,
        passed: vec![],
        trace: None,
        plain: None,
    }
}

fn planned(of: u64, generation: u64, grant: &'static str) -> Event<'static> {
    Event::CredentialPlanned {
        task: "t".into(),
        generation,
        grant: grant.into(),
        of,
        credential: "orders-db".into(),
        provider: "database".into(),
        name: "hp_a_1".into(),
        detail: "".into(),
        lands_by: at(10),
        expires: at(EXPIRES),
    }
}

fn minted(generation: u64, expires: i64, refused: Option<&'static str>) -> Event<'static> {
    Event::CredentialMinted {
        task: "t".into(),
        generation,
        name: "hp_a_1".into(),
        detail: "".into(),
        expires: at(expires),
        refused: refused.map(Into::into),
    }
}

fn owed(until: Option<i64>) -> Event<'static> {
    let until = until.map(at);
    Event::CredentialOwed { name: "hp_a_1".into(), attempt: 1, why: "down".into(), until }
}

fn withdrawn() -> Event<'static> {
    Event::CredentialWithdrawn { name: "hp_a_1".into() }
}

fn gone(how: GoneHow) -> Event<'static> {
    Event::CredentialGone { name: "hp_a_1".into(), how }
}

fn outcome() -> Event<'static> {
    Event::Outcome {
        task: "t".into(),
        generation: 1,
        of: 1,
        outcome: Outcome::Ok,
        task_over: false,
        noted: 0,
        break_glass: false,
    }
}

/// What is wrong with records that are numbered from 1, one in each millisecond; or which credentials are left.
fn read(events: Vec<Event<'static>>) -> Result<usize, Fault> {
    let key = ChainKey::of(next_keys().active_key());
    let mut last = key.start().tag;
    let mut lines = Vec::new();
    for (seq, event) in (1..).zip(events) {
        let mut line = String::new();
        Body::new(at(i64::try_from(seq).unwrap()), &event).unwrap().push_line(seq, &mut line);
        last = key.next(&last, &line).unwrap();
        lines.push((line, last));
    }
    let lines = lines.iter().map(|(line, tag)| (line.as_str(), *tag));
    verify_headless(lines, &key, None).map(|verification| verification.credentials.len())
}

#[test]
fn a_credential_that_went_the_whole_way_is_settled() {
    let ways: [Vec<Event<'static>>; 8] = [
        vec![minted(1, EXPIRES, None), withdrawn(), gone(GoneHow::Verified)],
        vec![minted(1, EXPIRES, None), outcome(), owed(None), withdrawn(), gone(GoneHow::Verified)],
        vec![gone(GoneHow::NeverMinted)],
        vec![withdrawn(), gone(GoneHow::Verified)],
        vec![withdrawn(), minted(1, EXPIRES, None), withdrawn(), gone(GoneHow::Verified)],
        vec![minted(1, EXPIRES + 1, Some("too long")), withdrawn(), gone(GoneHow::Verified)],
        vec![minted(1, EXPIRES, None), owed(Some(3)), gone(GoneHow::Expired)],
        // A later attempt that does not know until when it lasts takes nothing of that back.
        vec![minted(1, EXPIRES, None), owed(Some(3)), owed(None), gone(GoneHow::Expired)],
    ];
    for way in ways {
        let events = [vec![permitted(), planned(1, 1, "g")], way].concat();
        assert_eq!(read(events.clone()), Ok(0), "{events:?}");
        // Whatever is cut off its end is a credential that is not known to be gone.
        let cut = events.len() - 1;
        assert_eq!(read(events[..cut].to_vec()), Ok(1), "{events:?}");
    }
}

#[test]
fn a_credential_without_a_permit_or_one_that_is_gone_without_a_withdrawal_is_a_fault() {
    let begun = || vec![permitted(), planned(1, 1, "g")];
    let rows: [(Vec<Event<'static>>, Fault); 16] = [
        (vec![planned(1, 1, "g")], Fault::NotPermitted { seq: 1, of: 1 }),
        (vec![permitted(), planned(2, 1, "g")], Fault::NotPermitted { seq: 2, of: 2 }),
        (vec![permitted(), planned(1, 2, "g")], Fault::NotPermitted { seq: 2, of: 1 }),
        (vec![permitted(), planned(1, 1, "h")], Fault::NotPermitted { seq: 2, of: 1 }),
        (vec![permitted(), outcome(), planned(1, 1, "g")], Fault::NotPermitted { seq: 3, of: 1 }),
        ([begun(), vec![planned(1, 1, "g")]].concat(), Fault::NoCredential { seq: 3 }),
        (vec![permitted(), minted(1, EXPIRES, None)], Fault::NoCredential { seq: 2 }),
        (vec![permitted(), owed(None)], Fault::NoCredential { seq: 2 }),
        (vec![permitted(), withdrawn()], Fault::NoCredential { seq: 2 }),
        (vec![permitted(), gone(GoneHow::NeverMinted)], Fault::NoCredential { seq: 2 }),
        ([begun(), vec![minted(2, EXPIRES, None)]].concat(), Fault::NoCredential { seq: 3 }),
        (
            [begun(), vec![minted(1, EXPIRES, None), minted(1, EXPIRES, None)]].concat(),
            Fault::NoCredential { seq: 4 },
        ),
        ([begun(), vec![minted(1, EXPIRES + 1, None)]].concat(), Fault::LivesTooLong { seq: 3 }),
        (
            [begun(), vec![minted(1, EXPIRES, None), gone(GoneHow::NeverMinted)]].concat(),
            Fault::NotWithdrawn { seq: 4 },
        ),
        (
            [begun(), vec![minted(1, EXPIRES, None), gone(GoneHow::Verified)]].concat(),
            Fault::NotWithdrawn { seq: 4 },
        ),
        (
            [begun(), vec![owed(Some(5)), gone(GoneHow::Expired)]].concat(),
            Fault::NotWithdrawn { seq: 4 },
        ),
    ];
    for (events, fault) in rows {
        assert_eq!(read(events.clone()), Err(fault), "{events:?}");
        assert_eq!(fault.seq(), u64::try_from(events.len()).unwrap());
    }
}
