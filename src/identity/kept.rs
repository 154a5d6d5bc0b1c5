//! An identity as a log keeps it, sealed: all that a host stated of it, so that a broker which goes on with the log
//! knows the same person again.

use serde::{Deserialize, Serialize};

use super::{Assertion, Fold, Identity, Kind};
use crate::clock::Timestamp;
use crate::value::Value;

/// What a host stated of somebody.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptIdentity {
    id: Box<str>,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Box<str>>,
    /// JSON, in which numbers stand exactly.
    attributes: Box<str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    acts_for: Vec<(Box<str>, Kind)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl KeptIdentity {
    pub(crate) fn of(who: &Identity) -> KeptIdentity {
        KeptIdentity {
            id: who.subject().as_str().into(),
            kind: who.kind(),
            groups: who.groups().map(Into::into).collect(),
            attributes: who.attributes().to_json().into(),
            aliases: who.aliases().map(Into::into).collect(),
            acts_for: who
                .acts_for()
                .iter()
                .map(|own| (own.subject.as_str().into(), own.kind))
                .collect(),
            until: who.until(),
        }
    }

    /// Its subject.
    #[cfg(feature = "fleet")]
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Every name that it has, and those of whom it acts for.
    #[cfg(feature = "fleet")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.aliases.iter().chain(self.acts_for.iter().map(|(id, _)| id));
        std::iter::once(&self.id).chain(others).map(|name| &**name)
    }

    /// The identity as the broker of this number attests it, which folds names so; `None` of what no host could have
    /// stated.
    pub(crate) fn attest(self, broker: u64, fold: Fold) -> Option<Identity> {
        let own = match self.kind {
            Kind::Agent => Assertion::agent(self.id),
            Kind::Workload => Assertion::workload(self.id),
            Kind::Human => Assertion::human(self.id),
        };
        let Value::Object(attributes) = Value::from_json(&self.attributes).ok()? else {
            return None;
        };
        let own = own.groups(self.groups);
        let own = self.aliases.into_iter().fold(own, Assertion::alias);
        let own = self.acts_for.into_iter().fold(own, |own, (id, kind)| own.acts_for(id, kind));
        let own = attributes
            .iter()
            .fold(own, |own, (name, value)| own.attr(name.to_owned(), value.clone()));
        let own = self.until.into_iter().fold(own, Assertion::until);
        own.folded(fold).attest(broker).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_that_was_kept_is_the_one_that_was_stated() {
        let stated = Assertion::human("ada@acme.test")
            .groups(["finance", "ops"])
            .alias("ada")
            .acts_for("bob", Kind::Human)
            .attr("level", 3)
            .attr("manager", "eve")
            .until(Timestamp::from_unix_millis(5_000).unwrap());
        let attested = stated.attest(7).unwrap();
        let text = serde_json::to_string(&KeptIdentity::of(&attested)).unwrap();
        let again = |broker| {
            let kept: KeptIdentity = serde_json::from_str(&text).unwrap();
            kept.attest(broker, Fold::None).unwrap()
        };
        assert!(again(7).states_as(&attested) && again(7).until() == attested.until());
        assert!(!again(8).states_as(&attested), "another broker attests it as its own");
    }
}
