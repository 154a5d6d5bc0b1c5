//! The handle of a grant.

use std::sync::Arc;

use super::ended::Ended;
use super::shared::Shared;
use super::tokens::Tokens;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::scope::Scope;
use crate::task::TaskCell;
use crate::token::{Presentable, Token, sealed};

/// A grant, as the host holds it: the token for the agent, and what it is worth.
///
/// It ends with its task, with its parent, at its expiry, or when it is revoked; dropping this
/// changes nothing.
#[must_use = "a grant is used through its token"]
pub struct Grant {
    pub(super) shared: Arc<Shared>,
    pub(super) cell: Arc<TaskCell>,
    pub(super) id: GrantId,
    pub(super) serial: u32,
    pub(super) tokens: Tokens,
    pub(super) expires: Timestamp,
    pub(super) starts: Option<Timestamp>,
    pub(super) rules: Vec<Arc<str>>,
    pub(super) holder: Identity,
    pub(super) scope: Arc<Scope>,
    pub(super) context: Context,
}

impl Grant {
    /// What the agent presents at the gate.
    pub fn token(&self) -> &Token {
        &self.tokens.gate
    }

    /// What the agent presents to a [`Verifier`](crate::token::Verifier) of this audience, if the scope was
    /// asked for [so](Scope::embedded_for). The gate refuses it, as the verifier does the gate's.
    pub fn token_for(&self, audience: &str) -> Option<&Token> {
        let mut tokens = self.tokens.verifiers.iter();
        tokens.find(|(own, _)| **own == *audience).map(|(_, token)| token)
    }

    /// The grant's id, as the log names it. Renewing keeps it.
    pub fn id(&self) -> GrantId {
        self.id
    }

    /// Which of the grant's tokens this is: a renewal raises it, and the tokens before are dead.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// Who may use it.
    pub fn holder(&self) -> &Identity {
        &self.holder
    }

    /// What was granted.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The context in which it was requested, or renewed last.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// When it ends, unless something ends it before.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When it can be used from, if it was asked for [from an instant on](Scope::starting) that was to come then.
    pub fn starts(&self) -> Option<Timestamp> {
        self.starts
    }

    /// The same grant in another handle, without tokens: for a session that decides it again, which brings
    /// some, while others present this.
    pub(super) fn to_renew(&self) -> Grant {
        Grant {
            shared: self.shared.clone(),
            cell: self.cell.clone(),
            id: self.id,
            serial: self.serial,
            tokens: Tokens { gate: Token::from_text(String::new()), verifiers: Default::default() },
            expires: self.expires,
            starts: self.starts,
            rules: self.rules.clone(),
            holder: self.holder.clone(),
            scope: self.scope.clone(),
            context: self.context.clone(),
        }
    }

    /// The permits that gave it.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rules.iter().map(|id| &**id)
    }

    /// Ends the grant and all delegated from it, final when it returns.
    pub fn revoke(self) -> Ended {
        let ended = Ended::grant(&self.shared, &self.cell, self.id);
        if !self.shared.is_forked() {
            self.shared.await_leaves(self.cell.generation);
        }
        ended
    }
}

impl sealed::Sealed for Grant {}

/// Its token.
impl Presentable for Grant {
    fn text(&self) -> &str {
        self.tokens.gate.expose()
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("id", &self.id)
            .field("serial", &self.serial)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
