use super::super::cosignature::signed_at;
use super::*;

/// Names of witnesses a to z, and their keys.
fn witness(name: char) -> VerifierKey {
    VerifierKey::of_witness(&format!("{name}.example"), [name as u8; 32]).unwrap()
}

/// What the text of its key begins with.
fn name_and_id(name: char) -> String {
    let key = witness(name).to_string();
    key.split_inclusive('+').take(2).collect()
}

fn defined(names: &str) -> String {
    names.chars().map(|name| format!("witness {name} {}\n", witness(name))).collect()
}

fn policy(text: &str) -> Result<WitnessPolicy, WitnessPolicyError> {
    text.parse()
}

#[test]
fn a_policy_is_read_as_the_specification_writes_it() {
    let text = format!(
        "# ours\n\n\tlog {} https://log.example\n{}  witness y\t{} https://w.example \n\
         group one 2 a b c\ngroup two any x y\ngroup both all one two\nquorum both\n",
        key(1),
        defined("abcx"),
        witness('y')
    );
    assert_eq!(policy(&text).unwrap().witnesses().count(), 5);
    assert!(policy(&text).unwrap().needs_witnesses());
    assert!(!policy("quorum none").unwrap().needs_witnesses());
}

#[test]
fn a_policy_that_could_count_one_witness_twice_or_none_is_refused_with_its_line() {
    let ab = defined("ab");
    for (text, line, why) in [
        (String::new(), 1, "expected a line `quorum`"),
        (ab.clone(), 3, "expected a line `quorum`"),
        ("quorum a\n".into(), 1, "`a` is not defined"),
        ("quorum none\nquorum none\n".into(), 2, "a quorum stands there already"),
        (format!("{ab}group g 1 a a\nquorum g\n"), 3, "`a` is in a group already"),
        (format!("{ab}group g any a\ngroup h any a b\nquorum h\n"), 4, "`a` is in a group already"),
        (format!("{ab}group g 0 a\nquorum g\n"), 3, "`0` is not a number"),
        (format!("{ab}group g 02 a b\nquorum g\n"), 3, "`02` is not a number"),
        (format!("{ab}group g 3 a b\nquorum g\n"), 3, "expected 3 of 2"),
        (format!("{ab}group g all\nquorum g\n"), 3, "of 0 members"),
        (format!("{ab}group g any g\nquorum g\n"), 3, "`g` is not defined"),
        (format!("{ab}group g any none\nquorum g\n"), 3, "`none` is not defined"),
        (format!("{ab}witness a {}\n", witness('c')), 3, "`a` is taken"),
        (format!("{ab}witness none {}\n", witness('c')), 3, "`none` is taken"),
        (
            format!("{ab}witness c {}\n", VerifierKey::of_witness("other", [b'a'; 32]).unwrap()),
            3,
            "stands there already",
        ),
        // A key of a kind that is not checked, with the name and id of one that is.
        (
            format!("{ab}witness c {}BgYG\n", name_and_id('a')),
            3,
            "the id of the key of `a.example`",
        ),
        (format!("witness c {}BgYG\n{ab}", name_and_id('a')), 2, "the id of the key of `a`"),
        ("witness c x+1+BgYG\n".into(), 1, "not eight hexadecimal digits"),
        (format!("witness c {}\n", key(1)), 1, "that of a log"),
        (format!("log {}\n", witness('a')), 1, "that of a witness"),
        (format!("log {0}\nlog {0}\n", key(1)), 2, "stands there already"),
        ("witness a\n".into(), 1, "is not known"),
        ("Quorum none\n".into(), 1, "`Quorum` with what follows is not known"),
        ("quorum\u{a0}none\n".into(), 1, "is not known"),
        ("quorum none\r\n".into(), 1, "control character"),
        ("x".repeat(70_000), 1, "64 KiB"),
    ] {
        let error = policy(&text).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("line {line} ")) && error.contains(why),
            "{error}: {text}"
        );
    }
}

