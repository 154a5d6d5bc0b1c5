//! Parking: what only asks withhold is kept until people answer, or the open question about it is found.

use std::cell::LazyCell;
use std::sync::Arc;
use std::time::Duration;

use super::current::Current;
use super::eligible::human_behind;
use super::grant_request::GrantRequest;
use super::offer::Withheld;
use super::pending::Pending;
use super::shared::Shared;
use crate::approval::name::Names;
use crate::audit::DigestText;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::policy::{ApprovalTerms, Deciders, offered_by_all};
use crate::scope::{Capability, Scope};
use crate::sync::Apart;
use crate::task::{
    Binding, BoundRule, Item, Life, MOST_ITEMS, OpenQuestion, Others, Parked, QuestionId,
    QuestionState, ScopePlan, Subject, TaskCell,
};
use crate::value::Digest;

/// What is to be asked.
pub(super) struct QuestionDraft<'a> {
    pub(super) cell: &'a TaskCell,
    /// Who is to run it, or hold it.
    pub(super) holder: &'a Identity,
    /// Who requested it, and who delegates.
    pub(super) parties: Vec<Identity>,
    pub(super) subject: Subject,
    /// Of the entry in the catalogue of a call's tool.
    pub(super) listed: Option<Digest>,
    pub(super) asks: &'a Deciders,
    pub(super) permits: &'a Deciders,
    /// Digest of the arguments of a call.
    pub(super) args: Option<DigestText>,
    /// Whether it is of what breaking the glass gave.
    pub(super) break_glass: bool,
}

/// Why nothing was asked.
pub(super) enum Unasked {
    /// People can't be asked about it.
    Because(String),
    /// Too much is asked already; and how long that lasts, if it is known.
    Full(String, Option<Duration>),
    Denied(Denial),
}

impl Shared {
    /// Parks what asks withhold, or finds the open question about the same: the denial says what to come back
    /// with. What no one could answer for is not parked, and the denial says why.
    pub(super) fn park(
        &self,
        owner: &Arc<Apart<Arc<Shared>>>,
        current: &Current,
        life: &mut Life,
        draft: QuestionDraft<'_>,
        (denial, now): (Denial, Timestamp),
    ) -> Denial {
        let asks = draft.asks;
        match self.find_or_park(current, life, draft, now) {
            Ok(open) => denial.with_pending(Arc::new(Pending::new(owner.clone(), open))),
            Err(Unasked::Because(why)) => denial.and_because(why),
            Err(Unasked::Full(why, wait)) => {
                let full = Denial::new(Reason::TooMany).by_rules(current.ids(asks)).because(why);
                wait.into_iter().fold(full, Denial::free_after)
            }
            Err(Unasked::Denied(denial)) => denial,
        }
    }

    /// Parks it, or finds the open question about the same; what is amended is a question of its own.
    pub(super) fn find_or_park(
        &self,
        current: &Current,
        life: &mut Life,
        draft: QuestionDraft<'_>,
        now: Timestamp,
    ) -> Result<Arc<OpenQuestion>, Unasked> {
        // A log that takes nothing does not become a way to fill the memory by asking and taking back.
        if self.journal.is_full() {
            return Err(Unasked::Denied(Denial::new(Reason::LogRefused)));
        }
        let QuestionDraft { cell, holder, parties, subject, .. } = draft;
        // As the task keeps it already: a host may attest the same anew for each call.
        let holder =
            parties.iter().find(|own| own.is_attested_as(holder)).unwrap_or(holder).clone();
        let holder = &holder;
        let rules = draft.asks.iter().filter_map(|at| current.policy.rule(*at));
        let terms: Vec<(&Arc<str>, &ApprovalTerms)> =
            rules.filter_map(|rule| Some((&rule.id, rule.approval.as_deref()?))).collect();
        let shortest = |length: fn(&ApprovalTerms) -> Duration| {
            terms.iter().map(|(_, own)| length(own)).min().unwrap_or_default()
        };
        let binding = self.bindings.share(Binding {
            asks: bound(current, draft.asks),
            permits: bound(current, draft.permits),
            listed: draft.listed,
            good_for: shortest(ApprovalTerms::time_to_use),
        });
        let is_named = |own: &OpenQuestion| {
            let names = |ask: &BoundRule| own.binding.asks.contains(ask);
            Arc::ptr_eq(&own.binding, &binding) || binding.asks.iter().all(names)
        };
        let is_same = |own: &OpenQuestion| match &subject {
            Subject::Call { other, .. }
                if other.as_ref().is_some_and(|own| own.amended.is_some()) =>
            {
                false
            }
            Subject::Call { call, .. } => own.is_of(holder, call),
            Subject::Scope(plan) => own.is_of_plan(holder, plan),
        };
        let (mut waiting, mut same) = (0, None);
        for own in life.questions().into_iter().flat_map(|own| own.all()) {
            if !own.is_up_to_date(current.version, now) {
                self.refresh(current, own, now);
            }
            if own.awaits(now) {
                waiting += 1;
                if is_named(own) && is_same(own) {
                    same = Some(own);
                }
            }
        }
        if let Some(open) = same {
            return Ok(open.clone());
        }
        if let Subject::Scope(plan) = &subject
            && plan.items.len() > MOST_ITEMS
        {
            let number = plan.items.len();
            return Err(Unasked::Because(format!(
                "{number} capabilities wait for people, and a plan has {MOST_ITEMS} items at most"
            )));
        }
        let is_call = matches!(subject, Subject::Call { .. });
        if is_call && offered_by_all(terms.iter().map(|(_, own)| &own.offer)).is_empty() {
            let rules: Vec<String> = terms.iter().map(|(rule, _)| format!("`{rule}`")).collect();
            return Err(Unasked::Because(format!(
                "{} offer no width in common: no yes would be one to all of them",
                rules.join(" and ")
            )));
        }
        let expires = shortest(ApprovalTerms::time_to_answer);
        let most = self.settings.questions_per_task;
        let ceiling = cell.ceiling;
        let id = QuestionId::random()
            .map_err(|error| Unasked::Denied(Denial::new(Reason::NoRandomness).because(error)))?;
        let parked = Parked {
            id,
            task: cell.name.clone(),
            generation: cell.generation,
            others: Others::of(holder, parties, Names::default()),
            holder: holder.clone(),
            purpose: cell.purpose.clone(),
            subject,
            binding,
            break_glass: draft.break_glass,
            asked: now,
            expires: now.checked_add(expires).unwrap_or(ceiling).min(ceiling),
            ceiling,
        };
        let open = Arc::new(OpenQuestion::new(parked, current.version, current.policy.clone()));
        let names = LazyCell::new(|| {
            let all = open.parties().iter().chain([&open.holder]);
            all.fold(Names::default(), |names, party| names.and(Names::of_party(party)))
        });
        for (rule, own) in &terms {
            can_be_asked(&open, rule, own, &names)?;
            let cools = open
                .tools()
                .into_iter()
                .find_map(|(tool, _)| Some((tool, life.questions()?.cools_down(rule, tool, now)?)));
            if let Some((tool, until)) = cools {
                let why = format!(
                    "`{rule}`: its questions about `{tool}` were denied too often in this task: nothing is \
                     asked until {until}"
                );
                return Err(Unasked::Full(why, Some(until.since(now))));
            }
        }
        if waiting >= most {
            let why = format!("the task has {most} questions waiting: answer or cancel some");
            return Err(Unasked::Full(why, None));
        }
        let refuses_cut = terms.iter().find(|(_, own)| own.offer.refuses_cut);
        // Only where a rule says so: of most questions no view is made before somebody looks.
        if let Some((rule, _)) = refuses_cut
            && let Some(line) = open.view().unshown()
        {
            let why = format!("`{rule}` wants all of a call shown, and this is not: {line}");
            return Err(Unasked::Because(why));
        }
        let most = self.settings.questions_per_identity;
        if !self.docket.admit(&open, most, now) {
            let who = holder.subject();
            let why = format!("`{who}` has {most} questions waiting: answer or cancel some");
            return Err(Unasked::Full(why, None));
        }
        let forgotten = life.questions_mut().keep(open.clone(), now);
        if !forgotten.is_empty() {
            self.docket.forget(&forgotten);
        }
        self.record_asked(current, &open, draft.args, now);
        self.announce(&open, QuestionState::Waiting);
        Ok(open)
    }
}

