//! When rules are asked.

/// A moment at which rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// When a grant is asked for.
    Request,
    /// When a call is made.
    Call,
    /// When a child grant is made for another identity.
    Delegate,
    /// When a human breaks the glass, and at the calls of what that gives: see
    /// [`Task::break_glass`](crate::Task::break_glass).
    BreakGlass,
}

impl Moment {
    /// Every moment.
    pub(crate) const ALL: [Moment; 4] =
        [Moment::Request, Moment::Call, Moment::Delegate, Moment::BreakGlass];

    /// The word of policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Moment::Request => "request",
            Moment::Call => "call",
            Moment::Delegate => "delegate",
            Moment::BreakGlass => "break_glass",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Moment::Request => 1,
            Moment::Call => 2,
            Moment::Delegate => 4,
            Moment::BreakGlass => 8,
        }
    }
}

/// The moments a rule speaks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moments(u8);

impl Moments {
    pub(crate) fn of(moments: &[Moment]) -> Self {
        Moments(moments.iter().fold(0, |bits, moment| bits | moment.bit()))
    }

    pub(crate) fn include(self, moment: Moment) -> bool {
        self.0 & moment.bit() != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Moment> {
        Moment::ALL.into_iter().filter(move |moment| self.include(*moment))
    }
}
