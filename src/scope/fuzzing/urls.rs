//! URLs: what is judged is what their opener reads.

use std::borrow::Cow;
use std::net::IpAddr;

use url::{Host, Url};

use super::super::truth::Truth;
use super::super::url::{UrlPattern, canonical_url};
use super::super::words::url;
use super::super::{Stance, not};
use super::truth;
use crate::value::Value;

const SCHEMES: [&str; 5] = ["ftp", "http", "https", "ws", "wss"];

/// A host and a URL, apart at a zero byte.
pub fn urls(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (named, given) = text.split_once('\0').unwrap_or(("a.test", text));
    let port = Url::parse(given).ok().and_then(|read| read.port_or_known_default());
    let all_doors = |pattern| doors(pattern, port);
    let everywhere = all_doors(UrlPattern::any_host());
    let Ok(one) = canonical_url(given) else {
        assert_ne!(covers(everywhere, given), Truth::True, "no URL, and somewhere: {given}");
        return;
    };
    let again = canonical_url(&one);
    assert!(
        matches!(&again, Ok(Cow::Borrowed(same)) if *same == one),
        "{one} is its own: {again:?}"
    );

    // The tool's reader, of what it gets and of what was given.
    let read = Url::parse(&one).expect("the one spelling is a URL");
    assert_eq!(read.as_str(), &*one, "the tool writes it the same");
    assert!(read.username().is_empty() && read.password().is_none(), "{one} names a user");
    let raw = Url::parse(given).expect("what was read is a URL");
    assert_eq!(plain(raw.host()), plain(read.host()), "{given} and {one} are one place");
    assert_eq!((raw.scheme(), raw.path(), raw.query()), (read.scheme(), read.path(), read.query()));
    if given != one {
        assert_eq!(covers(everywhere.clone(), given), Truth::Unknown, "another spelling: {given}");
        assert_eq!(excluded(everywhere.clone(), given), Truth::Unknown, "{given}");
    }

    let Some(host) = read.host_str() else {
        assert_ne!(covers(everywhere, &one), Truth::True, "no host, and somewhere: {one}");
        return;
    };
    if !SCHEMES.contains(&read.scheme()) {
        assert_ne!(covers(everywhere, &one), Truth::True, "{one}");
        return;
    }
    // A reader that knows nothing finds the host between the slashes.
    assert_eq!(naive_host(&one), host, "{one}");

    let own = all_doors(UrlPattern::host(host));
    if url(own.clone()).check().is_err() {
        // A star is a host to the standard; to an author of rules it would be a pattern.
        assert!(host.contains('*'), "{host} can be named");
    } else if port != Some(0) {
        assert_eq!(covers(own, &one), Truth::True, "{host} is the host of {one}");
    }
    let inner = is_private(&read);
    if inner {
        for wide in [UrlPattern::any_host(), UrlPattern::any_host().or_subdomain_of("localhost")] {
            assert_ne!(covers(all_doors(wide), &one), Truth::True, "{one} is private");
        }
    }
    // A name covers its own place only, and what is below it only what ends so.
    let other = all_doors(UrlPattern::host(named));
    if covers(other, &one) == Truth::True {
        let spelled = Url::parse(&format!("https://{named}/")).expect("a host that matched is one");
        assert_eq!(plain(spelled.host()), plain(read.host()), "{named} is {one}");
    }
    let below = all_doors(UrlPattern::subdomain_of(named));
    if covers(below, &one) == Truth::True {
        let spelled = Url::parse(&format!("https://{named}/")).expect("a host that matched is one");
        let name = plain(spelled.host()).expect("it has a host");
        assert!(host.ends_with(&format!(".{name}")) && !inner, "{one} below {name}");
    }
}

/// Of every scheme there is, and of this port.
fn doors(pattern: UrlPattern, port: Option<u16>) -> UrlPattern {
    let port = port.filter(|port| *port != 0).unwrap_or(443);
    SCHEMES.into_iter().fold(pattern, UrlPattern::scheme).port(port)
}

fn covers(pattern: UrlPattern, text: &str) -> Truth {
    truth(&url(pattern), Stance::Cover, Some(&Value::from(text)))
}

fn excluded(pattern: UrlPattern, text: &str) -> Truth {
    truth(&not(url(pattern)), Stance::Cover, Some(&Value::from(text)))
}

/// The place a host means: without a dot at the end, and with IPv4 as IPv4.
fn plain(host: Option<Host<&str>>) -> Option<String> {
    host.map(|host| match host {
        Host::Domain(name) => name.strip_suffix('.').unwrap_or(name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => IpAddr::V6(address).to_canonical().to_string(),
    })
}

/// By what the standard library says of addresses, and the names everybody knows.
fn is_private(read: &Url) -> bool {
    let address: IpAddr = match read.host() {
        Some(Host::Domain(name)) => {
            return name == "localhost" || name.ends_with(".localhost") || !name.contains('.');
        }
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical(),
        None => return false,
    };
    match address {
        IpAddr::V4(own) => {
            own.is_loopback()
                || own.is_private()
                || own.is_link_local()
                || own.is_unspecified()
                || own.is_broadcast()
                || own.is_multicast()
                || own.is_documentation()
        }
        IpAddr::V6(own) => {
            own.is_loopback()
                || own.is_unspecified()
                || own.is_multicast()
                || own.is_unique_local()
                || own.is_unicast_link_local()
        }
    }
}

/// Between `//` and what ends it, without the port.
fn naive_host(one: &str) -> &str {
    let rest = one.split_once("//").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}
