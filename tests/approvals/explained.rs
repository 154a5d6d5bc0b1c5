//! Who, for whom, why, under which rule, through whose hands, and who agreed: the log alone says so of every permit.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::audit::{Agreement, Explanation, Outcome, explain};
use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Moment, Per, Width};
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::{Pending, Running};
use serde_json::json;

use crate::office::{MINUTE, Office, reviewers};

/// Payments are asked about call by call, refunds as a scope; delegates may do what their planner may.
fn policy() -> Policy {
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let tools = ["bank.pay", "bank.refund", "bank.read"];
    let permit = |id: &str, tools: &[&str]| {
        Rule::permit(id).on(every).tools(tools.iter().copied()).any_args().ttl(60 * MINUTE).depth(3)
    };
    let review = |per| ApprovalTerms::per(per).review(reviewers("finance").count(2));
    let calls = Rule::ask("each-payment").tool("bank.pay").approval(review(Per::Call));
    let scopes = Rule::ask("each-plan").tool("bank.refund").approval(review(Per::Task));
    let readers = permit("readers", &tools[2..]);
    Policy::builder().rules([permit("payers", &tools), readers, calls, scopes]).build().unwrap()
}

fn scope(tool: &str) -> Scope {
    Scope::tool(tool).any_args()
}

/// A task as its owner knows it.
struct Errand {
    task: Task,
    generation: u64,
    name: String,
    who: Identity,
    why: (String, String),
}

/// A grant as its holder knows it.
struct Held {
    grant: Grant,
    errand: usize,
    /// It, and those that it was delegated from.
    chain: Vec<String>,
    /// The plan that people agreed to, and who.
    agreed: Option<(String, BTreeSet<String>)>,
}

/// A permit as its caller knows it.
struct Given {
    held: usize,
    tool: &'static str,
    agreed: BTreeMap<String, BTreeSet<String>>,
    outcome: Option<Outcome>,
}

/// A question, and whose yes counted.
struct Asked {
    pending: Pending,
    held: Result<usize, usize>,
    agreed: BTreeSet<String>,
}

struct Run {
    office: Office,
    errands: Vec<Errand>,
    held: Vec<Held>,
    given: BTreeMap<u64, Given>,
    asked: Vec<Asked>,
    running: Vec<(u64, Running)>,
    amount: i64,
}

impl Run {
    fn open(&mut self, n: u64) {
        let who = match n % 3 {
            0 => Assertion::agent("payer"),
            1 => Assertion::agent("payer").acts_for("ada", Kind::Human),
            _ => Assertion::workload("batch")
                .acts_for("desk", Kind::Agent)
                .acts_for("bob", Kind::Human),
        };
        let who = self.office.attest(who);
        let (name, why) = (format!("errand-{}", n % 4), (format!("why-{n}"), format!("T-{n}")));
        let purpose = Purpose::new(why.0.as_str()).ticket(why.1.as_str());
        // A name is free again once its task has ended.
        let Ok(task) = self.office.broker.open_named(&name, &who, purpose) else { return };
        let generation = task.generation();
        self.errands.push(Errand { task, generation, name, who, why });
        let (errand, tools) = (self.errands.len() - 1, scope("bank.pay").and(scope("bank.read")));
        let grant = self.errands[errand].task.request(tools, &Context::new()).unwrap();
        self.hold(grant, errand, &[], None);
    }

    fn hold(
        &mut self,
        grant: Grant,
        errand: usize,
        above: &[String],
        agreed: Option<(String, BTreeSet<String>)>,
    ) {
        let chain = [&[grant.id().to_string()], above].concat();
        self.held.push(Held { grant, errand, chain, agreed });
    }

    fn delegate(&mut self, held: usize, n: u64) {
        let (errand, above) = (self.held[held].errand, self.held[held].chain.clone());
        let worker = match n % 2 {
            0 => Assertion::agent(format!("worker-{}", n % 3)),
            _ => Assertion::agent(format!("worker-{}", n % 3)).acts_for("eve", Kind::Human),
        };
        let worker = self.office.attest(worker);
        let (task, tools) = (&self.errands[errand].task, scope("bank.pay").and(scope("bank.read")));
        let child = task.delegate(&self.held[held].grant, &worker, tools, &Context::new());
        if let Ok(child) = child {
            self.hold(child, errand, &above, None);
        }
    }

