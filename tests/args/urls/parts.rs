//! Scheme, host, port and path of a link: what is said of them, and nothing else.

use hallpass::prelude::*;
use hallpass::scope::{Constraint, UrlPattern, eq, glob, one_of, prefix, url};

use super::{COVERED, OUTSIDE, REFUSED, UNSAID, anything, check, everything, get, world};

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
