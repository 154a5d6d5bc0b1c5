//! A provider of credentials that fails on cue.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{ManualClock, Timestamp};
use crate::credential::{
    CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn,
};
use crate::random;
use crate::sync::{Condvar, Mutex};
use crate::vault::Secret;

/// Long enough to count as waiting for a cue; a test that waits for longer has its own watchdog.
const LONG: Duration = Duration::from_secs(60 * 60);

/// What a mint does instead of minting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mint {
    /// Mints nothing, and says so.
    Fails,
    /// Mints, and does not say so: the answer was lost.
    Loses,
    /// Mints nothing yet: it does at the next call of any kind, after it has said that it does not know.
    LandsLate,
    /// Mints, and panics.
    Panics,
    /// Mints for longer than it was asked to, by this.
    Outlives(Duration),
    /// Gives the secret that it gave last.
    Repeats,
    /// Gives a handle that holds the secret.
    Shows,
    /// Takes that long, by the [clock](ScriptedProvider::clock).
    Takes(Duration),
}

/// What a withdrawal does instead of withdrawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Withdraw {
    /// Fails, to be tried again.
    Fails,
    /// Panics.
    Panics,
    /// Says that it is done, and leaves it as it was.
    Pretends,
    /// Says that it can't be withdrawn.
    Refuses,
}

/// What is said of a credential that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verify {
    /// That it can't be told.
    Unknown,
    /// Panics.
    Panics,
}

/// Keeps what it mints in memory, and fails when it is told to. Clones share it.
///
/// ```
/// # use hallpass::prelude::*;
/// use hallpass::testing::{ScriptedProvider, Withdraw};
/// # use std::time::Duration;
///
/// let database = ScriptedProvider::new("database");
/// # let policy = Policy::from_toml(r#"
/// #     version = 1
/// #     tool = [{ name = "db.query", credential = "orders-db" }]
/// #     rule = [{ id = "read", effect = "permit", what = { tool = "db.query", args = "any" } }]
/// # "#)?;
/// let builder = Broker::builder(policy).name("orders").tended_by_host();
/// let broker = builder.provider("orders-db", database.clone()).build()?;
/// # let agent = broker.assert_identity("agent-7")?;
/// # let context = Context::new();
/// # let task = broker.open(&agent, Purpose::new("reporting"))?;
/// # let grant = task.request(Scope::tool("db.query").any_args(), &context)?;
/// # let call = Call::new("db.query", serde_json::json!({}))?;
/// let permit = broker.gate().authorize(&grant, &agent, call, &context)?;
/// permit.run_with(|_, _| Ok::<_, String>(()))?;
/// assert_eq!(database.live().len(), 1);
///
/// database.next_withdrawals(Withdraw::Fails, 1);
/// task.complete();
/// broker.tend(Duration::from_secs(1));
/// assert_eq!(broker.obligations()[0].attempts, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ScriptedProvider {
    name: Arc<str>,
    guarantees: Guarantees,
    within: Duration,
    clock: Option<ManualClock>,
    shared: Arc<Inside>,
}

#[derive(Default)]
struct Inside {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    live: BTreeMap<Box<str>, Timestamp>,
    late: Option<(Box<str>, Timestamp)>,
    minted: usize,
    last_secret: String,
    mints: VecDeque<Mint>,
    withdrawals: VecDeque<Withdraw>,
    verifications: VecDeque<Verify>,
    hanging: bool,
    inside: usize,
}

impl ScriptedProvider {
    /// One that records call so, withdraws at once, and mints within ten seconds.
    #[must_use]
    pub fn new(name: &str) -> Self {
        ScriptedProvider {
            name: name.into(),
            guarantees: Guarantees::immediate(),
            within: Duration::from_secs(10),
            clock: None,
            shared: Arc::default(),
        }
    }

    /// Promises this instead.
    #[must_use]
    pub fn guaranteeing(self, guarantees: Guarantees) -> Self {
        ScriptedProvider { guarantees, ..self }
    }

