//! The same of providers on a runtime: what is given up half way is owed, and nothing waits on a thread.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Waking, Poll, Wake, Waker};

use hallpass::credential::{
    AsyncCredentialProvider, CredentialProvider as _, Gone, Guarantees, Handle, MintError, Minted,
    Plan, ProviderFuture, Refused, Want, Withdrawn,
};
use hallpass::prelude::*;
use hallpass::testing::{Mint as Cue, ScriptedProvider};
use hallpass::vault::Secret;
use hallpass::{BrokerError, ProviderError, RunError};
use serde_json::json;

use crate::minting::*;

/// Answers what a scripted one does, but no future of it is ready when it is first polled.
struct Later(ScriptedProvider);

/// Pending once.
pub(crate) async fn later() {
    let mut polled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl AsyncCredentialProvider for Later {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.0.plan(want)
    }

    fn mint<'p>(&'p self, plan: &'p Plan) -> ProviderFuture<'p, Result<Minted, MintError>> {
        Box::pin(async move {
            later().await;
            self.0.mint(plan)
        })
    }

    fn withdraw<'p>(
        &'p self,
        handle: &'p Handle,
        secret: Option<&'p Secret>,
    ) -> ProviderFuture<'p, Withdrawn> {
        Box::pin(async move {
            later().await;
            self.0.withdraw(handle, secret)
        })
    }

    fn verify<'p>(&'p self, handle: &'p Handle) -> ProviderFuture<'p, Gone> {
        Box::pin(async move {
            later().await;
            self.0.verify(handle)
        })
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Waking::from_waker(Waker::noop()))
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

fn world() -> (Broker, ScriptedProvider, Identity, hallpass::clock::ManualClock) {
    let (provider, clock) = (ScriptedProvider::new("tokens"), clock());
    let broker = Broker::builder(Policy::from_toml(POLICY).unwrap())
        .clock(clock.clone())
        .name("orders")
        .async_provider("orders-db", Later(provider.clone()))
        .tended_by_host()
        .build()
        .unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    (broker, provider, agent, clock)
}

fn permit(broker: &Broker, grant: &Grant) -> Permit {
    let call = Call::new("db.read", json!({})).unwrap();
    broker.gate().authorize(grant, grant.holder(), call, &Context::new()).unwrap()
}

async fn run(permit: Permit) -> Ran {
    let ran = permit
        .run_with_async(async |_, secrets| {
            let secret = secrets.get("orders-db").and_then(|own| own.expose_text());
            secret.map(str::to_owned).ok_or("no secret")
        })
        .await;
    match ran {
        Ok(receipt) => Ok(receipt.raw()),
        Err(RunError::Denied(denial)) => Err(denial.reason()),
        Err(RunError::Tool(error)) => panic!("{error}"),
    }
}

#[test]
fn an_asynchronous_provider_mints_for_asynchronous_tools_and_is_tended_by_a_future() {
    let (broker, provider, agent, _) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    let first = block_on(run(permit(&broker, &grant))).unwrap();
    assert_eq!(block_on(run(permit(&broker, &grant))).unwrap(), first);
    // A tool that blocks has no runtime to mint on.
    assert_eq!(ran(permit(&broker, &grant)), Err(Reason::CredentialUnavailable));
    task.complete();
    assert_eq!(broker.tend(60 * SECOND).owed, 1, "nor has a thread that tends");
    let tended = block_on(broker.tended());
    assert_eq!((tended.withdrawn, tended.gone, tended.owed), (1, 1, 0));
    assert_eq!(provider.live(), [] as [Box<str>; 0]);
    let error = Broker::builder(Policy::from_toml(POLICY).unwrap())
        .name("orders")
        .async_provider("orders-db", Later(provider))
        .reaped_every(SECOND)
        .build()
        .unwrap_err();
    assert!(matches!(error, BrokerError::Provider(ProviderError::NotByReaper { .. })), "{error}");
}

/// attack 177
#[test]
fn a_call_that_is_dropped_while_it_mints_leaves_what_is_owed() {
    let (broker, provider, agent, clock) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    {
        let mut call = pin!(run(permit(&broker, &grant)));
        assert!(poll(call.as_mut()).is_pending());
        assert_eq!(broker.obligations(), []);
    }
    assert_eq!(broker.obligations().len(), 1);
    // Another call of the grant is not held up by it, and mints its own.
    block_on(run(permit(&broker, &grant))).unwrap();
    assert_eq!(provider.minted(), 1);
    clock.advance(10 * SECOND);
    let tended = block_on(broker.tended());
    assert_eq!((tended.gone, tended.owed), (1, 0));
    assert_eq!(provider.live().len(), 1);
    drop(task);
}

#[test]
fn a_withdrawal_that_is_dropped_half_way_is_taken_up_again() {
    let (broker, provider, agent, _) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    block_on(run(permit(&broker, &grant))).unwrap();
    task.complete();
    {
        let mut tending = pin!(broker.tended());
        assert!(poll(tending.as_mut()).is_pending());
        // Somebody is at it.
        assert_eq!(block_on(broker.tended()).withdrawn, 0);
    }
    assert_eq!(provider.live().len(), 1);
    assert_eq!(block_on(broker.tended()).gone, 1);
}

