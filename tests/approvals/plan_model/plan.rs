//! A plan as a naive model has it: who said yes to which item, and what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass::identity::Kind;
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

/// Everyone who asks. The second acts for the first of the people.
pub(super) const HOLDERS: usize = 2;

/// How a person is known: by the name, by it in capitals, and by another one of which it is an alias.
pub(super) const SPELLINGS: usize = 3;

/// A person, as one attestor knows them.
pub(super) fn spelled(who: usize, spelling: usize) -> Assertion {
    let (name, groups) = PEOPLE[who];
    let known = match spelling {
        0 => Assertion::human(name),
        1 => Assertion::human(name.to_uppercase()),
        _ => Assertion::human(format!("{name}-at-home")).alias(name),
    };
    known.groups(groups.iter().copied())
}

pub(super) fn holder(who: usize) -> Assertion {
    match who {
        0 => Assertion::agent("deployer"),
        _ => Assertion::agent("clerk").acts_for(PEOPLE[0].0, Kind::Human),
    }
}

/// Who is halted, by the name and in no other spelling.
#[derive(Debug, Default)]
pub(super) struct Halted {
    pub(super) people: BTreeSet<usize>,
    /// Who opened the task: with that one all of it stands still.
    pub(super) opener: bool,
}

impl Halted {
    /// Whether this person, known so, is.
    pub(super) fn stops(&self, who: usize, spelling: usize) -> bool {
        spelling != 1 && self.people.contains(&who)
    }

    pub(super) fn stops_holder(&self, holder: usize) -> bool {
        self.opener || (holder == 1 && self.people.contains(&0))
    }
}

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

/// The asks there are, by the group that answers them.
pub(super) const ASKS: [&str; 2] = ["ops", "board"];

/// The asks that withhold a service.
pub(super) fn asks_of(service: usize) -> BTreeSet<usize> {
    if SERVICES[service] == "db" { BTreeSet::from([0, 1]) } else { BTreeSet::from([0]) }
}

/// An item, as the model has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub(super) service: usize,
    /// Which asks withhold it.
    pub(super) asks: BTreeSet<usize>,
    /// Who said yes, and known by which name.
    pub(super) yes: BTreeSet<(usize, usize)>,
    /// Until when it is good, once enough have agreed.
    pub(super) good: Option<u64>,
    pub(super) no: Option<QuestionState>,
    pub(super) taken: bool,
}

/// A plan, as the model has it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) pending: Pending,
    pub(super) holder: usize,
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

    /// Whether enough people have agreed for this ask, of those who are not halted.
    pub(super) fn has_enough_for(&self, ask: usize, ops: usize, halted: &Halted) -> bool {
        let counts = |(who, spelling): &&(usize, usize)| {
            !halted.stops(*who, *spelling) && is_in(*who, ASKS[ask])
        };
        let people: BTreeSet<usize> = self.yes.iter().filter(counts).map(|(who, _)| *who).collect();
        people.len() >= if ask == 0 { ops } else { 1 }
    }

    pub(super) fn has_enough(&self, ops: usize, halted: &Halted) -> bool {
        self.asks.iter().all(|ask| self.has_enough_for(*ask, ops, halted))
    }

    /// Whether a person may answer for any of its asks.
    fn may(&self, who: usize) -> bool {
        self.asks.iter().any(|ask| is_in(who, ASKS[*ask]))
    }
}

fn is_in(who: usize, group: &str) -> bool {
    PEOPLE[who].1.contains(&group)
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

    /// Whether a person may answer for an item: no one for whom it was asked.
    pub(super) fn may(&self, who: usize, item: usize) -> bool {
        !(self.holder == 1 && who == 0) && self.items[item].may(who)
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
