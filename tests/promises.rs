//! The promises, as properties: random policies, identities, calls and operations, put to the broker
//! and to a model that knows no index, no table and no shortcut.
//!
//! Here are P1 to P5, P7 and P9 to P12; what narrowing and presentations say on the wire is in
//! `narrowing_properties.rs`, and P6 and P8 come with what they are about.
//!
//! Two models are driven beside a broker. `any_life` asks with rules and scopes of every kind, and looks
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

#[path = "promises/case.rs"]
mod case;
#[path = "promises/door.rs"]
mod door;
#[path = "promises/giving.rs"]
mod giving;
#[path = "promises/life.rs"]
mod life;
#[path = "promises/life_asks.rs"]
mod life_asks;
#[path = "promises/life_calls.rs"]
mod life_calls;
#[path = "promises/life_case.rs"]
mod life_case;
#[path = "promises/life_ends.rs"]
mod life_ends;
#[path = "promises/life_log.rs"]
mod life_log;
#[path = "promises/life_reload.rs"]
mod life_reload;
#[path = "promises/life_renewal.rs"]
mod life_renewal;
#[path = "promises/model.rs"]
mod model;
#[path = "promises/probe.rs"]
mod probe;
#[path = "promises/random.rs"]
mod random;
#[path = "promises/small.rs"]
mod small;
#[path = "promises/spelling.rs"]
mod spelling;
#[path = "promises/stand.rs"]
mod stand;
#[path = "promises/universe.rs"]
mod universe;
#[path = "promises/world.rs"]
mod world;
#[path = "promises/world_asks.rs"]
mod world_asks;
#[path = "promises/world_calls.rs"]
mod world_calls;
#[path = "promises/world_ends.rs"]
mod world_ends;
#[path = "promises/world_log.rs"]
mod world_log;

#[path = "promises/any_life.rs"]
mod any_life;
#[path = "promises/p01_nothing_by_default.rs"]
mod p01_nothing_by_default;
#[path = "promises/p02_nothing_left_behind.rs"]
mod p02_nothing_left_behind;
#[path = "promises/p03_within_policy.rs"]
mod p03_within_policy;
#[path = "promises/p04_within_parent.rs"]
mod p04_within_parent;
#[path = "promises/p05_forbid_beats_ask_beats_permit.rs"]
mod p05_forbid_beats_ask_beats_permit;
#[path = "promises/p05_index.rs"]
mod p05_index;
#[path = "promises/p10_doubt_denies.rs"]
mod p10_doubt_denies;
#[path = "promises/p11_threads.rs"]
mod p11_threads;
#[path = "promises/whole_life.rs"]
mod whole_life;
