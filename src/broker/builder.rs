//! Building a broker.

mod credentials;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::alert::Alert;
use super::credentials::Sources;
use super::denial_hook::DenialHook;
use super::downstream::OwedHook;
use super::leak::LeakHook;
use super::settings::Settings;
use super::source::Source;
use crate::audit::{Entry, Event, FileLog, LogTimer, Sink, UnwrittenHook};
use crate::clock::{Clock, ClockSource, SystemClock};
use crate::context::ContextSource;
use crate::denial::Denial;
use crate::grant::GrantIds;
use crate::key::{KeyRing, LogKeys};
use crate::policy::Policy;

/// Builds a [`Broker`](crate::Broker); every default has its reason at its method.
#[must_use = "a builder does nothing until `build` is called"]
pub struct BrokerBuilder {
    pub(super) policy: Policy,
    pub(super) issuer: Box<str>,
    pub(super) audience: Box<str>,
    pub(super) clock: ClockSource,
    pub(super) sink: Option<Arc<dyn Sink>>,
    pub(super) ring: Option<KeyRing>,
    pub(super) log_keys: Option<LogKeys>,
    pub(super) settings: Settings,
    pub(super) log_timer: Option<LogTimer>,
    pub(super) tripwire: Option<(usize, Duration)>,
    pub(super) halts_lapse: Option<Duration>,
    pub(super) ids: GrantIds,
    pub(super) on_denial: Option<DenialHook>,
    pub(super) on_leak: Option<LeakHook>,
    pub(super) alert: Option<Alert>,
    pub(super) source: Option<Source>,
    pub(super) sources: Sources,
    pub(super) on_owed: Option<OwedHook>,
    pub(super) on_unwritten: Option<Arc<UnwrittenHook>>,
    pub(super) resumed: Option<FileLog>,
    #[cfg(feature = "tracing")]
    pub(super) traced: bool,
}

impl BrokerBuilder {
    pub(super) fn new(policy: Policy) -> Self {
        BrokerBuilder {
            policy,
            issuer: "hallpass".into(),
            audience: "hallpass".into(),
            clock: ClockSource::System(SystemClock::new()),
            sink: None,
            ring: None,
            log_keys: None,
            tripwire: None,
            halts_lapse: None,
            ids: GrantIds::keyed(),
            on_denial: None,
            on_leak: None,
            alert: None,
            source: None,
            sources: Sources::default(),
            on_owed: None,
            on_unwritten: None,
            resumed: None,
            log_timer: None,
            #[cfg(feature = "tracing")]
            traced: false,
            settings: Settings {
                default_ttl: Duration::from_secs(5 * 60),
                ceiling: Duration::from_secs(60 * 60),
                permit_ttl: Duration::from_secs(30),
                presentation_window: Duration::from_secs(30),
                max_grants_per_task: 1 << 20,
                max_permits: 1024,
                break_glass_ttl: Duration::from_secs(60 * 60),
                break_glass_uses: 100,
                questions_per_task: 16,
                questions_per_identity: 64,
                credential_wait: Duration::from_secs(10),
                log_timeout: Duration::from_secs(2),
            },
        }
    }

    /// The broker's name in tokens, of 1 to 255 bytes: a token of another issuer is refused. Default
    /// `hallpass`.
    pub fn issuer(mut self, name: &str) -> Self {
        self.issuer = name.into();
        self
    }

    /// Whom its tokens are for, in 1 to 255 bytes. Two brokers that share a key but differ in audience
    /// refuse each other's tokens, and a [`Verifier`](crate::token::Verifier) has the key of one
    /// audience. Default `hallpass`.
    pub fn audience(mut self, name: &str) -> Self {
        self.audience = name.into();
        self
    }

