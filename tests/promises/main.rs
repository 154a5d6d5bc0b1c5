//! The promises, as properties: random policies, identities, calls and operations, put to the broker
//! and to a model that knows no index, no table and no shortcut.
//!
//! Here are P1 to P5, P7 and P9 to P12, and of P8 what is minted; what narrowing and presentations say on the
//! wire is in `tests/token`, the rest of P8 in `tests/secrets`, P6 in `tests/approvals`.
//!
//! Two models are driven next to a broker. `any_life` asks with rules and scopes of every kind, and looks
//! at what is answered call by call. `whole_life` does everything there is to do, in a universe so small
//! that every answer can be foretold.
//!
//! `PROPTEST_CASES` sets how many cases each property tries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod case;
mod defaults;
mod door;
mod giving;
mod in_hand;
mod kept_log;
mod life;
mod life_asks;
mod life_calls;
mod life_case;
mod life_defaults;
mod life_delegation;
mod life_ends;
mod life_explained;
mod life_limits;
mod life_listing;
mod life_log;
mod life_minting;
mod life_notes;
mod life_read;
mod life_reload;
mod life_renewal;
mod life_replayed;
mod life_restart;
mod life_rows;
mod life_runs;
mod life_spells;
mod life_tally;
mod life_trimming;
mod life_withdrawals;
mod model;
mod model_rules;
mod model_values;
mod probe;
mod random;
mod random_constraints;
mod reading;
mod settling;
mod small;
mod small_drawn;
mod spelling;
mod spelling_constraints;
mod stand;
mod summed;
mod universe;
mod world;
mod world_asks;
mod world_calls;
mod world_ends;
mod world_log;
mod world_spells;
mod written;

mod any_life;
mod p01_nothing_by_default;
mod p02_nothing_left_behind;
mod p03_break_glass;
mod p03_defaults;
mod p03_exactly;
mod p03_few_ways;
mod p03_noted;
mod p03_within_policy;
mod p04_within_parent;
mod p05_defaults;
mod p05_forbid_beats_ask_beats_permit;
mod p05_index;
mod p05_written;
mod p09_recorded_or_refused;
mod p10_doubt_denies;
mod p11_threads;
mod whole_life;
