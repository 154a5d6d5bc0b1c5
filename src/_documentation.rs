//! The pages of the folder `docs`, and what stands next to the README, for those who read here.

// A page names its links for a page of files; the first definition of a name is the one that holds, and here
// it is of a module.
macro_rules! links {
    () => {
        "[`Broker::lint`]: crate::Broker::lint
[`BrokerBuilder::ceiling`]: crate::BrokerBuilder::ceiling
[`Policy::builder`]: crate::Policy::builder
[`Policy::lint_under`]: crate::Policy::lint_under
[`Policy::lint`]: crate::Policy::lint
[`Policy::strict_from_toml`]: crate::Policy::strict_from_toml
[`Vault`]: crate::vault::Vault
[`Verifier`]: crate::token::Verifier
[acp]: crate::_documentation::acp
[api]: https://openid.net/specs/authorization-api-1_0.html
[approvals#over-a-restart]: crate::_documentation::approvals#over-a-restart
[approvals#who-may-answer]: crate::_documentation::approvals#who-may-answer
[approvals]: crate::_documentation::approvals
[architecture]: crate::_documentation::architecture
[attacks]: crate::_documentation::attacks
[audit#deciding-again]: crate::_documentation::audit#deciding-again
[audit#keys]: crate::_documentation::audit#keys
[audit#sealed]: crate::_documentation::audit#sealed
[audit#settled-tasks]: crate::_documentation::audit#settled-tasks
[audit#values-in-plain]: crate::_documentation::audit#values-in-plain
[audit#what-a-restart-gives-back]: crate::_documentation::audit#what-a-restart-gives-back
[audit]: crate::_documentation::audit
[authzen]: crate::_documentation::authzen
[axum#who-calls-and-with-what]: crate::_documentation::axum#who-calls-and-with-what
[authzen#who-may-ask]: crate::_documentation::authzen#who-may-ask
[axum]: crate::_documentation::axum
[break-glass]: crate::_documentation::break_glass
[changelog]: crate::_documentation::changelog
[controls]: crate::_documentation::controls
[cookbook]: crate::_documentation::cookbook
[denials]: crate::_documentation::denials
[dependencies#known-limits]: crate::_documentation::dependencies#known-limits
[dependencies]: crate::_documentation::dependencies
[design]: crate::_documentation::design
[envoy]: crate::_documentation::envoy
[fuzzing]: crate::_documentation::fuzzing
[history]: crate::_documentation::history
[identity]: crate::_documentation::identity
[interleavings]: crate::_documentation::interleavings
[log-format]: crate::_documentation::log_format
[mcp]: crate::_documentation::mcp
[performance]: crate::_documentation::performance
[policy#true-false-unknown]: crate::_documentation::policy#true-false-unknown
[policy#what-a-question-may-cost]: crate::_documentation::policy#what-a-question-may-cost
[policy#what-the-log-keeps-in-plain]: crate::_documentation::policy#what-the-log-keeps-in-plain
[policy]: crate::_documentation::policy
[readme]: crate
[receipts]: crate::_documentation::receipts
[replay]: crate::_documentation::replay
[rig]: crate::_documentation::rig
[rmcp]: crate::_documentation::rmcp
[scale]: crate::_documentation::scale
[scrub]: mod@crate::scrub
[secrets]: crate::_documentation::secrets
[security]: crate::_documentation::security
[token-format#handles-of-questions]: crate::_documentation::token_format#handles-of-questions
[token-format#keys]: crate::_documentation::token_format#keys
[token-format#values]: crate::_documentation::token_format#values
[tonic]: crate::_documentation::tonic
[token-format]: crate::_documentation::token_format

"
    };
}

macro_rules! pages {
    ($($name:ident = $file:literal,)*) => {$(
        #[doc = links!()]
        #[cfg_attr(feature = "fleet", doc = "[fleet]: crate::_documentation::fleet\n")]
        #[doc = include_str!($file)]
        pub mod $name {}
    )*};
}

pages! {
    acp = "../docs/acp.md",
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
    envoy = "../docs/envoy.md",
    fuzzing = "../docs/fuzzing.md",
    history = "../docs/history.md",
    identity = "../docs/identity.md",
    index = "../docs/index.md",
    interleavings = "../docs/interleavings.md",
    log_format = "../docs/log-format.md",
    mcp = "../docs/mcp.md",
    performance = "../docs/performance.md",
    policy = "../docs/policy.md",
    receipts = "../docs/receipts.md",
    replay = "../docs/replay.md",
    rig = "../docs/rig.md",
    rmcp = "../docs/rmcp.md",
    scale = "../docs/scale.md",
    secrets = "../docs/secrets.md",
    security = "../SECURITY.md",
    token_format = "../docs/token-format.md",
    tonic = "../docs/tonic.md",
}

#[cfg(feature = "fleet")]
pages! {
    fleet = "../docs/fleet.md",
}
