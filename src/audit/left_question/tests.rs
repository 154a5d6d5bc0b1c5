use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_millis(minute * 60_000).unwrap()
}

fn left(of_call: bool, tools: &[&str], since: Vec<SinceAsked>) -> LeftQuestion {
    LeftQuestion {
        task: "bills".into(),
        generation: 1,
        break_glass: false,
        of_call,
        tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
        rules: vec!["ask".into()],
        asked: at(0),
        expires: at(15),
        kept: None,
        since,
    }
}

fn answered(answer: Answered, width: Option<&str>, items: &[u32], given: &[u32]) -> SinceAsked {
    SinceAsked::Answered(LeftAnswer {
        at: at(1),
        answer,
        who: None,
        shown: None,
        width: width.map(str::to_owned),
        items: items.to_vec(),
        given: given.to_vec(),
        good_until: None,
    })
}

fn permitted(seq: u64) -> SinceAsked {
    SinceAsked::Permitted { seq, rules: vec![] }
}

/// What rests after denials is what was denied, and each of it once.
#[test]
fn a_no_denies_the_items_that_it_names_and_that_had_no_answer() {
    let call = left(true, &["pay"], vec![]);
    assert_eq!(call.denied_tools(&[]), ["pay"]);
    let plan = |since| left(false, &["a", "b", "c"], since);
    assert_eq!(plan(vec![]).denied_tools(&[2]), ["b"]);
    assert_eq!(plan(vec![]).denied_tools(&[1, 3]), ["a", "c"]);
    let denied = plan(vec![answered(Answered::Deny, None, &[2], &[])]);
    assert_eq!(denied.denied_tools(&[1, 2]), ["a"]);
    // A yes that was not enough settles nothing; one that gave it does.
    let agreed = plan(vec![answered(Answered::Approve, None, &[1, 2], &[1])]);
    assert_eq!(agreed.denied_tools(&[1, 2]), ["b"]);
}

#[test]
fn a_yes_is_used_up_by_as_many_permits_as_the_narrowest_of_it_lets() {
    let is_used_up = |since| left(true, &["pay"], since).is_used_up(|_| false);
    let yes = |width| answered(Answered::Approve, width, &[], &[]);
    assert!(!is_used_up(vec![]));
    assert!(!is_used_up(vec![yes(None)]));
    assert!(is_used_up(vec![yes(None), permitted(7)]));
    for widths in [["calls:3", "calls:2"], ["calls:2", "calls:3"]] {
        let [one, other] = widths.map(|own| yes(Some(own)));
        let used = |permits| {
            let taken = (0..permits).map(permitted);
            is_used_up([one.clone(), other.clone()].into_iter().chain(taken).collect())
        };
        assert!(!used(1) && used(2), "{widths:?}");
    }
    // Of a confirmation nothing is chosen.
    let confirmed = answered(Answered::Confirm, None, &[], &[]);
    assert!(!is_used_up(vec![confirmed, yes(Some("calls:2")), permitted(7)]));
}

/// What never started comes back three times at most.
#[test]
fn what_never_started_does_not_use_a_yes_up_three_times() {
    let tries = |number: u64| {
        let each = |seq| [permitted(seq), SinceAsked::Ended { of: seq, abandoned: true }];
        let yes = answered(Answered::Approve, None, &[], &[]);
        std::iter::once(yes).chain((0..number).flat_map(each)).collect::<Vec<_>>()
    };
    let is_used_up = |since| left(true, &["pay"], since).is_used_up(|_| false);
    assert!(!is_used_up(tries(3)));
    assert!(is_used_up(tries(4)));
    // Nor does what a process that died had in its hands.
    let mut since = tries(2);
    since.push(permitted(9));
    let in_hand = left(true, &["pay"], since);
    assert!(!in_hand.is_used_up(|seq| seq == 9) && in_hand.is_used_up(|_| false));
    let ran = SinceAsked::Ended { of: 9, abandoned: false };
    let mut since = tries(2);
    since.extend([permitted(9), ran]);
    assert!(is_used_up(since));
}
