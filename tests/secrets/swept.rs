//! What providers find at a start of what an earlier life of the broker has left, and who is asked about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::clock::ManualClock;
use hallpass::credential::{
    AsyncCredentialProvider, CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan,
    ProviderFuture, Refused, Want, Withdrawn,
};
use hallpass::testing::{Mint as Cue, ScriptedProvider, Withdraw};
use hallpass::vault::Secret;

use crate::minting::*;
use crate::restarted::Folder;

/// Answers as a scripted one, and finds more than it is asked for: all that is there, as text that a record can hold or not.
struct Finding {
    inner: ScriptedProvider,
    detail: &'static str,
    asked: Arc<AtomicUsize>,
}

impl CredentialProvider for Finding {
    fn name(&self) -> &str {
        "database"
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.inner.plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        self.inner.mint(plan)
    }

    fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn {
        self.inner.withdraw(handle, secret)
    }

    fn verify(&self, handle: &Handle) -> Gone {
        self.inner.verify(handle)
    }

    fn sweep(&self, mine: &dyn Fn(&str) -> bool) -> Vec<Handle> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let live = self.inner.live();
        let is_mine = live.iter().filter(|name| mine(name)).count();
        assert_eq!(is_mine, 1, "what is owed, and neither what lives nor what is another's");
        live.iter().map(|name| Handle::new(name, self.detail)).collect()
    }
}

/// A folder whose log says of one credential that it was planned, and not what became of it.
fn left() -> (Folder, ScriptedProvider, ManualClock) {
    let (folder, clock) = (Folder::new(), clock());
    let provider = ScriptedProvider::new("database");
    folder.life(
        &provider,
        &clock,
        |own| own,
        |world| {
            let (_task, grant) = world.open();
            world.provider.next_mints(Cue::Loses, 1);
            world.run(&grant, "db.read").unwrap_err();
        },
    );
    clock.advance(11 * SECOND);
    (folder, provider, clock)
}

fn details(world: &Mint) -> Vec<Box<str>> {
    world.broker.obligations().into_iter().map(|own| own.detail).collect()
}

/// attack 177
#[test]
fn a_sweep_says_more_of_what_is_owed_and_nothing_of_what_lives_or_is_anothers() {
    for (detail, told) in [("found", "found"), ("a\nb", "")] {
        let (folder, provider, clock) = left();
        let asked = Arc::default();
        let finding = Finding { inner: provider.clone(), detail, asked: Arc::clone(&asked) };
        folder.life(
            &provider,
            &clock,
            |own| own.provider("orders-db", finding),
            |world| {
                let (task, grant) = world.open();
                world.run(&grant, "db.read").unwrap();
                let until = grant.expires();
                world.provider.plant("hp_other_00000000000000000000000000000000", until);
                world.provider.next_withdrawals(Withdraw::Fails, 9);
                world.broker.tend(Duration::ZERO);
                assert_eq!(asked.load(Ordering::SeqCst), 0, "no time is left to ask");
                assert_eq!(details(world), [Box::from("")]);
                world.tend();
                assert_eq!(details(world), [Box::from(told)]);
                task.complete();
                assert_eq!(details(world), [told, ""].map(Box::from));
                world.tend();
                assert_eq!(asked.load(Ordering::SeqCst), 1, "it is asked once");
            },
        );
    }
}

/// Asynchronous, with a sweep that waits once.
struct Waiting(Arc<AtomicUsize>);

impl AsyncCredentialProvider for Waiting {
    fn name(&self) -> &str {
        "tokens"
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::immediate()
    }

    fn plan(&self, _: &Want<'_>) -> Result<Plan, Refused> {
        Err(Refused::new("it mints nothing"))
    }

    fn mint<'p>(&'p self, _: &'p Plan) -> ProviderFuture<'p, Result<Minted, MintError>> {
        Box::pin(std::future::ready(Err(MintError::not_minted("it mints nothing"))))
    }

    fn withdraw<'p>(
        &'p self,
        _: &'p Handle,
        _: Option<&'p Secret>,
    ) -> ProviderFuture<'p, Withdrawn> {
        Box::pin(std::future::ready(Withdrawn::Already))
    }

    fn verify<'p>(&'p self, _: &'p Handle) -> ProviderFuture<'p, Gone> {
        Box::pin(std::future::ready(Gone::Gone))
    }

    fn sweep<'p>(
        &'p self,
        _: &'p (dyn Fn(&str) -> bool + Send + Sync),
    ) -> ProviderFuture<'p, Vec<Handle>> {
        Box::pin(async {
            crate::minted_async::later().await;
            self.0.fetch_add(1, Ordering::SeqCst);
            Vec::new()
        })
    }
}

#[test]
fn a_thread_that_tends_withdraws_what_it_can_and_leaves_the_sweep_to_a_future() {
    let (folder, provider, clock) = left();
    let asked = Arc::default();
    let waiting = Waiting(Arc::clone(&asked));
    folder.life(
        &provider,
        &clock,
        |own| own.async_provider("mail-key", waiting),
        |world| {
            assert_eq!((world.tend(), asked.load(Ordering::SeqCst)), ((1, 1, 0), 0));
            let tended = crate::minted_async::block_on(world.broker.tended());
            assert_eq!((tended.owed, asked.load(Ordering::SeqCst)), (0, 1));
        },
    );
}

/// attack 177: the catalogue may call it otherwise by now, and the provider says what it is
#[test]
fn what_an_earlier_life_minted_is_withdrawn_by_the_provider_that_did_and_by_no_other() {
    let (folder, provider, clock) = left();
    let tokens = ScriptedProvider::new("tokens");
    let other = tokens.clone();
    folder.life(
        &provider,
        &clock,
        |own| own.provider("orders-db", other),
        |world| {
            world.tend();
            let owed = world.broker.obligations();
            assert_eq!(owed[0].last_error.as_deref(), Some("this broker has no such provider"));
        },
    );
    assert_eq!(provider.live().len(), 1);
    clock.advance(300 * SECOND);
    let (other, database) = (tokens.clone(), provider.clone());
    folder.life(
        &provider,
        &clock,
        |own| own.provider("orders-db", other).provider("orders-db-2025", database),
        |world| assert_eq!(world.tend(), (1, 1, 0)),
    );
    assert_eq!(provider.live(), [] as [Box<str>; 0]);
}
