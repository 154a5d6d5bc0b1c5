//! What a stranger writes at first, the error, and the same as its remedy says it.

use hallpass::clock::Timestamp;
use hallpass::policy::Policy;

fn rule(body: &str) -> String {
    format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n{body}\n")
}

/// What is written, words of the remedy, and what is written then.
const CASES: &[(&str, &str, &str)] = &[
    (
        "what = { tool = \"vm.start\", args = { tags = { subset_of = \"when.tags\" } } }",
        "`{ ref = \"when.tags\" }`",
        "what = { tool = \"vm.start\", args = { tags = { subset_of = { ref = \"when.tags\" } } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { cpus = { min = 1 } } }\ngrant = { budget = { cpus = 10 } }",
        "`{ \"args.cpus\" = 500 }`",
        "what = { tool = \"vm.start\", args = { cpus = { min = 1 } } }\ngrant = { budget = { \"args.cpus\" = 10 } }",
    ),
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
        "`unless = { … }`",
        "what.tool = \"vm.start\"\nunless = { when = { env = \"prod\" } }",
    ),
    (
        "what = { tool = \"bank.pay\", args = \"any\" }\ngrant = { budget = { \"args.amount\" = \"500\" } }",
        "`500/1d`, or a number like `500`",
        "what = { tool = \"bank.pay\", args = \"any\" }\ngrant = { budget = { \"args.amount\" = \"500/1d\" } }",
    ),
    (
        "what.tool = \"vm.start\"\ngrant = { rate = 10 }",
        "`\"10/1m\"`",
        "what.tool = \"vm.start\"\ngrant = { rate = \"10/1m\" }",
    ),
    (
        "what.tool = \"vm.start\"\ngrant = { uses = 3, depth = \"1\" }",
        "write it without quotes",
        "what.tool = \"vm.start\"\ngrant = { uses = 3, depth = 1 }",
    ),
    (
        "what = { tool = \"vm.start\", args = [\"name\", \"size\"] }",
        "`{ to = \"any\", amount = { max = 500 } }`",
        "what = { tool = \"vm.start\", args = { name = \"any\", size = { max = 500 } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { cpus = { max = \"8\" } } }",
        "write 8 without quotes",
        "what = { tool = \"vm.start\", args = { cpus = { max = 8 } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { cpus = { max = \"who.attrs.limit\" } } }",
        "`{ ref = \"who.attrs.limit\" }`",
        "what = { tool = \"vm.start\", args = { cpus = { max = { ref = \"who.attrs.limit\" } } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { cpus = { max = { ref = \"who.limit\" } } } }",
        "did you mean `who.attrs.limit`?",
        "what = { tool = \"vm.start\", args = { cpus = { max = { ref = \"who.attrs.limit\" } } } }",
    ),
    (
        "what = { tool = \"file.read\", args = { path = { under = [\"/a\", \"/b\"] } } }",
        "`any = [{ … }, { … }]`",
        "what = { tool = \"file.read\", args = { path = { any = [{ under = \"/a\" }, { under = \"/b\" }] } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { name = { one_of = \"a\" } } }",
        "write `[ … ]`",
        "what = { tool = \"vm.start\", args = { name = { one_of = [\"a\"] } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { name = { any = { eq = \"a\" } } } }",
        "write `[{ … }]`",
        "what = { tool = \"vm.start\", args = { name = { any = [{ eq = \"a\" }] } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { name = { regex = \"\\d+\" } } }",
        "in single quotes",
        "what = { tool = \"vm.start\", args = { name = { regex = '\\d+' } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { cpus = { type = \"int\" } } }",
        "the word here is `integer`",
        "what = { tool = \"vm.start\", args = { cpus = { type = \"integer\" } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { cpus = { optional = true, max = 8 } } }",
        "`any = [{ present = false }, { … }]`",
        "what = { tool = \"vm.start\", args = { cpus = { any = [{ present = false }, { max = 8 }] } } }",
    ),
    (
        "what = { tool = \"vm.start\", args = { zone = null } }",
        "`{ present = false }`",
        "what = { tool = \"vm.start\", args = { zone = { present = false } } }",
    ),
    (
        "what = { tool = \"vm.start\", cpus = { max = 8 } }",
        "`args = { cpus = … }`",
        "what = { tool = \"vm.start\", args = { cpus = { max = 8 } } }",
    ),
    ("what = { action = \"vm.start\" }", "write `tool`", "what = { tool = \"vm.start\" }"),
    (
        "what = { tool = \"vm.start\", when = { env = \"dev\" } }",
        "next to `what`",
        "what = { tool = \"vm.start\" }\nwhen = { env = \"dev\" }",
    ),
    (
        "what = { tool = \"vm.start\", resource = \"vm\" }",
        "`{ type = \"…\", id = \"any\" }`",
        "what = { tool = \"vm.start\", resource = { type = \"vm\", id = \"any\" } }",
    ),
    (
        "what = { tool = \"vm.start\", resource = { type = \"vm\", id = \"any\", owner = \"a\" } }",
        "`attrs = { owner = … }`",
        "what = { tool = \"vm.start\", resource = { type = \"vm\", id = \"any\", attrs = { owner = \"a\" } } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = \"09:00\"",
        "`weekly = { … }`",
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], from = \"09:00\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon-fri\"] } }",
        "`[\"mon\", \"tue\", \"wed\"]`",
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\", \"tue\", \"wed\"] } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], hours = \"9-17\" } }",
        "`from = \"09:00\", until = \"17:00\"`",
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], from = \"09:00\", until = \"17:00\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], from = 9 } }",
        "`\"09:00\"`",
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], from = \"09:00\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], timezone = \"+02:00\" } }",
        "`offset = \"+02:00\"`",
        "what.tool = \"vm.start\"\nwhen.now = { weekly = { days = [\"mon\"], offset = \"+02:00\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nwhen = { any = [{ env = \"dev\" }, { env = \"test\" }] }",
        "`{ any = [ … ] }` of that",
        "what.tool = \"vm.start\"\nwhen = { env = { any = [\"dev\", \"test\"] } }",
    ),
    (
        "what.tool = \"vm.start\"\nunless = { env = \"prod\" }",
        "`when = { env = … }`",
        "what.tool = \"vm.start\"\nunless = { when = { env = \"prod\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nunless = \"prod\"",
        "`{ when = { … } }`",
        "what.tool = \"vm.start\"\nunless = { when = { env = \"prod\" } }",
    ),
    (
        "what.tool = \"vm.start\"\nvalid = { to = 2027-01-01T00:00:00Z }",
        "write `until`",
        "what.tool = \"vm.start\"\nvalid = { until = 2027-01-01T00:00:00Z }",
    ),
    (
        "what.tool = \"vm.start\"\nenabled = false",
        "`valid = { until = … }`",
        "what.tool = \"vm.start\"\nvalid = { until = 2026-01-01T00:00:00Z }",
    ),
];

