//! Questions about calls against a naive model: whatever is asked, answered, amended, redeemed, renewed, loaded, halted
//! and ended, in whatever order, and however often the broker dies meanwhile, each stands where the model says, and
//! exactly what the model says runs.

mod answering;
mod asked;
mod calling;

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::min;
use hallpass::{Halt, QuestionState, Running};
use serde_json::json;

use self::asked::{Asked, Came, EXPIRES, GOOD_FOR, Today};
use super::bank::{Bank, everything, line, policy};

const TASKS: [&str; 2] = ["bills", "taxes"];

fn rules(finance: usize, other: bool) -> Policy {
    let terms = |lines: Reviewers| {
        let terms = ApprovalTerms::per(Per::Call).review(lines);
        let terms = terms.expires(Duration::from_millis(EXPIRES));
        // It is over before anything else happens.
        terms.good_for(Duration::from_millis(GOOD_FOR)).cool_down(Duration::from_millis(1))
    };
    let money = Reviewers::any([line("finance").count(finance as u32), line("board")]);
    let big = Reviewers::all([line("finance"), line("ops")]);
    let asks = [
        Rule::ask("money").tool("bank.pay").approval(terms(money)),
        Rule::ask("big").tool("bank.pay").arg("amount", min(asked::BIG)).approval(terms(big)),
    ];
    policy(asks.into_iter().chain(other.then(|| Rule::forbid("other").tool("x"))))
}

fn pay(amount: i64) -> Call {
    Call::new("bank.pay", json!({ "amount": amount })).unwrap()
}

/// A permit, with the question that it has the use of, and whether the policy has changed since.
struct Held {
    permit: Permit,
    of: usize,
    is_old: bool,
}

struct Open {
    task: Task,
    grant: Grant,
    /// Which opening of its name it is.
    opening: u64,
    /// The policies under which it has made calls.
    called_under: BTreeSet<(usize, bool)>,
}

/// How often what happened.
#[derive(Debug, Default)]
struct Seen {
    ran: u32,
    answered: u32,
    refused: u32,
    amended: u32,
    deaths: u32,
    voided: u32,
}

impl Seen {
    fn add(&mut self, other: &Seen) {
        self.ran += other.ran;
        self.answered += other.answered;
        self.refused += other.refused;
        self.amended += other.amended;
        self.deaths += other.deaths;
        self.voided += other.voided;
    }
}

struct Model {
    bank: Bank,
    tasks: [Option<Open>; 2],
    openings: u64,
    asked: Vec<Asked>,
    held: Vec<Held>,
    running: Vec<Running>,
    today: Today,
    other: bool,
    payer_is_halted: bool,
    seen: Seen,
}

impl Model {
    fn new() -> Model {
        let today = Today { now: 0, finance: 1, bob_is_halted: false, bob_is_moved: false };
        let mut model = Model {
            bank: Bank::new(rules(1, false)),
            tasks: [None, None],
            openings: 0,
            asked: vec![],
            held: vec![],
            running: vec![],
            today,
            other: false,
            payer_is_halted: false,
            seen: Seen::default(),
        };
        (0..2).for_each(|task| model.open(task));
        model
    }

    fn open(&mut self, at: usize) {
        let (task, grant) = self.bank.open(TASKS[at], &self.bank.attest("payer"));
        self.openings += 1;
        let (opening, called_under) = (self.openings, BTreeSet::new());
        self.tasks[at] = Some(Open { task, grant, opening, called_under });
    }

    fn advance(&mut self, millis: u64) {
        self.bank.clock.advance(Duration::from_millis(millis));
        self.today.now += millis;
    }

    fn is_of_today(&self, asked: &Asked) -> bool {
        self.tasks[asked.task].as_ref().is_some_and(|own| own.opening == asked.opening)
    }

    /// The newest that can be redeemed.
    fn approved(&self) -> Option<usize> {
        let is_approved = |own: &Asked| own.state(self.today.now) == QuestionState::Approved;
        (0..self.asked.len()).rev().find(|at| is_approved(&self.asked[*at]))
    }

