//! What a naive model keeps of questions: who said yes to what, until when that is good, and nothing that is summed up.

use std::collections::BTreeSet;

use hallpass::QuestionState;

pub(super) const EXPIRES: u64 = 6 * 60_000;
pub(super) const GOOD_FOR: u64 = 4 * 60_000;

/// From this amount on others have to agree, too.
pub(super) const BIG: i64 = 3;

/// As a person is attested: an id, other names, groups, and which person that is.
pub(super) struct Account {
    pub(super) id: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) groups: &'static [&'static str],
    pub(super) person: &'static str,
}

const fn account(
    id: &'static str,
    aliases: &'static [&'static str],
    groups: &'static [&'static str],
    person: &'static str,
) -> Account {
    Account { id, aliases, groups, person }
}

/// Everyone who answers. One is known by two accounts, and one is the asker under another name.
pub(super) const ACCOUNTS: [Account; 8] = [
    account("ada", &[], &["finance"], "ada"),
    account("a.l@work", &["ADA"], &["finance", "ops"], "ada"),
    account("bob", &[], &["finance"], "bob"),
    account("eve", &[], &["finance", "ops"], "eve"),
    account("oli", &[], &["ops"], "oli"),
    account("zoe", &[], &["board"], "zoe"),
    account("max", &[], &["sales"], "max"),
    account("payroll", &["Payer"], &["finance"], "payer"),
];

/// The account that is halted, and whose groups are taken away.
pub(super) const BOB: usize = 2;

/// An ask: `money` of every payment, `big` of some.
pub(super) type Ask = &'static str;

pub(super) fn asks_of(amount: i64) -> BTreeSet<Ask> {
    if amount < BIG { BTreeSet::from(["money"]) } else { BTreeSet::from(["money", "big"]) }
}

/// What is so of people by now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Today {
    pub(super) now: u64,
    /// How many of finance have to agree to every payment, where no one of the board does.
    pub(super) finance: usize,
    pub(super) bob_is_halted: bool,
    pub(super) bob_is_moved: bool,
}

impl Today {
    fn is_in(self, who: usize, group: &str) -> bool {
        let moved = self.bob_is_moved && who == BOB;
        if moved { group == "sales" } else { ACCOUNTS[who].groups.contains(&group) }
    }

    fn fits(self, who: usize, ask: Ask) -> bool {
        let lines = if ask == "money" { ["finance", "board"] } else { ["finance", "ops"] };
        lines.iter().any(|group| self.is_in(who, group))
    }
}

/// Where it was taken to, but for what time makes of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Waits,
    Yes { good_until: u64 },
    Over(QuestionState),
}

/// A question, as the model has it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: String,
    /// What a client keeps of it.
    pub(super) text: String,
    pub(super) task: usize,
    pub(super) opening: u64,
    pub(super) amount: i64,
    pub(super) asks: BTreeSet<Ask>,
    /// Those who amended it.
    pub(super) amended_by: BTreeSet<&'static str>,
    pub(super) yes: BTreeSet<usize>,
    pub(super) expires: u64,
    pub(super) came: Came,
    /// Whether its one use is left; and whether a permit has it that has not started.
    pub(super) left: bool,
    pub(super) unstarted: bool,
    pub(super) given_back: u32,
}

impl Asked {
    pub(super) fn state(&self, now: u64) -> QuestionState {
        match self.came {
            Came::Waits if now >= self.expires => QuestionState::Expired,
            Came::Waits => QuestionState::Waiting,
            Came::Yes { .. } if !self.left => QuestionState::Spent,
            Came::Yes { good_until } if now >= good_until => QuestionState::Lapsed,
            Came::Yes { .. } => QuestionState::Approved,
            Came::Over(state) => state,
        }
    }

    pub(super) fn waits(&self, now: u64) -> bool {
        self.state(now) == QuestionState::Waiting
    }

    /// Whether a no, a reload or the end of the task still changes something.
    pub(super) fn is_open(&self, now: u64) -> bool {
        let state = self.state(now);
        let is_held = state == QuestionState::Spent && self.unstarted;
        is_held || matches!(state, QuestionState::Waiting | QuestionState::Approved)
    }

    pub(super) fn is_party(&self, who: usize) -> bool {
        let person = ACCOUNTS[who].person;
        person == "payer" || self.amended_by.contains(person)
    }

    /// Whether this person may answer it.
    pub(super) fn may(&self, who: usize, today: Today) -> bool {
        !self.is_party(who) && self.asks.iter().any(|ask| today.fits(who, ask))
    }

    /// Whether those who said yes are enough, by trying out who could fill which place.
    pub(super) fn has_enough(&self, today: Today, count_halted: bool) -> bool {
        let counts = |who: &usize| count_halted || !(today.bob_is_halted && *who == BOB);
        let agreed: Vec<usize> =
            self.yes.iter().copied().filter(counts).filter(|who| !self.is_party(*who)).collect();
        let people = |group: &str| -> BTreeSet<&str> {
            let of = agreed.iter().filter(|who| today.is_in(**who, group));
            of.map(|who| ACCOUNTS[*who].person).collect()
        };
        self.asks.iter().all(|ask| match *ask {
            "money" => people("finance").len() >= today.finance || !people("board").is_empty(),
            _ => {
                let ops = people("ops");
                people("finance").iter().any(|one| ops.iter().any(|two| one != two))
            }
        })
    }

    /// A permit that had its use never started.
    pub(super) fn give_back(&mut self) {
        self.unstarted = false;
        if self.given_back < 3 {
            self.given_back += 1;
            self.left = true;
        }
    }

    /// Ends it, if anything may come of it still.
    pub(super) fn end(&mut self, now: u64, waiting: QuestionState, otherwise: QuestionState) {
        if self.is_open(now) {
            self.came = Came::Over(if self.waits(now) { waiting } else { otherwise });
        }
    }
}
