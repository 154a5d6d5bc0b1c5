//! Who may answer a question, and whether enough have.

use std::borrow::Cow;

use super::current::Current;
use crate::approval::name::{Names, PersonName, people};
use crate::approval::quorum::{Fits, Progress};
use crate::identity::{Identity, Kind};
use crate::policy::{ApprovalTerms, Reviewer};
use crate::task::{Life, OpenQuestion, Parked, Vote};

/// A question under what is in force: asked under one epoch.
pub(super) struct Electorate<'a> {
    pub(super) current: &'a Current,
    pub(super) question: &'a OpenQuestion,
}

impl<'a> Electorate<'a> {
    /// The terms of every ask of the question, as far as they are there.
    pub(super) fn terms(&self) -> impl Iterator<Item = &'a ApprovalTerms> {
        let policy = &self.current.ruling.policy;
        let asks = self.question.asks.iter().filter_map(|ask| policy.place_of(&ask.id));
        asks.filter_map(|at| policy.rule(at)?.approval.as_ref())
    }

    /// Whether somebody may review it in any of its asks.
    pub(super) fn may_review(&self, life: &Life, who: &Identity) -> bool {
        if self.is_party(life, who) {
            return false;
        }
        let (seen, asker) = (self.seen(who), self.seen(&self.question.holder));
        let reviewer = Reviewer { who: &seen, asker: &asker };
        self.terms().any(|terms| !terms.fits(reviewer).is_none())
    }

    /// Whether somebody is the human whom the asker acts for, and that is asked.
    pub(super) fn may_confirm(&self, who: &Identity) -> bool {
        let human = human_behind(&self.question.holder);
        human.is_some_and(|human| who.kind() == Kind::Human && who.is_known_as(human))
            && self.terms().any(|terms| terms.confirm)
    }

    /// Whether somebody is one of those who can't approve it: who asked, who holds, who delegated or was
    /// delegated to, and whom any of them act for, under any name.
    fn is_party(&self, life: &Life, who: &Identity) -> bool {
        let Parked { holder, parties, .. } = &**self.question;
        let all = parties.iter().chain([holder]);
        if all.into_iter().any(|party| are_one(party, who)) {
            return true;
        }
        // Those whom the holder delegated to.
        let named = |row: &crate::grant::Row| are_one(&row.holder, who);
        let held = |row: &crate::grant::Row| {
            let above = life.above(row);
            above.iter().any(|above| above.holder.subject() == holder.subject())
        };
        life.grants.iter().any(|row| named(row) && held(row))
    }

    /// How many of all people asked for have agreed, as they are seen now: each ask by itself. Those that
    /// `counts` leaves out are left out.
    pub(super) fn progress(
        &self,
        life: &Life,
        votes: &[Vote],
        counts: impl Fn(&Identity) -> bool,
    ) -> Progress {
        let asker = self.seen(&self.question.holder);
        let counted = votes.iter().filter(|vote| counts(&vote.who));
        let (confirms, reviews): (Vec<_>, Vec<_>) = counted.partition(|vote| vote.confirms);
        let reviews = reviews.into_iter().filter(|vote| !self.is_party(life, &vote.who));
        let seen: Vec<Cow<'_, Identity>> = reviews.map(|vote| self.seen(&vote.who)).collect();
        // One person is one, under whatever names.
        let names: Vec<Names> = seen.iter().map(|who| Names::of_person(who)).collect();
        let people = people(&names.iter().collect::<Vec<_>>());
        let confirmed = confirms.iter().any(|vote| self.may_confirm(&vote.who));
        let mut sum = Progress { have: 0, need: 0 };
        for terms in self.terms() {
            let mut fits = vec![Fits::NONE; seen.len()];
            for (who, person) in seen.iter().zip(&people) {
                if let Some(own) = fits.get_mut(*person) {
                    *own = own.or(terms.fits(Reviewer { who, asker: &asker }));
                }
            }
            let review = terms.reviewed_by(&fits).unwrap_or(Progress { have: 0, need: 0 });
            let (confirm, has) = (u32::from(terms.confirm), u32::from(terms.confirm && confirmed));
            sum.have = sum.have.saturating_add(review.have).saturating_add(has);
            sum.need = sum.need.saturating_add(review.need).saturating_add(confirm);
        }
        sum
    }

    fn seen<'i>(&'i self, who: &'i Identity) -> Cow<'i, Identity> {
        self.current.restated.seen(who)
    }

    /// Whether every rule it is bound to, and the tool's entry, say what they said.
    pub(super) fn is_bound(&self) -> bool {
        let Parked { asks, permits, listed, call, .. } = &**self.question;
        let policy = &self.current.ruling.policy;
        let entry = policy.catalogue.get(call.tool()).map(|own| own.digest);
        let mut rules = asks.iter().chain(permits);
        entry == Some(*listed)
            && rules.all(|bound| {
                let today = policy.place_of(&bound.id).and_then(|at| policy.digest_of(at));
                today == Some(bound.digest)
            })
    }
}

/// The human whom somebody acts for: the last of its chain.
pub(super) fn human_behind(who: &Identity) -> Option<&str> {
    let last = who.acts_for().last().filter(|last| last.kind == Kind::Human)?;
    Some(last.subject.as_str())
}

/// Whether somebody is a party under any name, or acts for one person with it.
fn are_one(party: &Identity, who: &Identity) -> bool {
    Names::of_party(party).meet(&Names::of_person(who))
}

/// Whether a name is one of a party's, or of one whom the party acts for.
pub(super) fn is_name_of(party: &Identity, name: &str) -> bool {
    let name = PersonName::of(name);
    party.names().any(|own| PersonName::of(own) == name)
}
