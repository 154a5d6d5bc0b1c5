//! The same on a thread that may wait.

use std::future::Future;

use hallpass::credential::{
    AsyncCredentialProvider as _, CredentialProvider, Gone, Guarantees, Handle, MintError, Minted,
    Plan, Refused, Want, Withdrawn,
};
use hallpass::vault::Secret;

use crate::provider::Postgres;

/// As [`Postgres`], for tools that block: each call has a small runtime of its own, on the thread that calls. A thread that
/// belongs to a runtime can't wait so, and is told; such hosts use [`Postgres`].
#[derive(Clone, Debug)]
pub struct BlockingPostgres(Postgres);

impl BlockingPostgres {
    /// What the asynchronous one does.
    pub fn new(postgres: Postgres) -> BlockingPostgres {
        BlockingPostgres(postgres)
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, String> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err("called on a thread of a runtime, expected `Postgres` there".to_owned());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(runtime.map_err(|error| error.to_string())?.block_on(future))
    }
}

impl CredentialProvider for BlockingPostgres {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.0.plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        self.block_on(self.0.inner.mint(plan)).unwrap_or_else(|why| Err(MintError::not_minted(why)))
    }

    fn withdraw(&self, handle: &Handle, _: Option<&Secret>) -> Withdrawn {
        let withdrawn = self.block_on(self.0.inner.withdraw(handle));
        withdrawn.unwrap_or_else(|why| Withdrawn::retry(std::time::Duration::ZERO, why))
    }

    fn verify(&self, handle: &Handle) -> Gone {
        self.block_on(self.0.inner.verify(handle)).unwrap_or(Gone::Unknown)
    }

    fn sweep(&self, mine: &dyn Fn(&str) -> bool) -> Vec<Handle> {
        // A future that waits on this thread alone: what it asks needs to be shared with no other.
        let found = self.block_on(self.0.inner.named());
        let found = found.unwrap_or_default().into_iter();
        found.filter(|handle| mine(handle.name())).collect()
    }
}
