//! What is wrong with a scope, and how large one may be.

use super::constraint_error::ConstraintError;
use super::glob::MAX_SCOPE_PATTERNS;
use crate::tool::ToolNameError;

/// How many capabilities a scope may have. A task that needs more asks in several requests; the
/// bound keeps what one request costs in sight.
pub(crate) const MAX_CAPABILITIES: usize = 128;

/// How many conditions one capability may have.
pub(crate) const MAX_CONDITIONS: usize = 128;

/// How many `json` a scope may have, those inside one another included. Each reads a text anew, which
/// may be as long as arguments may be, and both may be an agent's.
pub const MAX_SCOPE_JSON: usize = 16;

/// What is wrong with a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Nothing is asked for.
    #[error("the scope is empty: name at least one tool")]
    Empty,
    /// More than 128 capabilities, or more than 128 conditions in one.
    #[error(
        "the scope is too large: at most {MAX_CAPABILITIES} capabilities of {MAX_CONDITIONS} conditions"
    )]
    TooLarge,
    /// Patterns of more than [`MAX_SCOPE_PATTERNS`] bytes together.
    #[error("patterns of {0} bytes together, expected at most {MAX_SCOPE_PATTERNS}")]
    TooManyPatterns(usize),
    /// More than [`MAX_SCOPE_JSON`] constraints on what a text says as JSON.
    #[error("`json` {0} times, expected at most {MAX_SCOPE_JSON}")]
    TooManyJson(usize),
    /// A tool's name is none.
    #[error(transparent)]
    Tool(#[from] ToolNameError),
    /// A constraint cannot be meant.
    #[error("`{tool}`: `{fact}`: {error}")]
    Constraint {
        /// The capability's tool.
        tool: Box<str>,
        /// Where the constraint stands.
        fact: Box<str>,
        /// What is wrong with it.
        error: ConstraintError,
    },
    /// An argument, a field or an attribute is named that no call can have.
    #[error("`{tool}`: {problem}")]
    Name {
        /// The capability's tool.
        tool: Box<str>,
        /// Which name, and what is wrong with it.
        problem: String,
    },
    /// `any_args` together with constraints on arguments: it would look narrow and be wide.
    #[error(
        "`{0}`: any arguments are asked for together with constraints on some: say `other_args` if arguments that are not named may be there"
    )]
    AnyWithNamed(Box<str>),
    /// `any_resource` together with constraints on the resource: it would look wide and be narrow.
    #[error(
        "`{0}`: any resource is asked for together with constraints on it: say its type and id, `any` where any will do"
    )]
    AnyResourceWithNamed(Box<str>),
    /// Constraints on a resource where none may be: they would never hold.
    #[error("`{0}`: constraints on a resource whose type and id are not said")]
    ResourceUnsaid(Box<str>),
    /// Text or data that does not have the shape of a scope.
    #[error("{0}")]
    Shape(String),
}
