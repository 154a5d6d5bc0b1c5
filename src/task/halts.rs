//! The halts that are on.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::cell::TaskCell;
use super::halt::Halt;
use super::life::Life;
use crate::clock::Timestamp;
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard, RwLock};

/// The halts that are on, each found by what it names: the number of other halts costs a call nothing
/// (attack 192).
#[derive(Default)]
pub(crate) struct Halts {
    /// Whether there is any: read on every call, so it costs no lock while there is none.
    any: AtomicBool,
    on: RwLock<On>,
    /// Held by a thread that changes what is on until that has its record: the log tells of halts and
    /// of their ends in the order in which they took effect.
    turn: Mutex<()>,
}

#[derive(Default)]
struct On {
    everything: bool,
    /// By id, with when it lapses, if it does.
    identities: HashMap<Box<str>, Option<Timestamp>>,
    tasks: HashSet<Box<str>>,
    tools: HashSet<Box<str>>,
    /// Those of identities that lapse, the soonest first. One that has been replaced or resumed since
    /// stands here until then.
    lapsing: BTreeSet<(Timestamp, Box<str>)>,
}

impl Halts {
    /// Waits until no other thread changes what is on. Taken before any task's lock.
    pub(crate) fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// Puts a halt on, for good.
    pub(crate) fn halt(&self, what: Halt) {
        self.change(|on| match what {
            Halt::Everything => on.everything = true,
            Halt::Identity { id } => {
                on.identities.insert(id, None);
            }
            Halt::Task { name } => {
                on.tasks.insert(name);
            }
            Halt::Tool { name } => {
                on.tools.insert(name);
            }
        });
    }

    /// Halts an identity until then, or for good: at least for as long as it is halted already. When that
    /// lapses, and whether it was on for that long before.
    pub(crate) fn halt_until(
        &self,
        id: &str,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> (Option<Timestamp>, bool) {
        self.change(|on| {
            on.drop_lapsed(now);
            let before = on.identities.get(id).copied();
            let lapses = match (before, until) {
                (Some(None), _) | (_, None) => None,
                (Some(Some(before)), Some(until)) => Some(until.max(before)),
                (None, Some(until)) => Some(until),
            };
            if before != Some(lapses) {
                on.identities.insert(id.into(), lapses);
                on.lapsing.extend(lapses.map(|until| (until, id.into())));
            }
            (lapses, before == Some(lapses))
        })
    }

    /// Takes a halt off; `false` if it was not on.
    pub(crate) fn resume(&self, what: &Halt, now: Timestamp) -> bool {
        self.change(|on| match what {
            Halt::Everything => std::mem::take(&mut on.everything),
            Halt::Identity { id } => {
                on.identities.remove(id).is_some_and(|until| until.is_none_or(|until| now < until))
            }
            Halt::Task { name } => on.tasks.remove(name),
            Halt::Tool { name } => on.tools.remove(name),
        })
    }

    /// Forgets what has lapsed. Nothing depends on it.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let lapsed = |on: &On| on.lapsing.first().is_some_and(|(until, _)| now >= *until);
        if self.any.load(Ordering::SeqCst) && lapsed(&self.on.read()) {
            self.change(|on| on.drop_lapsed(now));
        }
    }

    fn change<T>(&self, how: impl FnOnce(&mut On) -> T) -> T {
        let mut on = self.on.write();
        let answer = how(&mut on);
        self.any.store(!on.is_empty(), Ordering::SeqCst);
        answer
    }

    /// The halt that stops this, if one does: asked under the task's lock, so that after a halt has
    /// gone through the locks nothing it stops can start.
    pub(crate) fn stopping<'i>(
        &self,
        task: &'i TaskCell,
        who: impl IntoIterator<Item = &'i Identity>,
        tool: Option<&str>,
        now: Timestamp,
    ) -> Option<Halt> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let on = self.on.read();
        if on.everything {
            return Some(Halt::Everything);
        }
        if on.tasks.contains(&task.name) {
            return Some(Halt::Task { name: task.name.clone() });
        }
        if let Some(name) = tool.and_then(|tool| on.tools.get(tool)) {
            return Some(Halt::Tool { name: name.clone() });
        }
        let mut concerned = std::iter::once(&*task.requester).chain(who);
        // Mostly they are one, which is looked up once.
        let mut before: Option<&Identity> = None;
        concerned.find_map(|who| match before.replace(who) {
            Some(before) if before.names().eq(who.names()) => None,
            _ => on.stopping_identity(who, now),
        })
    }

    /// The halt that stops a grant, and the tool to be called on it: of `who` presents or holds it, and
    /// of the holders of all it was delegated from.
    pub(crate) fn stopping_grant<'i>(
        &self,
        task: &'i TaskCell,
        life: &'i Life,
        (grant, who): (GrantId, &'i Identity),
        tool: Option<&str>,
        now: Timestamp,
    ) -> Option<Halt> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        self.stopping(task, life.holders(grant).chain([who]), tool, now)
    }

    /// The halt that stops a call of another node's task from starting here.
    #[cfg(feature = "fleet")]
    pub(crate) fn stopping_call(&self, who: &Identity, tool: &str, now: Timestamp) -> Option<Halt> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let on = self.on.read();
        let everything = on.everything.then_some(Halt::Everything);
        let tool = || Some(Halt::Tool { name: on.tools.get(tool)?.clone() });
        everything.or_else(tool).or_else(|| on.stopping_identity(who, now))
    }

    /// Whether an identity is halted.
    pub(crate) fn stop(&self, who: &Identity, now: Timestamp) -> bool {
        self.any.load(Ordering::SeqCst) && self.on.read().stopping_identity(who, now).is_some()
    }

    pub(crate) fn all(&self, now: Timestamp) -> Vec<Halt> {
        let on = self.on.read();
        let live = |until: &Option<Timestamp>| until.is_none_or(|until| now < until);
        let identities = on.identities.iter().filter(|(_, until)| live(until));
        let everything = on.everything.then_some(Halt::Everything).into_iter();
        everything
            .chain(identities.map(|(id, _)| Halt::Identity { id: id.clone() }))
            .chain(on.tasks.iter().cloned().map(|name| Halt::Task { name }))
            .chain(on.tools.iter().cloned().map(|name| Halt::Tool { name }))
            .collect()
    }
}

