//! Tokens, at the gate: of other keys, other brokers, other holders and other times.

use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::grant::GrantId;
use hallpass::key::{KeyError, KeyRing, SecretKey};
use hallpass::prelude::*;
use hallpass::token::hazmat::{Claims, Unverified, gate_keys, mint};

use crate::token::{refused, reminted, world};
use crate::world::{MINUTE, SECOND, World, broad, plain, policy, ring, secret, start};

/// attack 71: short, empty and reused secrets make no ring
#[test]
fn a_weak_or_reused_secret_makes_no_ring() {
    for weak in [&[][..], &[7; 31], &[0; 32], &[255; 64]] {
        assert!(SecretKey::from_bytes(weak).is_err(), "{} bytes", weak.len());
    }
    let mut ring = ring();
    let reused = ring.rotate(secret(0), MINUTE, start());
    assert!(matches!(reused, Err(KeyError::Reused(_))));
}

/// attack 72: an unknown key never verifies, a retired one until its grace is over
#[test]
fn a_retired_key_opens_the_gate_for_its_grace_only() {
    let mut rotated = ring();
    rotated.rotate(secret(1), MINUTE, start()).unwrap();
    let world = World::of(policy([broad()]), |builder| builder.keys(rotated));
    let task = world.open();
    let grant = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    let mut rotated = ring();
    rotated.rotate(secret(1), MINUTE, start()).unwrap();
    let keys = gate_keys(&rotated, "hallpass").unwrap();
    let unverified = Unverified::parse(grant.token().expose()).unwrap();
    let verified = unverified.verify(&keys, start()).unwrap();
    let by =
        |ring: &KeyRing| mint(&gate_keys(ring, "hallpass").unwrap(), verified.claims()).unwrap();
    let (old, unknown) = (by(&ring()), by(&KeyRing::from_secret(secret(9))));

    assert_eq!(world.present(old.expose()).map_err(|denial| denial.reason()), Ok(()));
    assert_eq!(refused(&world, unknown.expose(), "unknown key"), Reason::UnknownKey);
    world.clock.advance(MINUTE - Duration::from_millis(1));
    assert_eq!(world.present(old.expose()).map_err(|denial| denial.reason()), Ok(()));
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(refused(&world, old.expose(), "grace is over"), Reason::RetiredKey);
    assert_eq!(world.attempt(&grant, plain()), Ok(()), "the active key's own is good");
}

/// attack 73: one key does not make two brokers one
#[test]
fn a_token_and_an_identity_are_worth_nothing_at_another_broker() {
    let home = world();
    let (_task, grant) = home.granted();
    let token = grant.token().expose();
    let rows = [
        ("another audience", Reason::BadSignature),
        ("another issuer", Reason::ForeignToken),
        ("another tenant's key", Reason::UnknownKey),
    ];
    for (difference, expected) in rows {
        let other = World::of(policy([broad()]), |builder| match difference {
            "another audience" => builder.audience("vault"),
            "another issuer" => builder.issuer("other"),
            _ => builder.keys(KeyRing::from_secret(secret(9))),
        });
        let (_other_task, _other_grant) = other.granted();
        assert_eq!(refused(&other, token, difference), expected);
    }

    // The same names, the same key, the same generation: another broker's identity is foreign.
    let twin = world();
    let (_twin_task, twin_grant) = twin.granted();
    let foreign = twin.gate.authorize(twin_grant.token(), &home.agent, plain(), &twin.context);
    let denial = foreign.map(drop).unwrap_err();
    assert_eq!((denial.code(), denial.reason()), (Code::InvalidToken, Reason::ForeignIdentity));
    let denial = twin.broker.open(&home.agent, Purpose::new("test")).map(drop).unwrap_err();
    assert_eq!(denial.reason(), Reason::ForeignIdentity);
    let task = twin.open();
    let scope = || Scope::tool("t").any_args();
    let denial = task.request_for(&home.agent, scope(), &twin.context).map(drop).unwrap_err();
    assert_eq!(denial.reason(), Reason::ForeignIdentity);
    let denial = twin.gate.give_up(twin_grant.token(), &home.agent).unwrap_err();
    assert_eq!(denial.reason(), Reason::ForeignIdentity);
    assert_eq!(twin.attempt(&twin_grant, plain()), Ok(()));
}

