//! Listing: which tools a grant could call now.

use super::current::Current;
use super::gate::Gate;
use super::presented::present_token;
use super::shared::Shared;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Granted, Row};
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::{Setting, Wanted, could_permit};
use crate::scope::Readings;
use crate::task::{Basis, Claim, Life, TaskCell};
use crate::token::Presentable;
use crate::tool::ToolName;
use crate::value::Object;

impl Gate {
    /// The tools of which some call could be permitted now to the holder of this token, in this
    /// context: what an agent is shown, so that it sees no more than it may use.
    ///
    /// What is listed can still be denied for its arguments; what is not listed would be denied for
    /// any. Nothing is spent or recorded.
    ///
    /// # Errors
    /// The [`Denial`] of a token that is not good, or of a context that is not well formed.
    pub fn tools<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        context: &Context,
    ) -> Result<Vec<ToolName>, Denial> {
        let shared = &self.shared;
        let (now, context) = shared.moment(caller, None, context)?;
        let current = shared.current();
        let presented = present_token(shared, &current.keys.tokens, presented.text(), caller, now)?;
        let context = context
            .checked()
            .map_err(|error| Denial::new(Reason::MalformedContext).because(error))?;
        let cell = &presented.cell;
        let mut life = cell.life.lock();
        let now = shared.as_of(now);
        presented.check_attenuations(now)?;
        shared.keep_up(&current, cell, &mut life, presented.grant, now)?;
        if life.over.is_none() {
            // What lapsed permits had reserved can be used again.
            shared.close_lapsed(cell, &mut life, now);
        }
        let grant = presented.grant;
        let claim = Claim { grant, basis: Basis::Token(presented.serial), who: caller, tool: None };
        let live = match cell.prove_live(&life, &shared.halts, &claim, now) {
            // What is halted can be resumed: the token is good, and there is nothing to call now.
            Err(denial) if denial.reason() == Reason::Halted => return Ok(Vec::new()),
            proven => proven?,
        };
        let lineage = life.lineage(&live);
        let left_above = |above: &Granted, tool: &ToolName, life: &mut Life| {
            above.capability.tool == *tool
                && above.stamps.iter().all(|stamp| life.counters.has_calls_left(stamp, now))
        };
        let meter = Meter::of_question(0);
        let meter = &meter;
        let listing =
            Listing { shared, current: &current, cell, grant, caller, context, now, meter };
        let scopes: Vec<_> = lineage.iter().map(|row: &&Row| row.terms.clone()).collect();
        let mut tools: Vec<ToolName> = Vec::new();
        for granted in scopes.first().iter().flat_map(|terms| &terms.scope) {
            let tool = &granted.capability.tool;
            let above = scopes
                .iter()
                .skip(1)
                .all(|terms| terms.scope.iter().any(|above| left_above(above, tool, &mut life)));
            let narrowed = presented.narrowings.iter().all(|narrowing| narrowing.names(tool));
            if above && narrowed && !tools.contains(tool) && listing.could_call(granted, &mut life)
            {
                tools.push(tool.clone());
            }
        }
        tools.sort();
        meter.settle(Ok(tools))
    }
}

struct Listing<'l> {
    shared: &'l Shared,
    current: &'l Current,
    cell: &'l TaskCell,
    grant: GrantId,
    caller: &'l Identity,
    context: &'l Object,
    now: Timestamp,
    meter: &'l Meter,
}

impl Listing<'_> {
    fn could_call(&self, granted: &Granted, life: &mut Life) -> bool {
        let Listing { shared, current, cell, grant, caller, context, now, meter } = *self;
        let tool = granted.capability.tool.as_str();
        let policy = &current.policy;
        let Some(labels) = policy.catalogue.labels_of(tool) else { return false };
        if shared.halts.stopping_grant(cell, life, (grant, caller), Some(tool), now).is_some() {
            return false;
        }
        if !granted.stamps.iter().all(|stamp| life.counters.has_calls_left(stamp, now)) {
            return false;
        }
        let seen = life.history().seen_after(tool, labels, current.listing());
        let time = policy.time(now);
        let readings = Readings::new();
        let setting = Setting {
            moment: life.moment_of_calls(grant),
            who: &current.restated.seen(caller),
            purpose: &cell.purpose,
            context,
            seen: &seen,
            now,
            now_text: time.as_ref(),
            meter,
            readings: &readings,
        };
        let wanted = Wanted {
            setting,
            capability: &granted.capability,
            labels,
            when: crate::policy::When::Now,
            is_first: meter.is_first(tool, (0, 0)),
        };
        could_permit(policy, &wanted)
    }
}
