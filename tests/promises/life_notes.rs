//! A life notes ids that its calls gave, and has rules that compare with them.

use hallpass::policy::Effect;

use crate::life::Life;
use crate::stand::pick;
use crate::universe::*;

/// As rules of a life name them.
pub(crate) const NOTED: [&str; 2] = ["notes.db.read#id", "notes.mail.send#id"];

/// What may be noted: some of what calls give as `x`, and numbers, which none of them gives.
pub(crate) const IDS: [Option<&str>; 5] = [Some("a"), Some("b"), Some("c"), Some("d"), None];

impl Life {
    /// Notes these of [`IDS`] of a call that runs: as long as its task is there, all calls of that are judged by them.
    pub(crate) fn note(&mut self, n: usize, ids: &[usize]) {
        let takes = |slip: &crate::life_rows::Slip| {
            slip.running.as_ref().is_some_and(|running| running.plain().is_some())
        };
        let Some(at) = pick(&self.slips, n, takes) else { return };
        let value = |id: &usize| IDS[*id].map_or(V::Halves(2), |text| V::Text(text.into()));
        let given: Vec<V> = ids.iter().map(value).collect();
        let slip = &self.slips[at];
        let (name, task) = (format!("{}#id", slip.tool), self.rows[slip.row].task);
        let running = slip.running.as_ref().and_then(|running| running.plain()).unwrap();
        let answer = running.note(&name, V::List(given.clone()).value());
        self.tick();
        let own = &mut self.tasks[task];
        if let Err(error) = answer {
            // When one that is past its ceiling is found to be over, is not for the model to say.
            assert!(own.over || self.stand.now >= own.ceiling, "not noted: {error}");
            return;
        }
        assert!(!own.over, "noted in a task that is over");
        let list = own.notes.entry(name).or_default();
        for value in given {
            if !list.contains(&value) {
                list.push(value);
                self.slips[at].noted += 1;
                self.tally.noted += 1;
            }
        }
    }
}

impl RuleSaid {
    pub(crate) fn is_of_notes(&self) -> bool {
        let excepted = self.unless.iter().flatten();
        self.conditions.iter().chain(excepted).any(|(_, c)| of_notes(c))
    }

    /// The rule as what is asked for before there are calls is judged by it: whatever they may note, a permit is not
    /// withheld for it.
    pub(crate) fn before_notes(&self) -> RuleSaid {
        assert_eq!(self.effect, Effect::Permit);
        let mut rule = self.clone();
        rule.conditions.iter_mut().filter(|(_, c)| of_notes(c)).for_each(|(_, c)| *c = C::Any);
        rule.unless.retain(|own| !own.iter().any(|(_, c)| of_notes(c)));
        rule
    }
}

fn of_notes(c: &C) -> bool {
    match c {
        C::Not(inner) => of_notes(inner),
        C::Ref(_, with) => with.part().starts_with("notes."),
        _ => false,
    }
}
