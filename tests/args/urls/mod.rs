//! Arguments that are URLs: the gate and the tool read them alike.

mod published;

use hallpass::policy::{ArgType, Moment};
use hallpass::prelude::*;
use hallpass::scope::{Constraint, UrlPattern, eq, glob, not, one_of, prefix, url};
use serde_json::json;

fn world(rules: impl IntoIterator<Item = Rule>) -> (Broker, Identity) {
    let web = Tool::new("web.get").arg("link", ArgType::Url);
    let policy = Policy::builder().tools([web, Tool::new("raw")]).rules(rules).build().unwrap();
    let broker = Broker::new(policy).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    (broker, agent)
}

fn anything() -> Rule {
    Rule::permit("web").any_tool().any_args()
}

fn everything() -> Scope {
    Scope::tool("web.get").any_args()
}

/// What the tool gets of a link, or why it gets nothing.
fn get(rules: impl IntoIterator<Item = Rule>, scope: Scope, link: &str) -> Result<String, Reason> {
    let (broker, agent) = world(rules);
    let context = Context::new();
    let task = broker.open(&agent, Purpose::new("read")).unwrap();
    let grant = task.request(scope, &context).map_err(|denial| denial.reason())?;
    let call = Call::new("web.get", json!({ "link": link })).unwrap();
    match broker.gate().authorize(grant.token(), &agent, call, &context) {
        Ok(permit) => Ok(permit.start().unwrap().args().text("link").unwrap().to_owned()),
        Err(denial) => Err(denial.reason()),
    }
}

/// What only the scope, only a permit and only a forbid say of a link.
fn decisions(constraint: &Constraint, link: &str) -> [Option<Reason>; 3] {
    let own = Rule::permit("p").tool("web.get").arg("link", constraint.clone());
    let asked = anything().on([Moment::Request]);
    let scope = Scope::tool("web.get").arg("link", constraint.clone());
    let forbid = Rule::forbid("f").tool("web.get").arg("link", constraint.clone());
    [
        get([anything()], scope, link),
        get([asked, own.on([Moment::Call])], everything(), link),
        get([anything(), forbid], everything(), link),
    ]
    .map(Result::err)
}

const COVERED: [Option<Reason>; 3] = [None, None, Some(Reason::Forbidden)];
const OUTSIDE: [Option<Reason>; 3] = [Some(Reason::OutOfScope), Some(Reason::NoPermit), None];
/// Outside of a permit, and still what a forbid acts on.
const UNSAID: [Option<Reason>; 3] =
    [Some(Reason::OutOfScope), Some(Reason::NoPermit), Some(Reason::Forbidden)];
const REFUSED: [Option<Reason>; 3] = [Some(Reason::MalformedCall); 3];

fn check(constraint: &Constraint, rows: &[(&str, [Option<Reason>; 3])]) {
    for (link, expected) in rows {
        assert_eq!(decisions(constraint, link), *expected, "{constraint} of {link:?}");
    }
}

/// Links to this machine, its network and its cloud, in many spellings.
const INNER: &[&str] = &[
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://127.0.0.1:80/",
    "http:127.0.0.1",
    r"http:\\127.0.0.1\x",
    "http://1\t27.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:127.0.0.1]/",
];

