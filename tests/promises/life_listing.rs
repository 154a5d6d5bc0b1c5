//! A life lists the tools that could be called.

use hallpass::Reason;

use crate::life::Life;
use crate::life_calls::Shown;
use crate::life_read::context_of;
use crate::small::Covering;
use crate::universe::*;

impl Life {
    /// What is listed may be denied for its arguments; what is not listed would be denied for any.
    pub(crate) fn list(&mut self, token: usize, caller: Option<usize>, context: usize) {
        let Some(held) = self.token(token) else { return };
        let row = self.held[held].row;
        let caller = caller.map_or(self.rows[row].holder, |n| n % self.who.len());
        let said = self.contexts[context % self.contexts.len()].clone();
        let answer = self.gate.tools(&self.held[held].token, &self.who[caller], &context_of(&said));
        let mut reasons =
            if self.tick() { self.token_failures(held, None, caller) } else { Vec::new() };
        if !self.tick() {
            reasons.push(Reason::ClockUnreadable);
        }
        let task = self.rows[row].task;
        if reasons.is_empty() && self.tasks[task].over {
            reasons.push(Reason::TaskOver);
        }
        if reasons.is_empty() {
            let was_there = self.is_there(row);
            self.keep_up(row);
            reasons = self.lineage_failures(row);
            let there = self.is_there(row);
            if there || !was_there {
                self.close_lapsed(task);
            }
            let superseded = there && self.rows[row].serial != self.held[held].serial;
            reasons.extend(superseded.then_some(Reason::Superseded));
        }
        let told = match answer {
            Err(denial) => {
                assert!(reasons.contains(&denial.reason()), "{reasons:?}: {}", denial.explain());
                return;
            }
            Ok(tools) => tools,
        };
        assert!(reasons.is_empty(), "listed in spite of {reasons:?}");
        let lineage = self.lineage(row);
        for tool in [TOOLS[0], TOOLS[1], TOOLS[2]] {
            let listed = told.iter().any(|own| own.as_str() == tool);
            let named = |scope: &[Covering]| scope.iter().any(|part| part.tool == tool);
            let in_rows = lineage
                .iter()
                .all(|at| self.rows[*at].parts.iter().any(|part| part.covering.tool == tool));
            let in_token = self.narrowings(held).iter().all(|scope| named(scope));
            let mut whos: Vec<usize> = lineage.iter().map(|at| self.rows[*at].holder).collect();
            whos.push(caller);
            let known = self.knows(tool) && !self.stopped(task, &whos, Some(tool));
            assert!(!listed || (in_rows && in_token && known), "`{tool}` is listed");
            if !known {
                continue;
            }
            let scopes = self.rows[row].parts.iter().map(|part| &part.covering);
            let own = scopes.filter(|own| own.tool == tool);
            let calls: Vec<CallSaid> =
                own.flat_map(|own| own.calls.iter().step_by(3).map(|n| own.call(*n))).collect();
            for call in calls {
                let context = said.clone();
                let shown = Shown { held, bound: None, caller, call, context };
                let permitted = self.expected(&shown).is_empty();
                assert!(listed || !permitted, "not listed: {:?}", shown.call);
            }
        }
    }
}
