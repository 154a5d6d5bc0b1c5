//! What a stranger writes at first, the error, and the same as its remedy says it.

use hallpass::policy::Policy;

fn rule(body: &str) -> String {
    format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n{body}\n")
}

/// What is written, words of the remedy, and what is written then.
const CASES: &[(&str, &str, &str)] = &[
    (
        "what = { tool = \"vm.start\", args = { size = { max = { attr = \"limit\" } } } }",
        "`fields = { amount = { max = 5 } }`",
        "what = { tool = \"vm.start\", args = { size = { fields = { cpus = { max = 5 } } } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { cpus = { max = { attr = \"limit\" } } } }",
        "`{ ref = \"who.attrs.limit\" }`",
        "what = { tool = \"vm.start\", args = { cpus = { max = { ref = \"who.attrs.limit\" } } } }",
    ),
    (
        "what.tool = \"vm.start\"\nwho = { role = \"operator\" }",
        "`groups = { has_any = [ … ] }`",
        "what.tool = \"vm.start\"\nwho = { groups = { has_any = [\"operator\"] } }",
    ),
    (
        "what.tool = \"vm.start\"\nwho = { role = \"operator\" }",
        "`attrs = { role = … }`",
        "what.tool = \"vm.start\"\nwho = { attrs = { role = \"operator\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nrole = \"operator\"",
        "`who = { groups = { has_any = [ … ] } }`",
        "what.tool = \"vm.start\"\nwho = { groups = { has_any = [\"operator\"] } }",
    ),
    (
        "what.tool = \"vm.start\"\ngrant = { max_uses = 3 }",
        "write `uses`",
        "what.tool = \"vm.start\"\ngrant = { uses = 3 }",
    ),
    (
        "what.tool = \"vm.start\"\nmax_uses = 3",
        "`grant = { ttl = \"5m\", uses = 20 }`",
        "what.tool = \"vm.start\"\ngrant = { ttl = \"5m\", uses = 20 }",
    ),
    (
        "what = { tool = \"vm.start\", args = { name = { regex = '(?i)prod-[0-9]+' } } }",
        "`[Aa]`",
        "what = { tool = \"vm.start\", args = { name = { regex = '[Pp][Rr][Oo][Dd]-[0-9]+' } } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = { from = \"09:00\" }",
        "`weekly = { days = [ … ], from = … }`",
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], from = \"09:00\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = { from = 2026-01-01T00:00:00Z }",
        "`after` for an instant",
        "what.tool = \"vm.start\"\nwhen.now = { after = 2026-01-01T00:00:00Z }",
    ),
    (
        "what.tool = \"vm.start\"\non = \"call\"",
        "`[\"call\"]`",
        "what.tool = \"vm.start\"\non = [\"call\"]",
    ),
    (
        "what.tool = \"vm.start\"\nwhen = { weekly = { days = [\"mon\"], from = \"09:00\" } }",
        "`when = { now = { weekly = { … } } }`",
        "what.tool = \"vm.start\"\nwhen = { now = { weekly = { days = [\"mon\"], from = \"09:00\" } } }",
    ),
    (
        "what.tool = \"vm.start\"\nweekly = { days = [\"mon\"] }",
        "`when = { now = { weekly = { … } } }`",
        "what.tool = \"vm.start\"\nwhen = { now = { weekly = { days = [\"mon\"] } } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = { days = [\"mon\"] }",
        "`weekly = { days = [ … ], from = …, until = … }`",
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], from = \"08:00\", until = \"18:00\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nexcept = { when = { env = \"prod\" } }",
        "`unless = { when = { … } }`",
        "what.tool = \"vm.start\"\nunless = { when = { env = \"prod\" } }",
    ),
    (
        "what = { tool = \"bank.pay\", args = \"any\" }\ngrant = { budget = { \"args.amount\" = \"500\" } }",
        "`500/1d`, or a number like `500`",
        "what = { tool = \"bank.pay\", args = \"any\" }\ngrant = { budget = { \"args.amount\" = \"500/1d\" } }",
    ),
];

#[test]
fn the_error_names_what_to_write_and_that_loads() {
    for (wrong, remedy, right) in CASES {
        let error = match Policy::from_toml(&rule(wrong)) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it loads: {wrong}"),
        };
        assert!(error.contains(remedy), "{error}\n{wrong}");
        assert!(error.starts_with("line "), "{error}");
        if let Err(error) = Policy::from_toml(&rule(right)) {
            panic!("{error}\n{right}");
        }
    }
}

/// An attribute may well be called as a kind is.
#[test]
fn an_attribute_called_weekly_is_compared_like_any_other() {
    for own in ["true", "{ one_of = [1, 2] }"] {
        let text = rule(&format!("what.tool = \"t\"\nwhen = {{ weekly = {own} }}"));
        assert!(Policy::from_toml(&text).is_ok(), "{text}");
    }
}
