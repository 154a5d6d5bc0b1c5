//! Emergencies: what is owed after them, and who looks at it.

use crate::Debt;
use crate::value::{Object, Value};

use super::answer::Answer;
use super::fields::Misread;
use super::holding::Holding;
use super::host::Host;
use super::review::Review;

impl Host {
    /// Every review that is owed, the oldest first.
    pub(super) fn debts(&self) -> Answer {
        let debts = self.broker.reviews().debts();
        let told = debts.iter().map(|debt| {
            let mut told = Object::new();
            // Each key is written once.
            let _ = told.insert("grant", self.alias_of(debt));
            let _ = told.insert("task", debt.task());
            let _ = told.insert("who", debt.who());
            let _ = told.insert("due", debt.due().to_string());
            let _ = told.insert("overdue", debt.is_overdue());
            Value::Object(told)
        });
        Answer::new().with("debts", Value::List(told.collect()))
    }

    /// Has somebody review what was done on a grant.
    pub(super) fn close_debt(&self, review: &Review<'_>) -> Result<Answer, Misread> {
        let holding = self.grants.get(review.grant)?;
        let debts = self.broker.reviews().debts();
        let owed = debts.iter().find(|debt| is_of(holding, debt));
        let who = match self.attest(&review.who) {
            Ok(who) => who,
            Err(answer) => return Ok(answer),
        };
        let counted = match owed {
            Some(debt) => self.broker.reviews().close_debt(debt, &who, review.verdict, review.note),
            None => Err(crate::NotCounted::NotOwed),
        };
        Ok(match counted {
            Ok(()) => Answer::new().with("grant", review.grant).with("state", "closed"),
            Err(refused) => Answer::not_counted(refused.as_str(), refused.to_string()),
        })
    }

    fn alias_of(&self, debt: &Debt) -> String {
        let mut known = self.grants.iter();
        let own = known.find(|(_, holding)| is_of(holding, debt)).map(|(alias, _)| alias);
        own.unwrap_or("?").to_owned()
    }
}

fn is_of(holding: &Holding, debt: &Debt) -> bool {
    matches!(holding, Holding::Granted(granted) if granted.grant.id() == debt.grant())
}
