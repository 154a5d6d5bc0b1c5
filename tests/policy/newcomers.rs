//! What people write who know other systems: the error or the warning, and the same as it says.

use hallpass::policy::{ApprovalTerms, Per, Policy, Reviewers, Rule};
use hallpass::scope::{contains, count, has_any, same_as};

/// A permit of `t`, with these constraints of an argument `a`.
const OF_ARGUMENT: &[(&str, &str, &str)] = &[
    ("{ StringLike = \"x*\" }", "is `glob`", "{ glob = \"x*\" }"),
    (
        "{ not_cidr = [\"10.0.0.0/8\"] }",
        "`not = { cidr = … }`",
        "{ not = { cidr = [\"10.0.0.0/8\"] } }",
    ),
    ("{ IpAddress = \"10.0.0.0/8\" }", "is `cidr`", "{ cidr = \"10.0.0.0/8\" }"),
    ("{ missing = true }", "`present = false`", "{ present = false }"),
    ("{ range = [1, 5] }", "`min` and `max`", "{ min = 1, max = 5 }"),
    ("{ has_none = [\"x\"] }", "`not = { has_any = [ … ] }`", "{ not = { has_any = [\"x\"] } }"),
    ("{ not_one_of = [\"x\"] }", "`not = { one_of = … }`", "{ not = { one_of = [\"x\"] } }"),
    (
        "{ eq = \"a\", ignore_case = true }",
        "`one_of = [\"a\", \"A\"]`",
        "{ one_of = [\"a\", \"A\"] }",
    ),
    ("{ matches = \"^x.*$\" }", "`regex` for a regular expression", "{ regex = 'x.*' }"),
    ("{ owner = \"x\" }", "`fields = { NAME = … }`", "{ fields = { owner = \"x\" } }"),
    (
        "{ cron = \"0 9 * * *\" }",
        "`weekly = {",
        "{ weekly = { days = [\"mon\"], from = \"09:00\" } }",
    ),
    (
        "{ one_of = [{ glob = \"x*\" }] }",
        "`any = [{ glob = … }, { … }]`",
        "{ any = [{ glob = \"x*\" }] }",
    ),
    ("{ contains = [\"-f\"] }", "`has_any = [ … ]`", "{ has_any = [\"-f\"] }"),
    (
        "{ glob = { ref = \"who.id\" } }",
        "`prefix = { ref = … }`",
        "{ prefix = { ref = \"who.id\" } }",
    ),
    ("{ same_as = { ref = \"who.id\" } }", "`same_as = \"who.id\"`", "{ same_as = \"who.id\" }"),
    ("{ same_as = \"$who.attrs.team\" }", "`who.attrs.team`?", "{ same_as = \"who.attrs.team\" }"),
    ("{ same_as = \"context.env\" }", "`when.env`?", "{ same_as = \"when.env\" }"),
    ("{ same_as = \"what.args.b\" }", "`args.b`?", "{ same_as = \"args.b\" }"),
    ("{ same_as = \"who.attr.x\" }", "`who.attrs.x`?", "{ same_as = \"who.attrs.x\" }"),
    (
        "{ same_as = \"principal.email\" }",
        "`who.attrs.email`?",
        "{ same_as = \"who.attrs.email\" }",
    ),
    ("{ same_as = \"who.attrs\" }", "`who.attrs.NAME`?", "{ same_as = \"who.attrs.NAME\" }"),
    (
        "{ max = { ref = \"who.attrs.limit * 2\" } }",
        "names no part",
        "{ max = { ref = \"who.attrs.twice\" } }",
    ),
    (
        "{ max = \"${who.attrs.limit}\" }",
        "`{ ref = \"who.attrs.limit\" }`",
        "{ max = { ref = \"who.attrs.limit\" } }",
    ),
    ("{ max = \"5GiB\" }", "a number has no unit", "{ max = 5368709120 }"),
    (
        "{ min = \"2026-01-01T00:00:00Z\" }",
        "`after` and `before`",
        "{ after = \"2026-01-01T00:00:00Z\" }",
    ),
    ("{ len = \"<=80\" }", "`{ max = 80 }`", "{ len = { max = 80 } }"),
    ("{ len = { lte = 80 } }", "write `max`", "{ len = { max = 80 } }"),
    (
        "{ under = { concat = [\"/home\"] } }",
        "`under = { join = [ … ] }`",
        "{ under = { join = [\"/home\", { ref = \"who.attrs.user\" }] } }",
    ),
    (
        "{ cidr = { ref = \"who.attrs.net\" } }",
        "networks stand in the policy",
        "{ cidr = \"10.0.0.0/8\" }",
    ),
    (
        "{ under = { join = [\"/home\", \"who.attrs.user\"] } }",
        "`{ ref = … }`",
        "{ under = { join = [\"/home\", { ref = \"who.attrs.user\" }] } }",
    ),
    ("{ regex = '\\bprod\\b' }", "of the whole text", "{ regex = '.*prod.*' }"),
    ("{ regex = '[[:alpha:]]+' }", "`[a-z]`", "{ regex = '[a-zA-Z]+' }"),
    (
        "{ weekly = { from = \"09:00\" } }",
        "`days` is missing",
        "{ weekly = { days = [\"mon\"], from = \"09:00\" } }",
    ),
    ("{ weekly = { days = [1] } }", "`\"mon\"`", "{ weekly = { days = [\"mon\"] } }"),
];

