//! Redirects.

use crate::world::*;

/// attack 174
#[test]
fn a_redirect_to_another_host_is_followed_without_the_secret() {
    let world = World::new();
    let elsewhere = crate::server::Server::start();
    let to = format!("{}/v1/echo", elsewhere.origin());
    let proxied = world.run("orders.fetch", |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let answer = get(&url, &format!("/v1/to?{to}"), "");
        assert_eq!((answer.status, answer.header("location")), (302, Some(&*to)));
        assert_eq!(answer.body, "Bearer [redacted]");
        // As it follows: to the other host itself, with what it knows.
        let followed = get(&to, "", "");
        assert_eq!(followed.status, 200);
        // Or through the proxy: no secret is for that origin.
        through(&endpoint.proxy(), &to, &password(&endpoint.proxy()))
    });
    assert_eq!(proxied.status, 403);
    let [seen] = &*elsewhere.seen() else { panic!("one request") };
    assert!(!seen.text().contains(TOKEN) && !seen.text().contains("authorization"));
}

/// attack 174
#[test]
fn a_redirect_within_the_origin_comes_through_here_again() {
    let world = World::new();
    world.run("orders.fetch", |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let (at, prefix) = parts(&url);
        for to in ["/v1/next?x=1".to_owned(), format!("{}/v1/next?x=1", world.orders.origin())] {
            let answer = get(&url, &format!("/v1/to?{to}"), "");
            assert_eq!(answer.header("location"), Some(&*format!("{prefix}/v1/next?x=1")), "{to}");
            let next = get(&format!("http://{at}/"), &answer.header("location").unwrap()[1..], "");
            assert_eq!((next.status, &*next.body), (200, "plain"));
        }
    });
    assert!(world.orders.seen().iter().all(|seen| seen.text().contains(TOKEN)));
    assert_eq!(world.orders.seen()[1].line, "GET /v1/next?x=1");
}

/// attack 174: the line of the request says where to, and the header `host` does not
#[test]
fn the_origin_is_that_of_the_request_line() {
    let world = World::new();
    let elsewhere = crate::server::Server::start();
    world.run("orders.fetch", |endpoint| {
        let proxy = endpoint.proxy();
        let ours = format!("{}/v1/a", world.orders.origin());
        let header = format!("{}x-forwarded-host: {}\r\n", password(&proxy), elsewhere.at);
        assert_eq!(through(&proxy, &ours, &header).status, 200);
        let user = ours.replace("http://", "http://u:p@");
        for other in [
            elsewhere.origin(),
            user,
            format!("{}/v1/a", world.crm.origin()),
            "ftp://x.test/".to_owned(),
        ] {
            let answer = through(&proxy, &other, &header);
            assert_eq!(answer.status, 403, "{other}: {answer:?}");
        }
    });
    assert_eq!(world.orders.seen().len(), 1);
    assert!(world.orders.seen()[0].has(&format!("host: {}", world.orders.at)));
    assert!(!world.orders.seen()[0].text().to_lowercase().contains("proxy"));
    assert!(elsewhere.seen().is_empty() && world.crm.seen().is_empty());
}
