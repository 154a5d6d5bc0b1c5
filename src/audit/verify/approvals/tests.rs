use super::*;
use crate::audit::{How, Record};

const GOOD_UNTIL: i64 = 1_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

fn asked() -> Event<'static> {
    Event::Asked {
        task: "t".into(),
        generation: 1,
        question: "q".into(),
        who: "payer".into(),
        parties: vec!["ada".into()],
        tool: "bank.pay".into(),
        args: "00".into(),
        rules: vec!["four-eyes".into()],
        expires: at(GOOD_UNTIL),
        epoch: 1,
    }
}

fn answered(who: &'static str, answer: Answered, good_until: Option<i64>) -> Event<'static> {
    Event::Answered {
        task: "t".into(),
        generation: 1,
        question: "q".into(),
        who: Some(who.into()),
        answer,
        shown: None,
        refused: None,
        reason: None,
        state: "approved".into(),
        good_until: good_until.map(at),
    }
}

fn approved() -> Event<'static> {
    answered("bob", Answered::Approve, Some(GOOD_UNTIL))
}

fn permitted(generation: u64) -> Event<'static> {
    Event::Permitted {
        task: "t".into(),
        generation,
        grant: "g".into(),
        serial: 1,
        who: "payer".into(),
        tool: "bank.pay".into(),
        resource_type: None,
        resource_id: None,
        args: "00".into(),
        context: None,
        rules: vec![],
        approvals: vec!["q".into()],
        epoch: 1,
    }
}

fn outcome(of: u64, outcome: Outcome) -> Event<'static> {
    Event::Outcome { task: "t".into(), generation: 1, of, outcome, task_over: false }
}

fn voided() -> Event<'static> {
    let (task, question) = ("t".into(), "q".into());
    Event::Voided { task, generation: 1, question, state: "void".into(), why: "policy".into() }
}

fn ended() -> Event<'static> {
    let (how, running) = (How::Completed, vec![]);
    Event::Ended { task: "t".into(), generation: 1, how, reason: None, running }
}

/// The first fault of records that are numbered from 1, one in each millisecond unless said.
fn read(
    events: impl IntoIterator<Item = Event<'static>>,
    last_at: Option<i64>,
) -> Result<(), Fault> {
    let events: Vec<_> = events.into_iter().collect();
    let mut approvals = Approvals::default();
    let count = events.len() as u64;
    (1..).zip(events).try_for_each(|(seq, event)| {
        let time = last_at.filter(|_| seq == count).unwrap_or(seq as i64);
        approvals.note(&Record { seq, at: at(time), event })
    })
}

/// P6: a log in which somebody redeems what was not approved at that moment does not verify.
#[test]
fn what_is_redeemed_was_approved_before_in_time_and_not_used() {
    let refused = |answer: Event<'static>| match answer {
        Event::Answered { .. } => {
            let mut answer = answer;
            if let Event::Answered { refused, .. } = &mut answer {
                *refused = Some("stale_view".into());
            }
            answer
        }
        other => other,
    };
    let abandoned = || outcome(3, Outcome::Abandoned);
    let done = || outcome(3, Outcome::Ok);
    let deny = || answered("bob", Answered::Deny, None);
    assert_eq!(read([asked(), approved(), permitted(1), done()], None), Ok(()));
    assert_eq!(read([asked(), approved(), permitted(1), abandoned(), permitted(1)], None), Ok(()));
    let faulty = [
        ("never asked", vec![permitted(1)], None),
        ("not approved", vec![asked(), permitted(1)], None),
        ("a yes that does not count", vec![asked(), refused(approved()), permitted(1)], None),
        ("denied", vec![asked(), approved(), deny(), permitted(1)], None),
        ("voided", vec![asked(), approved(), voided(), permitted(1)], None),
        ("its task is over", vec![asked(), approved(), ended(), permitted(1)], None),
        ("another task", vec![asked(), approved(), permitted(2)], None),
        ("too late", vec![asked(), approved(), permitted(1)], Some(GOOD_UNTIL)),
        ("twice", vec![asked(), approved(), permitted(1), permitted(1)], None),
        (
            "twice, after it ran",
            vec![asked(), approved(), permitted(1), done(), permitted(1)],
            None,
        ),
    ];
    for (what, events, last_at) in faulty {
        let seq = events.len() as u64;
        assert_eq!(read(events, last_at), Err(Fault::NotApproved { seq }), "{what}");
    }
    assert_eq!(read([asked(), approved(), permitted(1)], Some(GOOD_UNTIL - 1)), Ok(()));
}

#[test]
fn an_approval_comes_back_three_times_from_permits_that_never_started() {
    let mut events = vec![asked(), approved()];
    for _ in 0..4 {
        events.push(permitted(1));
        events.push(outcome(events.len() as u64, Outcome::Abandoned));
    }
    assert_eq!(read(events.clone(), None), Ok(()));
    events.push(permitted(1));
    assert_eq!(read(events, None), Err(Fault::NotApproved { seq: 11 }));
}

/// P6: no own approval counts, and nothing is answered that was not asked.
#[test]
fn a_party_to_the_call_does_not_approve_it_and_only_what_was_asked_is_answered() {
    for party in ["payer", "ada"] {
        let own = answered(party, Answered::Approve, Some(GOOD_UNTIL));
        assert_eq!(read([asked(), own], None), Err(Fault::OwnApproval { seq: 2 }), "{party}");
    }
    let confirm = answered("ada", Answered::Confirm, Some(GOOD_UNTIL));
    assert_eq!(read([asked(), confirm, permitted(1)], None), Ok(()));
    assert_eq!(read([approved()], None), Err(Fault::NoQuestion { seq: 1 }));
    assert_eq!(read([voided()], None), Err(Fault::NoQuestion { seq: 1 }));
    assert_eq!(read([asked(), asked()], None), Err(Fault::NoQuestion { seq: 2 }));
}
