//! How long and how much a permit gives, as a rule in Rust says it.

use std::sync::Arc;
use std::time::Duration;

use super::limits::Limits;
use super::rule::Rule;
use crate::value::Number;

impl Rule {
    /// How long a grant lives.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.limits_mut().ttl = Some(ttl);
        self
    }

    /// How long a grant lives at most, renewals included.
    pub fn max_life(mut self, life: Duration) -> Self {
        self.limits_mut().max_life = Some(life);
        self
    }

    /// How long a grant may lie unused before it ends.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.limits_mut().idle = Some(idle);
        self
    }

    /// How long after the end of a grant what its tools run with may still be good for, where its provider can't end it
    /// sooner. Not at all, unless this is said.
    pub fn tail(mut self, tail: Duration) -> Self {
        self.limits_mut().tail = Some(tail);
        self
    }

    /// How many calls.
    pub fn uses(mut self, uses: u64) -> Self {
        self.limits_mut().uses = Some(uses);
        self
    }

    /// How many calls within any window of this length. Other than of a [`rate`](Self::rate), a call whose tool never
    /// started gives its use back.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use hallpass::policy::{Policy, Rule};
    /// let day = Duration::from_secs(24 * 60 * 60);
    /// let rule = Rule::permit("pay").tool("bank.pay").any_args();
    /// let rule = rule.uses_within(5, day).budget_within("args.amount", 500, day).per_identity();
    /// let policy = Policy::builder().rule(rule).build()?;
    /// # Ok::<(), hallpass::policy::PolicyError>(())
    /// ```
    pub fn uses_within(mut self, uses: u64, window: Duration) -> Self {
        self.limits_mut().uses_within = Some((uses, window));
        self
    }

    /// How many calls within any window of this length.
    pub fn rate(mut self, calls: u64, window: Duration) -> Self {
        self.limits_mut().rate = Some((calls, window));
        self
    }

    /// How much a numeric argument, named as in a policy (`args.limit`), may sum up to.
    pub fn budget(mut self, argument: &str, most: impl TryInto<Number>) -> Self {
        self.limits_mut().add_budget(argument, most.try_into().ok(), None);
        self
    }

    /// As [`budget`](Self::budget), within any window of this length. At most 10,000 calls are counted in one: more
    /// are denied until the first has left it.
    pub fn budget_within(
        mut self,
        argument: &str,
        most: impl TryInto<Number>,
        window: Duration,
    ) -> Self {
        self.limits_mut().add_budget(argument, most.try_into().ok(), Some(window));
        self
    }

    /// How many hops of delegation.
    pub fn depth(mut self, depth: u8) -> Self {
        self.limits_mut().depth = Some(depth);
        self
    }

    /// What was permitted and never started stays spent, of uses and budgets. Unless a rule says so, it
    /// comes back: a permit that is dropped ran nothing. Say it where asking alone tells too much, or
    /// where a host might take a permit for a yes.
    pub fn no_refund(mut self) -> Self {
        self.limits_mut().keeps_abandoned = true;
        self
    }

    /// Uses, rate and budget span all tasks of one identity, instead of one task.
    pub fn per_identity(mut self) -> Self {
        self.limits_mut().per_identity = true;
        self
    }

    fn limits_mut(&mut self) -> &mut Limits {
        Arc::make_mut(&mut self.limits)
    }
}
