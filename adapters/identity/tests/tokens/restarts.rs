//! Security events over restarts of the receiver.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

use hallpass_identity::{Action, EventKind, Received, Revocations, SignalReceiver};
use serde_json::json;

use crate::signals::{World, done, event, world};
use crate::world::{NOW, at, but, claims, oidc, set_of};

/// A file of a test's own, removed with it.
struct Kept(PathBuf);

impl Kept {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Kept(env::temp_dir().join(format!("hallpass-signals-{}-{number}", process::id())))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }

    /// As at a start.
    fn receiver(&self, world: &World, revoked: &Revocations) -> SignalReceiver {
        world.receiver(Action::cautious).revokes(revoked).remembering(&self.0).unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(self.0.with_extension("new"));
    }
}

#[test]
fn a_token_is_acted_upon_once_and_what_was_revoked_stays_so() {
    let (kept, world) = (Kept::new(), world());
    let claims_of_event = event("session-revoked", json!({ "event_timestamp": NOW - 50 }));
    let receiver = kept.receiver(&world, &Revocations::new());
    assert_eq!(world.receive(&receiver, &claims_of_event), Ok(done(EventKind::SessionRevoked)));
    drop(receiver);
    for _ in 0..2 {
        let revoked = Revocations::new();
        let receiver = kept.receiver(&world, &revoked);
        assert_eq!(world.receive(&receiver, &claims_of_event), Ok(vec![Received::Again]));
        let verifier =
            oidc(hallpass_identity::Keys::new(set_of(&[world.signer.jwk()]))).revoked_by(&revoked);
        let token = |issued| world.signer.token(&but(claims(), json!({ "iat": issued })));
        assert!(verifier.verify(&token(NOW - 50), at(NOW)).is_err());
        assert!(verifier.verify(&token(NOW - 49), at(NOW)).is_ok());
    }
}

#[test]
fn an_event_that_comes_late_is_told_from_a_later_one_of_before() {
    let (kept, world) = (Kept::new(), world());
    let compliance = |jti: &str, at: i64| {
        let details = json!({ "current_status": "not-compliant", "event_timestamp": at });
        but(event("device-compliance-change", details), json!({ "jti": jti }))
    };
    let receiver = kept.receiver(&world, &Revocations::new());
    assert!(world.receive(&receiver, &compliance("1", NOW - 20)).is_ok());
    drop(receiver);
    let receiver = kept.receiver(&world, &Revocations::new());
    let (kind, id) = (EventKind::DeviceComplianceChange, "user-17".to_owned());
    let late = world.receive(&receiver, &compliance("2", NOW - 30));
    assert_eq!(late, Ok(vec![Received::OutOfOrder { kind, id }]));
}

#[test]
fn a_token_that_was_not_kept_is_taken_when_it_is_sent_again() {
    let (kept, world) = (Kept::new(), world());
    let revoked = Revocations::new();
    let receiver = kept.receiver(&world, &revoked);
    let claims = event("session-revoked", json!({}));
    assert!(world.receive(&receiver, &claims).is_ok());
    // The process ended while it was being written.
    let whole = kept.text();
    let cut = &whole[..whole.len() - 2];
    assert!(cut.lines().last().unwrap().contains("\"token\""), "{cut}");
    fs::write(&kept.0, cut).unwrap();
    let receiver = kept.receiver(&world, &Revocations::new());
    assert_eq!(world.receive(&receiver, &claims), Ok(done(EventKind::SessionRevoked)));
    assert_eq!(world.receive(&receiver, &claims), Ok(vec![Received::Again]));
}

#[test]
fn a_file_that_can_not_be_written_has_the_transmitter_send_again() {
    let (kept, world) = (Kept::new(), world());
    // A folder in the place of the file that is written first.
    let claims = event("session-revoked", json!({}));
    let receiver = kept.receiver(&world, &Revocations::new());
    assert!(world.receive(&receiver, &claims).is_ok());
    fs::create_dir(kept.0.with_extension("new")).unwrap();
    let receiver = world.receiver(Action::cautious).revokes(&Revocations::new());
    assert!(receiver.remembering(&kept.0).is_err());
    fs::remove_dir(kept.0.with_extension("new")).unwrap();
    assert_eq!(
        world.receive(&kept.receiver(&world, &Revocations::new()), &claims),
        Ok(vec![Received::Again])
    );
}

