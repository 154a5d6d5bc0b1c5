//! Fuzzing without a fuzzer: what each target checks, of its seeds and of everything that was once
//! found. The targets that look inside the crate are replayed in `scope::fuzzing`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

use hallpass_fuzz::{args, policy, scope, token, unless};

fn replay(target: &str, check: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut replayed = 0;
    for file in std::fs::read_dir(folder).expect("the target has seeds") {
        let path = file.unwrap().path();
        // Shown where a seed fails, so that it is known which.
        eprintln!("{}", path.display());
        check(&std::fs::read(path).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "no seeds");
}

#[test]
fn seeds_of_arguments_are_read_as_others_read_them() {
    replay("args", args::args);
}

#[test]
fn seeds_of_policies_load_with_the_digest_of_what_they_say() {
    replay("policy", policy::policy);
}

#[test]
fn seeds_of_scopes_read_back_what_they_say() {
    replay("scope", scope::scope);
}

#[test]
fn seeds_of_tokens_have_one_spelling_and_never_widen() {
    replay("token", token::token);
}

#[test]
fn seeds_of_policies_with_exceptions_are_decided_by_the_book() {
    replay("unless", unless::unless);
}

#[test]
fn seeds_of_policies_that_compare_with_notes_are_decided_by_the_book() {
    replay("noted", unless::noted);
}

/// A target of which nothing loads compares nothing.
#[test]
fn most_policies_with_exceptions_that_bytes_make_load() {
    let mut state = 1_u64;
    let mut byte = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let policies: Vec<Vec<u8>> = (0..60).map(|_| (0..96).map(|_| byte()).collect()).collect();
    for check in [unless::is_compared, unless::is_noted] {
        let loaded = policies.iter().filter(|bytes| check(bytes)).count();
        assert!(loaded >= 20, "{loaded} of {} loaded", policies.len());
    }
}
