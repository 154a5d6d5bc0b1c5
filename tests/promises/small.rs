//! A smaller universe, of which every call can be listed: what lies within what, overlaps what and is
//! left of what is then for a plain loop to say.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use hallpass::policy::{Effect, Moment, Policy};

use crate::life_defaults::{default_of, ruled_whole};
use crate::model::{Question, Setting};
use crate::model_rules::{covers, on_call};
use crate::universe::*;

pub(crate) const SMALL_TOOLS: [&str; 2] = ["db.read", "mail.send"];
/// What the first of them runs with, where a policy labels it so: minted for each grant.
pub(crate) const CREDENTIAL: &str = "orders-db";
pub(crate) const MINTING_TOOL: &str = SMALL_TOOLS[0];
pub(crate) const MINTS: &str = "mints";
pub(crate) const PEOPLE: [&str; 3] = ["ana", "bob", "cy"];
pub(crate) const BOSS: &str = "max";
pub(crate) const LETTERS: [&str; 3] = ["a", "b", "c"];

/// What may be called: the plain list of calls, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Covering {
    pub(crate) tool: String,
    pub(crate) calls: Vec<usize>,
}

/// Every call there is, but for its tool: one letter that no rule names, numbers on both sides of every
/// limit, and one argument more.
fn every_args() -> &'static [BTreeMap<String, V>] {
    static EVERY: OnceLock<Vec<BTreeMap<String, V>>> = OnceLock::new();
    EVERY.get_or_init(|| {
        let letters = [None, Some("a"), Some("b"), Some("c"), Some("d")];
        let numbers = [None, Some(-1), Some(1), Some(2), Some(9), Some(12)];
        let mut every = Vec::new();
        for letter in letters {
            for number in numbers {
                for extra in [None, Some(())] {
                    let x = letter.map(|l| ("x", V::Text(l.into())));
                    let n = number.map(|n| ("n", V::Halves(n)));
                    let z = extra.map(|()| ("z", V::Null));
                    let args = [x, n, z].into_iter().flatten();
                    every.push(args.map(|(name, value)| (name.to_owned(), value)).collect());
                }
            }
        }
        every
    })
}

pub(crate) fn every_call(tool: &str) -> Vec<CallSaid> {
    let call = |args: &BTreeMap<String, V>| CallSaid {
        tool: tool.into(),
        args: args.clone(),
        resource: None,
    };
    every_args().iter().map(call).collect()
}

impl Covering {
    pub(crate) fn of(said: &CapabilitySaid) -> Self {
        let all = every_call(&said.tool);
        let so = |n: &usize| asked_plainly(&all[*n], |q| covers(said, q));
        Covering { tool: said.tool.clone(), calls: (0..all.len()).filter(so).collect() }
    }

    pub(crate) fn call(&self, number: usize) -> CallSaid {
        let args = every_args()[number].clone();
        CallSaid { tool: self.tool.clone(), args, resource: None }
    }

    pub(crate) fn has(&self, call: &CallSaid) -> bool {
        let same = |number: &usize| every_args()[*number] == call.args;
        self.tool == call.tool && self.calls.iter().any(same)
    }

    /// The calls of which something is so.
    pub(crate) fn only(&self, is_so: impl Fn(&Question<'_>) -> bool) -> Covering {
        let calls = self.calls.iter().copied();
        let so = |number: &usize| asked_plainly(&self.call(*number), &is_so);
        Covering { tool: self.tool.clone(), calls: calls.filter(so).collect() }
    }

    /// The same where `x` of a tool is this wherever it is left out: what names none has it be that.
    fn with_default(&self, own: &V) -> Covering {
        let all = every_args();
        if self.calls.iter().any(|number| all[*number].contains_key("x")) {
            return self.clone();
        }
        let with = |number: &usize| {
            let mut args = all[*number].clone();
            args.insert("x".into(), own.clone());
            all.iter().position(|other| *other == args).unwrap()
        };
        Covering { tool: self.tool.clone(), calls: self.calls.iter().map(with).collect() }
    }

    pub(crate) fn is_within(&self, other: &Covering) -> bool {
        self.tool == other.tool && self.calls.iter().all(|number| other.calls.contains(number))
    }
}

/// A policy, and on which of all calls each of its rules is before there are calls, as far as it looks at the call.
pub(crate) struct Posted {
    pub(crate) said: PolicySaid,
    /// With what permits say of defaults that they do not name.
    pub(crate) book: PolicySaid,
    pub(crate) policy: Policy,
    pub(crate) on: Vec<Vec<bool>>,
}

impl Posted {
    pub(crate) fn new(said: &PolicySaid) -> Self {
        let calls = every_call(SMALL_TOOLS[0]);
        let on = |rule: &RuleSaid| -> Vec<bool> {
            let rule = match (rule.is_of_notes(), rule.effect) {
                (false, _) => rule.clone(),
                (true, Effect::Permit) => rule.before_notes(),
                // It waits for the calls.
                (true, _) => return vec![false; calls.len()],
            };
            calls.iter().map(|call| asked_plainly(call, |q| on_call(&rule, q))).collect()
        };
        let book = ruled_whole(said);
        let on = book.rules.iter().map(on).collect();
        Posted { said: said.clone(), book, policy: said.policy(), on }
    }

    /// What is asked for as this policy's catalogue has it, also where it was given under another.
    pub(crate) fn respelled(&self, part: &Covering) -> Covering {
        match default_of(&self.said, &part.tool) {
            Some(own) => part.with_default(&own),
            None => part.clone(),
        }
    }
}

/// Asks something of a call alone: nothing here compares it with who, why or when.
fn asked_plainly<T>(call: &CallSaid, ask: impl FnOnce(&Question<'_>) -> T) -> T {
    let (who, context) = (robot(), ContextSaid::new());
    let why = WhySaid { name: "reporting".into(), ticket: None };
    let setting = Setting {
        moment: Moment::Call,
        form: None,
        who: &who,
        why: &why,
        context: &context,
        history: &[],
        notes: &NO_NOTES,
        now: 0,
    };
    ask(&Question { setting, call, labels: &[] })
}
