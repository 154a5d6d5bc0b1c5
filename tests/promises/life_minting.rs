//! A life mints what its tools run with: a list of what is outside, which calls have it, and what of it has to go.
//!
//! Here is what a call that starts runs with; what becomes of it afterwards is in `life_withdrawals`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::Event;
use hallpass::clock::ManualClock;
use hallpass::testing::{Mint, ScriptedProvider};
use hallpass::{BrokerBuilder, Denial, Permit, Reason};
use proptest::prelude::*;
use proptest::sample::select;

use crate::in_hand::{InHand, LentSaid, RunsWith};
use crate::life::Life;
use crate::life_calls::Shown;
use crate::life_rows::{Held, Part};
use crate::life_withdrawals::{Tending, tending};
use crate::small::{CREDENTIAL, MINTING_TOOL};
use crate::stand::pick;

/// For how long the provider plans to mint, in milliseconds.
pub(crate) const WITHIN: i64 = 10_000;

/// What a life does about credentials.
#[derive(Clone, Debug)]
pub(crate) enum Minting {
    /// The next mint goes so.
    Next(Mint),
    /// A call of the tool that runs with one is permitted and starts.
    Call(usize),
    Tend(Tending),
}

pub(crate) fn minting() -> BoxedStrategy<Minting> {
    let seconds = |own: Vec<u64>| select(own).prop_map(Duration::from_secs);
    prop_oneof![
        8 => (0..4096usize).prop_map(Minting::Call),
        2 => select(vec![Mint::Fails, Mint::Loses, Mint::LandsLate, Mint::Panics]).prop_map(Minting::Next),
        1 => select(vec![Mint::Repeats, Mint::Shows]).prop_map(Minting::Next),
        1 => seconds(vec![1, 60]).prop_map(|by| Minting::Next(Mint::Outlives(by))),
        2 => seconds(vec![1, 9, 10, 40]).prop_map(|time| Minting::Next(Mint::Takes(time))),
        5 => tending().prop_map(Minting::Tend),
    ]
    .boxed()
}

/// A credential that was planned, and is not known to be gone.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) row: usize,
    pub(crate) serial: u32,
    pub(crate) expires: i64,
    /// Nothing while no call has been lent it.
    pub(crate) secret: Option<String>,
    /// How many calls are running with it.
    pub(crate) users: usize,
    /// Whether the next call of its grant has it, too.
    pub(crate) leased: bool,
    /// Whether a later one has taken its place.
    pub(crate) superseded: bool,
    /// No call ever got it.
    pub(crate) failed: bool,
    /// Until when it may land, where its provider has not said that it did.
    pub(crate) lands_by: Option<i64>,
    /// Whether it was tended in vain before.
    pub(crate) tried: bool,
}

/// What a life keeps of its credentials.
pub(crate) struct Mints {
    pub(crate) provider: ScriptedProvider,
    pub(crate) made: Vec<Made>,
    cues: VecDeque<Mint>,
    /// Every secret that a call of this life was lent.
    pub(crate) secrets: BTreeSet<String>,
    /// The secret that was made last, if one was: whether this life's broker has seen it.
    last_seen: Option<bool>,
    /// What earlier lives have left outside, and what was handed over when their brokers were gone.
    pub(crate) left: BTreeSet<String>,
    pub(crate) handed: Arc<Mutex<BTreeSet<String>>>,
    /// How many records there may be of them.
    pub(crate) records: usize,
}