    fn is_over(&self, at: usize) {
        let own = &self.asked[at];
        assert!(!own.is_open(self.today.now) || !self.is_of_today(own), "lost: {own:?}");
    }

    /// Another quorum: all that was asked under the one before is void. Or a rule that has nothing to do with it.
    fn load(&mut self, of_it: bool) {
        match of_it {
            true => self.today.finance = 3 - self.today.finance,
            false => self.other = !self.other,
        }
        self.bank.broker.reload(&rules(self.today.finance, self.other)).unwrap().finish();
        self.held.iter_mut().for_each(|own| own.is_old = true);
        let now = self.today.now;
        if of_it {
            self.asked
                .iter_mut()
                .for_each(|own| own.end(now, QuestionState::Void, QuestionState::Void));
        }
    }

    fn end(&mut self, task: usize) {
        let Some(own) = self.tasks[task].take() else { return };
        own.task.complete();
        let now = self.today.now;
        for asked in self.asked.iter_mut().filter(|asked| asked.opening == own.opening) {
            asked.end(now, QuestionState::Cancelled, QuestionState::Void);
        }
        if !self.payer_is_halted {
            self.open(task);
        }
    }

    fn halt(&mut self, bob: bool) {
        let (control, id) = (self.bank.broker.control(), if bob { "bob" } else { "payer" });
        let is_halted = if bob { &mut self.today.bob_is_halted } else { &mut self.payer_is_halted };
        *is_halted = !*is_halted;
        let halt = Halt::identity(id).unwrap();
        if *is_halted {
            control.halt(halt);
            return;
        }
        control.resume(&halt);
        if !bob {
            (0..2)
                .filter(|at| self.tasks[*at].is_none())
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|at| self.open(at));
            self.renew(true);
        }
    }

    fn restate(&mut self) {
        self.today.bob_is_moved = !self.today.bob_is_moved;
        let control = self.bank.broker.control();
        let facts = Assertion::human("bob").group("sales");
        let restated = match self.today.bob_is_moved {
            true => control.restate(facts).unwrap(),
            false => control.unrestate("bob").unwrap(),
        };
        restated.finish();
    }

    /// A grant is good for five minutes.
    fn renew(&mut self, anew: bool) {
        if self.payer_is_halted {
            return;
        }
        let payer = self.bank.attest("payer");
        for own in self.tasks.iter_mut().flatten() {
            match anew {
                true => own.grant = everything(&own.task).unwrap(),
                false => own.task.renew(&mut own.grant, &payer, &Context::new()).unwrap(),
            }
        }
    }

    /// Permits lapse by themselves, and that is noticed later: none is in hand while time passes.
    fn pass(&mut self, millis: u64) {
        while !self.held.is_empty() {
            self.use_permit(0);
        }
        self.advance(millis);
        self.renew(true);
    }

    fn die(&mut self) {
        // What was stated anew of a person is not in the log, and leaves questions void: told elsewhere.
        if self.today.bob_is_moved {
            return;
        }
        if self.payer_is_halted {
            self.halt(false);
        }
        let now = self.today.now;
        let held: Vec<Permit> = self.held.drain(..).map(|own| own.permit).collect();
        for own in &mut self.asked {
            if own.unstarted && matches!(own.came, Came::Yes { .. }) {
                own.give_back();
            }
        }
        let policy = (self.today.finance, self.other);
        let left: Vec<Option<(u64, BTreeSet<_>)>> = (0..2)
            .map(|at| {
                let own = self.tasks[at].as_ref()?;
                // What calls have cost, another policy may say otherwise.
                let is_known = own.called_under.iter().all(|under| *under == policy);
                let is_left = |asked: &Asked| asked.opening == own.opening && asked.is_open(now);
                let waits = is_known && self.asked.iter().any(is_left);
                waits.then(|| (own.opening, own.called_under.clone()))
            })
            .collect();
        let tasks = std::mem::take(&mut self.tasks).map(|own| own.map(|own| (own.task, own.grant)));
        let running = std::mem::take(&mut self.running);
        self.bank.dies((held, tasks, running), rules(self.today.finance, self.other));
        self.seen.deaths += 1;
        let payer = self.bank.attest("payer");
        for (at, left) in left.into_iter().enumerate() {
            if let Some((opening, called_under)) = left {
                let (task, grant) = self.bank.resume(TASKS[at], &payer);
                self.tasks[at] = Some(Open { task, grant, opening, called_under });
                continue;
            }
            // With the process went what nothing could come of, or can't be told of.
            let reason = self.bank.broker.resume(TASKS[at], &payer).unwrap_err().reason();
            assert_eq!(reason, Reason::TaskOver);
            for own in self.asked.iter_mut().filter(|own| own.task == at) {
                own.end(now, QuestionState::Void, QuestionState::Void);
            }
            self.open(at);
        }
    }

    /// Each stands where the model says. What is over may be forgotten.
    fn agree(&self) {
        for (at, own) in self.asked.iter().enumerate() {
            match self.bank.reviews().open(&own.id) {
                Some(question) if self.is_of_today(own) => {
                    assert_eq!(question.state(), own.state(self.today.now), "{own:?}");
                }
                Some(_) => {}
                None => self.is_over(at),
            }
        }
    }
}

