//! How long a holder has had access by a rule, and whether it is in use.

use crate::world::{State, World};

impl World {
    pub(crate) fn touch_spells(&mut self, grant: usize) {
        let own = &self.grants[grant];
        let holder = &self.case.whos[own.holder].id;
        for (rule, _) in &own.stamps {
            let spells = &mut self.tasks[own.task].last_used;
            if let Some(last_used) = spells.get_mut(&(rule.clone(), holder.clone())) {
                *last_used = self.stand.now;
            }
        }
    }

    /// Whether a call runs on what a rule gave to a holder. A reload holds what lives to its own rules, too:
    /// which those are is for the model of whole lives to say.
    pub(crate) fn is_in_use(&self, task: usize, holder: &str, rule: &str) -> bool {
        self.permits.iter().filter(|permit| permit.state == State::Running).any(|permit| {
            let own = &self.grants[permit.grant];
            let by = self.case.whos[own.holder].id == holder;
            let lives = own.task == task && own.ended.is_none();
            let held = self.epoch > 1 || own.stamps.iter().any(|(stamped, _)| stamped == rule);
            lives && by && held
        })
    }
}