/// What stands in a permit next to `what.tool = "t"`.
const OF_RULE: &[(&str, &str, &str)] = &[
    ("who = \"any\"", "nothing where it is anyone", ""),
    (
        "who = [{ id = \"a\" }, { id = \"b\" }]",
        "`{ id = { one_of = [ … ] } }`",
        "who = { id = { one_of = [\"a\", \"b\"] } }",
    ),
    (
        "grant = { uses = 5, per = \"team\" }",
        "none is kept for a group",
        "grant = { uses = 5, per = \"identity\" }",
    ),
    ("what.other_args = { contains = \"k\" }", "named in `args`", "what.other_args = \"any\""),
    (
        "who = { groups = { not = \"sre\" } }",
        "in its place write `{ has_any = [\"sre\"] }`",
        "who = { groups = { not = { has_any = [\"sre\"] } } }",
    ),
    (
        "who = { groups = { contains = \"sre\" } }",
        "`{ has_any = [\"sre\"] }`",
        "who = { groups = { has_any = [\"sre\"] } }",
    ),
    ("who = { not = { id = \"x\" } }", "`not` inside", "who = { id = { not = \"x\" } }"),
    ("who = { human = true }", "`kind = \"human\"`", "who = { kind = \"human\" }"),
    (
        "who = { \"attrs.team\" = \"x\" }",
        "`attrs = { team = … }`",
        "who = { attrs = { team = \"x\" } }",
    ),
    ("why = { ticket = true }", "`{ present = true }`", "why = { ticket = { present = true } }"),
    ("why = { reason = \"x\" }", "write `purpose`", "why = { purpose = \"x\" }"),
    (
        "when = { context = { env = \"prod\" } }",
        "`when = { env = \"prod\" }`",
        "when = { env = \"prod\" }",
    ),
    ("when = { \"context.env\" = \"prod\" }", "`env = …`", "when = { env = \"prod\" }"),
    ("labels = [\"write\"]", "`what = { labels = { has_any = [ … ] } }`", ""),
    ("verbs = [\"get\"]", "`what = { tool = … }`", ""),
    ("not_who = { id = \"x\" }", "`unless = { who = { … } }`", "unless = { who = { id = \"x\" } }"),
    (
        "except = { what = { args = { a = 1 } } }",
        "with `who`, `what`",
        "what.args.a = \"any\"\nunless = { what = { args = { a = 1 } } }",
    ),
    (
        "unless = { any = [{ when = { x = 1 } }] }",
        "`unless = [{ … }, { … }]`",
        "unless = [{ when = { x = 1 } }]",
    ),
    ("unless = { approved = true }", "`effect = \"ask\"`", ""),
    (
        "expires = \"2030-01-01T00:00:00Z\"",
        "`valid = { until = … }`",
        "valid = { until = \"2030-01-01T00:00:00Z\" }",
    ),
    (
        "valid = { for = \"30d\" }",
        "`until`, an instant",
        "valid = { until = \"2030-01-01T00:00:00Z\" }",
    ),
    ("grant = { uses = -1 }", "from 1 on", "grant = { uses = 1 }"),
    (
        "grant = { uses = { ref = \"who.attrs.n\" } }",
        "a number of the policy",
        "grant = { uses = 5 }",
    ),
    ("grant = { depth = \"none\" }", "`depth = 0`", "grant = { depth = 0 }"),
    (
        "grant = { delegate = true }",
        "`depth`, next to `on",
        "grant = { depth = 1 }\non = [\"request\", \"call\", \"delegate\"]",
    ),
    (
        "what.args.n = { min = 0 }\ngrant = { budget = { \"what.args.n\" = 5 } }",
        "write `\"args.n\"`",
        "what.args.n = { min = 0 }\ngrant = { budget = { \"args.n\" = 5 } }",
    ),
    (
        "what.args.n = { min = 0 }\ngrant = { budget = { arg = \"n\", max = 5 } }",
        "`{ \"args.cost\" = \"500/1d\" }`",
        "what.args.n = { min = 0 }\ngrant = { budget = { \"args.n\" = \"5/1d\" } }",
    ),
    ("what.credential = \"k\"", "`credential` of its `[[tool]]`", ""),
    ("what.args = true", "\"any\"", "what.args = \"any\""),
    (
        "what.args = { \"*\" = { contains = \"k\" } }",
        "`other_args = \"any\"`",
        "what.other_args = \"any\"",
    ),
    ("version = 1", "at the top of the file", ""),
];

