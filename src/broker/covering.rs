//! What covers a call: the grant's scope, and every narrowing of the token.

use std::sync::Arc;

use super::presented::PresentedGrant;
use crate::denial::{Account, Explain};
use crate::grant::{GrantId, Row, Terms};
use crate::policy::{AskedCall, Question, What};
use crate::scope::{Capability, outside_of};
use crate::token::{Narrowing, RefusingBlock};

/// The place of the first granted capability that covers the call, if every narrowing of the token
/// covers it, too.
///
/// # Errors
/// What does not cover it.
pub(super) fn covering<'a>(
    row: &'a Row,
    presented: &'a PresentedGrant,
    question: &Question<'_>,
) -> Result<usize, NotCovering<'a>> {
    let at = covering_row(row, question)?;
    let What { tool, args, resource, .. } = question.what;
    let call = (tool, args, resource.is_some());
    let meter = question.setting.meter;
    for narrowing in &presented.narrowings {
        Capability::first_covering(&narrowing.capabilities, call, question, meter)
            .ok_or(NotCovering::Attenuation(narrowing))?;
    }
    match &presented.refusing {
        Some(block) => Err(NotCovering::Block(block)),
        None => Ok(at),
    }
}

/// The place of the first granted capability that covers the call.
///
/// # Errors
/// None does.
pub(super) fn covering_row<'a>(
    row: &'a Row,
    question: &Question<'_>,
) -> Result<usize, NotCovering<'a>> {
    let What { tool, args, resource, .. } = question.what;
    let call = (tool, args, resource.is_some());
    Capability::first_covering(granted(&row.terms), call, question, question.setting.meter)
        .ok_or(NotCovering::Grant(row))
}

fn granted(terms: &Terms) -> impl Iterator<Item = &Capability> {
    terms.scope.iter().map(|granted| &granted.capability)
}

/// A scope that does not cover a call.
#[derive(Clone, Copy)]
pub(super) enum NotCovering<'a> {
    Grant(&'a Row),
    Attenuation(&'a Narrowing),
    Block(&'a RefusingBlock),
}

impl NotCovering<'_> {
    /// Keeps what it takes to say why. `own` is the grant whose token was presented.
    pub(super) fn keep(self, own: GrantId, asked: AskedCall) -> impl Explain + 'static {
        let (whose, scope) = match self {
            NotCovering::Grant(row) if row.id == own => {
                ("the grant".to_owned(), KeptScope::Granted(row.terms.clone()))
            }
            NotCovering::Grant(row) => {
                (format!("the grant `{}` above it", row.id), KeptScope::Granted(row.terms.clone()))
            }
            NotCovering::Attenuation(Narrowing { hop, capabilities }) => {
                let scope = KeptScope::Narrowed(capabilities.to_vec());
                (format!("attenuation {hop}"), scope)
            }
            NotCovering::Block(block) => {
                (format!("attenuation {}", block.hop), KeptScope::Unread(block.clone()))
            }
        };
        Beyond { whose, scope, asked }
    }
}

/// A call, and a scope that does not cover it.
struct Beyond {
    whose: String,
    scope: KeptScope,
    asked: AskedCall,
}

enum KeptScope {
    Granted(Arc<Terms>),
    Narrowed(Vec<Capability>),
    Unread(RefusingBlock),
}

impl Explain for Beyond {
    fn explain(&self) -> Account {
        self.asked.again(|question| {
            let What { tool, args, resource, .. } = question.what;
            let call = (tool, args, resource.is_some());
            let meter = question.setting.meter;
            let read;
            let outside = match &self.scope {
                KeptScope::Granted(terms) => {
                    Capability::nearest_outside(granted(terms), call, question, meter)
                }
                KeptScope::Narrowed(capabilities) => {
                    Capability::nearest_outside(capabilities, call, question, meter)
                }
                KeptScope::Unread(block) => {
                    read = block.capabilities();
                    Capability::nearest_outside(&read, call, question, meter)
                }
            };
            Account::of(outside_of(&self.whose, tool, outside.as_deref(), question))
        })
    }
}
