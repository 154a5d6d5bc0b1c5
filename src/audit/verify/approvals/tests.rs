mod plans;
mod widths;

use plans::{plan, to_items};

use super::super::{next_keys, verify_headless};
use super::*;
use crate::audit::{AnswerGiven, Asked, Body, ChainKey, How, Record};
use crate::key::{LogKeys, SecretKey};

const GOOD_UNTIL: i64 = 1_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

fn asked() -> Event<'static> {
    Event::Asked(Asked {
        sealed: None,
        task: "t".into(),
        generation: 1,
        question: "q".into(),
        who: "payer".into(),
        parties: vec!["ada".into()],
        tool: Some("bank.pay".into()),
        args: Some("00".into()),
        scope: None,
        amends: None,
        rules: vec!["four-eyes".into()],
        vary: vec![],
        expires: at(GOOD_UNTIL),
        epoch: 1,
        break_glass: false,
    })
}

fn answered(who: &'static str, answer: Answered, good_until: Option<i64>) -> Event<'static> {
    Event::Answered(AnswerGiven {
        sealed: None,
        task: "t".into(),
        generation: 1,
        question: "q".into(),
        who: Some(who.into()),
        answer,
        shown: None,
        items: vec![],
        given: vec![],
        width: None,
        refused: None,
        reason: None,
        state: "approved".into(),
        good_until: good_until.map(at),
        break_glass: false,
    })
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
        acts_for: vec![],
        tool: "bank.pay".into(),
        resource_type: None,
        resource_id: None,
        args: "00".into(),
        context: None,
        rules: vec![],
        approvals: vec!["q".into()],
        spent: vec![],
        epoch: 1,
        break_glass: false,
        passed: vec![],
        trace: None,
        plain: None,
    }
}

fn outcome(of: u64, outcome: Outcome) -> Event<'static> {
    let (task, generation) = ("t".into(), 1);
    let (task_over, noted, break_glass) = (false, 0, false);
    Event::Outcome { task, generation, of, outcome, task_over, noted, break_glass }
}

fn starting(of: u64) -> Event<'static> {
    Event::Starting { task: "t".into(), generation: 1, of, break_glass: false }
}

fn voided() -> Event<'static> {
    let (task, question) = ("t".into(), "q".into());
    let (state, why) = ("void".into(), "policy".into());
    Event::Voided { task, generation: 1, question, state, why, break_glass: false }
}

fn ended() -> Event<'static> {
    let (how, running) = (How::Completed, vec![]);
    Event::Ended { task: "t".into(), generation: 1, how, reason: None, running, unsettled: false }
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
        Event::Answered(_) => {
            let mut answer = answer;
            if let Event::Answered(AnswerGiven { refused, .. }) = &mut answer {
                *refused = Some("stale_view".into());
            }
            answer
        }
        other => other,
    };
    let abandoned = || outcome(3, Outcome::Abandoned);
    let done = || outcome(3, Outcome::Ok);
    let deny = || answered("bob", Answered::Deny, None);
    let ran = [asked(), approved(), permitted(1), starting(3), done()];
    assert_eq!(read(ran.clone(), None), Ok(()));
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
        ("twice, after it ran", ran.into_iter().chain([permitted(1)]).collect(), None),
    ];
    for (what, events, last_at) in faulty {
        let seq = events.len() as u64;
        assert_eq!(read(events, last_at), Err(Fault::NotApproved { seq }), "{what}");
    }
    assert_eq!(read([asked(), approved(), permitted(1)], Some(GOOD_UNTIL - 1)), Ok(()));
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

