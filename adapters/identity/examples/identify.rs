//! The program of `docs/identity.md`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use hallpass::clock::{Clock, SystemClock, Timestamp};
use hallpass::prelude::*;
use hallpass_identity::{
    Action, Algorithm, KeySet, Keys, Revocations, SignalReceiver, TokenVerifier,
};

/// What a host has of an identity provider.
pub(crate) struct Provider {
    broker: Broker,
    people: TokenVerifier,
    signals: SignalReceiver,
}

impl Provider {
    pub(crate) fn new(broker: Broker, jwks: &str) -> Result<Self, Box<dyn Error>> {
        const ISSUER: &str = "https://idp.acme.test";
        let (keys, revoked) = (Keys::new(KeySet::from_json(jwks)?), Revocations::new());
        let people = TokenVerifier::oidc(ISSUER, "hallpass", Algorithm::ES256, keys.clone())?;
        let signals =
            SignalReceiver::new(ISSUER, "hallpass", Algorithm::ES256, keys, Action::cautious)?;
        let (people, signals) = (people.revoked_by(&revoked), signals.revokes(&revoked));
        Ok(Provider { broker, people, signals })
    }

    /// Who calls, by the token of a request: good as long as the token, and no longer.
    pub(crate) fn caller(&self, token: &str, now: Timestamp) -> Result<Identity, Box<dyn Error>> {
        let verified = self.people.verify(token, now)?;
        let groups: Vec<&str> = verified.texts("groups").collect();
        Ok(self.broker.assert_identity(verified.assertion(Kind::Human).groups(groups))?)
    }

    /// What is pushed: `202` if this is well, `400` with the code if it is not.
    pub(crate) fn pushed(&self, body: &str, now: Timestamp) -> Result<(), &'static str> {
        let received = self.signals.receive(body, &self.broker.control(), now);
        received.map(drop).map_err(|error| error.code())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let now = SystemClock::new().read()?.wall;
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [jwks, token] = &words[..] else { return Err("expected: identify JWKS TOKEN".into()) };
    let broker = Broker::new(Policy::builder().build()?)?;
    let provider = Provider::new(broker, &std::fs::read_to_string(jwks)?)?;
    let caller = provider.caller(std::fs::read_to_string(token)?.trim(), now)?;
    println!("{} in {:?}", caller.subject(), caller.groups().collect::<Vec<_>>());
    if let Err(code) = provider.pushed("what is not a security event token", now) {
        println!("not taken: {code}");
    }
    Ok(())
}
