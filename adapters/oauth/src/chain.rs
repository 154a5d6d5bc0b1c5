//! Who acts for whom, as claims.

use hallpass::identity::Identity;
use serde_json::{Map, Value, json};

/// The subject of a token for this holder: who it acts for in the end, itself if for no one.
pub(crate) fn subject_of(holder: &Identity) -> &str {
    holder.acts_for().last().map_or(holder.subject().as_str(), |last| last.subject.as_str())
}

/// The claim `act` of a token for this holder: it acts, through those between it and the subject. `None` where it acts for no one.
///
/// Of `agent-7` that acts for `planner`, which acts for `alice`, `{"sub":"agent-7","act":{"sub":"planner"}}`: the one that
/// acts now is outermost, as section 4.1 of RFC 8693 has it.
pub(crate) fn act_of(holder: &Identity) -> Option<Value> {
    let (_, between) = holder.acts_for().split_last()?;
    let before = between
        .iter()
        .rev()
        .fold(None, |before, actor| Some(claims(actor.subject.as_str(), before)));
    Some(claims(holder.subject().as_str(), before))
}

fn claims(subject: &str, before: Option<Value>) -> Value {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(subject));
    claims.extend(before.map(|before| ("act".to_owned(), before)));
    Value::Object(claims)
}

/// The claims that say who acts in a token that the host signs for the acting party: `sub`, and `act` with those through whom it does, as in
/// `{"sub":"agent-7","act":{"sub":"planner"}}`. `None` where the holder acts for no one.
///
/// ```
/// use hallpass::prelude::*;
/// use hallpass_oauth::actor_claims;
///
/// # let policy = Policy::builder().build()?;
/// # let broker = Broker::new(policy)?;
/// let holder = Assertion::agent("agent-7")
///     .acts_for("planner", Kind::Agent)
///     .acts_for("alice@acme.test", Kind::Human);
/// let holder = broker.assert_identity(holder)?;
/// let claims = actor_claims(&holder).unwrap_or_default();
/// let claims: serde_json::Value = serde_json::from_str(&claims)?;
/// assert_eq!(claims, serde_json::json!({ "sub": "agent-7", "act": { "sub": "planner" } }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn actor_claims(holder: &Identity) -> Option<String> {
    act_of(holder).map(|claims| claims.to_string())
}

/// Whether the claim `act` of a token names exactly these actors, in this order. What else it says of them (`iss`, say) is left alone.
pub(crate) fn is_same_chain(given: Option<&Value>, expected: Option<&Value>) -> bool {
    match (given, expected) {
        (None, None) => true,
        (Some(given), Some(expected)) => {
            given.get("sub").is_some_and(|sub| Some(sub) == expected.get("sub"))
                && is_same_chain(given.get("act"), expected.get("act"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_is_shorter_longer_or_of_others_is_another() {
        let own = json!({ "sub": "agent-7", "act": { "sub": "planner" } });
        let with_issuer = json!({ "sub": "agent-7", "iss": "x", "act": { "sub": "planner" } });
        assert!(is_same_chain(Some(&own), Some(&own)) && is_same_chain(None, None));
        assert!(is_same_chain(Some(&with_issuer), Some(&own)));
        for other in [
            json!({ "sub": "agent-7" }),
            json!({ "sub": "agent-8", "act": { "sub": "planner" } }),
            json!({ "sub": "agent-7", "act": { "sub": "planner", "act": { "sub": "x" } } }),
            json!({ "sub": "agent-7", "act": "planner" }),
            json!("agent-7"),
            json!(null),
        ] {
            assert!(!is_same_chain(Some(&other), Some(&own)), "{other}");
        }
        assert!(!is_same_chain(None, Some(&own)) && !is_same_chain(Some(&own), None));
    }
}
