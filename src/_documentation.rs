//! The pages of the folder `docs`, and what stands next to the README, for those who read here.

// A page names its links for a page of files; the first definition of a name is the one that holds, and here
// it is of a module.
macro_rules! links {
    () => {
        "[`Policy::builder`]: crate::Policy::builder
[`Broker::lint`]: crate::Broker::lint
[`BrokerBuilder::ceiling`]: crate::BrokerBuilder::ceiling
[`Policy::lint_under`]: crate::Policy::lint_under
[`Policy::lint`]: crate::Policy::lint
[`Policy::strict_from_toml`]: crate::Policy::strict_from_toml
[`Vault`]: crate::vault::Vault
[`Verifier`]: crate::token::Verifier
[api]: https://openid.net/specs/authorization-api-1_0.html
[approvals]: crate::_documentation::approvals
[approvals#over-a-restart]: crate::_documentation::approvals#over-a-restart
[approvals#who-may-answer]: crate::_documentation::approvals#who-may-answer
[audit#sealed]: crate::_documentation::audit#sealed
[attacks]: crate::_documentation::attacks
[audit]: crate::_documentation::audit
[authzen]: crate::_documentation::authzen
[axum]: crate::_documentation::axum
[audit#deciding-again]: crate::_documentation::audit#deciding-again
[audit#keys]: crate::_documentation::audit#keys
[audit#values-in-plain]: crate::_documentation::audit#values-in-plain
[audit#what-a-restart-gives-back]: crate::_documentation::audit#what-a-restart-gives-back
[break-glass]: crate::_documentation::break_glass
[changelog]: crate::_documentation::changelog
[denials]: crate::_documentation::denials
[dependencies#known-limits]: crate::_documentation::dependencies#known-limits
[log-format]: crate::_documentation::log_format
[receipts]: crate::_documentation::receipts
[mcp]: crate::_documentation::mcp
[performance]: crate::_documentation::performance
[replay]: crate::_documentation::replay
[policy]: crate::_documentation::policy
[policy#true-false-unknown]: crate::_documentation::policy#true-false-unknown
[policy#what-a-question-may-cost]: crate::_documentation::policy#what-a-question-may-cost
[policy#what-the-log-keeps-in-plain]: crate::_documentation::policy#what-the-log-keeps-in-plain
[scale]: crate::_documentation::scale
[scrub]: mod@crate::scrub
[secrets]: crate::_documentation::secrets
[security]: crate::_documentation::security
[token-format]: crate::_documentation::token_format
[token-format#handles-of-questions]: crate::_documentation::token_format#handles-of-questions
[token-format#keys]: crate::_documentation::token_format#keys
[token-format#values]: crate::_documentation::token_format#values

"
    };
}

macro_rules! pages {
    ($($name:ident = $file:literal,)*) => {$(
        #[doc = links!()]
        #[doc = include_str!($file)]
        pub mod $name {}
    )*};
}

pages! {
    approvals = "../docs/approvals.md",
    architecture = "../docs/architecture.md",
    attacks = "../docs/attacks.md",
    audit = "../docs/audit.md",
    authzen = "../docs/authzen.md",
    axum = "../docs/axum.md",
    break_glass = "../docs/break-glass.md",
    changelog = "../CHANGELOG.md",
    controls = "../docs/controls.md",
    cookbook = "../docs/cookbook.md",
    denials = "../docs/denials.md",
    dependencies = "../docs/dependencies.md",
    design = "../docs/design.md",
    fuzzing = "../docs/fuzzing.md",
    history = "../docs/history.md",
    identity = "../docs/identity.md",
    interleavings = "../docs/interleavings.md",
    log_format = "../docs/log-format.md",
    mcp = "../docs/mcp.md",
    performance = "../docs/performance.md",
    policy = "../docs/policy.md",
    receipts = "../docs/receipts.md",
    replay = "../docs/replay.md",
    rmcp = "../docs/rmcp.md",
    scale = "../docs/scale.md",
    secrets = "../docs/secrets.md",
    security = "../SECURITY.md",
    token_format = "../docs/token-format.md",
}

#[cfg(feature = "fleet")]
pages! {
    fleet = "../docs/fleet.md",
}
