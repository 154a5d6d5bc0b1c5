//! One process that is a node: a real broker, and the node's own reasoning, driven by the world.

use std::cell::RefCell;
use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;
use std::time::Duration;

use super::Planted;
use super::bank::{BankLink, STARTABLE};
use super::clock::NodeClock;
use super::dice::Dice;
use crate::clock::Reading;
use crate::fleet::act::Act;
use crate::fleet::agent::{Agent, Applies, Owed};
use crate::fleet::apply::{Node, running};
use crate::fleet::calls::{Asker, Desk, Vouched};
use crate::fleet::counting::Counting;
use crate::fleet::keys::FleetKeys;
use crate::fleet::mark::Mark;
use crate::fleet::progress::Progress;
use crate::fleet::terms::Terms;
use crate::key::{KeyRing, SecretKey};
use crate::membership::Membership;
use crate::prelude::*;
use crate::sync::atomic::AtomicBool;
use crate::{Halt, Running};

pub(super) const AGENTS: [&str; 2] = ["ann", "bob"];
/// The last two are limited over all nodes, by rules of the same names.
pub(super) const TOOLS: [&str; 4] = ["a", "b", "few", "fast"];

/// Everything, or of the tools that are not limited `a` alone.
pub(super) const POLICIES: [&str; 2] = [
    r#"
        version = 1
        rule = [
            { id = "all", effect = "permit", what = { tool = { one_of = ["a", "b"] }, args = "any" } },
            { id = "few", effect = "permit", what = { tool = "few", args = "any" }, grant = { uses = 12, per = "identity" } },
            { id = "fast", effect = "permit", what = { tool = "fast", args = "any" }, grant = { uses = "3/1500ms", per = "identity" } },
        ]
    "#,
    r#"
        version = 1
        rule = [
            { id = "a", effect = "permit", what = { tool = "a", args = "any" } },
            { id = "few", effect = "permit", what = { tool = "few", args = "any" }, grant = { uses = 12, per = "identity" } },
            { id = "fast", effect = "permit", what = { tool = "fast", args = "any" }, grant = { uses = "3/1500ms", per = "identity" } },
        ]
    "#,
];

pub(super) struct Life {
    pub(super) name: Box<str>,
    pub(super) clock: NodeClock,
    pub(super) broker: Broker,
    pub(super) membership: Arc<Membership>,
    pub(super) agent: Agent,
    /// What answers other nodes, and what asks them.
    pub(super) desk: Desk,
    pub(super) asker: Arc<Asker>,
    /// When it said to have applied each entry, from which one on.
    applied: Vec<u64>,
    /// Planted: what it has said to have applied, and has not.
    deferred: RefCell<Vec<(Act, u64)>>,
    planted: Planted,
    /// The reading before it asked, and the number of the question.
    pub(super) asked: Option<(u64, Reading)>,
    pub(super) paused_until: u64,
    pub(super) cut_off_until: u64,
    pub(super) is_dead: bool,
    /// When the renewal was asked for that the lease is counted from, truly.
    pub(super) leased_at: RefCell<Option<u64>>,
    pub(super) asked_at: u64,
    pub(super) who: [Identity; 2],
    tasks: BTreeMap<usize, (Task, u64)>,
    grants: BTreeMap<(usize, usize), (Grant, u64)>,
    pub(super) running: Vec<Running>,
    /// What counts limits over all nodes, and whether it reaches the store.
    pub(super) counting: Arc<Counting>,
    pub(super) bank_link: Arc<AtomicBool>,
}

/// A permit that was handed out, and on what.
pub(super) struct Handed {
    pub(super) permit: Permit,
    pub(super) on: Basis,
}

/// What a call rests on.
#[derive(Clone, Debug)]
pub(super) struct Basis {
    pub(super) agent: &'static str,
    pub(super) tool: &'static str,
    pub(super) granted: u64,
    pub(super) opened: u64,
}