    /// Asks for a plan, which people have to agree to.
    fn plan(&mut self, errand: usize) {
        self.amount += 1;
        let wanted = Scope::tool("bank.refund").arg("amount", eq(self.amount));
        let denial = self.errands[errand].task.request(wanted, &Context::new()).unwrap_err();
        if let Some(pending) = denial.pending().cloned() {
            self.asked.push(Asked { pending, held: Err(errand), agreed: BTreeSet::new() });
        }
    }

    fn pay(&mut self, held: usize) {
        self.amount += 1;
        let call = Call::new("bank.pay", json!({ "amount": self.amount })).unwrap();
        let denial = self.office.authorize(&self.held[held].grant, &call).map(drop).unwrap_err();
        if let Some(pending) = denial.pending().cloned() {
            self.asked.push(Asked { pending, held: Ok(held), agreed: BTreeSet::new() });
        }
    }

    fn read(&mut self, held: usize) {
        let call = Call::new("bank.read", json!({})).unwrap();
        let permit = self.office.authorize(&self.held[held].grant, &call);
        self.give(permit, held, "bank.read", BTreeMap::new());
    }

    /// A call of what people agreed to as a plan.
    fn refund(&mut self, held: usize) {
        let Some((plan, _)) = &self.held[held].agreed else { return };
        // People may have said yes since it was taken.
        let own = self.asked.iter().find(|own| own.pending.id() == **plan).unwrap();
        let agreed = (plan.clone(), own.agreed.clone());
        for amount in 1..=self.amount {
            let call = Call::new("bank.refund", json!({ "amount": amount })).unwrap();
            let grant = &self.held[held].grant;
            if self.office.gate.check(grant, grant.holder(), &call, &Context::new()).is_ok() {
                let permit = self.office.authorize(grant, &call);
                return self.give(permit, held, "bank.refund", BTreeMap::from([agreed]));
            }
        }
    }

    fn give(
        &mut self,
        permit: Result<Permit, Denial>,
        held: usize,
        tool: &'static str,
        agreed: BTreeMap<String, BTreeSet<String>>,
    ) {
        let Ok(permit) = permit else { return };
        let number = permit.number();
        let mut given = Given { held, tool, agreed, outcome: None };
        match number % 3 {
            0 => given.outcome = Some(Outcome::Abandoned),
            1 => {
                permit.start().unwrap().succeed();
                given.outcome = Some(Outcome::Ok);
            }
            _ => self.running.extend(permit.start().ok().map(|running| (number, running))),
        }
        self.given.insert(number, given);
    }

    fn answer(&mut self, at: usize, who: &str, yes: bool) {
        let reviewer = self.office.person(who, "finance");
        let own = &mut self.asked[at];
        let Some(question) = self.office.reviews.open(&own.pending.id()) else { return };
        if !yes {
            let _ = self.office.reviews.deny(&question, &reviewer, "no");
            return;
        }
        let shown = question.view().digest();
        if self.office.reviews.approve(&question, &reviewer, &shown, Width::CALL).is_ok() {
            own.agreed.insert(who.to_owned());
        }
    }

    fn take(&mut self, at: usize) {
        let Asked { pending, held, agreed } = &self.asked[at];
        let (pending, agreed) = (pending.clone(), (pending.id().to_string(), agreed.clone()));
        match *held {
            Ok(held) => {
                let permit = self.office.redeem(&pending, &self.held[held].grant);
                self.give(permit, held, "bank.pay", BTreeMap::from([agreed]));
            }
            Err(errand) => {
                let taken = self.errands[errand].task.take(&pending, &Context::new());
                if let Ok(grant) = taken {
                    self.hold(grant, errand, &[], Some(agreed));
                }
            }
        }
    }

