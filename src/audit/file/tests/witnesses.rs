//! Witnesses of a log: ours does what the specification asks of one, and nothing more.

use ring::signature::{Ed25519KeyPair, KeyPair};

use super::checkpoints::{options_with_signer, signed, written};
use super::*;
use crate::audit::VerifierKey;
use crate::audit::checkpoint::{
    SignedCheckpoint, Witness, WitnessError, WitnessPolicy, WitnessReply,
};
use crate::audit::tree::{TreeHash, consistent};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

struct Honest {
    name: String,
    pair: Ed25519KeyPair,
    log: VerifierKey,
    /// In seconds since the Unix epoch.
    now: u64,
    seen: Mutex<(u64, TreeHash)>,
    asked: Mutex<Vec<u16>>,
}

impl Honest {
    fn new(number: u8, log: &VerifierKey, now: u64) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap();
        let seen = Mutex::new((0, TreeHash::of_empty_tree()));
        let (name, asked) = (format!("w{number}.example"), Mutex::new(vec![]));
        Honest { name, pair, log: log.clone(), now, seen, asked }
    }

    fn key(&self) -> VerifierKey {
        let key = self.pair.public_key().as_ref().try_into().unwrap();
        VerifierKey::of_witness(&self.name, key).unwrap()
    }

    fn look(&self, body: &str) -> (u16, String) {
        let (head, note) = body.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
        let proof: Vec<TreeHash> = lines.map(|line| line.parse().unwrap()).collect();
        let Ok(checkpoint) = SignedCheckpoint::verify(note, &self.log) else {
            return (403, String::new());
        };
        let mut seen = self.seen.lock();
        if old != seen.0 {
            return (409, format!("{}\n", seen.0));
        }
        let new = (checkpoint.size(), checkpoint.checkpoint().root);
        if !consistent(*seen, new, &proof) {
            return (422, String::new());
        }
        *seen = new;
        (200, self.sign(&checkpoint.checkpoint().to_string()))
    }

    fn sign(&self, text: &str) -> String {
        let message = format!("cosignature/v1\ntime {}\n{text}", self.now);
        let signature = self.pair.sign(message.as_bytes());
        let id = self.key().to_string();
        let id = u32::from_str_radix(id.split('+').nth(1).unwrap(), 16).unwrap().to_be_bytes();
        let bytes = [&id[..], &self.now.to_be_bytes(), signature.as_ref()].concat();
        format!("— {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

impl Witness for Honest {
    fn name(&self) -> &str {
        &self.name
    }

    fn add_checkpoint(&self, body: &str) -> Result<WitnessReply, WitnessError> {
        let (status, body) = self.look(body);
        self.asked.lock().push(status);
        Ok(WitnessReply { status, body })
    }
}

/// A witness that says what it is told to.
struct Scripted<'a>(&'a str, Result<(u16, String), &'a str>);

impl Witness for Scripted<'_> {
    fn name(&self) -> &str {
        self.0
    }

    fn add_checkpoint(&self, _: &str) -> Result<WitnessReply, WitnessError> {
        let (status, body) = self.1.clone().map_err(WitnessError::new)?;
        Ok(WitnessReply { status, body })
    }
}

fn two_of(witnesses: &[Honest]) -> WitnessPolicy {
    let mut text = String::new();
    for (at, witness) in witnesses.iter().enumerate() {
        text += &format!("witness w{at} {}\n", witness.key());
    }
    let names: Vec<_> = (0..witnesses.len()).map(|at| format!("w{at}")).collect();
    text += &format!("group enough 2 {}\nquorum enough\n", names.join(" "));
    text.parse().unwrap()
}

fn seconds(at: u64) -> Timestamp {
    Timestamp::from_unix_millis(i64::try_from(at * 1000).unwrap()).unwrap()
}

#[test]
fn witnesses_sign_what_extends_what_they_have_seen_and_enough_of_them_are_a_quorum() {
    let (disk, life) = written(5);
    let key = life.log.verifier_key().unwrap();
    let all = [1, 2, 3].map(|number| Honest::new(number, &key, 1000 + u64::from(number)));
    let policy = two_of(&all);
    let one = life.log.cosign(&policy, &[&all[0]]).unwrap();
    assert_eq!(one.witnessed.by, [("w1.example".to_owned(), seconds(1001))]);
    assert!(!one.witnessed.is_quorum && one.witnessed.since.is_none());
    // The same checkpoint, shown to another one: what the first gave stays.
    let two = life.log.cosign(&policy, &[&all[2]]).unwrap();
    assert!(two.witnessed.is_quorum);
    assert_eq!((two.witnessed.by.len(), two.witnessed.since), (2, Some(seconds(1001))));
    assert_eq!(disk.bytes("checkpoint"), two.checkpoint.to_string().as_bytes());
    for n in 0..20 {
        life.permit(&format!("more{n}")).unwrap();
        let more = life.log.cosign(&policy, &[&all[0], &all[1], &all[2]]).unwrap();
        assert!(more.refusals.is_empty(), "{:?}", more.refusals);
        assert_eq!((more.witnessed.by.len(), more.witnessed.since), (3, Some(seconds(1002))));
    }
    // After a restart it is not known any more what they have seen, and they say it.
    let refused = all[0].asked.lock().iter().filter(|status| **status != 200).count();
    assert_eq!(refused, 0);
    life.kill();
    let again = Life::begin(&disk, &signed(Durability::Flushed)).unwrap();
    again.permit("again").unwrap();
    let more = again.log.cosign(&policy, &[&all[0], &all[1]]).unwrap();
    assert!(more.refusals.is_empty() && more.witnessed.is_quorum);
    assert_eq!(all[0].asked.lock().last_chunk(), Some(&[409, 200]));
}

/// attack 185: the owner of all keys shows two people two logs
#[test]
fn a_witness_signs_neither_another_log_nor_one_that_was_put_back() {
    let (one, life) = written(9);
    life.kill();
    let (two, older) = (one.after_kill(), one.after_kill());
    let witnessed = |disk: &FaultyDisk, task: &str, permits: usize, witness: Option<&Honest>| {
        let open = Life::begin(disk, &signed(Durability::Flushed)).unwrap();
        for _ in 0..permits {
            open.permit(task).unwrap();
        }
        let key = open.log.verifier_key().unwrap();
        let own = Honest::new(1, &key, 1000);
        let witness = witness.unwrap_or(&own);
        let policy: WitnessPolicy =
            format!("witness w {}\nquorum w\n", witness.key()).parse().unwrap();
        let cosigned = open.log.cosign(&policy, &[witness]).unwrap();
        open.kill();
        let why = cosigned.refusals.first().map(|(_, why)| why.to_string());
        assert_eq!(cosigned.witnessed.is_quorum, why.is_none());
        (own, why.unwrap_or_default())
    };
    let (witness, why) = witnessed(&one, "a", 9, None);
    assert_eq!(why, "");
    let (_, why) = witnessed(&two, "b", 12, Some(&witness));
    assert!(why.contains("status 422"), "{why}");
    let (_, why) = witnessed(&older, "c", 1, Some(&witness));
    assert!(why.contains("put back to an older state"), "{why}");
    let (_, why) = witnessed(&one, "a", 3, Some(&witness));
    assert_eq!(why, "", "the one that it has seen goes on");
}

#[test]
fn what_a_witness_replies_is_not_believed() {
    let (disk, life) = written(3);
    let key = life.log.verifier_key().unwrap();
    let honest = Honest::new(1, &key, 1000);
    let stranger = Honest::new(2, &key, 1000);
    let policy: WitnessPolicy = format!("witness w {}\nquorum w\n", honest.key()).parse().unwrap();
    let text = life.log.checkpoint().unwrap().checkpoint().to_string();
    let before = disk.bytes("checkpoint");
    let other = text.replace("acme", "acne");
    for (reply, why) in [
        (Err("no route to host"), "no route to host"),
        (Ok((200, String::new())), "no signature of a witness"),
        (Ok((200, "garbage\n— x y\n".to_owned())), "no signature of a witness"),
        (Ok((200, stranger.sign(&text))), "no signature of a witness"),
        (Ok((200, honest.sign(&other))), "no signature of a witness"),
        (Ok((200, stranger.sign(&text).replace("w2", "w1"))), "no signature of a witness"),
        (Ok((200, "x".repeat(600_000))), "512 KiB"),
        (Ok((404, String::new())), "status 404"),
        (Ok((409, "many\n".to_owned())), "without the size"),
        (Ok((409, "2\n".to_owned())), "each time"),
        (Ok((409, "5\n".to_owned())), "has seen 5 records, more than the 4"),
    ] {
        let scripted = Scripted("w1.example", reply);
        let cosigned = life.log.cosign(&policy, &[&scripted]).unwrap();
        assert!(!cosigned.witnessed.is_quorum && cosigned.witnessed.by.is_empty());
        let [(name, said)] = cosigned.refusals.as_slice() else { panic!("{why}") };
        assert_eq!(name, "w1.example");
        assert!(said.to_string().contains(why), "{said}");
        assert_eq!(disk.bytes("checkpoint"), before, "{why}");
    }
    // A signature that is put into the note without having been verified makes the note no one's.
    let forged = String::from_utf8(before).unwrap() + &honest.sign(&other);
    let read = SignedCheckpoint::verify(&forged, &key).unwrap();
    assert!(policy.witnessed(&read).is_err());
}

/// Witnesses have keys of several kinds under one name, of which only one kind is checked.
#[test]
fn no_witness_takes_the_signature_of_another_away() {
    let (disk, life) = written(3);
    let key = life.log.verifier_key().unwrap();
    let (honest, thief) = (Honest::new(1, &key, 1000), Honest::new(2, &key, 1000));
    let uncounted = format!("w1.example+00000006+{}", STANDARD.encode([6; 33]));
    let policy: WitnessPolicy = format!(
        "witness w {}\nwitness u {uncounted}\nwitness t {}\ngroup any-of 1 w t\nquorum any-of\n",
        honest.key(),
        thief.key()
    )
    .parse()
    .unwrap();
    let line = |id: &str| {
        let id = u32::from_str_radix(id, 16).unwrap().to_be_bytes();
        format!("— w1.example {}\n", STANDARD.encode([&id[..], &[0; 72]].concat()))
    };
    let of_honest = honest.key().to_string();
    let forged = line(of_honest.split('+').nth(1).unwrap());
    let scripted = Scripted("w2.example", Ok((200, forged)));
    let cosigned = life.log.cosign(&policy, &[&honest, &scripted]).unwrap();
    assert_eq!(cosigned.witnessed.by, [("w1.example".to_owned(), seconds(1000))]);
    assert_eq!(cosigned.refusals.len(), 1);
    // What can't be checked is kept under the key that the policy has, and under no other.
    let kept = |id| {
        let scripted = Scripted("w1.example", Ok((200, line(id))));
        life.log.cosign(&policy, &[&scripted]).unwrap().refusals.is_empty()
    };
    assert!(kept("00000006") && !kept("00000007"));
    let note = String::from_utf8(disk.bytes("checkpoint")).unwrap();
    assert_eq!(note.matches("— w1.example").count(), 2);
    let kept = SignedCheckpoint::verify(&note, &key).unwrap();
    assert!(policy.witnessed(&kept).unwrap().is_quorum);
}

/// Nothing is given to a broker whose log no one has seen for too long; ends and denials are recorded all the same.
#[test]
fn without_witnesses_for_too_long_the_log_takes_nothing_that_gives_access() {
    let (_, life) = written(1);
    let key = life.log.verifier_key().unwrap();
    life.kill();
    let disk = FaultyDisk::default();
    let witness = Honest::new(1, &key, 2);
    let policy: WitnessPolicy = format!("witness w {}\nquorum w\n", witness.key()).parse().unwrap();
    let own = options_with_signer().witnessed_within(policy.clone(), Duration::from_secs(60));
    let life = Life::begin(&disk, &own).unwrap();
    let permit_at = |life: &Life, millis: i64| {
        let place = life.journal.place(Body::new(at(millis), &permitted("t")).unwrap()).unwrap();
        life.journal.settle(place)
    };
    // From the log's beginning, which is at one second.
    assert!(permit_at(&life, 61_000).is_ok());
    let refused = permit_at(&life, 61_001).unwrap_err();
    assert!(format!("{refused:?}").contains("no quorum of witnesses"), "{refused:?}");
    life.journal.note(Body::new(at(61_002), &halted()).unwrap());
    assert!(life.flush(), "what takes access away is kept");
    let witness = Honest::new(1, &life.log.verifier_key().unwrap(), 100);
    assert!(life.log.cosign(&policy, &[&witness]).unwrap().witnessed.is_quorum);
    assert!(permit_at(&life, 160_000).is_ok());
    assert!(permit_at(&life, 160_001).is_err());
    life.kill();
    // What witnesses have seen before a restart counts after it.
    let life = Life::begin(&disk, &own).unwrap();
    assert!(permit_at(&life, 160_000).is_ok() && permit_at(&life, 160_001).is_err());
    life.kill();
    // And a log that none has seen gets no time by being opened.
    let (disk, unseen) = written(1);
    unseen.kill();
    let life = Life::begin(&disk, &own).unwrap();
    assert!(permit_at(&life, 2_000).is_err());
    let none: WitnessPolicy = "quorum none\n".parse().unwrap();
    for options in [
        options_with_signer().witnessed_within(none, Duration::from_secs(60)),
        options(Durability::Flushed).witnessed_within(policy, Duration::from_secs(60)),
    ] {
        let error =
            options.open(std::env::temp_dir().join("hallpass-never-made"), &keys(), &ORIGIN);
        assert!(matches!(error.unwrap_err(), OpenError::Setting(_)));
    }
}

#[test]
fn a_witness_whose_clock_is_ahead_gives_no_more_time_than_others() {
    let disk = FaultyDisk::default();
    let (_, life) = written(1);
    let witness = Honest::new(1, &life.log.verifier_key().unwrap(), 2);
    life.kill();
    let policy: WitnessPolicy = format!("witness w {}\nquorum w\n", witness.key()).parse().unwrap();
    let own = options_with_signer().witnessed_within(policy.clone(), Duration::from_secs(60));
    let life = Life::begin(&disk, &own).unwrap();
    let permit_at = |millis: i64| {
        let place = life.journal.place(Body::new(at(millis), &permitted("t")).unwrap()).unwrap();
        life.journal.settle(place).is_ok()
    };
    assert!(permit_at(1_500));
    // A year ahead.
    let witness = Honest::new(1, &life.log.verifier_key().unwrap(), 31_536_000);
    assert!(life.log.cosign(&policy, &[&witness]).unwrap().witnessed.is_quorum);
    assert!(permit_at(100_000) && permit_at(160_000));
    assert!(!permit_at(160_001));
}
