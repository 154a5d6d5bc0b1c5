//! Which values a fact can have, before any condition on it.

use super::super::constraint::Constraint;
use super::super::fact::Fact;
use super::super::value_type::ValueType;
use super::super::words::{
    after, all_of, any, any_of, count, each, eq, not, of_type, one_of, prefix, regex, weekly,
};
use super::cells::Test;
use crate::clock::Timestamp;
use crate::value::Value;

/// Ids that a host asserts.
const ASSERTED: &str = r"[!#$&(-\[\]\^_a-~]+";
/// SPIFFE ids; a segment of dots alone is found out when the witness is made.
const SPIFFE: &str = "spiffe://[a-z0-9._-]*[a-z0-9_-](/[A-Za-z0-9._-]+)*";
/// Names of tools and purposes.
const NAME: &str = "[A-Za-z0-9_.:/-]+";
const TICKET: &str = "[!-~]([ -~]*[!-~])?";

/// Values that a fact can have.
#[derive(Clone, Debug)]
pub(crate) struct Domain {
    /// `None` where that is any.
    values: Option<Constraint>,
    may_be_absent: bool,
}

impl Domain {
    /// Any value, or none.
    pub(crate) fn any() -> Self {
        Domain { values: None, may_be_absent: true }
    }

    /// Values as the constraint says, or none.
    pub(crate) fn of(values: Constraint) -> Self {
        Domain { values: Some(values), may_be_absent: true }
    }

    /// The same, and always there.
    fn always(values: Constraint) -> Self {
        Domain { values: Some(values), may_be_absent: false }
    }

    /// The same, of what is never left out.
    pub(crate) fn there(self) -> Self {
        Domain { may_be_absent: false, ..self }
    }

    /// This value.
    pub(crate) fn exactly(value: Value) -> Self {
        Domain::always(eq(value))
    }

    /// No value.
    pub(crate) fn nothing() -> Self {
        Domain::of(not(any()))
    }

    /// What is known of the call alone: a resource has a type and an id, which are texts.
    pub(crate) fn in_call(fact: &Fact) -> Self {
        match fact {
            Fact::ResourceType | Fact::ResourceId => Domain::always(of_type(ValueType::Text)),
            _ => Domain::any(),
        }
    }

    /// What is known of a whole question.
    pub(crate) fn in_question(fact: &Fact) -> Self {
        match fact {
            Fact::WhoId => Domain::always(any_of([
                all_of([regex(ASSERTED), not(prefix("spiffe:"))]),
                regex(SPIFFE),
            ])),
            Fact::Purpose | Fact::Tool => Domain::always(regex(NAME)),
            Fact::WhoKind => Domain::always(all_of([
                of_type(ValueType::Text),
                one_of(["agent", "workload", "human"]),
            ])),
            Fact::WhoGroups | Fact::WhoActsFor | Fact::Seen => Domain::always(texts()),
            Fact::Ticket => Domain::of(regex(TICKET)),
            Fact::Now => Domain::always(all_of([of_type(ValueType::Text), after(Timestamp::MIN)])),
            fact => Domain::in_call(fact),
        }
    }

    /// Instants, said as hours of a week: next to those, all of it is told exactly.
    pub(crate) fn hours_of_the_week() -> Self {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let all = weekly(&days, "00:00", "24:00", "+00:00");
        Domain::always(all_of([of_type(ValueType::Text), all]))
    }

    /// Also as this constraint says.
    pub(crate) fn and(self, more: Constraint) -> Self {
        let values = Some(match self.values {
            Some(own) => own.and(more),
            None => more,
        });
        Domain { values, ..self }
    }

    /// What all of the values are.
    pub(super) fn values(&self) -> Option<&Constraint> {
        self.values.as_ref()
    }

    pub(super) fn test(&self) -> Option<Test<'_>> {
        self.values.as_ref().map(Test::cover)
    }

    pub(super) fn may_be_absent(&self) -> bool {
        self.may_be_absent
    }
}

/// A list of texts, which may be empty.
pub(crate) fn texts() -> Constraint {
    let empty = all_of([of_type(ValueType::List), count(0..=0)]);
    any_of([empty, all_of([of_type(ValueType::List), each(of_type(ValueType::Text))])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_facts_can_be_meant() {
        use Fact::{Now, Purpose, Seen, Ticket, WhoActsFor, WhoGroups, WhoId, WhoKind};
        for fact in [WhoId, WhoKind, WhoGroups, WhoActsFor, Purpose, Ticket, Now, Seen, Fact::Tool]
        {
            let domain = Domain::in_question(&fact);
            assert_eq!(domain.values.unwrap().check(), Ok(()), "{fact}");
        }
    }
}
