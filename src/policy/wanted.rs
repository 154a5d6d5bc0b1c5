//! What is asked for at a request: one capability, in its setting.

use super::question::Setting;
use crate::meter::Meter;
use crate::scope::{Capability, Condition, Cover, Fact, Facts, Readings, ResourceOpenness};
use crate::value::Value;

/// A capability asked for, in its setting.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'q> {
    pub(crate) setting: Setting<'q>,
    pub(crate) capability: &'q Capability,
    pub(crate) labels: &'q Value,
    pub(crate) when: When,
    /// Whether rules have steps of their own for it: see [`Meter::is_first`].
    pub(crate) is_first: bool,
}

/// Whether conditions on context and history count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// They are part of the question, but for notes: these are made by calls that come after what is asked for is given.
    Asked,
    /// They are part of the question, and so are notes: asked is what could be called now.
    Now,
    /// They are left to the calls: a permit is not withheld for them, and a guard that has any does
    /// not act. No approval is asked for before the calls either.
    Left,
}

impl<'q> Facts<'q> for &Wanted<'q> {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        match fact {
            Fact::Labels => Some(self.labels),
            _ => self.setting.fact(fact),
        }
    }

    fn readings(self) -> Option<&'q Readings<'q>> {
        Some(self.setting.readings)
    }
}

impl<'q> Wanted<'q> {
    /// Whether a fact is left to the calls.
    pub(super) fn leaves(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Note(_) => self.when != When::Now,
            Fact::Context(_) | Fact::Now | Fact::Seen => self.when == When::Left,
            _ => false,
        }
    }

    /// Whether a condition looks at anything that is left to the calls.
    pub(super) fn leaves_a_part(&self, condition: &Condition) -> bool {
        self.leaves(&condition.fact) || condition.constraint.compares_with(&|own| self.leaves(own))
    }

    pub(super) fn meter(&self) -> &'q Meter {
        self.setting.meter
    }

    pub(super) fn cover(&self) -> Cover<'q> {
        self.capability.cover()
    }

    /// Whether no call that is wanted has this: an argument that is neither named nor left open.
    pub(super) fn never_has(&self, fact: &Fact) -> bool {
        let cover = self.cover();
        !cover.openness.other_args
            && fact.as_argument().is_some_and(|name| !cover.names_argument(name))
    }

    /// Whether no call that is wanted has a resource.
    pub(super) fn is_of_no_resource(&self) -> bool {
        self.cover().openness.resource == ResourceOpenness::None
    }
}
