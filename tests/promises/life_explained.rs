//! A life compares what the log says of each task, read alone, with what it knows.

use hallpass::audit::{ExplainedCall, ExplainedGrant, Explanation, explain};

use crate::life::Life;
use crate::life_rows::{Slip, State};
use crate::universe::*;

impl Life {
    /// Who, for whom, why, under which rule, by which chain, and how it ended: of every task, grant and permit.
    pub(crate) fn compare_stories(&self) {
        let records = self.log.records();
        for (at, task) in self.tasks.iter().enumerate() {
            let stories = explain(&records, &task.name);
            let own = stories.iter().find(|own| own.generation == task.generation);
            let story = own.unwrap_or_else(|| panic!("task {} is not explained", task.name));
            let who = &self.case.whos[task.requester];
            assert_eq!((&story.who, &*story.who_kind), (&who.id, who.kind.as_str()));
            assert!(story.acts_for.iter().eq(&who.acts_for), "for whom: {:?}", story.acts_for);
            assert_eq!((&story.purpose, &story.ticket), (&task.why.name, &task.why.ticket));
            assert_eq!(story.ceiling.unix_millis() - START, task.ceiling);
            assert_eq!(story.ended.is_none(), task.lost, "{} has ended", task.name);
            self.compare_grants(at, story);
            let slips: Vec<&Slip> =
                self.slips.iter().filter(|slip| self.rows[slip.row].task == at).collect();
            assert_eq!(story.calls.len(), slips.len());
            for (call, slip) in story.calls.iter().zip(slips) {
                self.compare_call(call, slip);
            }
        }
    }

    fn compare_grants(&self, task: usize, story: &Explanation) {
        let rows: Vec<usize> =
            (0..self.rows.len()).filter(|row| self.rows[*row].task == task).collect();
        assert_eq!(story.grants.len(), rows.len());
        for (told, row) in story.grants.iter().zip(rows) {
            self.compare_grant(told, row, story);
        }
    }

    fn compare_grant(&self, told: &ExplainedGrant, row: usize, story: &Explanation) {
        let own = &self.rows[row];
        let holder = &self.case.whos[own.holder];
        let parent = own.parent.map(|parent| self.rows[parent].id.to_string());
        assert_eq!((&told.id, &told.parent), (&own.id.to_string(), &parent));
        assert_eq!((&told.holder, &told.requester), (&holder.id, &story.who));
        assert!(told.acts_for.iter().eq(&holder.acts_for), "for whom: {:?}", told.acts_for);
        // A broker that is gone may have found more than its log had.
        let lost = self.tasks[own.task].lost;
        let expires = told.expires.unix_millis() - START;
        assert!(expires == own.expires || (lost && expires > own.expires), "{told:?}");
        let Some(end) = &told.ended else {
            // Its broker was gone before the log had its end.
            assert!(lost, "{} stands", told.id);
            return;
        };
        let at = end.at.unix_millis() - START;
        let above = self.lineage(row);
        let latest = above.iter().map(|at| self.rows[*at].expires).min().unwrap();
        assert!(at <= latest || lost, "{} ended at {at}, past {latest}", told.id);
        match own.ended {
            // It may have been past its time, or that of what it hangs from, before somebody ended it.
            Some(why) => assert!([why.as_str(), "expired"].contains(&&*end.why), "{end:?}"),
            None => {
                let how = story.ended.as_ref().map(|end| end.how.as_str());
                let so = *end.why == *"expired" || Some(&*end.why) == how;
                assert!(so, "{end:?}, and not {how:?}");
            }
        }
    }

    fn compare_call(&self, call: &ExplainedCall, slip: &Slip) {
        assert_eq!((call.seq, &call.tool), (slip.number, &slip.tool));
        let who = &self.case.whos[slip.caller];
        assert_eq!(call.who, who.id);
        assert!(call.acts_for.iter().eq(&who.acts_for), "for whom: {:?}", call.acts_for);
        assert_eq!((&call.rules, call.epoch), (&slip.rules, slip.epoch));
        let chain = self.lineage(slip.row).into_iter().map(|at| self.rows[at].id.to_string());
        assert!(call.chain.iter().cloned().eq(chain), "by which chain: {:?}", call.chain);
        let resource = slip.asked.resource().map(|own| (own.resource_type(), own.id()));
        let told = call.resource.as_ref().map(|(kind, id)| (&**kind, &**id));
        assert_eq!(told, resource);
        let outcome = match slip.state {
            State::Closed(outcome) => Some(outcome),
            _ => None,
        };
        assert_eq!(call.ended.as_ref().map(|end| end.outcome), outcome);
        assert!(call.agreements.is_empty(), "no one agrees in a life");
        assert!(call.policy.is_some(), "the log says which policy this was");
    }
}