#[test]
fn a_line_that_can_not_be_read_is_an_error_and_not_forgotten() {
    let (kept, world) = (Kept::new(), world());
    let receiver = kept.receiver(&world, &Revocations::new());
    assert!(world.receive(&receiver, &event("session-revoked", json!({}))).is_ok());
    let whole = kept.text();
    for line in [
        "[\"token\"]",
        "[\"event\",\"a\",\"none\",1]",
        "{}",
        "",
        "[\"token\",\"a\",\"b\"]",
        "[\"token\",\"a\",1.5]",
    ] {
        fs::write(&kept.0, format!("{line}\n{whole}")).unwrap();
        let opened =
            world.receiver(Action::cautious).revokes(&Revocations::new()).remembering(&kept.0);
        assert!(opened.unwrap_err().to_string().contains("line 1"), "{line}");
    }
    fs::write(&kept.0, &whole).unwrap();
    let none = world.receiver(Action::cautious).remembering(&kept.0);
    assert!(none.unwrap_err().to_string().contains("`Revocations`"));
}

#[test]
fn what_is_too_old_to_be_taken_again_leaves_the_file() {
    let (kept, world) = (Kept::new(), world());
    let receiver = kept.receiver(&world, &Revocations::new());
    let of = |jti: &str, issued: i64| {
        but(event("session-revoked", json!({})), json!({ "jti": jti, "iat": issued }))
    };
    assert!(world.receive(&receiver, &of("old", NOW)).is_ok());
    let later = NOW + 25 * 60 * 60;
    assert!(world.receive_at(&receiver, &of("new", later), later).is_ok());
    assert!(kept.text().contains("\"old\""), "lines are added");
    drop(receiver);
    let receiver = kept.receiver(&world, &Revocations::new());
    assert!(world.receive_at(&receiver, &of("newer", later), later).is_ok());
    drop(kept.receiver(&world, &Revocations::new()));
    let receiver = kept.receiver(&world, &Revocations::new());
    assert!(world.receive_at(&receiver, &of("old", NOW), later).is_err(), "it is too old");
}

#[test]
fn a_line_that_was_cut_within_a_character_is_one_that_was_not_written() {
    let (kept, world) = (Kept::new(), world());
    let claims = but(event("session-revoked", json!({})), json!({ "jti": "é" }));
    let receiver = kept.receiver(&world, &Revocations::new());
    assert!(world.receive(&receiver, &claims).is_ok());
    drop(receiver);
    let whole = kept.text();
    let within = whole.find('é').unwrap() + 1;
    fs::write(&kept.0, &whole.as_bytes()[..within]).unwrap();
    let receiver = kept.receiver(&world, &Revocations::new());
    assert_eq!(world.receive(&receiver, &claims), Ok(done(EventKind::SessionRevoked)));
    drop(receiver);
    // In a line that has its end it is no text.
    fs::write(&kept.0, [&kept.text().as_bytes()[..2], b"\xff\n"].concat()).unwrap();
    let revoked = Revocations::new();
    assert!(world.receiver(Action::cautious).revokes(&revoked).remembering(&kept.0).is_err());
}

/// What is answered is on file, and not in one that no one reads any more.
#[cfg(unix)]
#[test]
fn a_receiver_whose_file_another_has_taken_over_or_removed_takes_nothing() {
    let (kept, world) = (Kept::new(), world());
    let first = kept.receiver(&world, &Revocations::new());
    let second = kept.receiver(&world, &Revocations::new());
    let claims = event("session-revoked", json!({}));
    for _ in 0..2 {
        let refused = world.receive(&first, &claims).unwrap_err();
        assert!(refused.contains("another file"), "{refused}");
    }
    assert_eq!(world.receive(&second, &claims), Ok(done(EventKind::SessionRevoked)));
    drop((first, second));
    let again = kept.receiver(&world, &Revocations::new());
    assert_eq!(world.receive(&again, &claims), Ok(vec![Received::Again]));
    fs::remove_file(&kept.0).unwrap();
    let later = but(claims, json!({ "jti": "set-2" }));
    assert!(world.receive(&again, &later).is_err());
}
