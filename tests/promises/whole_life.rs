//! P2, P4, P7, P8, P9, P10, P11, P12: whatever is done in whatever order, by whom and under which policy,
//! every answer, what stands, what is counted and the log are those of a model that is a few lists.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::case::{End, Wanted};
use crate::life::live;
use crate::life_case::{Act, Done, Timed, life_cases};
use crate::life_minting::Minting;
use crate::life_tally::Tally;
use crate::life_withdrawals::Tending;
use crate::universe::{WhySaid, config};

proptest! {
    #![proptest_config(config(100))]

    /// P2, P4, P7, P8, P9, P10, P11, P12; attacks 55, 61, 65, 76, 87, 88, 89, 91, 92, 96, 97, 100, 102,
    /// 103, 138, 140, 153 and 178
    #[test]
    fn a_broker_lives_as_its_model_does(case in life_cases(120)) {
        live(&case);
    }
}

/// The lives above are worth something only if things happen in them.
#[test]
fn lives_at_random_see_all_there_is_to_see() {
    let mut runner = TestRunner::deterministic();
    let mut seen = Tally::default();
    for _ in 0..120 {
        let case = life_cases(200).new_tree(&mut runner).unwrap().current();
        seen.add(&live(&case));
    }
    println!("{seen:?}");
    // Requests that were to be trimmed and of which nothing was left, rules decided part by part: they are named as that.
    let as_a_whole = seen.ruled - seen.ruled_by_parts;
    assert!(seen.ruled_again * 100 >= as_a_whole * 99, "of the log alone: {seen:?}");
    for (what, often) in seen.all() {
        assert!(often > 0, "no life saw what is {what}: {seen:?}");
    }
}

/// What can't be withdrawn is told as owed when its task is settled. Once it is to have expired it is looked at again, stands
/// still, and the broker is gone before it is withdrawn.
#[test]
fn a_task_stays_settled_though_what_it_left_is_found_to_stand_still() {
    let mut runner = TestRunner::deterministic();
    let mut seen = Tally::default();
    for _ in 0..20 {
        let mut case = life_cases(2).new_tree(&mut runner).unwrap().current();
        let why = WhySaid { name: "reporting".into(), ticket: None };
        let open = Act::Open { who: 0, why, name: None };
        let mut ops = vec![open.clone()];
        for n in 0..8 {
            let (wanted, timed) = (Wanted::OfPermit(n), Timed::default());
            let asked =
                Act::Request { task: 0, holder: None, wanted, context: n, trimmed: false, timed };
            ops.extend([asked, Act::Mint(Minting::Call(n)), Act::FinishCall(0, Done::Well)]);
        }
        ops.extend([
            Act::End { task: 0, how: End::Complete, wait: false },
            Act::Mint(Minting::Tend(Tending::REFUSED)),
            Act::Advance(900),
            Act::Mint(Minting::Tend(Tending::WELL)),
            // Who opens a task writes what waits to be written.
            open,
            Act::Restart { closed: false, rekeyed: false },
        ]);
        case.ops = ops;
        seen.add(&live(&case));
    }
    assert!(seen.handed_over > 0, "{seen:?}");
}
