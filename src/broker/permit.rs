//! A permit: proof that one call may run, once, now.

use std::sync::Arc;

use super::credentials::would_run_without;
use super::current::DecidingRules;
use super::lend::{Lent, MintedInUse};
use super::open_call::OpenCall;
use super::receipt::{Receipt, RunError};
use super::running::Running;
use super::shared::Shared;
use super::waits::Waits;
use crate::audit::Outcome;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::grant::GrantId;
use crate::sync::Apart;
use crate::task::TaskCell;
use crate::vault::Secrets;

/// Proof that one call may run now. Only the gate makes one, and it can be used once.
///
/// It seals the call: the tool runs from the arguments that were decided about, not from what the
/// agent may have changed since. Starting it checks again that task and grant live, that the grant was
/// not decided otherwise since, that nothing is halted and that the policy is the same. A permit that is dropped unused gives back what it
/// reserved; one that is kept lapses after the broker's `permit_ttl`.
///
/// ```compile_fail,E0277
/// # use hallpass::Permit;
/// fn copy<T: Clone>() {}
/// copy::<Permit>();
/// ```
/// ```compile_fail,E0277
/// # use hallpass::Permit;
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<Permit>();
/// ```
/// ```compile_fail,E0382
/// # use hallpass::Permit;
/// fn twice(permit: Permit) {
///     let _ = permit.start();
///     let _ = permit.start();
/// }
/// ```
/// ```compile_fail,E0624
/// # use hallpass::{Call, Permit};
/// fn forge(call: Call) -> Permit {
///     Permit::new(call)
/// }
/// ```
/// ```compile_fail,E0451
/// # use hallpass::{Call, Permit};
/// fn swap(permit: Permit, call: Call) -> Permit {
///     Permit { call, ..permit }
/// }
/// ```
/// A permit that was not started shows no arguments to run from:
///
/// ```compile_fail,E0599
/// # use hallpass::{Call, Permit};
/// fn look(permit: &Permit) -> &Call {
///     permit.call()
/// }
/// ```
/// ```
/// # use hallpass::{Call, Permit, Running};
/// fn look(running: &Running) -> &Call {
///     running.call()
/// }
/// fn copy<T: Clone>() {}
/// copy::<Call>();
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<String>();
/// fn once(permit: Permit) {
///     let _ = permit.start();
/// }
/// ```
#[must_use = "a permit that is dropped permits nothing: run the call through it"]
pub struct Permit {
    call: Call,
    rules: DecidingRules,
    version: u64,
    open: OpenCall,
}

impl Permit {
    pub(super) fn new(
        shared: Arc<Apart<Arc<Shared>>>,
        cell: Arc<TaskCell>,
        grant: GrantId,
        seq: u64,
        version: u64,
        rules: DecidingRules,
        call: Call,
    ) -> Self {
        let open = OpenCall::new(shared, cell, grant, seq);
        Permit { call, rules, version, open }
    }

    /// The tool that may be called. What it is called with, only the started call tells.
    pub fn tool(&self) -> &str {
        self.call.tool()
    }

    /// The permit's number in the log; its outcome refers to it.
    pub fn number(&self) -> u64 {
        self.open.seq()
    }

    /// The task's generation.
    #[cfg(feature = "fleet")]
    pub(crate) fn generation(&self) -> u64 {
        self.open.cell().generation
    }