/// attack 32: no spelling of a private address is covered by any host, nor by a name that is another;
/// each is by the address itself, which is what the tool gets
#[test]
fn a_private_address_is_covered_in_no_spelling_unless_it_is_named() {
    let both = |own: UrlPattern| url(own.scheme("http").scheme("https"));
    let any = both(UrlPattern::any_host());
    let named = both(UrlPattern::host("127.0.0.1"));
    for link in INNER {
        check(&any, &[(link, UNSAID)]);
        check(&named, &[(link, COVERED)]);
        let got = get([anything()], everything(), link).unwrap();
        assert!(got.starts_with("http://127.0.0.1/"), "{got}");
    }
    for link in [
        "http://[::ffff:a9fe:a9fe]/",
        "http://169.254.169.254./latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://172.16.0.1/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "http://0/",
        "http://255.255.255.255/",
        "http://224.0.0.1/",
        "http://[::]/",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://x.localhost/",
        "http://metadata/",
        "http://metadata.google.internal/",
        "http://METADATA.google.internal./",
        "http://metadata.goog/",
        "http://printer.local/",
        "http://vault.corp.internal/",
        "http://router.LAN./",
        "http://nas.home.arpa/",
        "http://api.default.svc/",
        "http://api.default.svc.cluster.local:80/",
        "http://web.service.consul/",
        "http://host.docker.internal/",
        "http://metadata.tencentyun.com/",
        "http://[::ffff:0:10.0.0.1]/",
        "http://[64:ff9b:1::10.0.0.1]/",
        "http://[2001:0:808:808::f5ff:fffe]/",
    ] {
        check(&any, &[(link, UNSAID)]);
    }
    // Below a suffix of one's own lies what names it, but for what serves this machine alone.
    let own = both(UrlPattern::subdomain_of("corp.internal").or_subdomain_of("svc.cluster.local"));
    check(
        &own,
        &[
            ("http://vault.corp.internal/", COVERED),
            ("http://api.default.svc.cluster.local/", COVERED),
            ("http://api.default.svc/", OUTSIDE),
        ],
    );
    let below = both(UrlPattern::subdomain_of("google.internal").or_subdomain_of("goog"));
    check(
        &below,
        &[
            ("http://metadata.google.internal/", UNSAID),
            ("http://metadata.goog/", UNSAID),
            ("http://x.google.internal/", COVERED),
        ],
    );
    check(&both(UrlPattern::host("metadata.goog")), &[("http://metadata.goog/", COVERED)]);
    check(&both(UrlPattern::host("localhost")), &[("http://localhost:80/", COVERED)]);
    check(
        &any,
        &[
            ("http://8.8.8.8/", COVERED),
            ("http://134744072/", COVERED),
            ("http://[2606:4700::1111]/", COVERED),
            ("https://acme.test/", COVERED),
        ],
    );
}

/// attack 33: the host is what comes behind the user, and a user is refused
#[test]
fn what_looks_like_the_host_and_is_not_does_not_count() {
    let allowed = url(UrlPattern::host("allowed.com"));
    check(
        &allowed,
        &[
            ("https://allowed.com@evil.com/", REFUSED),
            (r"https://allowed.com\@evil.com/", COVERED),
            ("https://evil.com/@allowed.com/", OUTSIDE),
            ("https://evil.com?allowed.com", OUTSIDE),
            ("https://evil.com#allowed.com", OUTSIDE),
            (r"https://evil.com\@allowed.com/", OUTSIDE),
            ("https://user:pass@allowed.com/", REFUSED),
            ("https://@allowed.com/", COVERED),
            ("https://allowed.com%2eevil.com/", OUTSIDE),
            ("https://allowed.com%00.evil.com/", REFUSED),
            ("https://allowed.com /", REFUSED),
            ("https://allowed.com:443/", COVERED),
            ("https:/allowed.com", COVERED),
            (" https://allo\twed.com/\n", COVERED),
        ],
    );
    // With the backslash the host is allowed.com to the gate: so it is to the tool, which gets that.
    let got = get([anything()], everything(), r"https://allowed.com\@evil.com/");
    assert_eq!(got.as_deref(), Ok("https://allowed.com/@evil.com/"));
}

