//! Two banks to which the same is done: the broker of one dies again and again, and goes on with its log. Whatever is
//! done, in whatever order, both answer the same.

use std::collections::BTreeMap;

use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::{Pending, QuestionState, Running};
use serde_json::json;

use super::bank::{Bank, MINUTE, ask, line, policy};

const PEOPLE: [(&str, &str); 5] = [
    ("ada", "finance"),
    ("bob", "finance"),
    ("eve", "ops"),
    ("payer", "finance"),
    ("joe", "sales"),
];

/// Two of finance, or one of ops; a yes may reach three calls of other amounts.
fn rules(other: bool) -> Policy {
    let lines = [line("finance").count(2), line("ops")];
    let terms = ApprovalTerms::per(Per::Call).review(hallpass::policy::Reviewers::any(lines));
    let terms = terms.expires(6 * MINUTE).good_for(4 * MINUTE).cool_down(3 * MINUTE);
    let calls = ask(terms.offer([Width::CALL, Width::calls(3)]).vary(["amount"]));
    let plans = ApprovalTerms::per(Per::Task).review(line("finance")).expires(6 * MINUTE);
    let plans = Rule::ask("plans").tool("ping").approval(plans.good_for(4 * MINUTE));
    let other = other.then(|| Rule::forbid("other").tool("x"));
    policy([calls, plans].into_iter().chain(other))
}

fn pay(amount: u64) -> Call {
    Call::new("bank.pay", json!({ "amount": amount })).unwrap()
}

fn pings(first: u64) -> Scope {
    let one = |n: u64| Scope::tool("ping").arg("n", hallpass::scope::eq(n as i64));
    one(first).and(one(first + 1))
}

/// One of the two, and what is held of it.
struct Twin {
    bank: Bank,
    task: Option<Task>,
    grant: Option<Grant>,
    asked: Vec<Pending>,
    permits: Vec<Permit>,
    running: Vec<Running>,
}

impl Twin {
    fn new() -> Twin {
        let bank = Bank::new(rules(false));
        let task = bank.broker.open_named("bills", &bank.attest("payer"), Purpose::new("pay"));
        let (asked, permits, running) = Default::default();
        let mut twin = Twin { bank, task: task.ok(), grant: None, asked, permits, running };
        twin.grant = twin.granted();
        twin
    }

    fn granted(&self) -> Option<Grant> {
        let all = Scope::tool("bank.pay").any_args();
        Some(self.task.as_ref()?.request(all, &Context::new()).unwrap())
    }

    fn say(&mut self, answer: Result<Permit, Denial>) -> String {
        match answer {
            Ok(permit) => {
                self.permits.push(permit);
                "permitted".into()
            }
            Err(denial) => self.denied(&denial),
        }
    }

    /// Why, and of which question, by its number.
    fn denied(&mut self, denial: &Denial) -> String {
        let number = denial.pending().map(|pending| {
            let known = self.asked.iter().position(|own| own.id() == pending.id());
            known.unwrap_or_else(|| {
                self.asked.push(pending.clone());
                self.asked.len() - 1
            })
        });
        format!("{:?} {number:?}", denial.reason())
    }

    fn does(&mut self, act: (u64, u64, u64)) -> String {
        let (what, which, how) = act;
        let at = (which as usize).checked_rem(self.asked.len());
        let context = Context::new();
        match what {
            0..3 => {
                let Some(grant) = &self.grant else { return String::new() };
                let answer = self.bank.authorize(grant, pay(which % 3));
                self.say(answer)
            }
            3 => {
                let Some(task) = &self.task else { return String::new() };
                match task.request(pings(which % 3), &context) {
                    Ok(_) => "granted".into(),
                    Err(denial) => self.denied(&denial),
                }
            }
            4..9 => {
                let Some(question) =
                    at.and_then(|at| self.bank.reviews().open(&self.asked[at].id()))
                else {
                    return "gone".into();
                };
                let (name, group) = PEOPLE[how as usize % 5];
                let who = self.bank.attest(Assertion::human(name).group(group));
                let (shown, reviews) = (question.view().digest(), self.bank.reviews());
                let width = [Width::CALL, Width::calls(3)][which as usize % 2];
                let is_plan = !question.items().is_empty();
                let answer = match (what, is_plan) {
                    (4, false) => reviews.deny(&question, &who, "no"),
                    (4, true) => reviews.deny_items(&question, &who, &[1 + (how % 2) as u32], "no"),
                    (5 | 6, true) => {
                        reviews.approve_items(&question, &who, &shown, &[1 + (which % 2) as u32])
                    }
                    (_, true) => reviews.approve(&question, &who, &shown, Width::CALL),
                    _ => reviews.approve(&question, &who, &shown, width),
                };
                let told = format!("{answer:?}");
                if is_plan { told.replace("state: Spent", "state: Approved") } else { told }
            }
            9..11 => {
                let (Some(at), Some(grant)) = (at, &self.grant) else { return String::new() };
                let Some(pending) = self.again(at) else { return "gone".into() };
                let answer = self.bank.gate().redeem(&pending, grant, grant.holder(), &context);
                self.say(answer)
            }
            11 => {
                let (Some(at), Some(task)) = (at, &self.task) else { return String::new() };
                let Some(pending) = self.again(at) else { return "gone".into() };
                match task.take_part(&pending, &context) {
                    Ok(grant) => format!("{} items", grant.scope().len()),
                    Err(denial) => self.denied(&denial),
                }
            }
            12 => format!("{:?}", at.and_then(|at| self.again(at)).map(|own| own.cancel())),
            13 => {
                drop(self.permits.pop());
                String::new()
            }
            14 | 15 => match self.permits.pop().map(Permit::start) {
                None => String::new(),
                Some(Err(denial)) => format!("{:?}", denial.reason()),
                Some(Ok(running)) if what == 15 => {
                    self.running.push(running);
                    "runs".into()
                }
                Some(Ok(running)) => {
                    running.succeed();
                    "ran".into()
                }
            },
            16 => {
                self.bank.clock.advance(MINUTE * (1 + which as u32 % 2) / 2);
                String::new()
            }
            _ => {
                self.bank.broker.sweep(10);
                String::new()
            }
        }
    }