    /// The permits among the rules that decided.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rules.ids()
    }

    /// Runs the tool and records the outcome: ok, error, or interrupted if the tool panics.
    ///
    /// For a tool that is done when it returns. One that returns a future has not begun: its outcome
    /// would be recorded before it does anything. Run it with [`run_async`](Permit::run_async).
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let policy = Policy::builder().rule(Rule::permit("p").tool("add").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("sums"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("add").any_args(), &context)?;
    /// # let call = Call::new("add", serde_json::json!({ "a": 1, "b": 2 }))?;
    /// let permit = broker.gate().authorize(grant.token(), &agent, call, &context)?;
    /// let receipt = permit.run(|running| {
    ///     let number = |key| running.args().number(key).and_then(|n| n.to_i64());
    ///     number("a").zip(number("b")).map(|(a, b)| a + b).ok_or("not numbers")
    /// })?;
    /// assert_eq!(receipt.scrubbed(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RunError::Denied`] if the call may no longer start, [`RunError::Tool`] with the tool's own
    /// error.
    pub fn run<T, E>(
        self,
        tool: impl FnOnce(&Running) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        let running = match self.start() {
            Ok(running) => running,
            Err(denial) => return Err(RunError::Denied(denial)),
        };
        let result = tool(&running);
        running.close_with(result)
    }

    /// As [`run`](Permit::run), for a tool that is asynchronous, on any runtime. If the future is
    /// dropped before it is done, the call is recorded as interrupted.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// async fn fetch(permit: Permit) -> Option<String> {
    ///     let read = async |path: &str| Ok::<_, std::io::Error>(format!("what {path} holds"));
    ///     let receipt = permit
    ///         .run_async(async |running| read(running.args().text("path").unwrap_or("/")).await)
    ///         .await;
    ///     receipt.ok().map(|receipt| receipt.scrubbed())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Permit::run).
    pub async fn run_async<T, E>(
        self,
        tool: impl AsyncFnOnce(&Running) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        let running = self.start_async().await.map_err(RunError::Denied)?;
        let result = tool(&running).await;
        running.close_with(result)
    }

    /// As [`run`](Permit::run), and lends the tool the credentials that the catalogue says it runs with: the only way
    /// to one. They are unsealed or
    /// [minted](crate::credential) first, then task and grant are checked once more, and only if they still live does the
    /// tool start. They are wiped when it is done.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use hallpass::vault::{Secret, Vault};
    /// # let policy = Policy::from_toml(r#"
    /// #     version = 1
    /// #     tool = [{ name = "mail.send", credential = "mail-key" }]
    /// #     rule = [{ id = "send", effect = "permit", what = { tool = "mail.send", args = "any" } }]
    /// # "#)?;
    /// # let vault = Vault::new()?;
    /// # vault.seal("mail-key", Secret::new("fD3kW9sLq2-fD3kW9sLq2")?)?;
    /// # let broker = Broker::builder(policy).vault(&vault).build()?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("newsletter"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("mail.send").any_args(), &context)?;
    /// # let call = Call::new("mail.send", serde_json::json!({ "to": "ada" }))?;
    /// # fn send(key: Option<&[u8]>, _args: &Args) -> Result<&'static str, &'static str> {
    /// #     key.map(|_| "sent").ok_or("no key")
    /// # }
    /// let permit = broker.gate().authorize(&grant, &agent, call, &context)?;
    /// let receipt = permit.run_with(|running, secrets| {
    ///     let key = secrets.get("mail-key").map(|secret| secret.expose());
    ///     send(key, running.args())
    /// })?;
    /// assert_eq!(receipt.raw(), "sent");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Permit::run); and [`RunError::Denied`] if a credential can't be had.
    pub fn run_with<T, E>(
        self,
        tool: impl FnOnce(&Running, &Secrets) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        let (running, secrets, _in_use) = self.start_with().map_err(RunError::Denied)?;
        let result = tool(&running, &secrets);
        drop(secrets);
        running.close_with(result)
    }

    /// As [`run_with`](Permit::run_with), for a tool that is asynchronous: see [`run_async`](Permit::run_async).
    ///
    /// # Errors
    /// As [`run_with`](Permit::run_with).
    pub async fn run_with_async<T, E>(
        self,
        tool: impl AsyncFnOnce(&Running, &Secrets) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        let lent = self.open.lend(&self.call, &self.rules, Waits::AsFuture).await;
        let (running, secrets, _in_use) = match lent {
            Ok(Lent { secrets, minted, read }) => {
                let running = self.start_now_async(&secrets, read).await;
                (running.map_err(RunError::Denied)?, secrets, minted)
            }
            Err(denial) => return Err(RunError::Denied(self.refuse(denial))),
        };
        let result = tool(&running, &secrets).await;
        drop(secrets);
        running.close_with(result)
    }

    /// What was minted is in use until the last of these is dropped.
    fn start_with(self) -> Result<(Running, Secrets, Option<MintedInUse>), Denial> {
        match self.open.lend_now(&self.call, &self.rules) {
            Ok(Lent { secrets, minted, read }) => {
                Ok((self.start_now(&secrets, read)?, secrets, minted))
            }
            Err(denial) => Err(self.refuse(denial)),
        }
    }

    /// Moves the permit from reserved to running, in one step with the last check.
    ///
    /// # Errors
    /// A [`Denial`] if task or grant have ended or expired, a checkpoint or a renewal gave less, a halt is on, the
    /// policy is another, or the permit has lapsed; and one of a tool that runs with a credential, which
    /// [`run_with`](Permit::run_with) starts. Of a call that people agreed to, the log keeps a record that it is about
    /// to start, and it does not start where the log refuses that. What it reserved is given back.
    pub fn start(self) -> Result<Running, Denial> {
        match self.what_lacks() {
            None => self.start_now(&Secrets::NONE, None),
            Some(denial) => Err(self.refuse(denial)),
        }
    }

    /// As [`start`](Permit::start), as a future of any runtime. Of a call that people agreed to it waits, as
    /// [`Gate::authorize_async`](crate::Gate::authorize_async) does, for the record that it is about to start.
    ///
    /// # Errors
    /// As [`start`](Permit::start).
    pub async fn start_async(self) -> Result<Running, Denial> {
        match self.what_lacks() {
            None => self.start_now_async(&Secrets::NONE, None).await,
            Some(denial) => Err(self.refuse(denial)),
        }
    }

    /// Hands the call to what runs it elsewhere, a proxy or a service that asks this process to decide: the last check
    /// is made as by [`start`](Permit::start), and the outcome is recorded as
    /// [`forwarded`](crate::audit::Outcome::Forwarded). What becomes of the call is not known from then on, and no end
    /// of its task reaches it.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let policy = Policy::builder().rule(Rule::permit("p").tool("GET").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("browse"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("GET").any_args(), &context)?;
    /// # let call = Call::new("GET", serde_json::json!({ "path": "/" }))?;
    /// let call = broker.gate().authorize(&grant, &agent, call, &context)?.forward()?;
    /// assert_eq!(call.tool(), "GET"); // made by another process, with these arguments
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As of [`start`](Permit::start): a call that needs a credential can't be forwarded.
    pub fn forward(self) -> Result<Call, Denial> {
        let Running { call, mut open } = self.start()?;
        open.close(Outcome::Forwarded);
        Ok(call)
    }

    /// Why the tool does not run without a credential, if it does not.
    #[inline]
    fn what_lacks(&self) -> Option<Denial> {
        let needed = self.rules.credentials_of(self.call.tool());
        (!needed.is_empty()).then(|| would_run_without(needed))
    }

    fn refuse(self, denial: Denial) -> Denial {
        self.open.record_denial(&self.call, &denial);
        denial
    }

    // A permit is large: called instead of written out, it is copied each time.
    #[inline(always)]
    fn start_now(mut self, lent: &Secrets, read: Option<Timestamp>) -> Result<Running, Denial> {
        self.note_leaks();
        let started = self.open.start(&self.call, self.version, (lent, read));
        self.running(started)
    }

    async fn start_now_async(
        mut self,
        lent: &Secrets,
        read: Option<Timestamp>,
    ) -> Result<Running, Denial> {
        self.note_leaks();
        let started = self.open.start_async(&self.call, self.version, (lent, read)).await;
        self.running(started)
    }

    fn note_leaks(&mut self) {
        if self.rules.leak_halts(self.call.tool()) {
            self.open.halt_on_leak();
        }
    }

    #[inline(always)]
    fn running(self, started: Result<(), Denial>) -> Result<Running, Denial> {
        let Permit { call, open, .. } = self;
        match started {
            Ok(()) => Ok(Running { call, open }),
            Err(denial) => {
                open.record_denial(&call, &denial);
                Err(denial)
            }
        }
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit")
            .field("number", &self.open.seq())
            .field("tool", &self.call.tool())
            .finish_non_exhaustive()
    }
}