/// The same of whole policies.
const WHOLE: &[(&str, &str, &str)] = &[
    (
        "version = 1\n[[permit]]\nid = \"r\"\nwhat.tool = \"t\"",
        "`[[rule]]` with `id` and `effect`",
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat.tool = \"t\"",
    ),
    (
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n[what]\ntool = \"t\"",
        "`[rule.NAME]`",
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n[rule.what]\ntool = \"t\"",
    ),
    (
        "version = 1\n[roles]\nadmin = [\"ana\"]",
        "`who = { groups = … }`",
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwho = { groups = { has_any = [\"admin\"] } }\nwhat.tool = \"t\"",
    ),
    (
        "version = 1\n[[rule]]\nname = \"r\"\neffect = \"permit\"\nwhat.tool = \"t\"",
        "write `id`",
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat.tool = \"t\"",
    ),
    ("version: 1", "`key = value`", "version = 1"),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nlabels = \"egress\"",
        "write `[ … ]`",
        "version = 1\n[[tool]]\nname = \"t\"\nlabels = [\"egress\"]",
    ),
    ("version = 1\n[[tool]]\nid = \"t\"", "write `name`", "version = 1\n[[tool]]\nname = \"t\""),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nparameters = { to = \"text\" }",
        "`args = { NAME = \"text\" }`",
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { to = \"text\" }",
    ),
    (
        "version = 1\n[identity]\nfold = true",
        "\"ascii\"",
        "version = 1\n[identity]\nfold = \"ascii\"",
    ),
    (
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval = { review = \"owners\" }",
        "`{ groups = { has_any = [\"owners\"] } }`",
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval = { review = { groups = { has_any = [\"owners\"] } } }",
    ),
];

#[test]
fn the_error_names_what_to_write_and_that_loads() {
    let rules = CASES.iter().map(|(wrong, remedy, right)| (rule(wrong), *remedy, rule(right)));
    let whole = WHOLE
        .iter()
        .map(|(wrong, remedy, right)| ((*wrong).to_owned(), *remedy, (*right).to_owned()));
    for (wrong, remedy, right) in rules.chain(whole) {
        let error = match Policy::from_toml(&wrong) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it loads: {wrong}"),
        };
        assert!(error.contains(remedy), "{error}\n{wrong}");
        assert!(error.starts_with("line "), "{error}");
        if let Err(error) = Policy::from_toml(&right) {
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

/// As in other languages, and taken as it is written here.
#[test]
fn a_bound_that_is_written_as_text_is_named_by_lint() {
    for (text, word) in [("<= 100", "max"), (">5", "above"), ("!= 3", "not"), ("≥ 0.5", "min")] {
        let text = rule(&format!("what = {{ tool = \"t\", args = {{ amount = \"{text}\" }} }}"));
        let warnings = Policy::from_toml(&text).unwrap().lint(Timestamp::MIN);
        assert!(
            warnings.iter().any(|own| own.to_string().contains(&format!("`{word}`"))),
            "{warnings:?}"
        );
    }
    let arrow = rule("what = { tool = \"t\", args = { amount = \"> later\" } }");
    assert!(Policy::from_toml(&arrow).unwrap().lint(Timestamp::MIN).is_empty());
}
