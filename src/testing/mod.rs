//! What test suites use, ours and those of hosts: a clock that is moved by hand, a log and a provider that fail on
//! cue, the replay of traces, and assertions that explain themselves: [`assert_permitted!`](crate::assert_permitted),
//! [`assert_denied!`](crate::assert_denied) and [`assert_nothing_stands!`](crate::assert_nothing_stands).

mod asserts;
mod attacks;
mod hanging;
mod ids;
mod policy_question;
mod policy_test;
mod provider;
mod replay;
mod sink;
#[cfg(feature = "proptest")]
#[cfg_attr(docsrs, doc(cfg(feature = "proptest")))]
pub mod strategies;

pub use crate::clock::ManualClock;
pub use asserts::{ask, call, granted};
#[doc(hidden)]
pub use asserts::{expect_denied, expect_nothing_stands, expect_permitted};
pub use attacks::{AttackReport, PassingAttack, attacks};
pub use hanging::HangingSink;
pub use ids::numbered_grants;
pub use policy_question::{PolicyQuestion, PolicyQuestionError};
pub use policy_test::{PolicyTestFailure, PolicyTestReport, PolicyTests, UnnoticedChange};
pub use provider::{Mint, ScriptedProvider, Verify, Withdraw};
pub use replay::{Replay, replay};
pub use sink::FailingSink;