impl On {
    fn is_empty(&self) -> bool {
        let named = self.identities.is_empty() && self.tasks.is_empty() && self.tools.is_empty();
        named && !self.everything
    }

    /// The halt of one of the names an identity is known by.
    fn stopping_identity(&self, who: &Identity, now: Timestamp) -> Option<Halt> {
        if self.identities.is_empty() {
            return None;
        }
        who.names().find_map(|name| {
            let (id, until) = self.identities.get_key_value(name)?;
            until.is_none_or(|until| now < until).then(|| Halt::Identity { id: id.clone() })
        })
    }

    fn drop_lapsed(&mut self, now: Timestamp) {
        while let Some((until, id)) = self.lapsing.pop_first() {
            if now < until {
                self.lapsing.insert((until, id));
                return;
            }
            if self.identities.get(&id).is_some_and(|own| *own == Some(until)) {
                self.identities.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::identity::{Assertion, Kind};
    use crate::purpose::Purpose;
    use crate::sync::{Condvar, Mutex};
    use std::sync::Arc;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000).unwrap()
    }

    fn people() -> [Identity; 3] {
        [
            Assertion::agent("a").acts_for("boss", Kind::Human),
            Assertion::agent("b").alias("bee"),
            Assertion::agent("c"),
        ]
        .map(|own| own.attest(1).unwrap())
    }

    fn cell(name: &str, requester: &Identity) -> TaskCell {
        TaskCell {
            name: name.into(),
            generation: 1,
            requester: crate::task::Requester::of(requester.clone()),
            purpose: Arc::new(Purpose::new("errand").check().unwrap()),
            ceiling: Timestamp::MAX,
            life: Mutex::new(Life::default()),
            call_done: Condvar::new(),
        }
    }

    fn halts() -> impl Strategy<Value = Halt> {
        prop_oneof![
            1 => Just(Halt::Everything),
            6 => select(vec!["a", "b", "c", "bee", "boss", "stranger"]).prop_map(|name| Halt::identity(name).unwrap()),
            2 => select(vec!["one", "two"]).prop_map(|name| Halt::task(name).unwrap()),
            2 => select(vec!["t", "u"]).prop_map(|name| Halt::tool(name).unwrap()),
        ]
    }

    #[derive(Clone, Debug)]
    enum Step {
        Halt(Halt),
        Until(&'static str, i64),
        Resume(Halt),
        Sweep,
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            halts().prop_map(Step::Halt),
            (select(vec!["a", "bee", "boss"]), 1_i64..9).prop_map(|(id, end)| Step::Until(id, end)),
            halts().prop_map(Step::Resume),
            Just(Step::Sweep),
        ]
    }

    proptest! {
        /// attack 192: found by what they name, as if each halt were asked in turn
        #[test]
        fn what_is_stopped_is_what_some_halt_stops(
            steps in vec(steps(), 0..8),
            (requester, holder) in (0_usize..3, 0_usize..3),
            task in select(vec!["one", "three"]),
            tool in select(vec![None, Some("t"), Some("v")]),
        ) {
            let halts = Halts::default();
            let mut model: Vec<(Halt, Option<i64>)> = Vec::new();
            for (now, step) in (0_i64..).zip(steps) {
                let lives = |until: &Option<i64>| until.is_none_or(|until| now < until);
                match step {
                    Step::Halt(what) => {
                        model.retain(|(own, _)| *own != what);
                        model.push((what.clone(), None));
                        halts.halt(what);
                    }
                    Step::Until(id, end) => {
                        let asked = end;
                        let what = Halt::identity(id).unwrap();
                        let live = model.iter().find(|(own, until)| *own == what && lives(until));
                        let before = live.map(|(_, until)| *until);
                        let end = match before {
                            Some(None) => None,
                            Some(Some(before)) => Some(end.max(before)),
                            None => Some(end),
                        };
                        let (lapses, was_on) = halts.halt_until(id, Some(at(asked)), at(now));
                        prop_assert_eq!(lapses, end.map(at));
                        prop_assert_eq!(was_on, before == Some(end));
                        model.retain(|(own, _)| *own != what);
                        model.push((what, end));
                    }
                    Step::Resume(what) => {
                        let was = model.iter().any(|(own, until)| *own == what && lives(until));
                        prop_assert_eq!(halts.resume(&what, at(now)), was);
                        model.retain(|(own, _)| *own != what);
                    }
                    Step::Sweep => halts.sweep(at(now)),
                }
                let people = people();
                let cell = cell(task, &people[requester]);
                let who = [&people[holder]];
                let live: Vec<&Halt> =
                    model.iter().filter(|(_, until)| lives(until)).map(|(own, _)| own).collect();
                let stopping = halts.stopping(&cell, who.iter().copied(), tool, at(now));
                let expected = live.iter().any(|halt| halt.stops(&cell, &who, tool));
                prop_assert_eq!(stopping.is_some(), expected, "{:?} {:?}", stopping, model);
                if let Some(found) = &stopping {
                    prop_assert!(live.contains(&found) && found.stops(&cell, &who, tool));
                }
                prop_assert_eq!(halts.all(at(now)).len(), live.len());
            }
        }
    }
}
