use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

fn once(until: i64, number: u128, path: &[u128]) -> Once {
    let path = path.iter().map(|mark| mark.to_be_bytes()).collect();
    Once { until: at(until), nonce: number.to_be_bytes(), path }
}

fn refused(result: Result<(), Denial>) -> Reason {
    result.unwrap_err().reason()
}

/// Presents until there is no room: how often there was.
fn fill(nonces: &mut Nonces, numbers: &mut std::ops::RangeFrom<u128>, path: &[u128]) -> usize {
    for taken in 0.. {
        let once = once(10, numbers.next().unwrap(), path);
        let probed = nonces.probe(&once, at(0)).map_err(|denial| denial.reason());
        let answer = nonces.take(&once, at(0)).map_err(|denial| denial.reason());
        assert_eq!(probed, answer);
        match answer {
            Ok(()) => {}
            Err(reason) => {
                assert_eq!(reason, Reason::TooMany);
                return taken;
            }
        }
    }
    unreachable!("it ends")
}

/// attack 76
#[test]
fn a_nonce_is_taken_once() {
    let mut nonces = Nonces::default();
    nonces.take(&once(10, 1, &[]), at(0)).unwrap();
    for path in [&[][..], &[7], &[7, 8]] {
        let again = |nonces: &mut Nonces, now| refused(nonces.take(&once(10, 1, path), at(now)));
        assert_eq!(again(&mut nonces, 0), Reason::Replayed);
        assert_eq!(again(&mut nonces, 9), Reason::Replayed);
        assert_eq!(again(&mut nonces, 10), Reason::StalePresentation);
    }
    nonces.take(&once(10, 2, &[]), at(9)).unwrap();
}

/// attack 77
#[test]
fn a_live_nonce_is_never_forgotten_and_what_does_not_fit_is_refused() {
    let mut nonces = Nonces::default();
    for number in 0..MOST as u128 {
        nonces.take(&once(10, number, &[]), at(0)).unwrap();
    }
    for number in 0..17_000 {
        let expected = match number < MOST as u128 {
            true => Reason::Replayed,
            false => Reason::TooMany,
        };
        assert_eq!(refused(nonces.take(&once(10, number, &[]), at(9))), expected);
    }
    assert_eq!(refused(nonces.take(&once(20, 1 << 100, &[]), at(9))), Reason::TooMany);
    assert_eq!(refused(nonces.probe(&once(20, 1 << 100, &[]), at(9))), Reason::TooMany);
    nonces.probe(&once(20, 1 << 100, &[]), at(10)).unwrap();
    nonces.take(&once(20, 1 << 100, &[]), at(10)).unwrap();
    assert_eq!(nonces.live.len(), 1);
}

/// Two decisions read the clock in one order and get here in the other: what the later one made
/// the broker forget is not new to the earlier one.
#[test]
fn a_decision_with_an_older_reading_cannot_replay_what_was_just_forgotten() {
    let mut nonces = Nonces::default();
    nonces.take(&once(10, 1, &[]), at(0)).unwrap();
    nonces.take(&once(30, 2, &[]), at(10)).unwrap();
    assert_eq!(nonces.live.len(), 1);
    assert_eq!(refused(nonces.take(&once(10, 1, &[]), at(9))), Reason::StalePresentation);
}

/// attack 77: the holder of the narrowest token silences neither the grant nor those before it
#[test]
fn each_narrowing_leaves_room_to_the_one_before_it() {
    let path: Vec<u128> = (1..=16).collect();
    let mut nonces = Nonces::default();
    let mut numbers = 0..;
    // It and the narrowings before it take a unit each.
    assert_eq!(fill(&mut nonces, &mut numbers, &path), KEPT_BY_EACH - 1);
    for narrowed in (1..16).rev() {
        let before = &path[..narrowed];
        assert_eq!(fill(&mut nonces, &mut numbers, before), KEPT_BY_EACH - 1, "{narrowed}");
    }
    assert_eq!(nonces.narrowed, MOST_OF_FIRST);
    assert_eq!(fill(&mut nonces, &mut numbers, &[]), MOST - MOST_OF_FIRST);
}

/// attack 77: what a holder makes of its token offline counts with it, however much that is
#[test]
fn a_narrowed_token_has_its_share_however_often_it_is_narrowed_again() {
    let mut nonces = Nonces::default();
    let mut numbers = 0..;
    for child in 100.. {
        if fill(&mut nonces, &mut numbers, &[1, child, child + 1_000_000, child + 2_000_000]) == 0 {
            break;
        }
    }
    assert!(nonces.narrowed <= MOST_OF_FIRST);
    let other = fill(&mut nonces, &mut numbers, &[2]);
    assert_eq!(other, MOST_OF_FIRST - 1, "another narrowing has its own share");
    fill(&mut nonces, &mut numbers, &[3]);
    assert_eq!(fill(&mut nonces, &mut numbers, &[4]), 0, "all of them together have theirs");
    assert!(nonces.narrowed <= MOST_NARROWED);
    assert!(fill(&mut nonces, &mut numbers, &[]) >= MOST - MOST_NARROWED);
    assert_eq!(nonces.live.len() + nonces.narrowings.len(), MOST);

    nonces.take(&once(20, 1 << 100, &[5, 6]), at(10)).unwrap();
    assert_eq!((nonces.live.len(), nonces.narrowings.len(), nonces.narrowed), (1, 2, 3));
    nonces.take(&once(30, 1 << 101, &[]), at(20)).unwrap();
    assert_eq!((nonces.live.len(), nonces.narrowings.len(), nonces.narrowed), (1, 0, 0));
}

proptest! {
    /// What each narrowing takes is what a count of everything finds.
    #[test]
    fn what_is_taken_is_what_is_there(
        steps in prop::collection::vec((0_i64..40, 0_u128..30, prop::collection::vec(0_u128..3, 0..4)), 1..80),
    ) {
        let mut nonces = Nonces::default();
        let mut live: BTreeMap<(i64, u128), Vec<u128>> = BTreeMap::new();
        let mut now = 0;
        for (step, number, ids) in steps {
            now += step % 4;
            // Marks are of all that comes before: two narrowings alike under different tokens are two.
            let path: Vec<u128> = ids
                .iter()
                .scan(0, |before, id| { *before = *before * 4 + id + 1; Some(*before) })
                .collect();
            let until = now + 1 + step;
            let fresh = !live.contains_key(&(until, number));
            let taken = nonces.take(&once(until, number, &path), at(now));
            prop_assert_eq!(taken.is_ok(), fresh);
            // What is refused forgets nothing.
            if fresh {
                live.retain(|(until, _), _| now < *until);
                live.insert((until, number), path);
            }

            let mut units: BTreeMap<Mark, usize> = BTreeMap::new();
            let mut known: std::collections::BTreeSet<&[u128]> = std::collections::BTreeSet::new();
            for path in live.values() {
                known.extend((1..=path.len()).map(|end| &path[..end]));
            }
            let paths = live.values().map(|path| &path[..]).chain(known.iter().copied());
            for path in paths {
                for mark in path {
                    *units.entry(mark.to_be_bytes()).or_default() += 1;
                }
            }
            let told: BTreeMap<Mark, usize> =
                nonces.narrowings.iter().map(|(mark, own)| (*mark, own.units)).collect();
            prop_assert_eq!(told, units);
            let narrowed = live.values().filter(|path| !path.is_empty()).count() + known.len();
            prop_assert_eq!(nonces.narrowed, narrowed);
        }
    }
}
