//! What covers a call: the grant's scope, and every narrowing of the token.

use std::sync::Arc;

use crate::denial::{Account, Explain};
use crate::grant::{GrantId, Row, Terms};
use crate::policy::{AskedCall, Question, What};
use crate::scope::{Capability, outside_of};
use crate::token::Narrowing;

/// The place of the first granted capability that covers the call, if every narrowing of the token
/// that has to be asked covers it, too.
///
/// # Errors
/// What does not cover it.
pub(super) fn covering<'a>(
    row: &'a Row,
    narrowings: &'a [Narrowing],
    question: &Question<'_>,
) -> Result<usize, NotCovering<'a>> {
    let What { tool, args, resource, .. } = question.what;
    let call = (tool, args, resource.is_some());
    let meter = question.setting.meter;
    let at = Capability::first_covering(granted(&row.terms), call, question, meter)
        .ok_or(NotCovering::Grant(row))?;
    for narrowing in narrowings {
        Capability::first_covering(&narrowing.capabilities, call, question, meter)
            .ok_or(NotCovering::Attenuation(narrowing))?;
    }
    Ok(at)
}

fn granted(terms: &Terms) -> impl Iterator<Item = &Capability> {
    terms.scope.iter().map(|granted| &granted.capability)
}

/// A scope that does not cover a call.
#[derive(Clone, Copy)]
pub(super) enum NotCovering<'a> {
    Grant(&'a Row),
    Attenuation(&'a Narrowing),
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
}

impl Explain for Beyond {
    fn explain(&self) -> Account {
        self.asked.again(|question| {
            let What { tool, args, resource, .. } = question.what;
            let call = (tool, args, resource.is_some());
            let meter = question.setting.meter;
            let outside = match &self.scope {
                KeptScope::Granted(terms) => {
                    Capability::nearest_outside(granted(terms), call, question, meter)
                }
                KeptScope::Narrowed(capabilities) => {
                    Capability::nearest_outside(capabilities, call, question, meter)
                }
            };
            Account::of(outside_of(&self.whose, tool, outside.as_deref(), question))
        })
    }
}
