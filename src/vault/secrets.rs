//! What one call runs with.

use std::fmt;
use std::sync::Arc;

use super::sealed::Sealed;
use super::secret::Secret;

/// What one call runs with, by the names that the catalogue says: lent to the tool while it runs, and wiped when it
/// is done.
///
/// ```
/// # use hallpass::prelude::*;
/// # use hallpass::vault::{Secret, Vault};
/// # let policy = Policy::from_toml(r#"
/// #     version = 1
/// #     tool = [{ name = "db.query", credential = "orders-db" }]
/// #     rule = [{ id = "read", effect = "permit", what = { tool = "db.query", args = "any" } }]
/// # "#)?;
/// # let vault = Vault::new()?;
/// # vault.seal("orders-db", Secret::new("fD3kW9sLq2-fD3kW9sLq2")?)?;
/// # let broker = Broker::builder(policy).vault(&vault).build()?;
/// # let agent = broker.assert_identity("agent-7")?;
/// # let task = broker.open(&agent, Purpose::new("reporting"))?;
/// # let context = Context::new();
/// # let grant = task.request(Scope::tool("db.query").any_args(), &context)?;
/// # let call = Call::new("db.query", serde_json::json!({ "table": "orders" }))?;
/// # let connect = |password: &[u8]| Ok::<_, std::io::Error>(password.len());
/// let permit = broker.gate().authorize(&grant, &agent, call, &context)?;
/// let receipt = permit.run_with(|_running, secrets| {
///     let password = secrets.get("orders-db").ok_or(std::io::ErrorKind::NotFound)?;
///     connect(password.expose())
/// })?;
/// # assert_eq!(receipt.raw(), 21);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// A closure can't take one along:
///
/// ```compile_fail
/// # use hallpass::{Permit, vault::Secret};
/// fn keep(permit: Permit) {
///     let mut kept: Option<&Secret> = None;
///     let _ = permit.run_with(|_, secrets| {
///         kept = secrets.get("orders-db");
///         Ok::<_, ()>(())
///     });
///     drop(kept);
/// }
/// ```
/// ```
/// # use hallpass::{Permit, vault::Secret};
/// fn use_it(permit: Permit) {
///     let mut length = None;
///     let _ = permit.run_with(|_, secrets| {
///         length = secrets.get("orders-db").map(|secret| secret.expose().len());
///         Ok::<_, ()>(())
///     });
///     drop(length);
/// }
/// ```
pub struct Secrets(Kept);

/// Most tools run with one, which takes no allocation of its own.
enum Kept {
    None,
    One(Lent),
    Many(Vec<Lent>),
}

/// One of them.
pub(crate) struct Lent {
    /// As its task keeps it.
    pub(crate) sealed: Arc<Sealed>,
    /// In the clear for the tool.
    pub(crate) secret: Secret,
    /// What it is called outside, if it was minted.
    pub(crate) outside: Option<Box<str>>,
    /// Where the catalogue says that it may be sent, if it says so.
    pub(crate) origins: Option<Arc<[Box<str>]>>,
}

impl Secrets {
    pub(crate) const NONE: Secrets = Secrets(Kept::None);

    pub(crate) fn and(self, lent: Lent) -> Secrets {
        Secrets(match self.0 {
            Kept::None => Kept::One(lent),
            Kept::One(first) => Kept::Many(vec![first, lent]),
            Kept::Many(mut all) => {
                all.push(lent);
                Kept::Many(all)
            }
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lent().is_empty()
    }

    fn lent(&self) -> &[Lent] {
        match &self.0 {
            Kept::None => &[],
            Kept::One(lent) => std::slice::from_ref(lent),
            Kept::Many(all) => all,
        }
    }

    /// As the task keeps them.
    pub(crate) fn sealed(&self) -> impl ExactSizeIterator<Item = &Arc<Sealed>> {
        self.lent().iter().map(|own| &own.sealed)
    }

    /// The credential of this name, if the catalogue says that the tool runs with it.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.find(name).map(|own| &own.secret)
    }

    /// What a [minted](crate::credential) credential is called where it was minted: the name of the user whose password
    /// it is, say. `None` of what is in the vault.
    pub fn user(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(|own| own.outside.as_deref())
    }

    /// Where the catalogue says that the tool may send it (`origins`): nowhere, where it says nothing.
    pub fn origins(&self, name: &str) -> impl ExactSizeIterator<Item = &str> {
        let origins = self.find(name).and_then(|own| own.origins.as_deref()).unwrap_or_default();
        origins.iter().map(|own| &**own)
    }

    fn find(&self, name: &str) -> Option<&Lent> {
        self.lent().iter().find(|own| **own.sealed.name() == *name)
    }

    /// The names, in the order of the catalogue.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lent().iter().map(|own| &**own.sealed.name())
    }
}

/// Shows the names alone.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
