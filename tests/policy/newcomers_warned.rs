//! What people write who know other systems, and which loads: the warning.

use hallpass::clock::Timestamp;
use hallpass::policy::Policy;

use crate::newcomers::permit;

/// What loads, and was probably not meant: the code of the warning, words of it, and what is said nothing of.
#[test]
fn what_loads_and_says_something_else_is_warned_of() {
    for (written, code, remedy, right) in [
        ("who = { id = \"*\" }", "pattern_as_text", "`glob`", "who = { id = { glob = \"a*\" } }"),
        (
            "what.args.a = \"10.0.0.0/8\"",
            "pattern_as_text",
            "`cidr`",
            "what.args.a = { cidr = \"10.0.0.0/8\" }",
        ),
        ("what.args.a = \"!dev\"", "pattern_as_text", "`not`", "what.args.a = \"dev!\""),
        (
            "what.args.a = { glob = \"x*|y*\" }",
            "pattern_as_text",
            "`any = [",
            "what.args.a = { any = [{ glob = \"x*\" }, { glob = \"y*\" }] }",
        ),
        (
            "what.args.a = { regex = '/abc/i' }",
            "pattern_as_text",
            "no flags",
            "what.args.a = { regex = '[aA]bc' }",
        ),
        (
            "what.args.a = { glob = \"https://*.acme.test/x\" }",
            "part_of_address",
            "the type `url`",
            "what.args.a = { glob = \"https://acme.test/x*\" }",
        ),
        (
            "what.args.a = { prefix = \"/home/ana\" }",
            "open_prefix",
            "`under = \"/home/ana\"`",
            "what.args.a = { prefix = \"/home/ana/\" }",
        ),
        (
            "what.args.a = { prefix = \"team/a\" }\nwhat.args.b = { prefix = { ref = \"who.attrs.home\" } }",
            "open_prefix",
            "`under = { ref = \"who.attrs.home\" }`",
            "what.args.b = { prefix = { join = [{ ref = \"who.attrs.home\" }, \"/\"] } }",
        ),
        (
            "what.args.a = { items = [\"git\", [\"log\", \"diff\"]] }",
            "bare_list",
            "exactly this list",
            "what.args.a = { items = [\"git\", { one_of = [\"log\", \"diff\"] }] }",
        ),
        (
            "what.args.a = { items = [\"git\"], rest = [\"log\"] }",
            "bare_list",
            "exactly this list",
            "what.args.a = { items = [\"git\"], rest = \"log\" }",
        ),
        (
            "what.args = { \"filter.owner\" = \"x\" }",
            "dotted_name",
            "`filter = { fields = { owner = … }",
            "what.args.filter = { fields = { owner = \"x\" } }",
        ),
        (
            "what.args.a = { max = { ref = \"args.a\" }, min = 0 }",
            "never_same",
            "that is itself",
            "what.args.a = { max = { ref = \"who.attrs.l\" }, min = 0 }",
        ),
        (
            "grant = { depth = 1 }",
            "never_delegated",
            "\"delegate\"",
            "grant = { depth = 1 }\non = [\"request\", \"call\", \"delegate\"]",
        ),
    ] {
        let warnings = Policy::from_toml(&permit(written)).unwrap().lint(Timestamp::MIN);
        let of_code = |own: &hallpass::policy::Warning| own.code().as_str() == code;
        assert!(
            warnings.iter().any(|own| of_code(own) && own.message().contains(remedy)),
            "{written}: {warnings:?}"
        );
        let warnings = Policy::from_toml(&permit(right)).unwrap().lint(Timestamp::MIN);
        assert!(!warnings.iter().any(of_code), "{right}: {warnings:?}");
    }
}
