//! Providers: made to fail, asked to withdraw, and looked at.

use std::time::Duration;

use crate::Obligation;
use crate::credential::Debt;
use crate::value::{Object, Value};

use super::answer::Answer;
use super::cue::{Cue, Does};
use super::fields::Misread;
use super::host::Host;

/// For how long providers are asked in one line: their time is the trace's, which stands still meanwhile.
const TEND: Duration = Duration::from_secs(60);

impl Host {
    /// Has a provider fail.
    pub(super) fn cue(&self, cue: &Cue<'_>) -> Result<Answer, Misread> {
        let provider = self.credentials.minted.get(cue.credential).ok_or_else(|| {
            let name = cue.credential.escape_debug();
            Misread(format!(
                "`{name}` is not minted, expected one that the first line's `minted` names"
            ))
        })?;
        match cue.does {
            Does::Mint(mint) => provider.next_mints(mint, cue.times),
            Does::Withdraw(withdraw) => provider.next_withdrawals(withdraw, cue.times),
            Does::Verify(verify) => provider.next_verifications(verify, cue.times),
            Does::Recover => provider.recover(),
        }
        Ok(Answer::new().with("credential", cue.credential))
    }

    /// Withdraws what is due.
    pub(super) fn tend(&self) -> Answer {
        let tended = self.broker.tend(TEND);
        Answer::new()
            .with("withdrawn", tended.withdrawn)
            .with("gone", tended.gone)
            .with("owed", tended.owed)
    }

    /// What is owed, and what is outside, whether it is owed or not.
    pub(super) fn obligations(&self) -> Answer {
        let mut owed = self.broker.obligations();
        owed.sort_by(|one, other| {
            let key = |own: &Obligation| (own.since, own.credential.clone(), own.task.clone());
            key(one).cmp(&key(other))
        });
        let owed: Vec<Value> = owed.iter().map(told).collect();
        let outside = self.credentials.minted.iter();
        let outside = outside.map(|(name, provider)| (name.to_string(), provider.live().len()));
        let outside = Object::from_pairs(outside).unwrap_or_default();
        Answer::new().with("obligations", owed).with("outside", outside)
    }
}

/// An obligation without what is by chance: its name, and when it is tried again.
fn told(own: &Obligation) -> Value {
    let debt = match own.debt {
        Debt::Owed => "owed",
        Debt::Withdrawn => "withdrawn",
        Debt::Lasting => "lasting",
    };
    let members = [
        ("credential", Value::from(&*own.credential)),
        ("task", Value::from(&*own.task)),
        ("debt", Value::from(debt)),
        ("since", Value::from(own.since.to_string())),
        ("attempts", Value::from(own.attempts)),
        ("last_error", own.last_error.as_deref().map_or(Value::Null, Value::from)),
    ];
    // No two of these names are the same.
    Object::from_pairs(members).map_or(Value::Null, Value::Object)
}
