//! Approvals, without the broker: names of people, who has agreed, what is shown to them, how far a yes
//! reaches.

pub(crate) mod name;
pub(crate) mod quorum;