    fn compare(&self, seed: u64) -> [usize; 4] {
        self.office.verify();
        let records = self.office.log.records();
        let mut seen = [0; 4];
        for (at, errand) in self.errands.iter().enumerate() {
            let stories = explain(&records, &errand.name);
            let own = stories.iter().find(|own| own.generation == errand.generation);
            let story = own.unwrap_or_else(|| panic!("seed {seed}: {} is not told", errand.name));
            let acts_for = |who: &Identity| -> Vec<String> {
                who.acts_for().iter().map(|own| own.subject.to_string()).collect()
            };
            assert_eq!(story.who, errand.who.subject().as_str());
            assert_eq!(story.acts_for, acts_for(&errand.who), "seed {seed}: for whom");
            let why = (story.purpose.clone(), story.ticket.clone().unwrap());
            assert_eq!(why, errand.why, "seed {seed}: why");
            self.compare_grants(story, at, seed);
            let given: Vec<_> =
                self.given.iter().filter(|(_, own)| self.held[own.held].errand == at).collect();
            assert_eq!(story.calls.len(), given.len(), "seed {seed}: each permit, and no other");
            for (call, (number, own)) in story.calls.iter().zip(given) {
                let held = &self.held[own.held];
                assert_eq!((call.seq, &*call.tool), (*number, own.tool));
                assert_eq!(call.who, held.grant.holder().subject().as_str(), "seed {seed}: who");
                assert_eq!(call.acts_for, acts_for(held.grant.holder()), "seed {seed}: for whom");
                let rules: &[&str] =
                    if own.tool == "bank.read" { &["payers", "readers"] } else { &["payers"] };
                assert_eq!(call.rules, rules, "seed {seed}: under which rules");
                assert_eq!(call.chain, held.chain, "seed {seed}: through whose hands");
                assert_eq!(agreed(&call.agreements), own.agreed, "seed {seed}: who agreed");
                assert_eq!(call.ended.as_ref().map(|end| end.outcome), own.outcome);
                seen[0] += 1;
                seen[1] += usize::from(own.tool == "bank.pay");
                seen[2] += usize::from(own.tool == "bank.refund");
                seen[3] += usize::from(held.chain.len() > 1 && own.tool == "bank.pay");
            }
        }
        seen
    }

    fn compare_grants(&self, story: &Explanation, errand: usize, seed: u64) {
        let held: Vec<_> = self.held.iter().filter(|own| own.errand == errand).collect();
        assert_eq!(story.grants.len(), held.len(), "seed {seed}: each grant, and no other");
        for (grant, own) in story.grants.iter().zip(held) {
            assert_eq!((&grant.id, grant.parent.as_ref()), (&own.chain[0], own.chain.get(1)));
            assert_eq!(grant.holder, own.grant.holder().subject().as_str());
            let plan: BTreeMap<_, _> = own.agreed.iter().cloned().collect();
            assert_eq!(agreed(&grant.agreements), plan, "seed {seed}: who agreed to the plan");
        }
    }
}

fn agreed(agreements: &[Agreement]) -> BTreeMap<String, BTreeSet<String>> {
    let people = |own: &Agreement| own.agreed().map(str::to_owned).collect();
    agreements.iter().map(|own| (own.question.clone(), people(own))).collect()
}

/// A seed is said where it fails.
#[test]
fn the_log_alone_explains_every_permit_of_a_random_run() {
    let mut all = [0; 4];
    for seed in 1..60_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |most: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % most as u64) as usize
        };
        let office = Office::with(policy(), |builder| builder);
        let (errands, held, asked, running) = (vec![], vec![], vec![], vec![]);
        let given = BTreeMap::new();
        let mut run = Run { office, errands, held, given, asked, running, amount: 0 };
        run.open(seed);
        for step in 0..200 {
            // One of the last, which mostly lives.
            let errand = run.errands.len() - 1 - next(run.errands.len().min(2));
            let held = run.held.len() - 1 - next(run.held.len().min(5));
            // Mostly one of the last: people answer what is new.
            let question = run.asked.len().wrapping_sub(1 + next(4));
            let is_asked = question < run.asked.len();
            match next(16) {
                0 => run.open(seed + step),
                1 if next(3) == 0 => {
                    drop(run.errands[errand].task.revoke_grant(&run.held[held].grant))
                }
                2 | 3 => run.delegate(held, step),
                4 if next(8) == 0 => {
                    drop(run.office.broker.control().revoke_task(&run.errands[errand].name));
                }
                5 => run.plan(errand),
                6 => run.pay(held),
                7 => run.read(held),
                8 => run.refund(held),
                9..=12 if is_asked => {
                    run.answer(question, ["ada", "bob", "eve", "dan"][next(4)], next(8) > 0);
                }
                13 | 14 if is_asked => run.take(question),
                15 => {
                    if let Some((number, running)) = run.running.pop() {
                        running.fail();
                        run.given.get_mut(&number).unwrap().outcome = Some(Outcome::Error);
                    }
                }
                _ => run.office.clock.advance(MINUTE / 20),
            }
        }
        run.office.broker.flush();
        let seen = run.compare(seed);
        all.iter_mut().zip(seen).for_each(|(all, own)| *all += own);
    }
    // Permits, those that people agreed to, those of plans, and those of delegates that people agreed to.
    assert!(all.iter().all(|seen| *seen > 20), "{all:?}");
}