impl Life {
    pub(super) fn new(
        (name, at, vouched): (&str, usize, Vouched),
        (clock, bank): (NodeClock, BankLink),
        keys: &Arc<FleetKeys>,
        terms: Terms,
        past: Option<Mark>,
        planted: Planted,
        dice: &mut Dice,
    ) -> Self {
        let policy = Policy::from_toml(POLICIES[0]).unwrap();
        // The keys of tokens are the same everywhere.
        let ring = KeyRing::from_secret(SecretKey::from_bytes(&[7, 8].repeat(16)).unwrap());
        let builder = Broker::builder(policy).clock(clock.clone()).keys(ring);
        let broker = builder.issuer(&format!("sim/{name}")).build().unwrap();
        let longest_leave = terms.leave_surely_over(terms.longest_leave());
        let bank_link = bank.is_cut.clone();
        let counting = Counting::new(Arc::new(bank), keys.clone(), terms.lease / 2, STARTABLE);
        let counting = Arc::new(counting);
        let membership = Membership::new("sim", terms.lease, longest_leave, counting.clone());
        let membership = Arc::new(membership);
        assert!(broker.join_fleet(membership.clone()));
        let mut own = dice.split();
        let random = Box::new(move |bytes: &mut [u8]| {
            bytes.iter_mut().for_each(|byte| *byte = own.below(256) as u8);
            Ok(())
        });
        // Where it is found: by its place among the lives.
        let address = at.to_string().into();
        let agent = Agent::new(keys.clone(), name.into(), address, terms, past, random);
        let (own, members) = (Box::<str>::from(name), membership.clone());
        let desk = Desk::new(keys.clone(), own.clone(), terms, &broker, members.clone(), vouched);
        let asker = Arc::new(Asker::new(keys.clone(), own, &broker, members));
        let who = AGENTS.map(|agent| broker.assert_identity(agent).unwrap());
        Life {
            name: name.into(),
            clock,
            broker,
            membership,
            agent,
            desk,
            asker,
            applied: Vec::new(),
            deferred: RefCell::default(),
            planted,
            asked: None,
            paused_until: 0,
            cut_off_until: 0,
            is_dead: false,
            leased_at: RefCell::default(),
            asked_at: 0,
            who,
            tasks: BTreeMap::new(),
            grants: BTreeMap::new(),
            running: Vec::new(),
            counting,
            bank_link,
        }
    }

    pub(super) fn has_tasks(&self) -> bool {
        !self.grants.is_empty()
    }

    pub(super) fn has_lease(&self) -> bool {
        self.membership.lease.is_good(&self.clock.shows())
    }

    /// Whether it has applied this entry: truly, not as it says.
    pub(super) fn has_applied(&self, number: u64) -> bool {
        let deferred = self.deferred.borrow();
        self.agent.applied.number >= number && deferred.iter().all(|(_, own)| *own != number)
    }

    pub(super) fn applied_at(&self, number: u64) -> Option<u64> {
        self.applied.get(usize::try_from(number - 1).unwrap()).copied()
    }

    /// Notes what it says to have applied by now.
    pub(super) fn note_applied(&mut self, now: u64) {
        self.applied.resize(usize::try_from(self.agent.applied.number).unwrap(), now);
    }

    pub(super) fn has_deferred(&self) -> bool {
        !self.deferred.borrow().is_empty()
    }