const WHOLE: &[(&str, &str, &str)] = &[
    // Another tool has it, which the rule does not speak of.
    (
        "version = 1\n[[tool]]\nname = \"t\"\nlabels = [\"write\"]\nargs = { to = \"text\" }\n[[tool]]\nname = \"u\"\nargs = { env = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"forbid\"\nwhat = { labels = { has_any = [\"write\"] }, args = { env = \"prod\" } }",
        "`t` has no argument `env`",
        "version = 1",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { to = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"forbid\"\nwhat = { args = { env = \"prod\" } }",
        "`t` has no argument `env`",
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { to = \"text\" }\n[[tool]]\nname = \"u\"\n[[rule]]\nid = \"p\"\neffect = \"forbid\"\nwhat = { args = { env = \"prod\" } }",
    ),
    (
        "version = 1\n[rules.p]\neffect = \"permit\"",
        "`[[rule]]`",
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat.tool = \"t\"",
    ),
    (
        "[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat.tool = \"t\"\nversion = 1",
        "at the top",
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat.tool = \"t\"",
    ),
    ("version = 1\n[vars]\nx = 1", "one text", "version = 1"),
    ("version = 1\ndefault = \"deny\"", "is denied", "version = 1"),
    ("version = 1\n// a comment", "begins with `#`", "version = 1\n# a comment"),
    (
        "version = 1\n[[rule]]\nid = \"p\"\naction = \"permit\"\nwhat.tool = \"t\"",
        "write `effect`",
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat.tool = \"t\"",
    ),
    (
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"break_glass\"\nwhat.tool = \"t\"",
        "`on = [\"break_glass\"]`",
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\non = [\"break_glass\"]\nwhat.tool = \"t\"\nbreak_glass.review = { groups = { has_any = [\"g\"] } }\ngrant = { ttl = \"15m\", uses = 5 }",
    ),
    (
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"warn\"\nwhat.tool = \"t\"",
        "is on record",
        "version = 1",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = { a = [\"x\", \"y\"] } }",
        "`one_of = [ … ]`",
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = { a = { one_of = [\"x\", \"y\"] } } }",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = { b = 1 } }",
        "expected one of `a`",
        "version = 1",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nlabels = [\"write\"]\nargs = { env = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"forbid\"\nwhat = { labels = { has_any = [\"write\"] }, args = { enviroment = \"prod\" } }",
        "has no argument `enviroment`",
        "version = 1\n[[tool]]\nname = \"t\"\nlabels = [\"write\"]\nargs = { env = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"forbid\"\nwhat = { labels = { has_any = [\"write\"] }, args = { env = \"prod\" } }",
    ),
    (
        "version = 1\n[[tool]]\nname = \"k.t\"\nargs = { env = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = { prefix = \"k.\" }, args = { evn = \"prod\" } }",
        "did you mean `env`?",
        "version = 1",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = \"any\" }\ngrant = { budget = { \"args.a\" = 5 } }",
        "takes `args.a` as a `text`",
        "version = 1",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = { a = { max = { ref = \"who.attrs.l\" } } } }",
        "`order = \"NAME\"`",
        "version = 1\norder = { level = [\"a\", \"b\"] }\n[[tool]]\nname = \"t\"\nargs = { a = \"text\" }\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = { a = { max = { ref = \"who.attrs.l\" }, order = \"level\" } } }",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"ip\" }",
        "`cidr = [ … ]`",
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"text\" }",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = { type = \"text\", secret = true } }",
        "`credential`",
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = { type = \"text\" } }",
    ),
    (
        "version = 1\n[[tool]]\nname = \"t\"\ncredential = { env = \"X\" }",
        "is the host's",
        "version = 1\n[[tool]]\nname = \"t\"\ncredential = \"x\"",
    ),
    (
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval.review = [{ groups = { has_any = [\"g\"], count = 2 } }]",
        "`{ groups = { has_any = [ … ] }, count = 2 }`",
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval.review = [{ groups = { has_any = [\"g\"] }, count = 2 }]",
    ),
    (
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval.review = [{ id = { same_as = \"who.attrs.manager\" } }]",
        "`asker.attrs.manager`",
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval.review = [{ id = { same_as = \"asker.attrs.manager\" } }]",
    ),
    (
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval.review = [{ groups = { has_any = [\"g\"] }, min = 2 }]",
        "is `count`",
        "version = 1\n[[rule]]\nid = \"p\"\neffect = \"ask\"\nwhat.tool = \"t\"\napproval.review = [{ groups = { has_any = [\"g\"] }, count = 2 }]",
    ),
    (
        "version = 1\n[[test]]\nwho = \"a\"\ntool = \"t\"\nexpect = \"allow\"",
        "\"permit\"",
        "version = 1\n[[test]]\nwho = \"a\"\ntool = \"t\"\nexpect = \"permit\"",
    ),
    (
        "version = 1\n[[test]]\nwho = \"a\"\ntool = \"t\"\nexpect = \"deny\"\nwhen = { x = 1 }",
        "`context = { NAME = … }`",
        "version = 1\n[[test]]\nwho = \"a\"\ntool = \"t\"\nexpect = \"deny\"\ncontext = { x = 1 }",
    ),
];

pub(crate) fn permit(body: &str) -> String {
    format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat.tool = \"t\"\n{body}\n")
}

#[test]
fn each_error_names_the_remedy_and_that_loads() {
    let of_argument = |own: &str| permit(&format!("what.args.a = {own}"));
    let all = OF_ARGUMENT.iter().map(|(a, b, c)| (of_argument(a), *b, of_argument(c)));
    let all = all.chain(OF_RULE.iter().map(|(a, b, c)| (permit(a), *b, permit(c))));
    let whole = WHOLE.iter().map(|(a, b, c)| ((*a).to_owned(), *b, (*c).to_owned()));
    let mut wrong = Vec::new();
    for (written, remedy, right) in all.chain(whole) {
        match Policy::from_toml(&written) {
            Ok(_) => wrong.push(format!("it loads: {written}")),
            Err(error) if error.to_string().contains(remedy) => {}
            Err(error) => wrong.push(format!("{error}\n   expected {remedy} of {written}")),
        }
        if let Err(error) = Policy::from_toml(&right) {
            wrong.push(format!("{error}\n   of the remedy {right}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A host's parts, and what is no host.
#[cfg(feature = "url")]
#[test]
fn what_is_no_host_is_told_its_parts() {
    for (host, remedy) in [
        ("\"https://a.test/x\"", "`scheme = \"https\", host = \"a.test\"`"),
        ("\"a.test:8443\"", "`host = \"a.test\", port = 8443`"),
        ("\".a.test\"", "`{ subdomain_of = \"a.test\" }`"),
        ("\"*.a.test\"", "`{ subdomain_of = \"a.test\" }`"),
        ("{ suffix = \".a.test\" }", "`subdomain_of = \"acme.test\"`"),
    ] {
        let text = permit(&format!("what.args.a = {{ url = {{ host = {host} }} }}"));
        let error = Policy::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(remedy), "{error}");
    }
    let query = permit("what.args.a = { url = { host = \"a.test\", query = \"x\" } }");
    let error = Policy::from_toml(&query).unwrap_err().to_string();
    assert!(error.contains("any query"), "{error}");
}

/// What text can't say, the builder does not take either; and what is meant loads.
#[test]
fn the_builder_refuses_what_text_does() {
    let ask = |review: Reviewers| {
        let terms = ApprovalTerms::per(Per::Call).review(review);
        Policy::builder().rule(Rule::ask("r").tool("t").approval(terms)).build()
    };
    let counted = Reviewers::in_groups(has_any(["g"]).and(count(2)));
    assert!(ask(counted).unwrap_err().to_string().contains("`count` here is of the groups"));
    let themselves = Reviewers::with_id(same_as("who.attrs.manager"));
    assert!(ask(themselves).unwrap_err().to_string().contains("`asker.attrs.manager`"));
    let own = Reviewers::in_groups(has_any(["g"])).attr("site", same_as("who.attrs.home"));
    ask(own.count(2)).unwrap();
    let any = Rule::forbid("r").tool("t").arg("*", contains("k"));
    let error = Policy::builder().rule(any).build().unwrap_err().to_string();
    assert!(error.contains("is not the name of an argument"), "{error}");
}

/// Nothing is computed in a reference; a name may well have spaces in it.
#[test]
fn what_has_a_space_in_its_name_is_referred_to() {
    let of = |name: &str| {
        Policy::from_toml(&permit(&format!(
            "what.args.\"file name\" = \"any\"\nwhat.args.a = {{ same_as = \"{name}\" }}"
        )))
    };
    of("args.file name").unwrap();
    of("when.risk level").unwrap();
    of("who.attrs.limit * 2").unwrap_err();
}