/// attack 34
#[test]
fn a_subdomain_is_below_the_name_and_another_spelling_is_canonical() {
    let below = url(UrlPattern::subdomain_of("example.com"));
    check(
        &below,
        &[
            ("https://a.example.com/", COVERED),
            ("https://a.b.example.com/", COVERED),
            ("https://example.com/", OUTSIDE),
            ("https://evilexample.com/", OUTSIDE),
            ("https://example.com.evil.com/", OUTSIDE),
            ("https://A.EXAMPLE.com./", COVERED),
            ("https://.example.com/", OUTSIDE),
        ],
    );
    let exact = url(UrlPattern::host("EXAMPLE.com."));
    check(
        &exact,
        &[
            ("https://EXAMPLE.com./", COVERED),
            ("https://example。com/", COVERED),
            ("https://e\u{ff58}ample.com/", COVERED),
            ("https://exam\u{ad}ple.com/", COVERED),
            ("https://ex\u{430}mple.com/", OUTSIDE),
            ("https://a.example.com/", OUTSIDE),
        ],
    );
    let got = get([anything()], everything(), "HTTPS://EXAMPLE.com.:443");
    assert_eq!(got.as_deref(), Ok("https://example.com/"));
    let umlaut = url(UrlPattern::host("bücher.test"));
    check(&umlaut, &[("https://xn--bcher-kva.test/", COVERED), ("https://BÜCHER.test/", COVERED)]);
}

/// attack 35: names that lead to private addresses are none that an allowlist names. Where any host is
/// permitted, only the side that connects can see where a name leads: the documentation says so.
#[test]
fn a_public_name_for_a_private_address_is_not_on_the_list() {
    let list = url(UrlPattern::host("acme.test").or_subdomain_of("acme.test").scheme("http"));
    for link in [
        "http://localtest.me/",
        "http://10.0.0.1.nip.io/",
        "http://metadata/",
        "http://acme.test.nip.io/",
    ] {
        check(&list, &[(link, OUTSIDE)]);
    }
    check(&list, &[("http://acme.test/", COVERED), ("http://www.acme.test/", COVERED)]);
}

/// attack 36
#[test]
fn scheme_host_and_port_are_what_is_said_and_nothing_else() {
    let acme = url(UrlPattern::host("acme.test"));
    check(
        &acme,
        &[
            ("https://acme.test/", COVERED),
            ("HTTPS://acme.test/", COVERED),
            ("https://acme.test:443/", COVERED),
            ("http://acme.test/", UNSAID),
            ("https://acme.test:8443/", UNSAID),
            ("https://acme.test:0/", UNSAID),
            ("https://acme.test:65536/", REFUSED),
            ("https://acme.test:x/", REFUSED),
            ("https://", REFUSED),
            ("https:", REFUSED),
            ("acme.test", REFUSED),
            ("//acme.test/", REFUSED),
            ("", REFUSED),
            // Its opener may read the host in its own way, or another URL behind the scheme.
            ("blob:https://acme.test/x", UNSAID),
            ("blob:https://evil.test/x", UNSAID),
            ("view-source:https://acme.test/", UNSAID),
            ("jar:https://acme.test/x.jar!/", UNSAID),
            ("filesystem:https://acme.test/temporary/x", UNSAID),
            ("file:///etc/passwd", UNSAID),
            ("file://acme.test/etc/passwd", UNSAID),
            ("data:text/html,acme.test", UNSAID),
            ("javascript:alert(1)", UNSAID),
            ("mailto:x@acme.test", UNSAID),
            ("gopher://acme.test:25/_MAIL", UNSAID),
            ("gopher://ACME%2etest/", UNSAID),
        ],
    );
    let ports = url(UrlPattern::host("acme.test").scheme("http").port(8080).port(80));
    check(
        &ports,
        &[
            ("http://acme.test/", COVERED),
            ("http://acme.test:80/", COVERED),
            ("http://acme.test:8080/", COVERED),
            ("http://acme.test:8081/", OUTSIDE),
            ("https://acme.test:8080/", OUTSIDE),
        ],
    );
}

