//! Questions about plans, and the grants of them.

use super::*;
use crate::audit::{AnswerGiven, Asked};

/// A plan of two deployments and a look at their status.
pub(super) fn plan() -> Event<'static> {
    let mut event = asked();
    if let Event::Asked(Asked { tool, args, scope, .. }) = &mut event {
        (*tool, *args) = (None, None);
        let text = r#"[{"tool":"deploy"},{"tool":"deploy"},{"tool":"status"}]"#;
        *scope = Some(std::borrow::Cow::Owned(Value::from_json(text).unwrap()));
    }
    event
}

/// An answer to items, of which some are given by it.
pub(super) fn to_items(
    mut event: Event<'static>,
    numbers: &[u32],
    now_given: &[u32],
    until: i64,
) -> Event<'static> {
    if let Event::Answered(AnswerGiven { items, given, good_until, .. }) = &mut event {
        (*items, *given) = (numbers.to_vec(), now_given.to_vec());
        *good_until = (!now_given.is_empty()).then(|| at(until));
    }
    event
}

fn granted_to(who: &'static str, own_generation: u64) -> Event<'static> {
    Event::Granted {
        aliases: Vec::new(),
        task: "t".into(),
        generation: own_generation,
        grant: "g".into(),
        serial: 1,
        parent: None,
        requester: "payer".into(),
        holder: who.into(),
        acts_for: vec![],
        scope: std::borrow::Cow::Owned(Value::from_json(r#"[{"tool":"deploy"}]"#).unwrap()),
        rules: vec![],
        approvals: vec!["q".into()],
        epoch: 1,
        policy: "p".into(),
        starts: None,
        expires: at(GOOD_UNTIL),
        trace: None,
        plain: None,
    }
}

/// P6: what was agreed to of a plan lets grants and calls pass, of its holder and in its time
#[test]
fn a_plan_lets_pass_what_was_given_of_it_as_long_as_that_is_good() {
    let yes = |numbers: &[u32]| {
        to_items(answered("bob", Answered::Approve, None), numbers, numbers, GOOD_UNTIL)
    };
    let no = |numbers: &[u32]| to_items(answered("bob", Answered::Deny, None), numbers, &[], 0);
    let granted = || granted_to("payer", 1);
    let deploys = || permitted_to("payer", "deploy", "any");
    let looks = || permitted_to("payer", "status", "any");
    let lawful = [plan(), yes(&[1]), granted(), deploys(), deploys(), granted()];
    assert_eq!(read(lawful, None), Ok(()), "it is kept");
    assert_eq!(read([plan(), yes(&[1]), no(&[3]), yes(&[2]), deploys()], None), Ok(()));
    let not_approved = [
        ("not answered", vec![plan(), granted()], None),
        ("another item", vec![plan(), yes(&[1, 2]), looks()], None),
        ("refused", vec![plan(), yes(&[1]), no(&[1]), granted()], None),
        ("voided", vec![plan(), yes(&[1]), voided(), deploys()], None),
        ("too late", vec![plan(), yes(&[1]), deploys()], Some(GOOD_UNTIL)),
        ("another task", vec![plan(), yes(&[1]), granted_to("payer", 2)], None),
        ("its task is over", vec![plan(), yes(&[1]), ended(), deploys()], None),
    ];
    for (what, events, last_at) in not_approved {
        let seq = events.len() as u64;
        assert_eq!(read(events, last_at), Err(Fault::NotApproved { seq }), "{what}");
    }
    for other in [granted_to("clerk", 1), permitted_to("payer", "drop", "any")] {
        let events = [plan(), yes(&[1]), other];
        assert_eq!(read(events, None), Err(Fault::OtherCall { seq: 3 }));
    }
    let of_a_call = [asked(), approved(), granted()];
    assert_eq!(read(of_a_call, None), Err(Fault::OtherCall { seq: 3 }), "it is of a call");
    for settled in [
        vec![plan(), no(&[1]), yes(&[1])],
        vec![plan(), yes(&[1]), yes(&[1])],
        vec![plan(), yes(&[4])],
        vec![plan(), yes(&[0])],
        vec![plan(), of_no_one(answered("payer", Answered::Cancel, None)), yes(&[1])],
        vec![plan(), to_items(approved(), &[1], &[1], 0), voided(), no(&[1])],
    ] {
        let seq = settled.len() as u64;
        assert_eq!(read(settled, None), Err(Fault::Settled { seq }));
    }
    let late = [plan(), yes(&[1])];
    assert_eq!(read(late, Some(GOOD_UNTIL)), Err(Fault::Settled { seq: 2 }));
    let own = to_items(answered("ada", Answered::Approve, None), &[1], &[1], GOOD_UNTIL);
    assert_eq!(read([plan(), own], None), Err(Fault::OwnApproval { seq: 2 }));
}

/// P6: a grant passes by what people agreed to where it gives that, or a part of it, and not where it gives more
#[test]
fn a_grant_lies_within_what_people_agreed_to() {
    let agreed = |item: &str| {
        let mut event = plan();
        if let Event::Asked(Asked { scope, .. }) = &mut event {
            *scope = Some(std::borrow::Cow::Owned(Value::from_json(&format!("[{item}]")).unwrap()));
        }
        [event, to_items(answered("bob", Answered::Approve, None), &[1], &[1], GOOD_UNTIL)]
    };
    let given = |item: &str, text: &str| {
        let mut event = granted_to("payer", 1);
        if let Event::Granted { scope, .. } = &mut event {
            *scope = std::borrow::Cow::Owned(Value::from_json(text).unwrap());
        }
        read(agreed(item).into_iter().chain([event]), None)
    };
    let item = r#"{"tool":"deploy","args":{"service":{"prefix":"api"}}}"#;
    let digest = r#"{"tool":"deploy","digest":"00"}"#;
    for (within, of) in [
        (item, r#"[{"tool":"deploy","args":{"service":{"prefix":"api"}}}]"#),
        (item, r#"[{"tool":"deploy","args":{"service":"api-eu"}}]"#),
        (item, r#"[{"tool":"status"},{"tool":"deploy","args":{"service":"api-eu"}}]"#),
        // Of what the log has a digest, it has the tool.
        (item, r#"{"digest":"00","tools":["deploy","status"]}"#),
        (digest, r#"[{"tool":"deploy","args":{"service":"db"}}]"#),
    ] {
        assert_eq!(given(within, of), Ok(()), "{of}");
    }
    for (item, other) in [
        (item, r#"[{"tool":"deploy","args":{"service":"db"}}]"#),
        (item, r#"[{"tool":"deploy","args":"any"}]"#),
        (item, r#"[{"tool":"status"}]"#),
        (item, r#"[]"#),
        (item, r#"{"digest":"00","tools":["status"]}"#),
        (digest, r#"[{"tool":"status"}]"#),
    ] {
        assert_eq!(given(item, other), Err(Fault::OtherCall { seq: 3 }), "{other}");
    }
}

#[test]
fn a_question_is_about_a_call_or_a_plan() {
    let with = |change: fn(&mut Event<'static>)| {
        let mut event = plan();
        change(&mut event);
        read([event], None)
    };
    let faulty: [fn(&mut Event<'static>); 3] = [
        |event| {
            if let Event::Asked(Asked { scope, .. }) = event {
                *scope = None;
            }
        },
        |event| {
            if let Event::Asked(Asked { tool, .. }) = event {
                *tool = Some("deploy".into());
            }
        },
        |event| {
            if let Event::Asked(Asked { scope, .. }) = event {
                *scope = Some(std::borrow::Cow::Owned(Value::List(vec![Value::from(1)])));
            }
        },
    ];
    for change in faulty {
        assert_eq!(with(change), Err(Fault::NoQuestion { seq: 1 }));
    }
}

#[test]
fn no_one_answers_an_item_and_takes_back_at_most() {
    for answer in [Answered::Approve, Answered::Confirm] {
        let given = to_items(of_no_one(answered("bob", answer, None)), &[1], &[1], GOOD_UNTIL);
        assert_eq!(read([plan(), given], None), Err(Fault::OfNoOne { seq: 2 }));
    }
    let no = to_items(of_no_one(answered("bob", Answered::Deny, None)), &[1], &[], 0);
    assert_eq!(read([plan(), no], None), Err(Fault::OfNoOne { seq: 2 }));
    let taken_back = of_no_one(answered("payer", Answered::Cancel, None));
    assert_eq!(read([plan(), taken_back], None), Ok(()));
}
