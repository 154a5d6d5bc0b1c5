//! What can be wrong with a constraint.

/// How deep constraints may be nested. Eight is twice what hand-written policies use; the bound keeps
/// evaluation's stack small whatever a policy or a scope says.
pub(crate) const MAX_NESTING: usize = 8;

/// What is wrong with a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// A set, a list of constraints or a pattern without anything in it: it would match nothing, or
    /// be misread as matching all.
    #[error("`{0}` is empty: it must name at least one value")]
    Empty(&'static str),
    /// The bounds leave no value.
    #[error("no value lies within {0}")]
    Impossible(String),
    /// A kind that looks at a list as a whole together with one that is asked of each element.
    #[error(
        "`{list}` looks at a list as a whole and `{element}` at one value: they can't be mixed in one constraint"
    )]
    MixedSorts {
        /// The kind that sees the list itself.
        list: &'static str,
        /// The kind asked of one value.
        element: &'static str,
    },
    /// A bound that is not a number of at most 38 digits.
    #[error("the bound of `{0}` is not a number of at most 38 digits")]
    NotANumber(&'static str),
    /// What is compared with is not a value: a float such as NaN, say.
    #[error("`{0}` of what is not a value: {1}")]
    NotAValue(&'static str, String),
    /// A pattern that does not parse.
    #[error("{0}")]
    Pattern(String),
    /// `same_as` names no part of the question.
    #[error("{0}")]
    UnknownFact(String),
    /// The same field is named twice.
    #[error("field `{0}` is named twice")]
    DuplicateField(Box<str>),
    /// A kind that only policies may use, in a scope.
    #[error("`{0}` is for policies only: {why}", why = of_policies_only(.0))]
    PolicyOnly(&'static str),
    /// A comparison with something else than an argument, in a scope: a reader of a token knows the call's
    /// arguments alone.
    #[error("a scope compares with `args.NAME` alone, and this is `{0}`: name the value instead")]
    NotAnArgument(Box<str>),
    /// Constraints nested deeper than 8 levels.
    #[error("constraints are nested deeper than {MAX_NESTING} levels")]
    TooDeep,
}

fn of_policies_only(word: &str) -> &'static str {
    match word {
        "zone" => {
            "those who read a scope may have other data of time zones, so that it says an `offset`"
        }
        "order" => "a scope names the levels, with `one_of`",
        _ => "a scope may not make anything be compiled",
    }
}