/// attacks 1, 6: dots are folded before the path is judged, and what a server may decode to another path
/// is unknown
#[test]
fn the_path_is_judged_as_the_tool_gets_it() {
    let v1 = url(UrlPattern::host("acme.test").path_under("/v1/"));
    check(
        &v1,
        &[
            ("https://acme.test/v1", COVERED),
            ("https://acme.test/v1/", COVERED),
            ("https://acme.test/v1/a?b=/../c#d", COVERED),
            ("https://acme.test/v1/caf\u{e9} \u{1F600}", COVERED),
            ("https://acme.test/v1x", OUTSIDE),
            ("https://acme.test/", OUTSIDE),
            ("https://acme.test/v1/../admin", OUTSIDE),
            ("https://acme.test/v1/%2e%2E/admin", OUTSIDE),
            (r"https://acme.test/v1\..\admin", OUTSIDE),
            ("https://acme.test/v1/..%2fadmin", UNSAID),
            ("https://acme.test/v1/..%5cadmin", UNSAID),
            ("https://acme.test/v1/%252e%252e/admin", UNSAID),
            ("https://acme.test/%761/a", UNSAID),
            ("https://acme.test/v1/caf%c3%a9", UNSAID),
            ("https://acme.test/v1/%00", UNSAID),
            ("https://acme.test/v1/%", UNSAID),
            ("https://acme.test/v1/%zz", UNSAID),
        ],
    );
    let several = url(UrlPattern::host("acme.test").path_prefix("/r").path_glob("/*/2026-??"));
    check(
        &several,
        &[
            ("https://acme.test/reports/2026-01", COVERED),
            ("https://acme.test/reports/x/2026-01", OUTSIDE),
            ("https://acme.test/x/2026-01", OUTSIDE),
        ],
    );
    let exact = url(UrlPattern::host("acme.test").path("/a"));
    check(&exact, &[("https://acme.test/a?x", COVERED), ("https://acme.test/a/", OUTSIDE)]);
}

/// attacks 60, 147: what a permit excludes it excludes widely, and a forbid that spares something spares
/// it narrowly
#[test]
fn not_excludes_more_than_is_said() {
    let spared = not(url(UrlPattern::host("acme.test")));
    check(
        &spared,
        &[
            // Covered by neither the pattern nor its opposite.
            ("http://acme.test/", UNSAID),
            ("https://acme.test:8443/", UNSAID),
            ("https://acme.test/", OUTSIDE),
            ("https://other.test/", COVERED),
        ],
    );
}

/// Where an argument has no type, only a URL in its one spelling is judged.
#[test]
fn another_spelling_is_unknown_where_the_argument_has_no_type() {
    let acme = url(UrlPattern::host("acme.test"));
    let (broker, agent) = world([
        Rule::permit("raw").tool("raw").arg("link", acme.clone()),
        Rule::forbid("f").tool("raw").arg("link", url(UrlPattern::host("evil.test"))),
    ]);
    let task = broker.open(&agent, Purpose::new("read")).unwrap();
    let context = Context::new();
    let grant = task.request(Scope::tool("raw").arg("link", acme), &context).unwrap();
    for (link, passes) in [
        ("https://acme.test/", true),
        ("https://acme.test", false),
        ("https://ACME.test/", false),
        (r"https://acme.test\@evil.test/", false),
        ("no link", false),
    ] {
        let call = Call::new("raw", json!({ "link": link })).unwrap();
        let answer = broker.gate().check(grant.token(), &agent, &call, &context);
        assert_eq!(answer.is_ok(), passes, "{link}");
    }
}

/// What a tool gets is within the limits of arguments, too: escapes make it three times as long.
#[test]
fn a_link_that_grows_past_the_limits_is_refused() {
    let link = |letters: usize| format!("https://acme.test/{}", "\u{e9}".repeat(letters));
    let most = hallpass::value::MAX_TEXT / 2 - 64;
    assert_eq!(get([anything()], everything(), &link(most)), Err(Reason::MalformedCall));
    assert!(get([anything()], everything(), &link(most / 3 - 64)).is_ok());
}

