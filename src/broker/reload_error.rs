//! Why a policy can't be in force.

/// Why a policy can't be in force at a broker, or was not put in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// A tool of its catalogue runs with a credential that the broker has no source for.
    #[error(
        "the tool `{tool}` runs with the credential `{name}`, which this broker has no source for: seal it in the \
         vault given to `BrokerBuilder::vault`, or give it a provider with `BrokerBuilder::provider`"
    )]
    Credential {
        /// The tool.
        tool: Box<str>,
        /// The credential.
        name: Box<str>,
    },
    /// This process was forked from the one that the broker was built in.
    #[error(
        "the broker was built in the process that this one was forked from: build another here"
    )]
    Forked,
    /// It folds names otherwise than the policy that the broker was built with: those who were attested would be
    /// known by other names.
    #[error(
        "`[identity] fold` is not as when the broker was built: build another with this policy"
    )]
    Fold,
    /// The rule of this id breaks the glass, and no one would be alerted.
    #[error(
        "rule `{0}` breaks the glass and the broker has no alert: set `break_glass_alert`, or say \
         `alert = \"best_effort\"`"
    )]
    Alert(Box<str>),
    /// The broker is a node of a fleet, in which all have one policy.
    #[error("the broker is a node of a fleet: `Fleet::reload` reloads all of them")]
    Fleet,
}
