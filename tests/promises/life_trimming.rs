//! A request of which a part is granted.

use hallpass::{Cut, Grant};

use crate::giving::Party;
use crate::life::Life;
use crate::life_read::read_scope;
use crate::small::Covering;
use crate::universe::*;

impl Life {
    /// P3: whether a trimmed request gave what is covered of what was asked for, all of it and nothing
    /// else, and said what it cut.
    pub(crate) fn trimmed(
        &mut self,
        task: usize,
        parties: &[Party],
        asked: &[Covering],
        context: &ContextSaid,
        cuts: &[Cut],
        grant: &Grant,
    ) -> Vec<Covering> {
        let scope: Vec<Covering> = read_scope(grant.scope());
        for own in asked {
            let (whole, parts) = self.covered_of(task, parties, own, context);
            let covered = |of: &[Covering], call: &CallSaid| of.iter().any(|part| part.has(call));
            for call in own.calls.iter().map(|number| own.call(*number)) {
                let others = asked.iter().any(|other| other != own && other.has(&call));
                let (should, is) = (covered(&parts, &call), covered(&scope, &call));
                assert!(is || !should, "left out: {call:?}");
                assert!(should || !is || others, "more than is covered: {call:?}");
            }
            let cut = cuts.iter().any(|cut| cut.tool.as_str() == own.tool);
            assert!(whole || cut, "what is cut is told");
        }
        let within = |part: &Covering| asked.iter().any(|own| part.is_within(own));
        assert!(scope.iter().all(within), "more than was asked for: {scope:?}");
        self.tally.trimmed += usize::from(!cuts.is_empty());
        scope
    }

    /// Whether all of what is asked for is covered, and else which parts of it are.
    fn covered_of(
        &self,
        task: usize,
        parties: &[Party],
        own: &Covering,
        context: &ContextSaid,
    ) -> (bool, Vec<Covering>) {
        match self.given(task, parties, std::slice::from_ref(own), context) {
            Ok(_) => (true, vec![own.clone()]),
            Err(_) => (false, self.parts(task, parties, own, context)),
        }
    }

    /// What a trimmed request is about that gave nothing: what would be left of it, or all of it where nothing is.
    pub(crate) fn left_of(
        &self,
        task: usize,
        parties: &[Party],
        asked: &[Covering],
        context: &ContextSaid,
    ) -> Vec<Covering> {
        let covered = |own: &Covering| self.covered_of(task, parties, own, context).1;
        let left: Vec<Covering> = asked.iter().flat_map(covered).collect();
        if left.is_empty() { asked.to_vec() } else { left }
    }
}
