//! How often a yes is redeemed, and for which arguments.

use super::*;
use crate::audit::{AnswerGiven, Asked};

/// Changes how far a yes reaches.
fn reaching(width: &'static str, mut event: Event<'static>) -> Event<'static> {
    if let Event::Answered(AnswerGiven { width: own, .. }) = &mut event {
        *own = Some(width.into());
    }
    event
}

fn varying(mut event: Event<'static>) -> Event<'static> {
    if let Event::Asked(Asked { vary, .. }) = &mut event {
        *vary = vec!["to".into()];
    }
    event
}

/// P6: one use each, for as many as the yes says.
#[test]
fn a_yes_is_redeemed_no_more_often_than_the_narrowest_of_its_widths_says() {
    let one = || reaching("calls:2", answered("bob", Answered::Approve, None));
    let two = || reaching("calls:5", answered("eve", Answered::Approve, Some(GOOD_UNTIL)));
    let calls = |number| {
        let mut events = vec![asked(), one(), two()];
        events.extend((0..number).map(|_| permitted(1)));
        events
    };
    assert_eq!(read(calls(2), None), Ok(()));
    assert_eq!(read(calls(3), None), Err(Fault::NotApproved { seq: 6 }));
    // Who says it anew says anew how far it reaches.
    let anew =
        [asked(), one(), reaching("calls:3", answered("bob", Answered::Approve, None)), two()];
    let calls = anew.into_iter().chain((0..3).map(|_| permitted(1)));
    assert_eq!(read(calls, None), Ok(()));
    // A confirmation chooses nothing, nor does a no.
    for chooses in [Answered::Confirm, Answered::Deny, Answered::Cancel, Answered::Amend] {
        let wide = reaching("calls:2", answered("bob", chooses, None));
        assert_eq!(read([asked(), wide], None), Err(Fault::NotOffered { seq: 2 }), "{chooses:?}");
    }
    let wrong = reaching("always", approved());
    assert_eq!(read([asked(), wrong], None), Err(Fault::Unreadable { seq: 2 }));
}

#[test]
fn a_wide_yes_gives_back_three_uses_and_is_taken_back_while_a_call_may_not_have_started() {
    let wide = || reaching("calls:2", approved());
    let deny = || answered("bob", Answered::Deny, None);
    let mut events = vec![asked(), wide()];
    for _ in 0..3 {
        events.push(permitted(1));
        events.push(outcome(events.len() as u64, Outcome::Abandoned));
    }
    events.extend([permitted(1), permitted(1)]);
    assert_eq!(read(events.clone(), None), Ok(()));
    events.push(permitted(1));
    assert_eq!(read(events.clone(), None), Err(Fault::NotApproved { seq: 11 }));
    *events.last_mut().unwrap() = starting(9);
    events.push(outcome(9, Outcome::Ok));
    let with = |last: Event<'static>| events.iter().cloned().chain([last]);
    assert_eq!(read(with(deny()), None), Ok(()), "one has no outcome");
    let both = with(starting(10)).chain([outcome(10, Outcome::Ok), deny()]);
    assert_eq!(read(both, None), Err(Fault::Settled { seq: 15 }), "both ran");
    let after = [asked(), wide(), permitted(1), deny(), permitted(1)];
    assert_eq!(read(after, None), Err(Fault::NotApproved { seq: 5 }));
}

/// attack 103: other arguments only where the rules let them vary, and the yes reaches further than one call
#[test]
fn other_arguments_are_redeemed_only_by_a_wide_yes_to_what_may_vary() {
    let other = || permitted_to("payer", "bank.pay", "01");
    let wide = || reaching("calls:2", approved());
    assert_eq!(read([varying(asked()), wide(), other()], None), Ok(()));
    let last = |events: [Event<'static>; 3]| read(events, None);
    assert_eq!(last([asked(), wide(), other()]), Err(Fault::OtherCall { seq: 3 }));
    assert_eq!(last([varying(asked()), approved(), other()]), Err(Fault::OtherCall { seq: 3 }));
    let tool = permitted_to("payer", "bank.refund", "01");
    assert_eq!(last([varying(asked()), wide(), tool]), Err(Fault::OtherCall { seq: 3 }));
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
