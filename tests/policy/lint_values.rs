//! Values that a rule compares with and that let in, or keep out, more than it seems.

use hallpass::policy::WarningCode;

use crate::lint::{guard, of_kind, permit};

/// What is said of an argument `a` of a permit of the tool `t`.
fn of_permit(code: WarningCode, constraint: &str) -> Vec<String> {
    of_kind(code, "", &permit("p", &format!("what.args.a = {constraint}")))
}

/// What is said of a condition of a forbid.
fn of_forbid(code: WarningCode, condition: &str) -> Vec<String> {
    of_kind(code, "", &guard("forbid", "f", condition))
}

/// attack 197: the policy of a first page that permits a payment of minus a million.
#[test]
fn a_number_of_a_permit_that_is_bounded_from_above_alone_is_named() {
    for open in [
        "{ max = { ref = \"who.attrs.limit\" } }",
        "{ max = 500 }",
        "{ below = 0.5 }",
        "{ not = { above = 500 } }",
        "{ not = { min = 500 } }",
        "{ any = [{ present = false }, { max = 10 }] }",
        "{ any = [{ min = 5, max = 10 }, { max = 1 }] }",
        "{ each = { max = 5 } }",
        "{ fields = { amount = { max = 5 } } }",
        "{ json = { fields = { pay = { some = { max = 5 } } } } }",
        "{ max = 500, not = { one_of = [3, 4] } }",
    ] {
        let said = of_permit(WarningCode::OpenBelow, open);
        assert_eq!(said.len(), 1, "{open}: {said:?}");
        assert!(said[0].contains("may be any negative number"), "{said:?}");
    }
    let inside = of_permit(WarningCode::OpenBelow, "{ fields = { b = { max = 5 } } }");
    assert!(inside[0].starts_with("`args.a.b` is bounded"), "{inside:?}");
    for closed in [
        "{ min = 0, max = 500 }",
        "{ above = -1, below = 5 }",
        "{ min = 5 }",
        "{ all = [{ max = 5 }, { min = 1 }] }",
        "{ one_of = [-5, 5] }",
        "{ max = -1 }",
        "{ not = { max = 5 } }",
        "{ not = { eq = 5 } }",
        "{ same_as = \"args.a\" }",
        "{ min = 0, max = { ref = \"who.attrs.limit\" } }",
        "{ min = { ref = \"who.attrs.limit\" } }",
        "{ one_of = { ref = \"who.groups\" }, max = 5 }",
        "\"any\"",
    ] {
        assert_eq!(of_permit(WarningCode::OpenBelow, closed), [""; 0], "{closed}");
    }
    // A guard from above on acts on all that is more, and what a host states is its own.
    assert_eq!(of_forbid(WarningCode::OpenBelow, "what.args.a = { max = 5 }"), [""; 0]);
    let risk = permit("p", "when.risk = { below = 50 }");
    assert_eq!(of_kind(WarningCode::OpenBelow, "", &risk), [""; 0]);
}