/// attack 15: of a list, every link is brought to its spelling and judged
#[test]
fn every_link_of_a_list_is_judged() {
    let acme = url(UrlPattern::host("acme.test"));
    let (broker, agent) = world([Rule::permit("p").tool("web.get").arg("link", acme.clone())]);
    let task = broker.open(&agent, Purpose::new("read")).unwrap();
    let context = Context::new();
    let grant = task.request(Scope::tool("web.get").arg("link", acme), &context).unwrap();
    let get = |links: &[&str]| {
        let call = Call::new("web.get", json!({ "link": links })).unwrap();
        let permit = broker.gate().authorize(grant.token(), &agent, call, &context);
        permit
            .map(|permit| permit.start().unwrap().args().to_json())
            .map_err(|denial| denial.reason())
    };
    let got = get(&["HTTPS://acme.test", "https://acme.test/a/../b"]);
    assert_eq!(got.as_deref(), Ok(r#"{"link":["https://acme.test/","https://acme.test/b"]}"#));
    assert_eq!(get(&["https://acme.test/", "https://evil.test/"]), Err(Reason::OutOfScope));
    assert_eq!(get(&["https://acme.test/", "x@acme.test"]), Err(Reason::MalformedCall));
    assert_eq!(get(&[]), Err(Reason::OutOfScope));
}

/// Request-time containment: what the parts show, and finite sets exactly.
#[test]
fn a_request_lies_within_a_permit_where_the_parts_show_it() {
    let permitted = UrlPattern::host("acme.test").or_subdomain_of("acme.test").path_under("/v1");
    let rule = Rule::permit("p").tool("web.get").arg("link", url(permitted.clone()));
    let asks = |constraint: Constraint| {
        let (broker, agent) = world([rule.clone()]);
        let task = broker.open(&agent, Purpose::new("read")).unwrap();
        let asked = task.request(Scope::tool("web.get").arg("link", constraint), &Context::new());
        asked.map(|_| ()).map_err(|denial| denial.reason())
    };
    for within in [
        url(permitted),
        url(UrlPattern::host("www.ACME.test.").path_under("/v1/reports").scheme("https")),
        url(UrlPattern::subdomain_of("eu.acme.test").path_prefix("/v1/r").port(443)),
        url(UrlPattern::host("acme.test").path("/v1")).and(glob("**")),
        eq("https://ACME.test:443/v1/./a"),
        one_of(["https://acme.test/v1", "https://www.acme.test/v1/x"]),
    ] {
        assert_eq!(asks(within.clone()), Ok(()), "{within}");
    }
    for outside in [
        url(UrlPattern::host("acme.test")),
        url(UrlPattern::any_host().path_under("/v1")),
        url(UrlPattern::host("acme.test").path_prefix("/v1")),
        url(UrlPattern::host("acme.test").path_under("/v1").scheme("http")),
        url(UrlPattern::host("acme.test").path_under("/v1").port(8443)),
        one_of(["https://acme.test/v1", "https://acme.test/v2"]),
        prefix("https://acme.test/v1/"),
    ] {
        assert_eq!(asks(outside.clone()), Err(Reason::NotCovered), "{outside}");
    }
    for none in [eq("https://user@acme.test/v1"), eq("acme.test"), eq(7)] {
        assert_eq!(asks(none.clone()), Err(Reason::MalformedScope), "{none}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for own in [
        UrlPattern::host(""),
        UrlPattern::host("acme.test:443"),
        UrlPattern::host("user@acme.test"),
        UrlPattern::host("@acme.test"),
        UrlPattern::host("[::1]:443"),
        UrlPattern::host("acme.test/v1"),
        UrlPattern::host("*.acme.test"),
        UrlPattern::host("https://acme.test"),
        UrlPattern::subdomain_of("10.0.0.1"),
        UrlPattern::subdomain_of("[::1]"),
        UrlPattern::subdomain_of(""),
        UrlPattern::any_host().scheme("HTTPS"),
        UrlPattern::any_host().scheme("gopher"),
        UrlPattern::any_host().scheme("file"),
        UrlPattern::any_host().port(0),
        UrlPattern::any_host().path("v1"),
        UrlPattern::any_host().path(""),
        UrlPattern::any_host().path_under("/v1/../v2"),
        UrlPattern::any_host().path_prefix("/v1?x"),
        UrlPattern::any_host().path_prefix("/%76"),
        UrlPattern::any_host().path("/caf\u{e9}"),
        UrlPattern::any_host().path_glob("v1/*"),
        UrlPattern::any_host().path_glob(""),
    ] {
        assert!(url(own.clone()).check().is_err(), "{own:?}");
    }
    for (said, problem) in [
        (r#"{ scheme = "https" }"#, "`host` is missing"),
        ("{}", "an empty table says nothing"),
        (r#"{ host = [] }"#, "an empty list names nothing"),
        (r#"{ host = "a.test", scheme = [] }"#, "an empty list names nothing"),
        (r#"{ host = "a.test", port = [] }"#, "an empty list names nothing"),
        (r#"{ host = "a.test", path = [] }"#, "an empty list names nothing"),
        (r#"{ host = "a.test", path = {} }"#, "an empty table says nothing"),
        (r#"{ host = { below = "a.test" } }"#, "`below` is not a key here"),
        (r#"{ host = "a.test", port = 65536 }"#, "expected a port"),
        (r#"{ host = "a.test", query = "x" }"#, "`query` is not a key here"),
    ] {
        let policy = format!(
            "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat = {{ tool = \"t\", args = {{ u = {{ url = {said} }} }} }}"
        );
        let error = Policy::from_toml(&policy).unwrap_err().to_string();
        assert!(error.contains(problem), "{said}: {error}");
    }
}

/// What a permit takes for said although it is not has to be told to the reader.
#[test]
fn an_operator_is_told_what_a_url_pattern_leaves_unsaid() {
    let told = |pattern: UrlPattern, link: &str| {
        let (broker, agent) = world([anything()]);
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let scope = Scope::tool("web.get").arg("link", url(pattern));
        let grant = task.request(scope, &Context::new()).unwrap();
        let call = Call::new("web.get", json!({ "link": link })).unwrap();
        let asked = broker.gate().check(grant.token(), &agent, &call, &Context::new());
        asked.unwrap_err().explain().to_string()
    };
    let host = || UrlPattern::host("acme.test");
    for (pattern, link, unsaid) in [
        (host(), "https://acme.test:8443/", "(its port is 8443: unsaid, it is the scheme's own)"),
        (
            host().port(8443),
            "http://acme.test:8443/",
            "(its scheme is `http`: unsaid, it is `https`)",
        ),
        (
            host().scheme("http"),
            "http://acme.test:8443/",
            "(its port is 8443: unsaid, it is the scheme's own)",
        ),
        // What has to be named exactly, and why.
        (
            UrlPattern::any_host(),
            "https://10.0.0.1/",
            "(its host `10.0.0.1` is private, an address in 10.0.0.0/8: it has to be named exactly)",
        ),
        (
            UrlPattern::subdomain_of("test"),
            "https://wiki/",
            "(its host `wiki` is private, a name without a dot: it has to be named exactly)",
        ),
        (host(), "https://acme.example/", "(its host is `acme.example`)"),
    ] {
        let told = told(pattern, link);
        assert!(told.ends_with(unsaid), "{told}");
    }
    let said = told(host().scheme("http").port(80), "https://acme.test/");
    assert!(said.ends_with("is expected (its scheme is `https`)"), "{said}");
    let relative = told(host(), "acme.test/");
    assert!(relative.contains("expected one like `https://acme.test/`"), "{relative}");
}
