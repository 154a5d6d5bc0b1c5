//! Arguments that are URLs: the gate and the tool read them alike.

mod parts;
mod published;
mod written;

use hallpass::policy::{ArgType, Moment};
use hallpass::prelude::*;
use hallpass::scope::{Constraint, UrlPattern, not, url};
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