impl Mints {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        let within = Duration::from_millis(WITHIN as u64);
        Mints {
            provider: ScriptedProvider::new("database").within(within).clock(clock),
            made: Vec::new(),
            cues: VecDeque::new(),
            secrets: BTreeSet::new(),
            last_seen: None,
            left: BTreeSet::new(),
            handed: Arc::default(),
            records: 0,
        }
    }

    pub(crate) fn set(&self, builder: BrokerBuilder) -> BrokerBuilder {
        let handed = self.handed.clone();
        builder.name("life").provider(CREDENTIAL, self.provider.clone()).tended_by_host().on_owed(
            move |owed| {
                handed.lock().unwrap().extend(owed.iter().map(|own| own.name.to_string()));
            },
        )
    }

    /// Another broker goes on: of what was minted before it knows nothing, and touches none of it.
    pub(crate) fn leave_to_the_next(&mut self) {
        self.left.extend(self.made.drain(..).map(|own| own.name));
        self.last_seen = self.last_seen.map(|_| false);
        // What was given before is known in memory alone.
        self.secrets.clear();
    }

    pub(crate) fn recover(&mut self) {
        self.provider.recover();
        self.cues.clear();
    }

    /// What the next call of a grant has.
    fn of_row(&mut self, row: usize) -> Option<&mut Made> {
        self.made.iter_mut().find(|own| own.row == row && own.leased)
    }

    pub(crate) fn named(&mut self, name: &str) -> Option<&mut Made> {
        self.made.iter_mut().find(|own| own.name == name)
    }
}

impl Life {
    pub(crate) fn mint_or_tend(&mut self, what: &Minting) {
        match what {
            Minting::Next(cue) => {
                self.mints.provider.next_mints(*cue, 1);
                self.mints.cues.push_back(*cue);
            }
            Minting::Call(n) => self.call_with_credential(*n),
            Minting::Tend(how) => self.tend(*how),
        }
    }

    fn call_with_credential(&mut self, n: usize) {
        let own = |part: &Part| part.covering.tool == MINTING_TOOL;
        let usable = |held: &Held| {
            let row = &self.rows[held.row];
            held.serial == row.serial && self.is_live(held.row) && row.parts.iter().any(own)
        };
        let Some(held) = pick(&self.held, n / 8, usable) else { return };
        let row = &self.rows[self.held[held].row];
        let covering = &row.parts.iter().find(|part| own(part)).unwrap().covering;
        let (call, caller) = (covering.call(covering.calls[n % covering.calls.len()]), row.holder);
        let context = self.contexts[n % self.contexts.len()].clone();
        let at = self.slips.len();
        self.put(&Shown { held, bound: None, caller, call, context });
        if at < self.slips.len() {
            self.start_at(at, n.is_multiple_of(16));
        }
    }

    /// Starts a call that runs with a credential; what came of it, and every reason against it.
    pub(crate) fn start_with_credential(
        &mut self,
        at: usize,
        permit: Permit,
        panics: bool,
    ) -> (Result<Option<InHand>, Denial>, Vec<Reason>) {
        let (lent, answer) = if panics {
            match RunsWith::panic(permit) {
                Ok(lent) => (Some(lent), Ok(None)),
                Err(denial) => (None, Err(denial)),
            }
        } else {
            match RunsWith::start(permit) {
                Ok(running) => (Some(running.lent.clone()), Ok(Some(InHand::With(running)))),
                Err(denial) => (None, Err(denial)),
            }
        };
        let failures = self.lending(at, lent);
        (answer, failures)
    }

    /// Why a call has no credential, or does not start with it; nothing if it does.
    fn lending(&mut self, at: usize, lent: Option<LentSaid>) -> Vec<Reason> {
        // By which policy it was permitted is looked at when it starts.
        let mut failures = self.start_failures(at);
        failures.retain(|reason| *reason != Reason::PolicyChanged);
        if !failures.is_empty() {
            return failures;
        }
        let name = match self.find_or_mint(self.slips[at].row) {
            Ok(name) => name,
            Err(reason) => return vec![reason],
        };
        let failures = self.start_failures(at);
        let made = self.mints.named(&name).unwrap();
        if !failures.is_empty() {
            // It has given it back.
            return failures;
        }
        made.users += 1;
        let lent = lent.unwrap_or_else(|| panic!("P8: it did not run with {made:?}"));
        assert_eq!(lent.name, name, "P8: a call has what was minted for its own grant");
        match &made.secret {
            Some(secret) => {
                self.tally.shared_credentials += 1;
                assert_eq!(*secret, lent.secret, "calls of a grant share it");
            }
            None => {
                made.secret = Some(lent.secret.clone());
                let is_new = self.mints.secrets.insert(lent.secret);
                assert!(is_new, "P8: no two grants of a life have the same secret");
            }
        }
        self.slips[at].credential = Some(name);
        failures
    }