/// attacks 32, 197
#[test]
fn an_end_of_an_address_that_stands_alone_is_named() {
    let url = "tool = [{ name = \"t\", args = { a = \"url\" } }]";
    for part in [
        "{ prefix = \"https://acme.test\" }",
        "{ prefix = \"https://acme.test/\" }",
        "{ prefix = \"//acme.test/\" }",
        "{ contains = \"://acme.test\" }",
        "{ suffix = \".acme.test\" }",
        "{ suffix = \"@acme.test\" }",
        "{ each = { suffix = \"@acme.test\" } }",
        "{ contains = \"@acme.test\" }",
        "{ prefix = \"10.\" }",
        "{ not = { prefix = \"192.168.\" } }",
        "{ any = [\"x\", { prefix = \"https://a.test\", suffix = \".pdf\" }] }",
        "{ fields = { link = { prefix = \"https://a.test\" } } }",
    ] {
        assert_eq!(of_permit(WarningCode::PartOfAddress, part).len(), 1, "{part}");
        let condition = format!("what.args.a = {part}");
        assert_eq!(of_forbid(WarningCode::PartOfAddress, &condition).len(), 1, "{part}");
    }
    for whole in [
        "{ prefix = \"INV-\" }",
        "{ prefix = \"https://\" }",
        "{ prefix = \"10\" }",
        "{ suffix = \".pdf\" }",
        "{ suffix = \".tar.gz\" }",
        "{ contains = \"invoice\" }",
        "{ regex = 'https://acme\\.test/.*' }",
        "{ prefix = \"https://acme.test/\", regex = '[a-z:/.]+' }",
        "{ cidr = \"10.0.0.0/8\", prefix = \"10.\" }",
    ] {
        assert_eq!(of_permit(WarningCode::PartOfAddress, whole), [""; 0], "{whole}");
    }
    // By the argument's name, whatever the text.
    for (name, count) in [("link", 1), ("callback_url", 1), ("hostname", 1), ("title", 0)] {
        let rule = permit("p", &format!("what.args.{name} = {{ prefix = \"acme\" }}"));
        assert_eq!(of_kind(WarningCode::PartOfAddress, "", &rule).len(), count, "{name}");
    }
    if cfg!(feature = "url") {
        let whole = "what.args.a = { prefix = \"https://acme.test/\" }";
        let cut = "what.args.a = { prefix = \"https://acme.test\" }";
        // Of a typed argument, which comes in one spelling, a permit has the host with the slash.
        assert_eq!(of_kind(WarningCode::PartOfAddress, url, &permit("p", whole)), [""; 0]);
        assert_eq!(of_kind(WarningCode::PartOfAddress, url, &permit("p", cut)).len(), 1);
        let forbid = guard("forbid", "f", whole);
        assert_eq!(of_kind(WarningCode::PartOfAddress, url, &forbid).len(), 1);
        let suffix = permit("p", "what.args.a = { suffix = \"acme\" }");
        assert_eq!(of_kind(WarningCode::PartOfAddress, url, &suffix).len(), 1);
    }
}

/// attacks 1, 197: a page may tell authors to type an argument, and lint tells the author who did not.
#[test]
fn a_pattern_of_paths_on_an_argument_without_a_type_is_named() {
    for pattern in [
        "{ glob = \"/data/**\" }",
        "{ glob = \"src/**\" }",
        "{ glob = \"**/*.key\" }",
        "{ prefix = \"/data/\" }",
        "{ prefix = \"./src\" }",
        "{ contains = \"/.ssh/\" }",
        "{ each = { regex = '/data/.*' } }",
        "{ not = { prefix = \"/etc/\" } }",
    ] {
        let said = of_permit(WarningCode::UntypedPath, pattern);
        assert_eq!(said.len(), 1, "{pattern}");
        assert!(said[0].contains("give it the type `path` in the catalogue"), "{said:?}");
        let typed = "tool = [{ name = \"t\", args = { a = \"path\" } }]";
        if !pattern.contains("./src") {
            let rule = permit("p", &format!("what.args.a = {pattern}"));
            assert_eq!(of_kind(WarningCode::UntypedPath, typed, &rule), [""; 0], "{pattern}");
        }
    }
    let exact = "what.args.a = \"/etc/passwd\"";
    assert_eq!(
        of_forbid(WarningCode::UntypedPath, exact).len(),
        1,
        "a forbid misses `//etc/passwd`"
    );
    assert_eq!(of_permit(WarningCode::UntypedPath, "\"/etc/passwd\""), [""; 0]);
    for other in [
        "{ glob = \"image/*\" }",
        "{ prefix = \"INV\" }",
        "{ under = \"/data\" }",
        "{ glob = \"https://a/**\" }",
    ] {
        assert_eq!(of_permit(WarningCode::UntypedPath, other), [""; 0], "{other}");
    }
    // Of several tools, each has to give it the type.
    let tools = "tool = [{ name = \"t\", args = { a = \"path\" } }, { name = \"u\" }]";
    let both = guard(
        "forbid",
        "f",
        "what = { tool = { one_of = [\"t\", \"u\"] }, args.a = { glob = \"/x/**\" } }",
    );
    assert_eq!(of_kind(WarningCode::UntypedPath, tools, &both).len(), 1);
    let any = guard("forbid", "f", "what.args.a = { glob = \"/x/**\" }");
    assert_eq!(of_kind(WarningCode::UntypedPath, tools, &any), [""; 0]);
}