#[test]
fn a_call_that_waits_for_another_mint_is_woken_by_its_end_and_gives_up_in_time() {
    let (broker, provider, agent, clock) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    let mut first = pin!(run(permit(&broker, &grant)));
    assert!(poll(first.as_mut()).is_pending());
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut second = pin!(run(permit(&broker, &grant)));
    assert!(second.as_mut().poll(&mut Waking::from_waker(&waker)).is_pending());
    let mut third = pin!(run(permit(&broker, &grant)));
    clock.advance(SECOND);
    assert!(poll(third.as_mut()).is_pending());
    let Poll::Ready(secret) = poll(first.as_mut()) else { panic!("it waits") };
    assert!(woken.0.load(Ordering::SeqCst), "the end of the mint wakes who waits for it");
    assert_eq!(poll(second.as_mut()), Poll::Ready(secret.clone()));
    assert_eq!(poll(third.as_mut()), Poll::Ready(secret));
    assert_eq!(provider.minted(), 1);

    // One that is not done in time is not waited for any longer.
    let other = task.request(scope(), &Context::new()).unwrap();
    let mut minting = pin!(run(permit(&broker, &other)));
    assert!(poll(minting.as_mut()).is_pending());
    let mut waiting = pin!(run(permit(&broker, &other)));
    assert!(poll(waiting.as_mut()).is_pending());
    clock.advance(10 * SECOND);
    assert_eq!(poll(waiting.as_mut()), Poll::Ready(Err(Reason::CredentialUnavailable)));
}

#[test]
fn a_future_of_a_provider_that_panics_denies_the_permit() {
    let (broker, provider, agent, clock) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    provider.next_mints(Cue::Panics, 1);
    let denied = block_on(run(permit(&broker, &grant)));
    assert_eq!(denied, Err(Reason::CredentialUnavailable));
    task.complete();
    clock.advance(10 * SECOND);
    assert_eq!(block_on(broker.tended()).owed, 0);
    assert_eq!(provider.live(), [] as [Box<str>; 0]);
}

/// attack 177: what is being minted can't be known to be gone, whatever its provider says
#[test]
fn a_credential_that_is_still_being_minted_is_not_gone() {
    let (broker, provider, agent, clock) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    let mut minting = pin!(run(permit(&broker, &grant)));
    assert!(poll(minting.as_mut()).is_pending());
    task.complete();
    clock.advance(11 * SECOND);
    assert_eq!(block_on(broker.tended()).owed, 1);
    let owed = &broker.obligations()[0];
    assert_eq!(owed.last_error.as_deref(), Some("its provider is minting it still"));
    assert_eq!(poll(minting.as_mut()), Poll::Ready(Err(Reason::CredentialUnavailable)));
    assert_eq!(provider.live().len(), 1, "it came late");
    clock.advance(SECOND);
    assert_eq!(block_on(broker.tended()).gone, 1);
    assert_eq!(provider.live(), [] as [Box<str>; 0]);
}

/// A call that waits for another one's mint, and whether it was woken.
macro_rules! waiting {
    ($woken:ident, $second:ident, $broker:expr, $grant:expr) => {
        let $woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&$woken));
        let mut $second = pin!(run(permit($broker, $grant)));
        assert!($second.as_mut().poll(&mut Waking::from_waker(&waker)).is_pending());
        assert!(!$woken.0.load(Ordering::SeqCst));
    };
}

#[test]
fn a_call_that_waits_for_a_mint_that_fails_is_woken_and_mints_by_itself() {
    let (broker, provider, agent, _) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    provider.next_mints(Cue::Fails, 1);
    let mut first = pin!(run(permit(&broker, &grant)));
    assert!(poll(first.as_mut()).is_pending());
    waiting!(woken, second, &broker, &grant);
    assert_eq!(poll(first.as_mut()), Poll::Ready(Err(Reason::CredentialUnavailable)));
    assert!(woken.0.load(Ordering::SeqCst), "nothing else would wake it");
    assert!(poll(second.as_mut()).is_pending(), "it mints");
    assert!(block_on(second).is_ok());
}

/// A future has no clock of its own: it looks at the time when it is woken.
#[test]
fn tending_wakes_calls_that_wait_so_that_they_give_up_in_time() {
    let (broker, _provider, agent, clock) = world();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    let mut first = pin!(run(permit(&broker, &grant)));
    assert!(poll(first.as_mut()).is_pending());
    waiting!(woken, second, &broker, &grant);
    clock.advance(10 * SECOND);
    let _ = broker.tend(SECOND);
    assert!(woken.0.load(Ordering::SeqCst));
    assert_eq!(poll(second.as_mut()), Poll::Ready(Err(Reason::CredentialUnavailable)));
    drop(task);
}