impl GrantRequest<'_> {
    /// Parks what asks withhold of a scope, or finds the open question about the same: what to deny it with.
    pub(super) fn park(
        &self,
        current: &Current,
        life: &mut Life,
        parent: Option<GrantId>,
        (capabilities, scope): (&[Capability], &Scope),
        (withheld, now): (&Withheld, Timestamp),
    ) -> Denial {
        let policy = &current.policy;
        let items = withheld.items.iter().filter_map(|(at, asks)| {
            let tool = capabilities.get(*at)?.tool.as_str();
            let listed = policy.catalogue.get(tool).and_then(|own| own.digest);
            Some(Item { at: *at, asks: current.ids(asks).into(), listed })
        });
        let plan = ScopePlan {
            capabilities: capabilities.into(),
            scope: scope.clone(),
            parent,
            items: items.collect(),
        };
        let above = parent.into_iter().flat_map(|parent| life.holders(parent));
        let parties = above.chain([&*self.cell.requester]).cloned().collect();
        let draft = QuestionDraft {
            cell: self.cell,
            holder: self.holder,
            parties,
            subject: Subject::Scope(Box::new(plan)),
            listed: None,
            asks: &withheld.asks,
            permits: &withheld.permits,
            args: None,
            break_glass: self.occasion.break_glass,
        };
        let owner = Arc::new(Apart(self.shared.clone()));
        self.shared.park(&owner, current, life, draft, (withheld.denial(current), now))
    }
}

/// Whether anybody could answer for this ask.
fn can_be_asked(
    open: &OpenQuestion,
    rule: &str,
    terms: &ApprovalTerms,
    parties: &LazyCell<Names, impl FnOnce() -> Names>,
) -> Result<(), Unasked> {
    if terms.confirm && human_behind(&open.holder).is_none() {
        return Err(Unasked::Because(format!(
            "`{rule}` asks the human whom `{}` acts for, and it acts for none",
            open.holder.subject()
        )));
    }
    let states = |name: &str| open.call().is_some_and(|call| call.materials().has(name));
    if let Some(name) = terms.material.iter().find(|name| !states(name)) {
        return Err(Unasked::Because(format!(
            "`{rule}` wants a digest of the call's material `{name}`, and the call states none"
        )));
    }
    // Where no one is pinned, it is what was looked at when the policy was loaded.
    if terms.pins_people() && terms.fault_of_quorum(&|id| parties.include(id)).is_some() {
        return Err(Unasked::Because(format!(
            "`{rule}` leaves too few who may review: no one approves for themselves, and those it names \
             are who asks, who delegated, or whom they act for"
        )));
    }
    Ok(())
}

fn bound(current: &Current, rules: &Deciders) -> Box<[BoundRule]> {
    let policy = &current.policy;
    let each = rules.iter().filter_map(|at| {
        let (rule, digest) = (policy.rule(*at)?, policy.digest_of(*at)?);
        Some(BoundRule { id: rule.id.clone(), digest })
    });
    each.collect()
}
