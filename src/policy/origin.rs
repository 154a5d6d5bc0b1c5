//! Where a credential may be sent: an origin, in its one spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const FORM: &str = "expected `https://host` or `https://host:port` in lower case and nothing else";

/// What is wrong with the spelling of an origin, if anything is. Each origin has one spelling, so that what compares
/// texts compares origins.
pub(super) fn fault_of_origin(text: &str) -> Option<&'static str> {
    let (is_tls, authority) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(authority), _) => (true, authority),
        (_, Some(authority)) => (false, authority),
        _ => return Some(FORM),
    };
    if authority.contains(['/', '?', '#', '@']) {
        return Some(FORM);
    }
    // An address of version 6 has colons of its own.
    let end = authority.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority.get(end..).and_then(|rest| rest.find(':')) {
        Some(colon) => {
            let (host, port) = authority.split_at(end + colon);
            (host, port.strip_prefix(':'))
        }
        None => (authority, None),
    };
    if port.is_some_and(|port| !is_port(port)) {
        return Some(FORM);
    }
    if port == Some(if is_tls { "443" } else { "80" }) {
        return Some("says the port that its scheme has anyway, expected it without");
    }
    let address = address_of(host);
    if address.is_none() && !is_name(host) {
        return Some("has a host that is not one, expected a name in ASCII or an address");
    }
    let is_here = address.is_some_and(|own| own.is_loopback());
    (!is_tls && !is_here)
        .then_some("would have the secret on a network in the clear, expected `https`")
}

fn is_port(text: &str) -> bool {
    let port = text.parse::<u16>();
    // One spelling each: no sign, and no zero before it.
    port.is_ok_and(|port| port > 0 && port.to_string() == text)
}

/// An address in its one spelling.
fn address_of(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => {
            let address = inner.parse::<Ipv6Addr>().ok()?;
            (address.to_string() == inner).then_some(IpAddr::V6(address))
        }
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// A name: what resolvers take for an address written otherwise is none.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|own| matches!(own, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    let is_number = |label: &str| label.starts_with(|own: char| own.is_ascii_digit());
    host.len() <= 253
        && host.split('.').all(is_label)
        && !host.rsplit('.').next().is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for text in [
            "https://api.acme.test",
            "https://api.acme.test:8443",
            "https://a",
            "https://10.0.0.1",
            "https://[2001:db8::1]:8443",
            "http://127.0.0.1:8080",
            "http://[::1]",
            "http://127.0.0.1:443",
        ] {
            assert_eq!(fault_of_origin(text), None, "{text}");
        }
        for text in [
            "",
            "api.acme.test",
            "https://",
            "https://API.acme.test",
            "HTTPS://api.acme.test",
            "https://api.acme.test/",
            "https://api.acme.test/v1",
            "https://api.acme.test?x",
            "https://api.acme.test#x",
            "https://u@api.acme.test",
            "https://u:p@api.acme.test",
            "https://api.acme.test:443",
            "https://api.acme.test:0",
            "https://api.acme.test:",
            "https://api.acme.test:08443",
            "https://api.acme.test:+8443",
            "https://api.acme.test:70000",
            "https://api.acme.test.",
            "https://api..test",
            "https://-api.test",
            "https://api-.test",
            "https://*.acme.test",
            "https://127.1",
            "https://0x7f.1",
            "https://2130706433",
            "https://127.0.0.01",
            "https://[::0001]",
            "https://[::1",
            "https://::1",
            "https://[fe80::1%25eth0]",
            "https://ключ.test",
            "http://api.acme.test",
            "http://localhost",
            "http://10.0.0.1",
            "http://127.0.0.1:80",
            "ftp://127.0.0.1",
        ] {
            assert!(fault_of_origin(text).is_some(), "{text}");
        }
        let (label, longer) = ("a".repeat(63), "a".repeat(64));
        let long = format!("https://{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(fault_of_origin(&long), None);
        for text in [format!("https://{longer}.test"), format!("{long}a")] {
            assert!(fault_of_origin(&text).is_some(), "{text}");
        }
    }
}
