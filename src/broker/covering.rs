//! What covers a call: the grant's scope, and every narrowing of the token.

use crate::denial::{Denial, Reason};
use crate::grant::Granted;
use crate::policy::{Question, What};
use crate::scope::{Capability, Outside, outside_of};
use crate::token::Narrowing;

/// The place of the first granted capability that covers the call, if every narrowing of the token
/// that has to be asked covers it, too.
pub(super) fn covering(
    scope: &[Granted],
    narrowings: &[Narrowing],
    question: &Question<'_>,
) -> Result<usize, Denial> {
    let What { tool, args, resource, .. } = question.what;
    let call = (tool, args, resource.is_some());
    let granted = scope.iter().map(|granted| &granted.capability);
    let meter = question.setting.meter;
    let at = Capability::first_covering(granted, call, question, meter)
        .map_err(|outside| out_of_scope("the grant", outside, question))?;
    for Narrowing { hop, capabilities } in narrowings {
        Capability::first_covering(capabilities, call, question, meter)
            .map_err(|outside| out_of_scope(&format!("attenuation {hop}"), outside, question))?;
    }
    Ok(at)
}

/// Says what of the call is outside of what `whose` scope covers of the tool.
fn out_of_scope(whose: &str, outside: Option<Outside<'_>>, question: &Question<'_>) -> Denial {
    let detail = outside_of(whose, question.what.tool, outside, question);
    Denial::new(Reason::OutOfScope).because(detail)
}
