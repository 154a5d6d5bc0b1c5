use super::*;
use proptest::prelude::*;

fn complaint(assertion: Assertion) -> String {
    assertion.attest(1).unwrap_err().to_string()
}

fn texts(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|t| text(t)).collect())
}

#[test]
fn an_identity_says_what_was_asserted() {
    let who = Assertion::workload("spiffe://acme.test/ci")
        .groups(["deploy", "build"])
        .attr("team", text("growth"))
        .alias("ci@acme")
        .acts_for("bob", Kind::Agent)
        .acts_for("alice", Kind::Human)
        .attest(7)
        .unwrap();
    assert_eq!(who.attested_by(), 7);
    assert_eq!(who.subject().as_str(), "spiffe://acme.test/ci");
    assert_eq!(who.subject_value(), &text("spiffe://acme.test/ci"));
    assert_eq!((who.kind(), who.kind_value()), (Kind::Workload, &text("workload")));
    assert_eq!(who.groups().collect::<Vec<_>>(), ["build", "deploy"]);
    assert_eq!(who.groups_value(), &texts(&["build", "deploy"]));
    assert!(who.in_group("build") && !who.in_group("Build"));
    assert_eq!(who.attributes().get("team"), Some(&text("growth")));
    assert!(who.is_known_as("ci@acme") && who.is_known_as("spiffe://acme.test/ci"));
    assert!(!who.is_known_as("alice"));
    assert_eq!(who.acts_for_value(), &texts(&["bob", "alice"]));
    let kinds: Vec<_> = who.acts_for().iter().map(|actor| actor.kind).collect();
    assert_eq!(kinds, [Kind::Agent, Kind::Human]);
}

#[test]
fn a_plain_id_is_an_agents() {
    let who = Assertion::from("planner").attest(1).unwrap();
    assert_eq!(who.kind(), Kind::Agent);
    assert_eq!(Assertion::human("alice").attest(1).unwrap().kind(), Kind::Human);
}

#[test]
fn the_earlier_of_two_ends_of_validity_counts() {
    let [early, late] = [1, 2].map(|at| Timestamp::from_unix_millis(at).unwrap());
    let who = |assertion: Assertion| assertion.attest(1).unwrap();
    assert_eq!(who(Assertion::agent("a")).until(), None);
    assert_eq!(who(Assertion::agent("a").until(late).until(early)).until(), Some(early));
    assert_eq!(who(Assertion::agent("a").until(early).until(late)).until(), Some(early));
    assert!(!who(Assertion::agent("a").until(late)).is_past(early));
    assert!(who(Assertion::agent("a").until(late)).is_past(late), "at its end it is over");
    assert!(!who(Assertion::agent("a")).is_past(late));
}

#[test]
fn an_attribute_that_is_no_value_is_refused() {
    assert!(Assertion::agent("a").attr("share", 0.5).attest(1).is_ok());
    assert_eq!(
        complaint(Assertion::agent("a").attr("share", f64::NAN)),
        "identity attribute `share` is not a value: not a number"
    );
}

#[test]
fn a_clone_of_an_identity_is_the_same_and_shows_no_attributes() {
    let who = Assertion::agent("a").group("secret-g").attr("k", text("secret-v")).attest(3);
    let again = who.unwrap().clone();
    assert_eq!((again.subject().as_str(), again.attested_by()), ("a", 3));
    let shown = format!("{again:?}");
    assert!(shown.contains("Agent") && !shown.contains("secret"), "{shown}");
}

/// attack 104: nothing is folded; each spelling counts as declared
#[test]
fn aliases_are_recorded_verbatim() {
    let given = ["ALICE@x", "alice @x", "alice+1@x", "\u{FF41}lice@x"];
    let who = given.iter().fold(Assertion::human("alice@x"), |a, alias| a.alias(*alias));
    let who = who.alias("ALICE@x").attest(1).unwrap();
    assert_eq!(who.aliases().collect::<Vec<_>>(), given);
    assert!(given.iter().all(|alias| who.is_known_as(alias)));
    assert!(!who.is_known_as("Alice@x"));
}

/// A name that is not seen to differ, or that looks like a SPIFFE id, would be halted in vain.
#[test]
fn an_alias_has_no_spaces_around_it_and_claims_to_be_no_spiffe_id_that_it_is_not() {
    for (alias, told) in [
        (" alice@x", r"has `\u{20}` as character 1"),
        ("alice@x\u{A0}", r"has `\u{a0}` as character 8"),
        ("SPIFFE://acme.test/a", "does not start with lower-case"),
        ("spiffe://acme.test/a/", "trailing slash"),
    ] {
        let complaint = complaint(Assertion::human("ada").alias(alias));
        assert!(
            complaint.starts_with("identity alias ") && complaint.contains(told),
            "{complaint}"
        );
    }
    let who = Assertion::human("ada").alias("spiffe://acme.test/a").attest(1).unwrap();
    assert!(who.is_known_as("spiffe://acme.test/a"));
}

