//! P2, P4, P7, P8, P9, P10, P11, P12: whatever is done in whatever order, by whom and under which policy,
//! every answer, what stands, what is counted and the log are those of a model that is a few lists.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::life::live;
use crate::life_case::life_cases;
use crate::life_tally::Tally;
use crate::universe::config;

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