    /// Does something about this node, as its handle does: with what applies acts.
    pub(super) fn with_target<T>(&mut self, how: impl FnOnce(&mut Agent, &Target<'_>) -> T) -> T {
        let target = Target {
            node: Node { broker: &self.broker, membership: &self.membership },
            deferred: &self.deferred,
            planted: self.planted,
            leased_at: &self.leased_at,
            asked_at: self.asked_at,
        };
        how(&mut self.agent, &target)
    }

    /// Applies what it has said to have applied.
    pub(super) fn catch_up(&mut self) {
        let deferred = std::mem::take(&mut *self.deferred.borrow_mut());
        self.with_target(|_, target| {
            for (act, number) in &deferred {
                let _ = target.apply_now(act, *number);
            }
        });
    }

    /// What an operator asks for at this node, as the handle does it.
    pub(super) fn act(&mut self, act: Act) -> Arc<Progress> {
        let control = self.broker.control();
        let here = match &act {
            Act::Halt { what, .. } => {
                let what = Halt::from_record(what).unwrap();
                self.membership.begin_halt(&what);
                Some(control.halt_here(what))
            }
            Act::RevokeIdentity { id } => Some(control.revoke_identity_here(id).unwrap()),
            Act::RevokeTool { name } => Some(control.revoke_tool_here(name).unwrap()),
            _ => None,
        };
        let owed = Owed::new(act, here.as_ref().map(running));
        let progress = owed.progress.clone();
        self.agent.owed.push_back(owed);
        progress
    }

    /// A token of this node, on what it rests, and the generation of its task.
    pub(super) fn token(&self, agent: usize, tool: usize) -> Option<(String, Basis, u64)> {
        let (grant, granted) = self.grants.get(&(agent, tool))?;
        let (task, opened) = self.tasks.get(&agent)?;
        let (granted, opened) = (*granted, *opened);
        let on = Basis { agent: AGENTS[agent], tool: TOOLS[tool], granted, opened };
        Some((grant.token().expose().to_owned(), on, task.generation()))
    }

    /// Ends a task as its owner does, without waiting; its generation.
    pub(super) fn end_task(&mut self, agent: usize) -> Option<u64> {
        let (task, _) = self.tasks.remove(&agent)?;
        self.grants.retain(|(own, _), _| *own != agent);
        Some(task.generation())
    }

    /// Knows what the rows say, as its handle does.
    pub(super) fn note_peers(&mut self) {
        let own = self.agent.row.map(|row| row.incarnation);
        self.membership.peers.set(own, self.agent.neighbours.take_peers());
    }

    /// A permit for one call, if it is given.
    pub(super) fn authorize(&mut self, agent: usize, tool: usize, now: u64) -> Option<Handed> {
        let context = Context::new();
        let who = self.who[agent].clone();
        if !self.tasks.contains_key(&agent) {
            let task = self.broker.open_named(AGENTS[agent], &who, Purpose::new("work")).ok()?;
            self.tasks.insert(agent, (task, now));
            self.grants.retain(|(own, _), _| *own != agent);
        }
        let (task, opened) = &self.tasks[&agent];
        let opened = *opened;
        if let btree_map::Entry::Vacant(place) = self.grants.entry((agent, tool)) {
            match task.request(Scope::tool(TOOLS[tool]).any_args(), &context) {
                Ok(grant) => {
                    place.insert((grant, now));
                }
                Err(denial) => {
                    if denial.reason() == Reason::TaskOver {
                        self.tasks.remove(&agent);
                    }
                    return None;
                }
            }
        }
        let (grant, granted) = &self.grants[&(agent, tool)];
        let call = Call::new(TOOLS[tool], serde_json::json!({})).unwrap();
        match self.broker.gate().authorize(grant, &who, call, &context) {
            Ok(permit) => {
                let on =
                    Basis { agent: AGENTS[agent], tool: TOOLS[tool], granted: *granted, opened };
                Some(Handed { permit, on })
            }
            Err(denial) => {
                if !matches!(denial.code(), Code::Unavailable | Code::Halted) {
                    self.grants.remove(&(agent, tool));
                }
                if matches!(denial.reason(), Reason::TaskOver | Reason::UnknownGrant) {
                    self.tasks.remove(&agent);
                }
                None
            }
        }
    }
}

/// The node's broker, with what happens to it written down.
pub(super) struct Target<'l> {
    node: Node<'l>,
    deferred: &'l RefCell<Vec<(Act, u64)>>,
    planted: Planted,
    leased_at: &'l RefCell<Option<u64>>,
    asked_at: u64,
}

impl Target<'_> {
    fn apply_now(&self, act: &Act, number: u64) -> Result<u32, Box<str>> {
        self.node.apply(act, number)
    }
}

impl Applies for Target<'_> {
    fn apply(&self, act: &Act, number: u64) -> Result<u32, Box<str>> {
        if self.planted == Planted::SaidBeforeApplied {
            self.deferred.borrow_mut().push((act.clone(), number));
            return Ok(0);
        }
        self.apply_now(act, number)
    }

    fn lost(&self) {
        self.node.lost();
    }

    fn note_applied(&self, number: u64) {
        // Planted: what was permitted before at another node stays so.
        if self.planted != Planted::ForgetsActs {
            self.node.note_applied(number);
        }
    }

    fn is_numbered(&self, act: &Act) {
        self.node.is_numbered(act);
    }

    fn extend_lease(&self, asked: &Reading) {
        *self.leased_at.borrow_mut() = Some(self.asked_at);
        self.node.extend_lease(asked);
    }

    fn end_lease(&self) {
        self.node.end_lease();
    }
}

/// How long a lease can last in true time at the most.
pub(super) fn longest(terms: &Terms) -> u64 {
    u64::try_from((terms.surely_over() + Duration::from_millis(1)).as_nanos()).unwrap()
}
