//! Approvals: a call waits until people agree, and exactly that call runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod amending;
mod answering;
mod as_shown;
mod asked_for;
mod bounds;
mod coming_back;
mod confirming;
mod desk;
mod dying;
mod events;
mod excluded;
mod explained;
mod histories;
mod kept_apart;
mod not_asked;
mod office;
mod parking;
mod partial;
mod plan_model;
mod plans;
mod plans_kept;
mod redeeming;
mod release;
mod resting;
mod seen_today;
mod texts;
mod traces;
mod voiding;
mod waiting;
mod widths;
mod widths_vary;
