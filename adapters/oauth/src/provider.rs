//! The providers: one that blocks, one for a runtime.

use std::fmt;

use hallpass::credential::{
    AsyncCredentialProvider, CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan,
    ProviderFuture, Refused, Want, Withdrawn,
};
use hallpass::vault::Secret;

use crate::client::{AsyncHttpClient, HttpClient};
use crate::exchange::Exchange;

const NAME: &str = "token-exchange";

/// Mints by token exchange, for tools that block.
pub struct TokenExchange<C> {
    exchange: Exchange,
    client: C,
}

/// Mints by token exchange, for hosts on a runtime.
pub struct AsyncTokenExchange<C> {
    exchange: Exchange,
    client: C,
}

impl<C: HttpClient> TokenExchange<C> {
    /// What is asked for, and what sends it.
    pub fn new(exchange: Exchange, client: C) -> TokenExchange<C> {
        TokenExchange { exchange, client }
    }
}

impl<C: AsyncHttpClient> AsyncTokenExchange<C> {
    /// What is asked for, and what sends it.
    pub fn new(exchange: Exchange, client: C) -> AsyncTokenExchange<C> {
        AsyncTokenExchange { exchange, client }
    }
}

impl<C: HttpClient> CredentialProvider for TokenExchange<C> {
    fn name(&self) -> &str {
        NAME
    }

    fn guarantees(&self) -> Guarantees {
        self.exchange.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.exchange.plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let posted = self.exchange.ask(plan)?;
        self.exchange.minted(plan, self.client.post(&posted))
    }

    fn withdraw(&self, handle: &Handle, _: Option<&Secret>) -> Withdrawn {
        self.exchange.withdraw(handle)
    }

    /// No one can be asked.
    fn verify(&self, _: &Handle) -> Gone {
        Gone::Unknown
    }
}

impl<C: AsyncHttpClient> AsyncCredentialProvider for AsyncTokenExchange<C> {
    fn name(&self) -> &str {
        NAME
    }

    fn guarantees(&self) -> Guarantees {
        self.exchange.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.exchange.plan(want)
    }

    fn mint<'p>(&'p self, plan: &'p Plan) -> ProviderFuture<'p, Result<Minted, MintError>> {
        Box::pin(async move {
            let posted = self.exchange.ask(plan)?;
            self.exchange.minted(plan, self.client.post(&posted).await)
        })
    }

    fn withdraw<'p>(
        &'p self,
        handle: &'p Handle,
        _: Option<&'p Secret>,
    ) -> ProviderFuture<'p, Withdrawn> {
        Box::pin(std::future::ready(self.exchange.withdraw(handle)))
    }

    /// No one can be asked.
    fn verify<'p>(&'p self, _: &'p Handle) -> ProviderFuture<'p, Gone> {
        Box::pin(std::future::ready(Gone::Unknown))
    }
}

impl<C> fmt::Debug for TokenExchange<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchange").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for AsyncTokenExchange<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncTokenExchange")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}