/// The call that a permit is of, changed.
fn permitted_to(who: &'static str, tool: &'static str, args: &'static str) -> Event<'static> {
    let mut event = permitted(1);
    if let Event::Permitted { who: own_who, tool: own_tool, args: own_args, .. } = &mut event {
        (*own_who, *own_tool, *own_args) = (who.into(), tool.into(), args.into());
    }
    event
}

fn of_no_one(mut event: Event<'static>) -> Event<'static> {
    if let Event::Answered(AnswerGiven { who, .. }) = &mut event {
        *who = None;
    }
    event
}

fn rekeyed() -> Event<'static> {
    Event::Rekeyed { key: next_keys().active().to_string().into() }
}

/// The first fault of records at these times.
fn read_at(records: impl IntoIterator<Item = (i64, Event<'static>)>) -> Result<(), Fault> {
    let mut approvals = Approvals::default();
    (1..)
        .zip(records)
        .try_for_each(|(seq, (time, event))| approvals.note(&Record { seq, at: at(time), event }))
}

/// attack 113: whatever ends a question ends it for good
#[test]
fn what_was_denied_cancelled_or_voided_takes_no_answer_and_does_not_end_again() {
    let deny = || answered("bob", Answered::Deny, None);
    let cancel = || of_no_one(answered("payer", Answered::Cancel, None));
    let agreed = || answered("bob", Answered::Approve, None);
    let confirmed = || answered("ada", Answered::Confirm, Some(GOOD_UNTIL));
    for end in [deny, cancel, voided as fn() -> _] {
        assert_eq!(read([asked(), end()], None), Ok(()));
        assert_eq!(read([asked(), agreed(), end()], None), Ok(()), "of two that are needed");
        for late in [approved, agreed, confirmed, deny, cancel, voided as fn() -> _] {
            assert_eq!(read([asked(), end(), late()], None), Err(Fault::Settled { seq: 3 }));
        }
    }
    assert_eq!(
        read([asked(), approved(), cancel()], None),
        Err(Fault::Settled { seq: 3 }),
        "what is approved is withdrawn by a no, and not cancelled"
    );
}

/// P6: a no before the start takes the yes back.
#[test]
fn a_no_withdraws_an_approval_until_its_call_has_run() {
    let deny = || answered("bob", Answered::Deny, None);
    let withdrawn = [asked(), approved(), permitted(1), deny()];
    assert_eq!(read(withdrawn.clone(), None), Ok(()));
    let ends = withdrawn.into_iter().chain([outcome(3, Outcome::Abandoned)]);
    let again = ends.chain([permitted(1)]);
    assert_eq!(read(again, None), Err(Fault::NotApproved { seq: 6 }), "it does not come back");
    let given_back = || [asked(), approved(), permitted(1), outcome(3, Outcome::Abandoned)];
    assert_eq!(read(given_back().into_iter().chain([deny()]), None), Ok(()));
    let voided_spent = [asked(), approved(), permitted(1), voided()];
    assert_eq!(read(voided_spent, None), Ok(()));
    for ran in [Outcome::Ok, Outcome::Error, Outcome::Interrupted] {
        let late = [asked(), approved(), permitted(1), starting(3), outcome(3, ran), deny()];
        assert_eq!(read(late, None), Err(Fault::Settled { seq: 6 }), "{ran:?}");
    }
}

/// attack 170: the log says of a call that it was about to start before it says anything of its end
#[test]
fn a_call_of_an_approval_has_run_only_where_it_was_about_to_start() {
    let begun = || vec![asked(), approved(), permitted(1)];
    let with = |more: Vec<_>| read(begun().into_iter().chain(more), None);
    for outcome_is in [Outcome::Ok, Outcome::Error, Outcome::Interrupted, Outcome::Unknown] {
        let ran = || outcome(3, outcome_is);
        assert_eq!(with(vec![starting(3), ran()]), Ok(()), "{outcome_is:?}");
        assert_eq!(with(vec![ran()]), Err(Fault::Unstarted { seq: 4 }), "{outcome_is:?}");
    }
    assert_eq!(with(vec![outcome(3, Outcome::Abandoned)]), Ok(()));
    assert_eq!(with(vec![starting(3), outcome(3, Outcome::Abandoned)]), Ok(()), "late");
    let faulty = [
        ("twice", vec![starting(3), starting(3)]),
        ("of no permit", vec![outcome(3, Outcome::Abandoned), starting(9)]),
        ("after its end", vec![outcome(3, Outcome::Abandoned), starting(3)]),
    ];
    for (what, more) in faulty {
        assert_eq!(with(more), Err(Fault::Unstarted { seq: 5 }), "{what}");
    }
    // What passed by the approval of a scope takes no use of it, and starts as any other call.
    let agreed = to_items(answered("bob", Answered::Approve, None), &[1], &[1], GOOD_UNTIL);
    let scope = [plan(), agreed, permitted_to("payer", "deploy", "any")];
    let ran = scope.clone().into_iter().chain([outcome(3, Outcome::Ok)]);
    assert_eq!(read(ran, None), Ok(()));
    let begun = scope.into_iter().chain([starting(3)]);
    assert_eq!(read(begun, None), Err(Fault::Unstarted { seq: 4 }));
}

/// P6: a time to answer that is over is over for a yes and for a no.
#[test]
fn an_answer_counts_before_the_question_expires() {
    for answer in [Answered::Approve, Answered::Confirm, Answered::Deny] {
        let answered_at =
            |time| read_at([(1, asked()), (time, answered("bob", answer, Some(at_most(time))))]);
        assert_eq!(answered_at(GOOD_UNTIL - 1), Ok(()), "{answer:?}");
        assert_eq!(answered_at(GOOD_UNTIL), Err(Fault::Settled { seq: 2 }), "{answer:?}");
    }
    // It may be redeemed after that, as long as the yes is good.
    let good = answered("bob", Answered::Approve, Some(3_000));
    assert_eq!(read_at([(1, asked()), (999, good), (2_999, permitted(1))]), Ok(()));
}

fn at_most(time: i64) -> i64 {
    time + 1_000
}

/// P6: how long a yes is good is said by the one that made it complete.
#[test]
fn a_yes_to_what_is_complete_counts_and_moves_nothing() {
    let more = |good_until| answered("eve", Answered::Approve, good_until);
    let until =
        |time, more| read_at([(1, asked()), (2, approved()), (3, more), (time, permitted(1))]);
    assert_eq!(until(GOOD_UNTIL - 1, more(None)), Ok(()));
    assert_eq!(until(GOOD_UNTIL, more(None)), Err(Fault::NotApproved { seq: 4 }));
    assert_eq!(until(4, more(Some(5_000))), Err(Fault::Settled { seq: 3 }));
    assert_eq!(
        read_at([(1, asked()), (2, approved()), (GOOD_UNTIL, more(None))]),
        Err(Fault::Settled { seq: 3 }),
        "it has lapsed"
    );
    let spent = [asked(), approved(), permitted(1), more(None)];
    assert_eq!(read(spent, None), Err(Fault::Settled { seq: 4 }));
}

/// attack 104: the asker in another spelling is the asker
#[test]
fn a_party_does_not_approve_under_another_spelling_of_its_name() {
    for party in ["PAYER", " payer", "ｐａｙｅｒ", "Ada", "ada\u{a0}"] {
        let own = answered(party, Answered::Approve, Some(GOOD_UNTIL));
        assert_eq!(read([asked(), own], None), Err(Fault::OwnApproval { seq: 2 }), "{party}");
    }
}

#[test]
fn no_one_answers_and_takes_back_at_most() {
    for answer in [Answered::Approve, Answered::Confirm, Answered::Deny] {
        let answer = of_no_one(answered("bob", answer, Some(GOOD_UNTIL)));
        assert_eq!(read([asked(), answer], None), Err(Fault::OfNoOne { seq: 2 }));
    }
    let taken_back = of_no_one(answered("payer", Answered::Cancel, None));
    assert_eq!(read([asked(), taken_back], None), Ok(()));
}

/// P6: exactly the call that was asked about, by who asked.
#[test]
fn what_is_redeemed_is_the_call_that_was_asked_about_by_who_asked() {
    let redeemed = |permit| read([asked(), approved(), permit], None);
    assert_eq!(redeemed(permitted_to("payer", "bank.pay", "00")), Ok(()));
    let other = Err(Fault::OtherCall { seq: 3 });
    assert_eq!(redeemed(permitted_to("mallory", "bank.pay", "00")), other);
    assert_eq!(redeemed(permitted_to("Payer", "bank.pay", "00")), other, "another identity");
    assert_eq!(redeemed(permitted_to("payer", "bank.close", "00")), other);
    assert_eq!(redeemed(permitted_to("payer", "bank.pay", "11")), other);
}

#[test]
fn one_permit_redeems_a_question_once() {
    let mut twice = permitted(1);
    if let Event::Permitted { approvals, .. } = &mut twice {
        *approvals = vec!["q".into(), "q".into()];
    }
    assert_eq!(read([asked(), approved(), twice], None), Err(Fault::NotApproved { seq: 3 }));
}

/// As they are written, in a chain: the verifier is told of changes of the key.
#[test]
fn arguments_are_compared_under_one_key_alone() {
    let verified = |events: Vec<Event<'static>>| {
        let secret = SecretKey::from_bytes(&(32..64).collect::<Vec<u8>>()).unwrap();
        let first = ChainKey::of(LogKeys::from_secret(secret).active_key());
        let next = ChainKey::of(next_keys().active_key());
        let (mut key, mut tag) = (&first, first.start().tag);
        let mut lines = Vec::new();
        for (seq, event) in (1..).zip(&events) {
            let mut line = String::new();
            Body::new(at(seq as i64), event).unwrap().push_line(seq, &mut line);
            tag = key.next(&tag, &line).unwrap();
            lines.push((line, tag));
            if let Event::Rekeyed { .. } = event {
                key = &next;
            }
        }
        let lines = lines.iter().map(|(line, tag)| (line.as_str(), *tag));
        verify_headless(lines, &first, None).map(drop)
    };
    let other_args = || permitted_to("payer", "bank.pay", "11");
    assert_eq!(verified(vec![asked(), approved(), rekeyed(), other_args()]), Ok(()));
    let before = vec![rekeyed(), asked(), approved(), other_args()];
    assert_eq!(verified(before), Err(Fault::OtherCall { seq: 4 }));
    for other in [permitted_to("mallory", "bank.pay", "11"), permitted_to("payer", "x", "11")] {
        let events = vec![asked(), approved(), rekeyed(), other];
        assert_eq!(verified(events), Err(Fault::OtherCall { seq: 4 }));
    }
}

/// attack 160: who amended a call is a party to what is asked in its place
#[test]
fn what_is_amended_is_over_and_who_did_is_a_party_to_what_is_asked_in_its_place() {
    let next = |party: &'static str, of: &'static str| {
        let mut event = asked();
        if let Event::Asked(Asked { question, parties, amends, .. }) = &mut event {
            (*question, *parties, *amends) = ("r".into(), vec![party.into()], Some(of.into()));
        }
        event
    };
    let amend = || answered("bob", Answered::Amend, None);
    assert_eq!(read([asked(), next("Bob", "q"), amend()], None), Ok(()));
    let after = [asked(), next("bob", "q"), amend(), approved()];
    assert_eq!(read(after, None), Err(Fault::Settled { seq: 4 }));
    let apart = [asked(), next("eve", "q"), amend()];
    assert_eq!(read(apart, None), Err(Fault::OwnApproval { seq: 3 }));
    assert_eq!(read([asked(), next("bob", "p"), amend()], None), Err(Fault::NoQuestion { seq: 3 }));
    assert_eq!(read([asked(), amend()], None), Err(Fault::NoQuestion { seq: 2 }));
    let own = [asked(), next("ada", "q"), answered("ada", Answered::Amend, None)];
    assert_eq!(read(own, None), Err(Fault::OwnApproval { seq: 3 }));
}
