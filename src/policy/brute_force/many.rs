//! All of it, for as many policies as are asked for.

use std::env;
use std::hash::{BuildHasher, Hasher, RandomState};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Answered, Compared, Universe, diff, lint, remedy, search};
use crate::policy::regions::model::{any_policy_or_defaults, any_rule, policy_like};
use crate::policy::{Policy, Rule};

/// How many policies are compared unless `HALLPASS_POLICIES` says so.
const USUAL: u64 = 200;

/// A number that the environment gives, if it gives one.
fn given(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{name}` is `{text}`, expected a number")))
}

fn drawn<S: Strategy>(strategy: S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// A policy like another but for one rule, which it has otherwise, more or not.
fn changed(policy: &Policy, at: usize, compares: bool, runner: &mut TestRunner) -> Policy {
    let mut rules: Vec<Rule> = policy.rules().cloned().collect();
    let place = at % (rules.len() + 1);
    match (rules.get_mut(place), at % 3) {
        (Some(_), 0) => drop(rules.remove(place)),
        (Some(own), _) => {
            let other = drawn(any_rule(place, compares), runner);
            // The others keep their names, and two of one name don't load.
            if other.id() == own.id() {
                *own = other;
            }
        }
        (None, _) => rules.push(drawn(any_rule(100 + at % 7, compares), runner)),
    }
    policy_like(policy, rules).unwrap_or_else(|| policy.clone())
}

/// What a difference, a search, lint and a nearest yes say, of very many policies:
///
/// ```sh
/// HALLPASS_POLICIES=100000 cargo test --lib policy::brute_force::many -- --ignored --nocapture
/// ```
///
/// Half of the policies are drawn anew, and half are the one before with one rule changed. The seed is printed;
/// `HALLPASS_SEED` draws the same again.
#[test]
#[ignore = "minutes for many policies: `HALLPASS_POLICIES` says how many"]
fn what_is_said_of_many_policies_is_what_asking_every_question_finds() {
    let many = given("HALLPASS_POLICIES").unwrap_or(USUAL);
    let seed = given("HALLPASS_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("{many} policies: HALLPASS_SEED={seed} draws the same again");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let universe = Universe::new();
    let mut before = Answered::of(Policy::builder().build().unwrap(), &universe);
    let [mut differences, mut searches, mut lints, mut remedies] = [Compared::default(); 4];
    for number in 0..many {
        // Half of them have rules that compare parts of the question with each other.
        let compares = number % 4 >= 2;
        let at = drawn(0..1_000_000_usize, &mut runner);
        let policy = match number % 2 {
            0 => drawn(any_policy_or_defaults(compares), &mut runner),
            _ => changed(&before.policy, at, compares, &mut runner),
        };
        let own = Answered::of(policy, &universe);
        let failed = |what: &str, why: String| -> ! {
            panic!("{what}, policy {number} of HALLPASS_SEED={seed}: {why}")
        };
        differences += diff::compare(&before, &own).unwrap_or_else(|why| failed("difference", why));
        searches += search::compare(&own, at).unwrap_or_else(|why| failed("search", why));
        lints += lint::compare(&own).unwrap_or_else(|why| failed("lint", why));
        remedies += remedy::compare(&own, at).unwrap_or_else(|why| failed("nearest yes", why));
        before = own;
        if (number + 1) % 10_000 == 0 {
            println!("{} policies", number + 1);
        }
    }
    for (what, own) in [
        ("differences", differences),
        ("searches", searches),
        ("lint", lints),
        ("nearest yes", remedies),
    ] {
        let Compared { shown, witnesses, undecided, missed } = own;
        let confirmed = format!("{shown} shown, {witnesses} witnesses confirmed");
        println!("{what}: {confirmed}, {undecided} undecided, {missed} missed");
    }
    if many >= 200 {
        assert!(differences.shown > 0 && differences.witnesses > 0, "{differences:?}");
        assert!(searches.witnesses > 0 && lints.shown > 0 && remedies.witnesses > 0);
    }
}
