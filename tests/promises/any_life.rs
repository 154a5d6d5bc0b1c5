//! P2, P3, P9, P10, P11: whatever is done in whatever order, answers, what stands and the log are
//! those of a model that is a list of tasks, grants and permits.

use std::time::Duration;

use hallpass::Broker;
use hallpass::prelude::*;
use hallpass::testing::ManualClock;
use proptest::prelude::*;

use crate::case::cases;
use crate::universe::{at, config};
use crate::world::run;

proptest! {
    #![proptest_config(config(200))]

    /// P2, P3, P9, P10, P11
    #[test]
    fn a_broker_answers_records_and_forgets_as_its_model_does(case in cases(60)) {
        run(&case);
    }
}

/// A dry run answers as the call would, also where a permit that was not started has lapsed.
#[test]
fn a_dry_run_counts_a_lapsed_permit_as_given_back() {
    let clock = ManualClock::new(at(0));
    let rule = Rule::permit("once").any_tool().any_args().uses(1);
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let task = broker.open(&caller, Purpose::new("p")).unwrap();
    let grant = task.request(Scope::tool("t").any_args(), &Context::new()).unwrap();
    let gate = broker.gate();
    let call = || Call::new("t", serde_json::json!({})).unwrap();
    let kept = gate.authorize(grant.token(), &caller, call(), &Context::new()).unwrap();
    let dry = || gate.check(grant.token(), &caller, &call(), &Context::new());
    assert_eq!(dry().unwrap_err().reason(), Reason::UsesSpent);
    clock.advance(Duration::from_secs(30));
    assert!(dry().is_ok());
    assert!(gate.authorize(grant.token(), &caller, call(), &Context::new()).is_ok());
    assert_eq!(kept.start().unwrap_err().reason(), Reason::PermitLapsed);
    assert!(broker.verify_log().unwrap().without_outcome.is_empty());
}
