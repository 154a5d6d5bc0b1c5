//! Revocations of as many subjects as are remembered.

use hallpass::prelude::*;
use hallpass_identity::{Action, EventKind, Revocations};
use serde_json::json;

use crate::signals::{done, event, world};
use crate::world::{NOW, at};

#[test]
fn what_is_held_ends_also_where_no_more_subjects_can_be_remembered() {
    let world = world();
    let revoked = Revocations::new();
    for other in 0..65_536 {
        assert!(revoked.revoke(&other.to_string(), at(NOW)));
    }
    let receiver = world.receiver(Action::cautious).revokes(&revoked);
    let claims = event("session-revoked", json!({}));
    assert!(world.receive(&receiver, &claims).is_err(), "it is sent again");
    assert_eq!(world.calls(), Err(Code::InvalidToken));
    revoked.forget_before(at(NOW + 1));
    assert_eq!(world.receive(&receiver, &claims), Ok(done(EventKind::SessionRevoked)));
}
