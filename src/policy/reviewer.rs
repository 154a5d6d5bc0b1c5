//! Who may answer an ask, and whether enough have.

use super::approval::ApprovalTerms;
use crate::approval::quorum::{Fits, Progress};
use crate::identity::{Identity, Kind};
use crate::meter::Meter;
use crate::scope::{Condition, Fact, Facts, Stance, Truth};
use crate::value::Value;

/// A reviewer, and who asked: what a line of reviewers looks at.
#[derive(Clone, Copy)]
pub(crate) struct Reviewer<'q> {
    pub(crate) who: &'q Identity,
    pub(crate) asker: &'q Identity,
}

impl<'q> Facts<'q> for Reviewer<'q> {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        match fact {
            Fact::Asker(own) => of_identity(self.asker, own),
            own => of_identity(self.who, own),
        }
    }
}

fn of_identity<'q>(who: &'q Identity, fact: &Fact) -> Option<&'q Value> {
    match fact {
        Fact::WhoId => Some(who.subject_value()),
        Fact::WhoKind => Some(who.kind_value()),
        Fact::WhoGroups => Some(who.groups_value()),
        Fact::WhoActsFor => Some(who.acts_for_value()),
        Fact::WhoAttr(name) => who.attributes().get(name),
        _ => None,
    }
}

impl ApprovalTerms {
    /// Which lines describe the reviewer, numbered as in [`quorum`](Self::quorum).
    pub(crate) fn fits(&self, reviewer: Reviewer<'_>) -> Fits {
        let lines = self.lines().into_iter().enumerate();
        let own = lines.filter(|(_, conditions)| describe(conditions, reviewer));
        own.fold(Fits::NONE, |fits, (line, _)| fits.and(line))
    }

    /// How far its review has come with these people, each of whom is counted once; `None` where it asks
    /// for no review.
    pub(crate) fn reviewed_by(&self, people: &[Fits]) -> Option<Progress> {
        Some(self.quorum()?.progress(people))
    }
}

/// Whether a line is of this person: everything it says is known and true.
fn describe(conditions: &[Condition], reviewer: Reviewer<'_>) -> bool {
    let names_kind = conditions.iter().any(|own| own.fact == Fact::WhoKind);
    if !names_kind && reviewer.who.kind() != Kind::Human {
        return false;
    }
    let meter = Meter::of_question(0);
    // What the steps did not last for is unknown.
    conditions.iter().all(|own| own.holds(Stance::Cover, reviewer, &meter) == Truth::True)
}
