//! P2, P3, P9, P10, P11: whatever is done in whatever order, answers, what stands and the log are
//! those of a model that is a list of tasks, grants and permits.

use proptest::prelude::*;

use crate::universe::config;
use crate::world::{cases, run};

proptest! {
    #![proptest_config(config(96))]

    /// P2, P3, P9, P10, P11
    #[test]
    fn a_broker_answers_records_and_forgets_as_its_model_does(case in cases(60)) {
        run(&case);
    }
}
