//! How a token is presented.

/// The two ways to present a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// The token itself, `hp1.`: its holder can present it for any call it covers.
    Bearer,
    /// A [`Presentation`](crate::token::Presentation), `hp1c.`: good for one call, once.
    CallBound,
}

impl Form {
    /// The word of policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Form::Bearer => "bearer",
            Form::CallBound => "call_bound",
        }
    }
}
