//! What mints credentials for the time of a grant.

use std::sync::Arc;

use super::answers::{Gone, MintError, Minted, Refused, Withdrawn};
use super::guarantees::Guarantees;
use super::handle::Handle;
use super::plan::{Plan, Want};
use crate::vault::Secret;

/// Mints credentials for the time of a grant, and withdraws them: a database that makes roles, a service that exchanges
/// tokens. For hosts on a runtime there is [`AsyncCredentialProvider`](super::AsyncCredentialProvider).
///
/// The broker calls it with no lock held. It may fail, panic or hang: the permit that needs the credential is denied, and
/// nothing else. Whatever it may have made is withdrawn, by [`Broker::tend`](crate::Broker::tend) or the
/// [reaper](crate::Broker::start_reaper), and not forgotten before it [is gone](Self::verify).
///
/// Nothing that it answers in words may hold a secret: the words are recorded.
///
/// ```
/// use hallpass::credential::{
///     CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn,
/// };
/// use hallpass::vault::Secret;
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
/// use std::time::Duration;
///
/// /// Users of a service, by name.
/// #[derive(Default)]
/// struct Users(Mutex<BTreeMap<String, Vec<u8>>>);
///
/// impl CredentialProvider for Users {
///     fn name(&self) -> &str {
///         "users"
///     }
///
///     fn guarantees(&self) -> Guarantees {
///         Guarantees::immediate()
///     }
///
///     fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
///         Ok(want.plan(Duration::from_secs(5)))
///     }
///
///     fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
///         let mut users = self.0.lock().map_err(MintError::not_minted)?;
///         let password = format!("{}-{}", plan.handle().name().len(), "0f9a2c47b85d1e63"); // random, in earnest
///         users.insert(plan.handle().name().to_owned(), password.clone().into_bytes());
///         let secret = Secret::new(password).map_err(MintError::unknown)?;
///         Ok(Minted::new(plan, secret, plan.expires()))
///     }
///
///     fn withdraw(&self, handle: &Handle, _: Option<&Secret>) -> Withdrawn {
///         match self.0.lock() {
///             Ok(mut users) => match users.remove(handle.name()) {
///                 Some(_) => Withdrawn::Done,
///                 None => Withdrawn::Already,
///             },
///             Err(error) => Withdrawn::retry(Duration::from_secs(1), error),
///         }
///     }
///
///     fn verify(&self, handle: &Handle) -> Gone {
///         match self.0.lock() {
///             Ok(users) if users.contains_key(handle.name()) => Gone::still("the user is there"),
///             Ok(_) => Gone::Gone,
///             Err(_) => Gone::Unknown,
///         }
///     }
/// }
///
/// # use hallpass::prelude::*;
/// let policy = Policy::from_toml(r#"
///     version = 1
///     tool = [{ name = "db.query", credential = "orders-db" }]
///     rule = [{ id = "read", effect = "permit", what = { tool = "db.query", args = "any" } }]
/// "#)?;
/// let broker = Broker::builder(policy)
///     .name("orders")
///     .provider("orders-db", Users::default())
///     .tended_by_host()
///     .build()?;
/// # let agent = broker.assert_identity("agent-7")?;
/// # let context = Context::new();
/// let task   = broker.open(&agent, Purpose::new("reporting"))?;
/// let grant  = task.request(Scope::tool("db.query").any_args(), &context)?;
/// let call   = Call::new("db.query", serde_json::json!({}))?;
/// let permit = broker.gate().authorize(&grant, &agent, call, &context)?;
/// permit.run_with(|_, secrets| secrets.get("orders-db").map(|_| ()).ok_or("no password"))?;
///
/// task.complete();                                    // waits for no provider
/// assert_eq!(broker.obligations().len(), 1);          // it is owed that the user goes
/// broker.tend(Duration::from_secs(5));
/// assert!(broker.obligations().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CredentialProvider: Send + Sync {
    /// What records call it.
    fn name(&self) -> &str;

    /// What it can promise of the end of what it mints. Asked once, when the broker is built.
    fn guarantees(&self) -> Guarantees;

    /// What it would do, without doing anything.
    ///
    /// # Errors
    /// [`Refused`]: the permit is denied.
    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused>;

    /// Mints as planned, within the plan's time. The plan is in the log by now.
    ///
    /// # Errors
    /// [`MintError`], which says whether something may have been made.
    fn mint(&self, plan: &Plan) -> Result<Minted, MintError>;

    /// Withdraws what was minted, sessions included as far as the guarantees say so. Called again and again until it
    /// answers [`Done`](Withdrawn::Done) or [`Already`](Withdrawn::Already) and [`verify`](Self::verify) agrees: each of
    /// its steps has to bear repetition. `secret` is there exactly where the guarantees say that it
    /// [needs one](Guarantees::needs_secret): what a restart has lost the secret of is not asked for.
    fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn;

    /// Whether nothing of it is left: asked of what the credential is for, and not of a note of one's own.
    fn verify(&self, handle: &Handle) -> Gone;

    /// Looks for what an earlier life of the broker has left, once, before the first withdrawal: `mine` tells of a name
    /// whether the broker's log has it and it is not live. What is given back says more of what is owed anyway (a
    /// number that was not recorded, say); what `mine` denies is left alone. Nothing, unless this is written.
    fn sweep(&self, mine: &dyn Fn(&str) -> bool) -> Vec<Handle> {
        let _ = mine;
        Vec::new()
    }
}

impl<P: CredentialProvider + ?Sized> CredentialProvider for Arc<P> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn guarantees(&self) -> Guarantees {
        (**self).guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        (**self).plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        (**self).mint(plan)
    }

    fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn {
        (**self).withdraw(handle, secret)
    }

    fn verify(&self, handle: &Handle) -> Gone {
        (**self).verify(handle)
    }

    fn sweep(&self, mine: &dyn Fn(&str) -> bool) -> Vec<Handle> {
        (**self).sweep(mine)
    }
}