    /// Plans to mint within that time.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        ScriptedProvider { within: time, ..self }
    }

    /// What tells the time to a mint that takes some.
    #[must_use]
    pub fn clock(self, clock: &ManualClock) -> Self {
        ScriptedProvider { clock: Some(clock.clone()), ..self }
    }

    /// Has the next mints do this.
    pub fn next_mints(&self, cue: Mint, times: usize) {
        self.shared.state.lock().mints.extend(std::iter::repeat_n(cue, times));
    }

    /// Has the next withdrawals do this.
    pub fn next_withdrawals(&self, cue: Withdraw, times: usize) {
        self.shared.state.lock().withdrawals.extend(std::iter::repeat_n(cue, times));
    }

    /// Has the next answers about what is gone be this.
    pub fn next_verifications(&self, cue: Verify, times: usize) {
        self.shared.state.lock().verifications.extend(std::iter::repeat_n(cue, times));
    }

    /// Takes every cue back.
    pub fn recover(&self) {
        let mut state = self.shared.state.lock();
        (state.mints, state.withdrawals, state.verifications) = Default::default();
    }

    /// Has each thread that mints or withdraws from now on stay inside.
    pub fn hang(&self) {
        self.shared.state.lock().hanging = true;
    }

    /// Lets them go on.
    pub fn release(&self) {
        self.shared.state.lock().hanging = false;
        self.shared.changed.notify_all();
    }

    /// Waits until a thread is inside, for an hour at the longest.
    pub fn wait_until_inside(&self) {
        let mut state = self.shared.state.lock();
        self.shared.changed.wait_while_for(&mut state, |state| state.inside == 0, LONG);
    }

    /// The names of what it has minted and not withdrawn.
    #[must_use]
    pub fn live(&self) -> Vec<Box<str>> {
        self.shared.state.lock().live.keys().cloned().collect()
    }

    /// How often it minted.
    #[must_use]
    pub fn minted(&self) -> usize {
        self.shared.state.lock().minted
    }

    /// Puts a name there that it did not mint: another broker's, or an earlier life's.
    pub fn plant(&self, name: &str, until: Timestamp) {
        self.shared.state.lock().live.insert(name.into(), until);
    }

    /// All that it has minted expires.
    pub fn withdraw_all(&self) {
        self.shared.state.lock().live.clear();
    }

    fn enter(&self) {
        let mut state = self.shared.state.lock();
        state.inside += 1;
        self.shared.changed.notify_all();
        self.shared.changed.wait_while_for(&mut state, |state| state.hanging, LONG);
        state.inside -= 1;
        if let Some((name, until)) = state.late.take() {
            state.live.insert(name, until);
        }
    }
}

impl CredentialProvider for ScriptedProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn guarantees(&self) -> Guarantees {
        self.guarantees
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        Ok(want.plan(self.within))
    }

    #[expect(clippy::panic, reason = "a panic is what the cue asks for")]
    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        self.enter();
        let mut bytes = [0; 12];
        random::fill(&mut bytes).map_err(MintError::not_minted)?;
        let fresh =
            bytes.iter().fold("minted-".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let state = &mut *self.shared.state.lock();
        let cue = state.mints.pop_front();
        let secret = match cue {
            Some(Mint::Repeats) => state.last_secret.clone(),
            _ => fresh,
        };
        let name: Box<str> = plan.handle().name().into();
        let expires = match cue {
            Some(Mint::Outlives(by)) => plan.expires().checked_add(by).unwrap_or(plan.expires()),
            _ => plan.expires(),
        };
        match cue {
            Some(Mint::Fails) => return Err(MintError::not_minted("failed on cue")),
            Some(Mint::LandsLate) => {
                state.late = Some((name, expires));
                return Err(MintError::unknown("no answer, on cue"));
            }
            _ => {}
        }
        state.live.insert(name, expires);
        state.minted += 1;
        state.last_secret.clone_from(&secret);
        let sealed = Secret::new(secret.clone()).map_err(MintError::unknown)?;
        let minted = Minted::new(plan, sealed, expires);
        match cue {
            Some(Mint::Loses) => Err(MintError::unknown("no answer, on cue")),
            Some(Mint::Panics) => panic!("panicked on cue"),
            Some(Mint::Shows) => Ok(minted.detail(&format!("password={secret}"))),
            Some(Mint::Takes(time)) => {
                self.clock.iter().for_each(|clock| clock.advance(time));
                Ok(minted)
            }
            _ => Ok(minted),
        }
    }

    #[expect(clippy::panic, reason = "a panic is what the cue asks for")]
    fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn {
        self.enter();
        let state = &mut *self.shared.state.lock();
        match state.withdrawals.pop_front() {
            Some(Withdraw::Fails) => {
                return Withdrawn::retry(Duration::ZERO, "failed on cue");
            }
            Some(Withdraw::Panics) => panic!("panicked on cue"),
            Some(Withdraw::Pretends) => return Withdrawn::Done,
            Some(Withdraw::Refuses) => {
                let until = state.live.get(handle.name()).copied();
                return match until {
                    Some(until) => Withdrawn::impossible(until, "refused on cue"),
                    None => Withdrawn::Already,
                };
            }
            None => {}
        }
        if self.guarantees.takes_secret()
            && secret.is_none_or(|own| own.expose_text() != Some(&state.last_secret))
        {
            return Withdrawn::retry(Duration::ZERO, "it was not given its secret");
        }
        match state.live.remove(handle.name()) {
            Some(_) => Withdrawn::Done,
            None => Withdrawn::Already,
        }
    }

    #[expect(clippy::panic, reason = "a panic is what the cue asks for")]
    fn verify(&self, handle: &Handle) -> Gone {
        let mut state = self.shared.state.lock();
        match state.verifications.pop_front() {
            Some(Verify::Unknown) => Gone::Unknown,
            Some(Verify::Panics) => panic!("panicked on cue"),
            None if state.live.contains_key(handle.name()) => Gone::still("it is there"),
            None => Gone::Gone,
        }
    }

    fn sweep(&self, mine: &dyn Fn(&str) -> bool) -> Vec<Handle> {
        let state = self.shared.state.lock();
        let found = state.live.keys().filter(|name| mine(name));
        found.map(|name| Handle::new(name, "found")).collect()
    }
}

impl std::fmt::Debug for ScriptedProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedProvider").field("name", &self.name).finish_non_exhaustive()
    }
}