/// attack 10: a host whose sources differ normalises before it asserts
#[test]
fn two_unicode_spellings_are_two_groups() {
    let who = Assertion::agent("a").groups(["caf\u{E9}", "cafe\u{301}"]).attest(1).unwrap();
    assert_eq!(who.groups().len(), 2);
}

/// attack 12
#[test]
fn hidden_characters_are_refused_and_the_field_is_named() {
    let hidden = "a\u{200B}b";
    for (assertion, field) in [
        (Assertion::agent("a").group(hidden), "identity group "),
        (Assertion::agent("a").alias(hidden), "identity alias "),
        (Assertion::agent("a").attr(hidden, Value::Null), "identity attribute name "),
        (Assertion::agent("a").acts_for(hidden, Kind::Human), "identity acts_for "),
        (Assertion::agent(hidden), "identity subject "),
    ] {
        let complaint = complaint(assertion);
        assert!(complaint.starts_with(field) && complaint.contains(r"\u{200b}"), "{complaint}");
    }
}

#[test]
fn empty_and_overlong_names_are_refused() {
    for long in ["".to_owned(), "n".repeat(129)] {
        assert!(Assertion::agent("a").group(&*long).attest(1).is_err());
        assert!(Assertion::agent("a").attr(long, Value::Null).attest(1).is_err());
    }
    assert!(Assertion::agent("a").group("n".repeat(128)).attest(1).is_ok());
    assert!(Assertion::agent("a").alias("").attest(1).is_err());
    assert!(Assertion::agent("a").alias("n".repeat(255)).attest(1).is_ok());
    assert!(Assertion::agent("a").alias("n".repeat(256)).attest(1).is_err());
}

#[test]
fn an_attribute_given_twice_is_refused() {
    let twice = Assertion::agent("a").attr("team", Value::Null).attr("team", Value::Null);
    assert_eq!(complaint(twice), "identity attribute `team` is given twice");
}

#[test]
fn what_is_listed_is_bounded() {
    let numbers = |count: usize| (0..count).map(|n| n.to_string());
    let groups = |count| Assertion::agent("a").groups(numbers(count));
    let attrs = |count| numbers(count).fold(Assertion::agent("a"), |a, n| a.attr(n, Value::Null));
    let aliases = |count| numbers(count).fold(Assertion::agent("a"), |a, n| a.alias(n));
    let links =
        |count| numbers(count).fold(Assertion::agent("a"), |a, n| a.acts_for(n, Kind::Agent));
    for fits in [groups(1024), attrs(256), aliases(64), links(8)] {
        assert!(fits.attest(1).is_ok());
    }
    for (exceeds, said) in [
        (groups(1025), "1025 of group"),
        (attrs(257), "257 of attribute"),
        (aliases(65), "65 of alias"),
        (links(9), "9 of acts_for"),
    ] {
        assert!(complaint(exceeds).contains(said));
    }
}

#[test]
fn no_one_acts_for_themselves_or_for_anyone_twice() {
    let caller = || Assertion::agent("a").alias("a2");
    for chain in [&["a"][..], &["b", "a"], &["a2"], &["b", "c", "b"]] {
        let looped = chain.iter().fold(caller(), |caller, id| caller.acts_for(*id, Kind::Agent));
        assert!(complaint(looped).starts_with("identity acts_for comes back"), "{chain:?}");
    }
}

proptest! {
    #[test]
    fn groups_are_a_set(given in prop::collection::vec("[a-c]{1,2}", 0..20)) {
        let model: BTreeSet<&str> = given.iter().map(String::as_str).collect();
        let who = Assertion::agent("x").groups(given.iter().map(String::as_str)).attest(1).unwrap();
        prop_assert!(who.groups().eq(model.iter().copied()));
        prop_assert!(model.iter().all(|group| who.in_group(group)));
    }

    #[test]
    fn a_chain_is_attested_only_if_it_names_everyone_once(
        chain in prop::collection::vec("[a-f]", 0..8),
    ) {
        let mut names: BTreeSet<&str> = chain.iter().map(String::as_str).collect();
        names.insert("a");
        let built =
            chain.iter().fold(Assertion::agent("a"), |a, id| a.acts_for(&**id, Kind::Agent));
        prop_assert_eq!(built.attest(1).is_ok(), names.len() == chain.len() + 1);
    }
}
