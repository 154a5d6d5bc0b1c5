//! By which of its demands each rule is filed: the one that leaves the fewest rules to look at.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Side;
use super::demand::{Topic, demands};
use super::draft::Draft;
use super::drawer::Drawer;
use crate::policy::rule::Rule;
use crate::scope::Fact;

/// All that some rules demand.
pub(super) struct Census<'r> {
    /// What is demanded of each topic.
    drafts: Vec<(Topic<'r>, Draft)>,
    demands: Vec<Counted>,
}

/// One demand of a rule.
struct Counted {
    rule: u32,
    /// The place of its topic; of several, the first.
    topic: usize,
    /// How many rules may be met together with it.
    crowd: u32,
    /// Whether the rule is filed by it.
    is_chosen: bool,
}

impl<'r> Census<'r> {
    pub(super) fn of(own: &[u32], side: Side, rules: &'r [Rule]) -> Self {
        let mut places: HashMap<Topic<'r>, usize> = HashMap::new();
        let mut drafts: Vec<(Topic<'r>, Draft)> = Vec::new();
        let mut all: Vec<Counted> = Vec::new();
        for (at, rule) in own.iter().filter_map(|at| Some((*at, rules.get(*at as usize)?))) {
            for demand in demands(rule, side) {
                let number = u32::try_from(all.len()).unwrap_or(u32::MAX);
                let mut first = None;
                for (topic, key) in demand {
                    let place = *places.entry(topic).or_insert_with(|| {
                        drafts.push((topic, Draft::of(topic.kind)));
                        drafts.len() - 1
                    });
                    if let Some((_, draft)) = drafts.get_mut(place) {
                        draft.add(key, number);
                    }
                    first.get_or_insert(place);
                }
                let topic = first.unwrap_or_default();
                all.push(Counted { rule: at, topic, crowd: 0, is_chosen: false });
            }
        }
        let mut census = Census { drafts, demands: all };
        census.count();
        census.choose(side);
        census
    }

    /// Of several keys, one may be met with more than another: the most count.
    fn count(&mut self) {
        for (_, draft) in &self.drafts {
            draft.crowds(&mut |number, crowd| {
                if let Some(demand) = self.demands.get_mut(number as usize) {
                    demand.crowd = demand.crowd.max(crowd);
                }
            });
        }
    }

    fn choose(&mut self, side: Side) {
        let drafts = &self.drafts;
        for own in self.demands.chunk_by_mut(|one, next| one.rule == next.rule) {
            let best = own.iter_mut().min_by_key(|demand| {
                let about = drafts.get(demand.topic).map(|(topic, draft)| {
                    // Then the topic most rules are filed by, so that there are few drawers to look into;
                    // then any fixed order.
                    (may_be_unknown(topic.fact, side), Reverse(draft.len()), *topic)
                });
                (demand.crowd, about)
            });
            if let Some(best) = best {
                best.is_chosen = true;
            }
        }
    }

    /// The rules that demand nothing to be filed by.
    pub(super) fn rest(&self, own: &[u32]) -> Box<[u32]> {
        let mut filed = self.demands.iter().map(|demand| demand.rule).peekable();
        let mut is_filed = |at: u32| {
            while filed.next_if(|next| *next < at).is_some() {}
            filed.peek() == Some(&at)
        };
        own.iter().copied().filter(|at| !is_filed(*at)).collect()
    }

    /// The drawers, those of one fact side by side.
    pub(super) fn drawers(self) -> Vec<Drawer> {
        let Census { mut drafts, demands } = self;
        let rule = |number: u32| {
            let chosen = demands.get(number as usize).filter(|demand| demand.is_chosen)?;
            Some(chosen.rule)
        };
        drafts.sort_unstable_by_key(|(topic, _)| (topic.fact, *topic));
        drafts.into_iter().filter_map(|(topic, draft)| draft.drawer(topic, &rule)).collect()
    }
}

/// Whether a question may leave it unknown what the fact is, so that all guards filed by it are met.
fn may_be_unknown(fact: &Fact, side: Side) -> bool {
    use Fact::{Labels, Purpose, Seen, Tool, WhoActsFor, WhoGroups, WhoId, WhoKind};
    let is_known =
        matches!(fact, WhoId | WhoKind | WhoGroups | WhoActsFor | Purpose | Tool | Labels | Seen);
    side == Side::Guards && !is_known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{any, eq, has_all, has_any, max, min, prefix};

    /// Which drawers are made of the rules, by fact, and how many rules are in each.
    fn filed(side: Side, rules: &[Rule]) -> Vec<(String, usize)> {
        let own: Vec<u32> = (0u32..).zip(rules).map(|(at, _)| at).collect();
        let census = Census::of(&own, side, rules);
        let rest = census.rest(&own).len();
        let drawers = census.drawers();
        let mut filed: Vec<_> =
            drawers.iter().map(|own| (own.fact.to_string(), own.all.len())).collect();
        filed.extend((rest > 0).then(|| ("rest".to_owned(), rest)));
        filed
    }

    fn permits(of: impl Fn(i64) -> Rule) -> Vec<Rule> {
        (0..10).map(of).collect()
    }

    #[test]
    fn a_rule_is_filed_by_what_it_shares_with_the_fewest() {
        let rule = || Rule::permit("p").tool("t");
        let of = |of: &dyn Fn(i64) -> Rule| filed(Side::Permits, &permits(of));
        let own = |fact: &str| vec![(fact.to_owned(), 10)];
        // A value of its own, and not the same beginning; a beginning of its own, and not the same value.
        assert_eq!(of(&|n| rule().arg("x", prefix("a")).arg("y", eq(n))), own("args.y"));
        let begins = |n: i64| prefix(&format!("a{n}-"));
        assert_eq!(of(&|n| rule().arg("x", begins(n)).arg("y", eq(1))), own("args.x"));
        // Beginnings in which the others lie are shared with them, as ranges that overlap are.
        let longer = |n: i64| prefix(&"a".repeat(n as usize + 1));
        assert_eq!(of(&|n| rule().arg("x", longer(n)).arg("y", eq(n / 2))), own("args.y"));
        assert_eq!(of(&|n| rule().arg("x", max(n)).arg("y", eq(n / 2))), own("args.y"));
        let apart = |n: i64| min(10 * n).and(max(10 * n + 5));
        assert_eq!(of(&|n| rule().arg("x", apart(n)).arg("y", eq(n / 2))), own("args.x"));
        // The rarest of all that have to be there.
        assert_eq!(of(&|n| rule().who_groups(has_all([0, n + 1]))), own("who.groups"));
        // A name of its own, whatever is asked of it.
        let names = filed(Side::Permits, &permits(|n| rule().arg(&format!("x{n}"), any())));
        assert_eq!(names.len(), 10);
    }

    /// What an agent may leave unknown is looked at whole then: better what it can't.
    #[test]
    fn a_guard_is_rather_filed_by_what_is_always_known() {
        let rules: Vec<Rule> = (0..10)
            .map(|n: i64| {
                let forbid = Rule::forbid("f").arg("x", eq(n)).when("env", eq(n));
                forbid.who_groups(has_any([format!("g{n}")]))
            })
            .collect();
        assert_eq!(filed(Side::Guards, &rules), [("who.groups".to_owned(), 10)]);
    }

    #[test]
    fn a_guard_that_acts_on_what_is_not_there_demands_nothing() {
        let rules = [
            Rule::forbid("a").when("env", any()),
            Rule::forbid("b").arg("x", crate::scope::not(eq(1))),
            Rule::forbid("c").arg("x", any()),
        ];
        assert_eq!(filed(Side::Guards, &rules), [("args.x".to_owned(), 1), ("rest".to_owned(), 2)]);
    }
}