/// attack 73: a stolen token is worth nothing to another caller, however its name is spelled
#[test]
fn a_token_is_worth_nothing_in_other_hands() {
    let world = world();
    let (_task, grant) = world.granted();
    let thieves = [
        Assertion::agent("agent-8"),
        Assertion::agent("Agent-7"),
        Assertion::agent("agent-70"),
        Assertion::agent("thief").alias("agent-7"),
        Assertion::agent("thief").acts_for("agent-7", Kind::Agent),
    ];
    for thief in thieves {
        let thief = world.broker.assert_identity(thief).unwrap();
        let answer = world.gate.authorize(grant.token(), &thief, plain(), &world.context);
        let denial = answer.map(drop).unwrap_err();
        assert_eq!((denial.code(), denial.reason()), (Code::InvalidToken, Reason::NotTheHolder));
        assert!(world.gate.give_up(grant.token(), &thief).is_err(), "nor can it end the grant");
    }
    assert_eq!(world.attempt(&grant, plain()), Ok(()));
}

/// attack 74: a rightly signed token for a grant that the table does not know
#[test]
fn a_token_from_before_a_restart_is_unknown() {
    let before = world();
    let (_task, grant) = before.granted();
    let token = grant.token().expose();

    let fresh = world();
    assert_eq!(refused(&fresh, token, "no task"), Reason::UnknownGrant);
    // A task of the same generation and the same name does not take it in.
    let (task, new) = fresh.granted();
    assert_eq!((task.name(), task.generation()), (_task.name(), _task.generation()));
    assert_eq!(refused(&fresh, token, "same generation"), Reason::UnknownGrant);
    // Nor one of the same generation and another name.
    let renamed = world();
    let _other = renamed.broker.open_named("other", &renamed.agent, Purpose::new("x")).unwrap();
    assert_eq!(refused(&renamed, token, "another name"), Reason::UnknownGrant);

    // The owner of the key can sign what the table never gave: it is still nothing.
    let rows: [(&str, Token, Reason); 4] = [
        (
            "grant",
            reminted(&new, &ring(), |claims| Claims {
                grant: GrantId::from_bytes([7; 16]),
                ..claims
            }),
            Reason::UnknownGrant,
        ),
        (
            "serial",
            reminted(&new, &ring(), |claims| Claims { serial: 2, ..claims }),
            Reason::Superseded,
        ),
        (
            "generation",
            reminted(&new, &ring(), |claims| Claims { generation: 99, ..claims }),
            Reason::UnknownGrant,
        ),
        (
            "task",
            reminted(&new, &ring(), |claims| Claims { task: "task-2", ..claims }),
            Reason::UnknownGrant,
        ),
    ];
    for (note, token, expected) in rows {
        assert_eq!(refused(&fresh, token.expose(), note), expected, "{note}");
    }
    // A longer life in the token does not lengthen the grant's.
    let longer = reminted(&new, &ring(), |claims| Claims { expires: Timestamp::MAX, ..claims });
    assert_eq!(fresh.present(longer.expose()).map_err(|denial| denial.reason()), Ok(()));
    fresh.clock.advance(5 * MINUTE);
    let denial = fresh.present(longer.expose()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Expired);
    drop(task);
}

/// attack 81: a token is good from the instant of its issue, and not before
#[test]
fn a_token_issued_later_than_now_is_refused() {
    let world = world();
    let (_task, grant) = world.granted();
    let later = start().checked_add(SECOND).unwrap();
    let token = reminted(&grant, &ring(), |claims| Claims { issued: later, ..claims });
    assert_eq!(refused(&world, token.expose(), "issued later"), Reason::ForeignToken);
    world.clock.advance(SECOND);
    assert_eq!(world.present(token.expose()).map_err(|denial| denial.reason()), Ok(()));
}