    /// What a client finds by the text that it kept.
    fn again(&self, at: usize) -> Option<Pending> {
        self.bank.gate().pending(&self.asked[at].to_text()?)
    }

    /// Where all stand that something may come of.
    fn stand(&self) -> BTreeMap<usize, String> {
        let state = |at: usize| {
            let question = self.bank.reviews().open(&self.asked[at].id())?;
            let items = question.items();
            // What was taken of a plan can be taken again by a task that lost its grants.
            let shown = |state| match state {
                QuestionState::Spent if !items.is_empty() => QuestionState::Approved,
                state => state,
            };
            let state = shown(question.state());
            let items: Vec<_> = items.iter().map(|(number, own)| (number, shown(*own))).collect();
            let open = [QuestionState::Waiting, QuestionState::Partial, QuestionState::Approved];
            open.contains(&state).then(|| (at, format!("{state:?} {items:?}")))
        };
        (0..self.asked.len()).filter_map(state).collect()
    }

    /// Whether people have agreed to this many items, taken or not.
    fn may_take(&self, which: u64, items: &str) -> bool {
        let Some(at) = (which as usize).checked_rem(self.asked.len()) else { return false };
        let given = self.stand().get(&at).map_or(0, |own| own.matches(", Approved)").count());
        items
            .strip_suffix(" items")
            .is_some_and(|number| number.parse().is_ok_and(|own: usize| own <= given))
    }

    /// What is held is held no more. What runs is done elsewhere.
    fn lets_go(&mut self) {
        self.permits.clear();
        self.running.drain(..).for_each(Running::succeed);
        self.grant = self.granted();
    }

    fn dies(&mut self) {
        let task = self.task.take();
        let held = (task, self.grant.take(), std::mem::take(&mut self.permits));
        let running = std::mem::take(&mut self.running);
        self.bank.dies((held, running), rules(false));
        // Nothing is left of a task in which nothing waits: the other twin's is over then, too.
        self.task = self.bank.broker.resume("bills", &self.bank.attest("payer")).ok();
        self.grant = self.granted();
    }
}

/// A seed is said where it fails.
#[test]
fn a_broker_that_dies_answers_as_one_that_does_not() {
    let (mut deaths, mut after) = (0, 0);
    for seed in 1..=60_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) % most
        };
        let (mut lives, mut mortal) = (Twin::new(), Twin::new());
        for step in 0..40 {
            if next(10) == 0 {
                let open = lives.stand();
                if open.is_empty() {
                    continue;
                }
                lives.lets_go();
                mortal.dies();
                deaths += 1;
                assert!(mortal.task.is_some(), "seed {seed}, step {step}: {open:?}");
                after += open.len();
            } else {
                let act = (next(18), next(1 << 20), next(1 << 20));
                let (own, its) = (lives.does(act), mortal.does(act));
                // What is over is forgotten with the process, and was not to be had before.
                let is_over = its == "gone" || its == "None";
                let is_taken_again = act.0 == 11 && lives.may_take(act.1, &its);
                assert!(
                    own == its || is_over || is_taken_again,
                    "seed {seed}, step {step}, {act:?}: {own} {its}"
                );
            }
            assert_eq!(lives.stand(), mortal.stand(), "seed {seed}, step {step}");
        }
        mortal.bank.verify();
    }
    assert!(deaths > 50 && after > 100, "{deaths} {after}");
}
