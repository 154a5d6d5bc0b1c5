//! Where a trace's credentials come from.

use std::collections::BTreeMap;

use crate::credential::Guarantees;
use crate::testing::{ManualClock, ScriptedProvider};
use crate::value::Value;
use crate::vault::{Secret, Vault};
use crate::{BrokerBuilder, Policy};

use super::fields::{Fields, Misread, length, text};

/// What the broker of a trace is called in the names of what its providers mint.
const NAME: &str = "replay";

/// Where what tools run with comes from: minted where the header says so, sealed otherwise.
pub(crate) struct Credentials {
    vault: Vault,
    pub(super) minted: BTreeMap<Box<str>, ScriptedProvider>,
}

/// A credential that providers mint, as the header says it.
pub(crate) struct Minting<'v> {
    name: &'v str,
    guarantees: Guarantees,
}

impl<'v> Minting<'v> {
    /// A name alone, or an object that says how soon what is minted can be withdrawn.
    ///
    /// # Errors
    /// [`Misread`] if it is neither.
    pub(crate) fn read(value: &'v Value) -> Result<Self, Misread> {
        let Value::Object(_) = value else {
            return Ok(Minting {
                name: text("minted", value)?,
                guarantees: Guarantees::immediate(),
            });
        };
        let fields = Fields::open("minted", value, &["credential", "withdrawal", "shortest_life"])?;
        let guarantees = match fields.text_if("withdrawal")? {
            None | Some("immediate") => Guarantees::immediate(),
            Some("never") => Guarantees::never(),
            Some(within) => Guarantees::within(length("withdrawal", within)?),
        };
        let life = fields.text_if("shortest_life")?.map(|span| length("shortest_life", span));
        let guarantees = match life.transpose()? {
            Some(life) => guarantees.shortest_life(life),
            None => guarantees,
        };
        Ok(Minting { name: fields.text("credential")?, guarantees })
    }
}

impl Credentials {
    /// # Errors
    /// [`Misread`] if a credential is said twice, or can't be sealed.
    pub(crate) fn new(
        minted: &[Minting<'_>],
        policy: &Policy,
        clock: &ManualClock,
    ) -> Result<Self, Misread> {
        let vault = Vault::new().map_err(|error| Misread(error.to_string()))?;
        let mut credentials = Credentials { vault, minted: BTreeMap::new() };
        for Minting { name, guarantees } in minted {
            let provider = ScriptedProvider::new(name).guaranteeing(*guarantees).clock(clock);
            if credentials.minted.insert((*name).into(), provider).is_some() {
                return Err(Misread(format!("`minted` names `{}` twice", name.escape_debug())));
            }
        }
        credentials.seal_for(policy)?;
        Ok(credentials)
    }

    /// Seals what the catalogue of a policy names and nothing has yet.
    ///
    /// # Errors
    /// [`Misread`] of a name that can't be sealed under.
    pub(crate) fn seal_for(&self, policy: &Policy) -> Result<(), Misread> {
        for name in policy.0.catalogue.credentials().flat_map(|(_, names)| names) {
            if !self.minted.contains_key(name) && !self.vault.holds(name) {
                // No tool of a trace does anything with it.
                let secret = Secret::new(format!("a secret of a trace: {name}"));
                let secret = secret.map_err(|error| Misread(error.to_string()))?;
                self.vault.seal(name, secret).map_err(|error| Misread(error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Gives a broker its sources.
    pub(crate) fn give_to(&self, builder: BrokerBuilder) -> BrokerBuilder {
        let builder = builder.vault(&self.vault);
        if self.minted.is_empty() {
            return builder;
        }
        let builder = builder.name(NAME).tended_by_host();
        self.minted
            .iter()
            .fold(builder, |builder, (name, provider)| builder.provider(name, provider.clone()))
    }
}