    /// The clock. Default: the system's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = ClockSource::Host(Arc::new(clock));
        self
    }

    /// Where records go. Default: a [`MemoryLog`](crate::audit::MemoryLog) of this broker's own, which
    /// [`Broker::log`](super::Broker::log) gives out. One that outlives the broker needs
    /// [keys](Self::log_keys) that do, too.
    pub fn log(mut self, sink: impl Sink + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Goes on with a log on file where it ends: numbers and generations of tasks begin after all that were
    /// given out, and halts that were on are on. Tasks that had not ended are recorded as ended
    /// (`interrupted`), and permits whose outcome was not told as `unknown`.
    ///
    /// Records go to that log, unless a [sink](Self::log) that wraps it is given, such as a
    /// [`ThreadedSink`](crate::audit::ThreadedSink). It has to claim the log in its
    /// [`open`](crate::audit::Sink::open), on the thread that calls it. A build that fails takes nothing: it can be
    /// repeated.
    ///
    /// What was spent of limits that span tasks (`per = "identity"`) stays spent, as far as the log's durability
    /// kept the permits. What the log does not say does not come back: denials count anew towards
    /// [`halt_after`](Self::halt_after), and what was [restated](crate::Control::restate) has to be stated again.
    pub fn resume_from(mut self, log: &FileLog) -> Self {
        self.resumed = Some(log.clone());
        self
    }

    /// Tells each record to the host's `tracing` once the log has accepted it: an event of the target `hallpass`, of the
    /// level `WARN` where something was denied, halted or went wrong, else `INFO`. Its fields are named as OpenTelemetry names
    /// those of GenAI (`gen_ai.tool.name`, `gen_ai.tool.call.id`), and `hallpass.*`; no event has arguments, scopes,
    /// digests, secrets, or what people wrote.
    ///
    /// The thread that writes the log calls the subscriber, which must not be slow. What is told is a copy: the log is what
    /// is verified.
    #[cfg(feature = "tracing")]
    pub fn tell_tracing(mut self) -> Self {
        self.traced = true;
        self
    }

    /// How long a thread waits for the log before it is denied access: from a millisecond to five
    /// minutes. Default two seconds: a disk that is well answers in a hundredth of that, and an agent
    /// whose call waits longer is better told that the log is not to be had.
    ///
    /// It bounds waiting for another thread that is inside the sink. A thread that is inside itself
    /// stays as long as the sink takes, unless that is a [`ThreadedSink`](crate::audit::ThreadedSink).
    pub fn log_timeout(mut self, most: Duration) -> Self {
        self.settings.log_timeout = most;
        self
    }

    /// What asynchronous calls wait with until [`log_timeout`](BrokerBuilder::log_timeout) is over, such as
    /// `tokio::time::sleep`: with it, [`Gate::authorize_async`](crate::Gate::authorize_async) and its like hold no
    /// thread while the log takes its time. Without one they wait on the thread, since the crate has no timer of its own.
    ///
    /// A future that is polled while no other thread is writing calls the sink: one that may block belongs into a
    /// [`ThreadedSink`](crate::audit::ThreadedSink). A timer that panics is taken for one whose time is up.
    pub fn log_timer<F>(mut self, sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.log_timer = Some(LogTimer::new(sleep));
        self
    }

    /// What gets the records that are still owed when the last handle of this broker is dropped, with
    /// the tags that continue the log's chain. Called on the thread that drops it; dropping calls no
    /// sink. Default: nothing, and what is owed is lost. [`Broker::close`](crate::Broker::close) writes them before.
    pub fn on_unwritten(mut self, hook: impl Fn(&[Entry<'_>]) + Send + Sync + 'static) -> Self {
        self.on_unwritten = Some(Arc::new(hook));
        self
    }

    /// How many grants a task may hold at once: 1 to 1,048,576, which is the default. Each takes some
    /// hundred bytes, and one task of an agent that asks again and again is all that it costs.
    pub fn max_grants_per_task(mut self, grants: usize) -> Self {
        self.settings.max_grants_per_task = grants;
        self
    }

    /// How many questions of a task, and of an identity in all its tasks, may wait for people at once: 1 to
    /// 10,000 each, 16 and 64 by default. People answer a few; what asks more than that wears them out. More are
    /// denied as [`too_many`](crate::Reason::TooMany), and none makes room for another.
    pub fn max_questions(mut self, per_task: usize, per_identity: usize) -> Self {
        self.settings.questions_per_task = per_task;
        self.settings.questions_per_identity = per_identity;
        self
    }

    /// The keys. Default: a random one that lives and dies with this broker, and all tokens with it.
    pub fn keys(mut self, ring: KeyRing) -> Self {
        self.ring = Some(ring);
        self
    }

    /// The keys of the log, which are not those of tokens. Default: a random one that lives and dies with
    /// this broker, like a log in memory. A log that outlives the broker takes keys that do, too: without
    /// them it can neither be verified nor continued.
    ///
    /// A log that ends under one of their past keys goes on under the active one, and says so with its
    /// next record.
    pub fn log_keys(mut self, keys: LogKeys) -> Self {
        self.log_keys = Some(keys);
        self
    }

    /// How long a grant lives if its permits do not say: from a millisecond to seven days. Default
    /// five minutes: long enough for a few tool calls, short enough that a forgotten grant is gone
    /// before anyone finds it.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.settings.default_ttl = ttl;
        self
    }

    /// How long a task lives at most, whatever is renewed in it: from a millisecond to seven days.
    /// Default one hour: an agent's errand takes minutes, and what takes longer can be opened again
    /// under a fresh look.
    pub fn ceiling(mut self, life: Duration) -> Self {
        self.settings.ceiling = life;
        self
    }

    /// How long a permit may wait before its call starts: from a millisecond to seven days. Default
    /// thirty seconds: it is made right before the call, so anything longer is a permit somebody
    /// kept.
    pub fn permit_ttl(mut self, ttl: Duration) -> Self {
        self.settings.permit_ttl = ttl;
        self
    }

    /// Halts an identity that is denied so often within a window, until somebody
    /// [resumes](super::Control::resume) it or it [lapses](Self::halts_lapse_after): 1 to 10,000 denials, in a millisecond to seven days. Off
    /// by default: what is many for one agent is little for another.
    pub fn halt_after(mut self, denials: usize, window: Duration) -> Self {
        self.tripwire = Some((denials, window));
        self
    }

    /// How long a halt of [`halt_after`](Self::halt_after) lasts before it lapses by itself: from a
    /// millisecond to seven days. By default it lasts until somebody resumes it: a program that is denied so
    /// often is looked at before it goes on. Where no operator can look, one that lapses keeps a mistake from
    /// stopping an agent for good.
    pub fn halts_lapse_after(mut self, length: Duration) -> Self {
        self.halts_lapse = Some(length);
        self
    }

    /// Tells a function of each denial that is recorded, together with its record: for metrics, alerts and
    /// a host's own log. It observes and overturns nothing; it runs on the thread that was denied, with no
    /// lock of the broker held, so it may ask the broker and is waited for. A panic in it is contained, and
    /// what is denied to the function itself is recorded and not told.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// use std::sync::{Arc, Mutex};
    ///
    /// # let policy = Policy::builder().build()?;
    /// let alerts = Arc::new(Mutex::new(Vec::new()));
    /// let seen = Arc::clone(&alerts);
    /// let broker = Broker::builder(policy)
    ///     .on_denial(move |denial, _record| seen.lock().unwrap().push(denial.reason()))
    ///     .build()?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("reading"))?;
    /// assert!(task.request(Scope::tool("fs.read"), &Context::new()).is_err());
    /// assert_eq!(*alerts.lock().unwrap(), [Reason::NotCovered]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_denial(mut self, told: impl Fn(&Denial, &Event<'_>) + Send + Sync + 'static) -> Self {
        self.on_denial = Some(DenialHook::new(told));
        self
    }

    /// Tells a function of each `secret_found` record: a secret that a task had used came back in what one of its calls
    /// gave. It was taken out; who wrote the tool should know. Runs on the thread that took the result, with no lock of
    /// the broker held; a panic in it is contained.
    pub fn on_leak(mut self, told: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.on_leak = Some(LeakHook::new(told));
        self
    }

    /// How long what [breaking the glass](crate::Task::break_glass) gives lives, from a millisecond to seven days, and
    /// how many calls a task may make by one rule of it, whatever policies say. Default an hour and 100 calls: longer
    /// than an incident takes to be seen by others, and not long enough to work that way.
    pub fn break_glass_at_most(mut self, ttl: Duration, uses: u64) -> Self {
        self.settings.break_glass_ttl = ttl;
        self.settings.break_glass_uses = uses;
        self
    }

    /// Alerts somebody when the [glass is broken](crate::Task::break_glass), and is to accept that `within` this
    /// time: from a millisecond to five minutes. Told the `broken_glass` record, which is in the log by then. What it
    /// does not accept (an error, a panic, no answer in time) is not given, unless each rule that gives it says
    /// `alert = "best_effort"`. A policy with a rule that does not say so is not loaded without an alert.
    ///
    /// It runs on a thread of its own, which is left alone once its time is over.
    pub fn break_glass_alert(
        mut self,
        alert: impl Fn(&Event<'_>) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
        within: Duration,
    ) -> Self {
        self.alert = Some(Alert::new(alert, within));
        self
    }

    /// Asks the host for facts at every question, each to be answered `within` that time: requests,
    /// delegations, renewals, listings and calls, dry runs among them. They add to what the caller states;
    /// where both say different things of one name, nothing is known of it, so that rules that ask for it
    /// are unknown. Unless one is set, there is only what callers state.
    ///
    /// It is asked on the thread of the question, before any lock of the broker is taken, so it may ask
    /// the broker. One that fails, panics or is late (by the broker's clock) has the question denied as
    /// [`context_unavailable`](crate::Reason::ContextUnavailable), and recorded. The broker can't interrupt
    /// a source that does not return: it holds up its own question, and no other.
    pub fn context_source(
        mut self,
        source: impl ContextSource + 'static,
        within: Duration,
    ) -> Self {
        self.source = Some(Source { source: Box::new(source), within });
        self
    }

    /// The seam of `testing`: shipped code has no way to it.
    pub(crate) fn ids(mut self, ids: GrantIds) -> Self {
        self.ids = ids;
        self
    }

    /// How far the time of a call-bound presentation may be from the broker's, either way: from a
    /// millisecond to five minutes. Default thirty seconds: hosts whose clocks are kept differ by
    /// less than one, a call rarely queues for ten, and every live presentation has to be
    /// remembered.
    pub fn presentation_window(mut self, window: Duration) -> Self {
        self.settings.presentation_window = window;
        self
    }
}

impl std::fmt::Debug for BrokerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrokerBuilder")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
