//! Who may answer a question, and whether enough have.

use std::borrow::Cow;

use super::current::Current;
use crate::approval::name::{Names, people};
use crate::approval::quorum::{Fits, Progress};
use crate::audit::Answered;
use crate::identity::{Identity, Kind};
use crate::policy::{ApprovalTerms, Reviewer};
use crate::task::{Binding, BoundRule, Items, Life, OpenQuestion, Vote};

/// A question under what is in force, and who takes part in it: asked under one epoch.
pub(super) struct Electorate<'a> {
    current: &'a Current,
    question: &'a OpenQuestion,
    /// Those who can't approve it: who asked, who holds, who delegated or was delegated to, and whom any of them
    /// act for, under every name.
    parties: Names,
}

impl<'a> Electorate<'a> {
    /// `presenting` are those who present now what is to be redeemed, requested it and delegated it: they may
    /// be others than took part when it was asked, or be known by other names.
    pub(super) fn of(
        current: &'a Current,
        question: &'a OpenQuestion,
        life: &Life,
        presenting: &[&Identity],
    ) -> Self {
        let mut parties = question.delegates();
        let own = question.parties().iter().chain([&question.holder]);
        let all = own.chain(presenting.iter().copied());
        all.for_each(|party| parties.add(Names::of_party(party)));
        // Most tasks delegate nothing, and have many grants.
        let delegated = life.grants.iter().filter_map(|row| Some((row, row.parent?)));
        for (row, parent) in delegated {
            let holder = question.holder.subject();
            if life.holders(parent).any(|above| above.subject() == holder) {
                parties.add(Names::of_party(&row.holder));
            }
        }
        Electorate { current, question, parties }
    }

    pub(super) fn question(&self) -> &'a OpenQuestion {
        self.question
    }

    /// Every ask of the question with its terms, as far as they are there.
    pub(super) fn asks(&self) -> impl Iterator<Item = (&'a BoundRule, &'a ApprovalTerms)> {
        let policy = &self.current.ruling.policy;
        let terms = |ask: &BoundRule| policy.rule(policy.place_of(&ask.id)?)?.approval.as_deref();
        self.question.binding.asks.iter().filter_map(move |ask| Some((ask, terms(ask)?)))
    }

    /// The terms of the asks that withhold any of these items.
    fn terms_of(&self, items: Items) -> impl Iterator<Item = &'a ApprovalTerms> {
        let question = self.question;
        let concerned = move |ask: &str| items.iter().any(|at| question.is_withheld_by(at, ask));
        self.asks().filter(move |(ask, _)| concerned(&ask.id)).map(|(_, terms)| terms)
    }

    /// Whether somebody may review any of it.
    pub(super) fn may_review(&self, who: &Identity) -> bool {
        self.may_review_items(who, Items::all(self.question.number_of_items()))
    }

    /// Whether somebody may review these items in any of the asks that withhold them.
    fn may_review_items(&self, who: &Identity, items: Items) -> bool {
        if self.is_party(who) {
            return false;
        }
        let (seen, asker) = (self.seen(who), self.seen(&self.question.holder));
        let reviewer = Reviewer { who: &seen, asker: &asker };
        self.terms_of(items).any(|terms| !terms.fits(reviewer).is_none())
    }

    /// Whether somebody is the human whom the asker acts for, and that is asked.
    pub(super) fn may_confirm(&self, who: &Identity) -> bool {
        self.may_confirm_items(who, Items::all(self.question.number_of_items()))
    }

    /// As [`may_confirm`](Self::may_confirm), by any of the asks that withhold these items.
    fn may_confirm_items(&self, who: &Identity, items: Items) -> bool {
        let human = human_behind(&self.question.holder);
        human.is_some_and(|human| who.kind() == Kind::Human && who.is_known_as(human))
            && self.terms_of(items).any(|terms| terms.confirm)
    }

    /// Those of these items that somebody may answer so: each has asks of its own, and who may answer one may
    /// have no say in another.
    pub(super) fn answerable(&self, who: &Identity, answer: Answered, items: Items) -> Items {
        let may = |item: &usize| {
            let item = Items::NONE.and(*item);
            match answer {
                Answered::Approve => self.may_review_items(who, item),
                Answered::Confirm => self.may_confirm_items(who, item),
                Answered::Deny | Answered::Cancel | Answered::Amend => {
                    self.may_review_items(who, item) || self.may_confirm_items(who, item)
                }
            }
        };
        items.iter().filter(may).fold(Items::NONE, Items::and)
    }

    fn is_party(&self, who: &Identity) -> bool {
        self.parties.meet(&Names::of_party(who))
    }

    /// How many of all people asked for have agreed, as they are seen now: each ask by itself. Those that
    /// `counts` leaves out are left out.
    pub(super) fn progress(&self, votes: &[Vote], counts: impl Fn(&Identity) -> bool) -> Progress {
        self.progress_of(0, None, votes, counts)
    }

    /// As [`progress`](Self::progress), for one item, and for one of the asks that withhold it or for all.
    pub(super) fn progress_of(
        &self,
        item: usize,
        ask: Option<&str>,
        votes: &[Vote],
        counts: impl Fn(&Identity) -> bool,
    ) -> Progress {
        let asker = self.seen(&self.question.holder);
        let counted = votes.iter().filter(|vote| vote.items.has(item) && counts(&vote.who));
        let (confirms, reviews): (Vec<_>, Vec<_>) = counted.partition(|vote| vote.confirms);
        let reviews: Vec<&Vote> =
            reviews.into_iter().filter(|vote| !self.is_party(&vote.who)).collect();
        let seen: Vec<Cow<'_, Identity>> =
            reviews.iter().map(|vote| self.seen(&vote.who)).collect();
        // One person is one, under every name that was ever stated.
        let named = |(vote, who): (&&Vote, &Cow<'_, Identity>)| {
            let mut names = vote.names.clone();
            names.add(Names::of_person(who));
            names
        };
        let names: Vec<Names> = reviews.iter().zip(&seen).map(named).collect();
        let people = people(&names.iter().collect::<Vec<_>>());
        let confirmed = confirms.iter().any(|vote| self.may_confirm(&vote.who));
        let mut sum = Progress { have: 0, need: 0 };
        let is_concerned = |own: &BoundRule| {
            self.question.is_withheld_by(item, &own.id) && ask.is_none_or(|ask| *own.id == *ask)
        };
        for (_, terms) in self.asks().filter(|(own, _)| is_concerned(own)) {
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
}

/// Whether every rule that a question is bound to, and the tool's entry, say what they said.
pub(super) fn is_bound(question: &OpenQuestion, current: &Current) -> bool {
    let Binding { asks, permits, .. } = &*question.binding;
    let policy = &current.ruling.policy;
    let entry = |tool: &str| policy.catalogue.get(tool).map(|own| own.digest);
    let mut rules = asks.iter().chain(permits);
    question.tools().into_iter().all(|(tool, listed)| entry(tool.as_str()) == Some(listed))
        && rules.all(|bound| {
            let today = policy.place_of(&bound.id).and_then(|at| policy.digest_of(at));
            today == Some(bound.digest)
        })
}

/// The human whom somebody acts for: the last of its chain.
pub(super) fn human_behind(who: &Identity) -> Option<&str> {
    let last = who.acts_for().last().filter(|last| last.kind == Kind::Human)?;
    Some(last.subject.as_str())
}