/// Against counting by hand, for every set of witnesses that may have signed.
#[test]
fn a_quorum_is_reached_by_those_sets_of_witnesses_that_the_policy_says() {
    use ring::signature::{Ed25519KeyPair, KeyPair};
    let pairs: Vec<_> =
        (1..=5_u8).map(|n| Ed25519KeyPair::from_seed_unchecked(&[n; 32]).unwrap()).collect();
    let keys: Vec<VerifierKey> = pairs
        .iter()
        .enumerate()
        .map(|(at, pair)| {
            VerifierKey::of_witness(
                &format!("w{at}"),
                pair.public_key().as_ref().try_into().unwrap(),
            )
            .unwrap()
        })
        .collect();
    let mut text = String::new();
    for (at, key) in keys.iter().enumerate() {
        text += &format!("witness {at} {key}\n");
    }
    text += "group x 2 0 1 2\ngroup y any 3 4\ngroup both all x y\nquorum both\n";
    let policy = policy(&text).unwrap();
    let plain = SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap();
    for set in 0..32_u32 {
        let has = |at: usize| set & (1 << at) != 0;
        let mut note = plain.to_string();
        for at in (0..5).filter(|at| has(*at)) {
            let time = 100 + at as u64;
            let message = format!("cosignature/v1\ntime {time}\n{}", checkpoint(7));
            let bytes =
                [&time.to_be_bytes()[..], pairs[at].sign(message.as_bytes()).as_ref()].concat();
            let own = NoteSignature { name: format!("w{at}"), key: keys[at].id(), bytes };
            note += &format!("{own}\n");
        }
        let read = SignedCheckpoint::verify(&note, &key(1)).unwrap();
        let witnessed = policy.witnessed(&read).unwrap();
        let x = (0..3).filter(|at| has(*at)).count() >= 2;
        assert_eq!(witnessed.is_quorum, x && (has(3) || has(4)), "{set:b}");
        assert_eq!(witnessed.by.len() as u32, set.count_ones());
        // The oldest of the newest signatures that are enough.
        let second = (0..3).rev().filter(|at| has(*at)).nth(1);
        let oldest = second.filter(|_| witnessed.is_quorum).map(|at| 100_000 + at as i64 * 1000);
        assert_eq!(witnessed.since.map(|at| at.unix_millis()), oldest, "{set:b}");
    }
}

#[test]
fn a_signature_of_a_kind_that_is_not_checked_is_kept_and_not_counted() {
    let name = "pq.example";
    let encoded = STANDARD.encode([&[6_u8][..], &[7; 1312]].concat());
    let text = format!(
        "witness pq {name}+01020304+{encoded}\n{}group g any pq a\nquorum g\n",
        defined("a")
    );
    let policy = policy(&text).unwrap();
    let signature = NoteSignature { name: name.into(), key: [1, 2, 3, 4], bytes: vec![7; 2428] };
    let plain = SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap();
    assert!(policy.keeps(&checkpoint(7).to_string(), &signature));
    let signed = plain.and_signatures(vec![signature.clone()]);
    let read = SignedCheckpoint::verify(&signed.to_string(), &key(1)).unwrap();
    assert_eq!(read, signed);
    assert!(read.to_string().contains(name));
    assert!(!policy.witnessed(&read).unwrap().is_quorum);
    let foreign = NoteSignature { name: "x".into(), ..signature };
    assert!(!policy.keeps(&checkpoint(7).to_string(), &foreign));
}

#[test]
fn a_policy_that_names_logs_is_one_for_these_alone() {
    let plain = SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap();
    let of =
        |key: VerifierKey| policy(&format!("log {key}\nquorum none\n")).unwrap().witnessed(&plain);
    assert!(of(key(1)).unwrap().is_quorum);
    assert!(of(key(2)).is_err());
}

#[test]
fn a_time_that_no_clock_has_is_no_signature() {
    use ring::signature::{Ed25519KeyPair, KeyPair};
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let key = VerifierKey::of_witness("w", pair.public_key().as_ref().try_into().unwrap()).unwrap();
    for (time, fine) in
        [(0, true), (1_700_000_000, true), (u64::MAX, false), (i64::MAX as u64, false)]
    {
        let message = format!("cosignature/v1\ntime {time}\nx\n");
        let bytes = [&time.to_be_bytes()[..], pair.sign(message.as_bytes()).as_ref()].concat();
        let mut own = NoteSignature { name: "w".into(), key: key.id(), bytes };
        assert_eq!(signed_at("x\n", &own, &key).is_ok(), fine, "{time}");
        // The time is signed.
        own.bytes[7] ^= 1;
        assert!(signed_at("x\n", &own, &key).is_err());
        own.bytes.truncate(7);
        assert!(signed_at("x\n", &own, &key).is_err());
    }
}