    /// What the next call of a grant runs with: what an earlier one had, or what is minted now.
    fn find_or_mint(&mut self, row: usize) -> Result<String, Reason> {
        let ends = self.lineage(row).into_iter().map(|at| self.rows[at].expires);
        let until = ends.fold(self.tasks[self.rows[row].task].ceiling, i64::min);
        let (serial, now) = (self.rows[row].serial, self.now);
        if let Some(own) = self.mints.of_row(row) {
            if own.serial == serial && now < own.expires && own.expires <= until {
                return Ok(own.name.clone());
            }
            (own.leased, own.superseded) = (false, true);
            self.tally.minted_anew += 1;
        }
        self.mints.records += 3;
        if !self.accepts("credential_planned") {
            return Err(Reason::LogRefused);
        }
        let cue = self.mints.cues.pop_front();
        if let Some(Mint::Takes(time)) = cue {
            self.stand.moved(time.as_secs());
        }
        self.tick();
        let lands_by = match cue {
            Some(Mint::Fails) => {
                self.tally.not_minted += 1;
                return Err(Reason::CredentialUnavailable);
            }
            Some(Mint::Loses | Mint::LandsLate | Mint::Panics) => Some(now + WITHIN),
            Some(Mint::Repeats) if self.mints.last_seen.is_none() => Some(now + WITHIN),
            _ => None,
        };
        let name = self.newly_planned();
        let fault = lands_by.is_some()
            || match cue {
                // By the broker's time, which stands still where a clock was put back.
                Some(Mint::Takes(_)) => self.now - now >= WITHIN || until <= self.now,
                Some(Mint::Outlives(_) | Mint::Shows) => true,
                Some(Mint::Repeats) => self.mints.last_seen == Some(true),
                _ => false,
            };
        match cue {
            Some(Mint::LandsLate) => {}
            Some(Mint::Repeats) if lands_by.is_some() => {}
            _ => self.mints.last_seen = Some(lands_by.is_none()),
        }
        let expires = match cue {
            Some(Mint::Outlives(by)) => until + by.as_millis() as i64,
            _ => until,
        };
        let is_kept = !fault && self.accepts("credential_minted");
        self.mints.made.push(Made {
            name: name.clone(),
            row,
            serial,
            expires,
            secret: None,
            users: 0,
            leased: is_kept,
            superseded: false,
            failed: !is_kept,
            lands_by,
            tried: false,
        });
        match (is_kept, fault) {
            (true, _) => {
                self.tally.minted += 1;
                Ok(name)
            }
            (false, true) => {
                self.tally.minted_in_vain += 1;
                Err(Reason::CredentialUnavailable)
            }
            (false, false) => Err(Reason::LogRefused),
        }
    }

    /// The one credential that is known since, which the log had before the provider was asked.
    fn newly_planned(&self) -> String {
        let standing = self.broker.standing().downstream;
        let mut new = standing
            .iter()
            .filter(|own| !self.mints.made.iter().any(|known| *known.name == *own.name));
        let name =
            new.next().unwrap_or_else(|| panic!("what may be outside is not known")).name.clone();
        assert_eq!(new.next(), None);
        let planned = |event: &Event| matches!(event, Event::CredentialPlanned { name: own, .. } if **own == *name);
        let is_written = self.log.records().iter().any(|record| planned(&record.event));
        assert!(is_written, "P9: written ahead");
        name.into()
    }

    /// A call is done: one less has what it ran with.
    pub(crate) fn give_credential_back(&mut self, at: usize) {
        let Some(name) = self.slips[at].credential.take() else { return };
        if let Some(own) = self.mints.named(&name) {
            own.users -= 1;
        }
    }
}
