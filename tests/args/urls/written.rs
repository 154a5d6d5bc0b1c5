//! URL patterns as policies write them: what is refused, and what lint says.

use hallpass::prelude::*;
use hallpass::scope::{UrlPattern, url};
use serde_json::json;

use super::{anything, world};

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