/// attack 197
#[test]
fn a_glob_of_all_in_a_folder_is_told_of_the_folder_itself() {
    let keys = of_forbid(WarningCode::FolderLeftOut, "what.args.a = { glob = \"/data/keys/**\" }");
    assert_eq!(
        keys,
        [
            "`/data/keys/**` does not match `/data/keys` itself: `under = \"/data/keys\"` is the folder and what lies in it"
        ]
    );
    for named in [
        "{ glob = \"src/**\" }",
        "{ not = { glob = \"/a/**\" } }",
        "{ each = { glob = \"/a/**\" } }",
    ] {
        assert_eq!(of_permit(WarningCode::FolderLeftOut, named).len(), 1, "{named}");
    }
    for whole in [
        "{ any = [{ glob = \"/a/**\" }, { eq = \"/a\" }] }",
        "{ any = [{ glob = \"/a/**\" }, { under = \"/a\" }] }",
        "{ glob = \"/**\" }",
        "{ glob = \"/a/**/*.txt\" }",
        "{ glob = \"/*/**\" }",
    ] {
        assert_eq!(of_permit(WarningCode::FolderLeftOut, whole), [""; 0], "{whole}");
    }
}

/// attack 197
#[test]
fn a_bare_list_on_what_may_be_a_list_is_named() {
    let said = of_forbid(WarningCode::BareList, "what.args.tags = [\"a\", \"b\"]");
    assert_eq!(
        said,
        [
            "`args.tags` is compared with exactly this list, in this order: for one of these values write `one_of`, for a list with any of them `has_any`, and for this list `eq`"
        ]
    );
    for bare in [
        "what.args.tags = { not = [\"a\"] }",
        "what.args.tags = { any = [{ count = 3 }, { all = [[\"a\"]] }] }",
        "what.args.o = { fields = { tags = [\"a\"] } }",
        "what.resource.attrs.tags = [\"a\"]",
        "who.attrs.teams = [\"a\"]",
        "when.regions = [\"eu\"]",
    ] {
        assert_eq!(of_forbid(WarningCode::BareList, bare).len(), 1, "{bare}");
    }
    for meant in [
        "what.args.tags = { eq = [\"a\", \"b\"] }",
        "what.args.tags = { one_of = [\"a\", \"b\"] }",
        "what.args.tags = { has_any = [\"a\"] }",
    ] {
        assert_eq!(of_forbid(WarningCode::BareList, meant), [""; 0], "{meant}");
    }
}

/// attacks 11, 197
#[test]
fn a_name_that_looks_like_another_is_named() {
    let rules = |name: &str| {
        permit("p", "what.args = { amount = \"any\", IBAN = \"any\" }")
            + &guard(
                "forbid",
                "f",
                &format!("what = {{ tool = \"t\", args = {{ \"{name}\" = 1 }} }}"),
            )
    };
    let said = |name: &str| of_kind(WarningCode::LooksAlike, "", &rules(name));
    assert_eq!(
        said("\u{430}mount"),
        [r"the name `\u{430}mount` looks like `amount`, which the policy knows, and is another"]
    );
    for alike in ["am\u{3bf}unt", "\u{ff41}mount", "IB\u{410}N", "\u{406}\u{412}\u{410}N"] {
        assert_eq!(said(alike).len(), 1, "{alike}");
    }
    // Two scripts in one name, of which no rule knows the plain one.
    assert!(
        said("p\u{430}yee")[0].contains("mixes letters of scripts"),
        "{:?}",
        said("p\u{430}yee")
    );
    for own in ["betrag", "größe", "сумма", "金額", "amount2"] {
        assert_eq!(said(own), [""; 0], "{own}");
    }
    for (known, alike) in [
        (
            "who.groups = { has_any = [\"admins\"] }",
            "who.groups = { has_any = [\"\u{430}dmins\"] }",
        ),
        ("when.env = \"prod\"", "when.\"\u{435}nv\" = \"prod\""),
        ("who.attrs.team = \"a\"", "who.attrs.\"te\u{430}m\" = \"a\""),
        (
            "what.args.o = { fields = { id = 1 } }",
            "what.args.o = { fields = { \"\u{456}d\" = 1 } }",
        ),
    ] {
        let rules = permit("p", known) + &guard("forbid", "f", alike);
        let said = of_kind(WarningCode::LooksAlike, "", &rules);
        assert!(said.len() == 1 && said[0].contains("looks like"), "{alike}: {said:?}");
    }
    let typed = "tool = [{ name = \"t\", args = { file = \"path\" } }]";
    let rule = guard("forbid", "f", "what = { tool = \"t\", args = { \"f\u{456}le\" = 1 } }");
    assert_eq!(of_kind(WarningCode::LooksAlike, typed, &rule).len(), 1);
}
