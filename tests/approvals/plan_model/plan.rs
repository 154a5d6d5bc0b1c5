//! A plan as a naive model has it: who said yes to which item, and what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass::policy::{ApprovalTerms, Moment, Per};
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::{Pending, QuestionState};

use crate::office::{MINUTE, reviewers};

pub(super) const EXPIRES: Duration = Duration::from_secs(3 * 60);
pub(super) const GOOD_FOR: Duration = Duration::from_secs(4 * 60);
pub(super) const SERVICES: [&str; 3] = ["api", "db", "web"];

/// Everyone who answers, with their groups.
pub(super) const PEOPLE: [(&str, &[&str]); 5] = [
    ("ada", &["ops"]),
    ("bob", &["ops"]),
    ("zoe", &["board"]),
    ("eve", &["ops", "board"]),
    ("max", &["sales"]),
];

/// This number of ops agree to each deployment, and one of the board to that of the database.
pub(super) fn policy(ops: u32) -> Policy {
    let terms = |group: &str, count: u32| {
        let terms = ApprovalTerms::per(Per::Task).review(reviewers(group).count(count));
        // It is over before anything else happens.
        terms.expires(EXPIRES).good_for(GOOD_FOR).cool_down(Duration::from_millis(1))
    };
    let permit = Rule::permit("deployers").on([Moment::Request, Moment::Call]).tool("deploy");
    let rules = [
        permit.any_args().ttl(10 * MINUTE),
        Rule::ask("ops").tool("deploy").approval(terms("ops", ops)),
        Rule::ask("board").tool("deploy").arg("service", eq("db")).approval(terms("board", 1)),
    ];
    Policy::builder().rules(rules).build().unwrap()
}

/// An item, as the model has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub(super) service: usize,
    pub(super) yes: BTreeSet<usize>,
    /// Until when it is good, once enough have agreed.
    pub(super) good: Option<u64>,
    pub(super) no: Option<QuestionState>,
    pub(super) taken: bool,
}

/// A plan, as the model has it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) pending: Pending,
    /// All that was asked for.
    pub(super) scope: Vec<usize>,
    pub(super) items: Vec<Item>,
    pub(super) expires: u64,
    /// The latest time to which any of it was ever good.
    pub(super) latest: u64,
    /// What ended all of it.
    pub(super) over: Option<QuestionState>,
}

impl Item {
    pub(super) fn waits(&self) -> bool {
        self.good.is_none() && self.no.is_none()
    }

    pub(super) fn is_good(&self, now: u64) -> bool {
        self.good.is_some_and(|until| now < until)
    }

    pub(super) fn has_enough(&self, ops: usize) -> bool {
        let of = |group: &str| self.yes.iter().filter(|who| is_in(**who, group)).count();
        of("ops") >= ops && (SERVICES[self.service] != "db" || of("board") >= 1)
    }
}

pub(super) fn is_in(who: usize, group: &str) -> bool {
    PEOPLE[who].1.contains(&group)
}

/// Whether somebody may answer for a service.
pub(super) fn may(who: usize, service: usize) -> bool {
    is_in(who, "ops") || (SERVICES[service] == "db" && is_in(who, "board"))
}

impl Plan {
    /// What time alone has made of it.
    pub(super) fn pass(&mut self, now: u64) {
        let waits = self.items.iter().any(Item::waits);
        let given = self.items.iter().any(|item| item.good.is_some());
        if self.over.is_some() || (waits && now < self.expires) {
            return;
        }
        if waits && !given {
            self.over = Some(QuestionState::Expired);
        } else if now >= self.latest {
            self.over = Some(QuestionState::Lapsed);
        }
    }

    /// Whether people can answer what waits of it.
    pub(super) fn awaits(&self, now: u64) -> bool {
        self.over.is_none() && now < self.expires && self.items.iter().any(Item::waits)
    }

    pub(super) fn state(&self, item: &Item, now: u64) -> QuestionState {
        match (item.no, self.over) {
            (Some(no), _) => no,
            (None, Some(over)) => over,
            (None, None) if item.good.is_some_and(|until| now >= until) => QuestionState::Lapsed,
            (None, None) if item.good.is_some() && item.taken => QuestionState::Spent,
            (None, None) if item.good.is_some() => QuestionState::Approved,
            (None, None) if now >= self.expires => QuestionState::Expired,
            (None, None) => QuestionState::Waiting,
        }
    }

    pub(super) fn end(&mut self, now: u64, waiting: QuestionState, otherwise: QuestionState) {
        let waits = now < self.expires && self.items.iter().any(Item::waits);
        self.over.get_or_insert(if waits { waiting } else { otherwise });
    }
}