/// A seed is said where it fails.
#[test]
fn questions_stand_where_a_naive_model_says() {
    let mut all = Seen::default();
    for seed in 1..=80 {
        let told = std::panic::catch_unwind(|| lives(seed));
        let Ok(seen) = told else { panic!("seed {seed}") };
        all.add(&seen);
    }
    println!("{all:?}");
    let Seen { ran, answered, refused, amended, deaths, voided } = all;
    assert!(ran > 20 && answered > 200 && refused > 300, "{all:?}");
    assert!(amended > 15 && deaths > 50 && voided > 0, "{all:?}");
}

/// As above, from this seed on for as many as are asked for.
#[test]
#[ignore = "takes as long as is asked for: HALLPASS_SEED and HALLPASS_LIVES say from where and how many"]
fn questions_stand_where_a_naive_model_says_in_many_lives() {
    let number = |name: &str| std::env::var(name).ok().map(|own| own.parse::<u64>().unwrap());
    let first = number("HALLPASS_SEED").unwrap_or(1);
    for seed in (first..).take(number("HALLPASS_LIVES").unwrap_or(1_000) as usize) {
        assert!(std::panic::catch_unwind(|| lives(seed)).is_ok(), "seed {seed}");
    }
}

fn lives(seed: u64) -> Seen {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 16) % most) as usize
    };
    let mut model = Model::new();
    for _ in 0..60 {
        let count = model.asked.len();
        // The newest are the most likely.
        let at = count.saturating_sub(1 + next(5));
        let (task, what) = (next(2), next(30));
        match what {
            0..5 => model.authorize(task, next(5) as i64),
            5..11 if count > 0 => model.answer(at, next(8), true, next(12) == 0),
            11 if count > 0 => model.answer(at, next(8), false, false),
            12..17 if count > 0 => {
                // Most of them can be.
                let at = model.approved().filter(|_| next(4) > 0).unwrap_or(at);
                let own = model.asked[at].task;
                model.redeem(at, if next(8) == 0 { task } else { own });
            }
            17 if count > 0 => model.amend(at, next(8), next(5) as i64, next(6) == 0),
            18 if count > 0 && next(2) == 0 => model.cancel(at, next(2) == 0),
            19..23 => model.use_permit(next(4)),
            23 => model.pass([1_000, 60_000, 150_000][next(3)]),
            24 if next(2) == 0 => model.load(next(2) == 0),
            25 if next(3) == 0 => model.end(task),
            26 => match next(3) {
                0 => model.halt(false),
                1 => model.halt(true),
                _ => model.renew(next(2) == 0),
            },
            27 => model.restate(),
            28 if next(2) == 0 => model.die(),
            _ => drop(model.bank.broker.sweep(10)),
        }
        model.advance(2);
        model.agree();
    }
    model.held.clear();
    model.running.drain(..).for_each(Running::succeed);
    model.tasks = [None, None];
    model.bank.verify();
    model.seen
}
