//! What of a request the permits cover, where not all of it lies within one: its parts.

use super::compiled::Compiled;
use super::index::Side;
use super::rule::Rule;
use super::wanted::Wanted;
use crate::meter::Work;
use crate::scope::{
    Capability, Condition, Cover, Difference, Stance, Truth, cover_difference, not,
};

/// Whether some call that the capability covers could be permitted: a permit may concern one, and
/// no guard acts on all of them.
pub(crate) fn could_permit(policy: &Compiled, wanted: &Wanted<'_>) -> bool {
    let (mut permitted, mut guarded) = (false, false);
    wanted.visit_open(policy, Side::Permits, |rule| permitted |= rule.may_cover_part(wanted));
    wanted.visit(policy, Side::Guards, |_, rule| guarded |= rule.contains(wanted));
    permitted && !guarded
}

/// The parts of a capability that lie within some permit each.
pub(crate) fn parts_covered(policy: &Compiled, wanted: &Wanted<'_>) -> Vec<Capability> {
    let mut parts = Vec::new();
    wanted.visit_open(policy, Side::Permits, |rule| {
        if parts.len() < MOST_PARTS {
            for part in rule.parts_of(wanted) {
                if parts.len() < MOST_PARTS && !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
    });
    parts
}

/// How many parts a trimmed capability may fall into. One that falls into more is better asked for
/// more exactly.
const MOST_PARTS: usize = 16;

impl Wanted<'_> {
    /// Visits rules that may concern a part of what is wanted, instead of all of it.
    fn visit_open<'p>(&self, policy: &'p Compiled, side: Side, mut visit: impl FnMut(&'p Rule)) {
        for at in policy.index.all(side, self.capability.tool.as_str()) {
            if !self.meter().charge(1, Work::Visiting) {
                return;
            }
            if let Some(rule) = policy.rule(at) {
                visit(rule);
            }
        }
    }
}

impl Rule {
    /// The parts of what is wanted that lie within this permit.
    pub(super) fn parts_of(&self, wanted: &Wanted<'_>) -> Vec<Capability> {
        if !self.may_cover_part(wanted) {
            return Vec::new();
        }
        let conditions = self.of_the_call(wanted);
        let permitted = Cover { conditions: &conditions, openness: &self.openness };
        let Some(part) = wanted.capability.meet(permitted, wanted.meter()) else {
            return Vec::new();
        };
        let mut parts = self.without_exceptions(part, wanted);
        // A permit for a resource and a wish for none, or the other way round, have no call in
        // common. And each argument may overlap on its own, and still no call be left.
        // What compares with more than arguments no scope can say.
        parts.retain(|part| {
            let compares = |own: &Condition| own.constraint.beyond_arguments().is_some();
            let is_nothing = part.is_of_no_resource()
                || part.conditions.iter().any(compares)
                || matches!(cover_difference(part.cover(), &[], wanted.meter()), Difference::Empty);
            !is_nothing
        });
        parts
    }

    /// What is left of a part of what is wanted where no call is to be an exception of this permit: for each, one of
    /// its conditions does not hold.
    fn without_exceptions(&self, part: Capability, wanted: &Wanted<'_>) -> Vec<Capability> {
        let mut parts = vec![part];
        for exception in self.exceptions.iter().filter(|own| own.may_meet(wanted)) {
            parts = without(&parts, &exception.conditions, wanted);
        }
        parts.into_iter().map(Capability::with_levels_named).collect()
    }

    /// What is left of a part of what is wanted where this guard acts on no call.
    pub(super) fn outside_of(&self, part: Capability, wanted: &Wanted<'_>) -> Vec<Capability> {
        let parts = without(&[part], &self.conditions, wanted);
        parts.into_iter().map(Capability::with_levels_named).collect()
    }

    /// Whether this permit may apply to some call that the capability covers.
    fn may_cover_part(&self, wanted: &Wanted<'_>) -> bool {
        self.speaks_at(wanted.setting.moment)
            && self.is_valid_at(wanted.setting.now)
            && self.tool_named(wanted.capability.tool.as_str(), Stance::Cover, wanted.meter())
                == Truth::True
            && self.conditions.iter().all(|condition| match condition.fact.is_of_the_call() {
                true => wanted.may_overlap(condition, Stance::Cover),
                false => wanted.is_true_at_all(condition),
            })
            && !self.exceptions.iter().any(|own| own.takes_all(wanted))
    }
}

/// What is left of parts where one of these conditions on the call is known not to hold.
fn without<'c>(
    parts: &[Capability],
    conditions: impl IntoIterator<Item = &'c Condition>,
    wanted: &Wanted<'_>,
) -> Vec<Capability> {
    let of_the_call: Vec<&Condition> =
        conditions.into_iter().filter(|own| own.fact.is_of_the_call()).collect();
    let left = parts.iter().flat_map(|part| {
        of_the_call.iter().map(|own| {
            // What can't be told holds, too.
            let may_be = wanted.widened(own, &wanted.only_way(&own.constraint), Stance::Guard);
            let mut conditions = part.conditions.to_vec();
            Condition::add(&mut conditions, own.fact.clone(), not(may_be.into_owned()));
            Capability { conditions: conditions.into(), ..part.clone() }
        })
    });
    left.take(MOST_PARTS).collect()
}
