//! Hosts: which are named, and which have to be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::read::host_name;
use crate::scope::embedded::embedded;
use crate::value::{Object, Value};
use crate::visible::Shown;

/// Which hosts are meant, in their one spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum HostPattern {
    Any,
    Exact(Box<str>),
    SubdomainOf(Box<str>),
}

impl HostPattern {
    pub(super) fn exact(name: &str) -> Result<Self, String> {
        host_name(name).map(HostPattern::Exact).ok_or_else(|| no_host(name))
    }

    pub(super) fn subdomain_of(name: &str) -> Result<Self, String> {
        match host_name(name) {
            Some(own) if address(&own).is_none() => Ok(HostPattern::SubdomainOf(own)),
            Some(_) => Err(format!("{} is an address, and has no subdomains", Shown(name))),
            None => Err(no_host(name)),
        }
    }

    /// Whether `host` is meant; `inner` if it has to be named exactly.
    pub(super) fn names(&self, host: &str, inner: bool) -> bool {
        match self {
            HostPattern::Any => !inner,
            HostPattern::Exact(own) => **own == *host,
            // An author who names a network's own suffix means what lies below it.
            HostPattern::SubdomainOf(own) => {
                is_below(host, own) && (!inner || (is_private(own) && !is_of_the_machine(host)))
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            HostPattern::Any => 0,
            HostPattern::Exact(own) | HostPattern::SubdomainOf(own) => own.len(),
        }
    }

    pub(super) fn is_within(&self, wider: &HostPattern) -> bool {
        match (self, wider) {
            (HostPattern::Exact(own), wider) => wider.names(own, is_inner(own)),
            (HostPattern::Any, HostPattern::Any) => true,
            (HostPattern::SubdomainOf(own), HostPattern::Any) => !is_private(own),
            (HostPattern::SubdomainOf(own), HostPattern::SubdomainOf(wide)) => {
                own == wide || (is_below(own, wide) && (is_private(wide) || !is_private(own)))
            }
            _ => false,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match self {
            HostPattern::Any => Value::from("any"),
            HostPattern::Exact(own) => Value::Text(own.clone()),
            HostPattern::SubdomainOf(own) => {
                let mut out = Object::new();
                // The object was empty.
                let _ = out.insert("subdomain_of", Value::Text(own.clone()));
                Value::Object(out)
            }
        }
    }
}

fn no_host(name: &str) -> String {
    format!(
        "{} is not a host: expected a name like `acme.test` or an address; for names below one there is `subdomain_of`",
        Shown(name)
    )
}

fn is_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Names by which machines find what is around them: the metadata of clouds, which hands out their
/// credentials, and the host that a container runs on.
const OF_THE_MACHINE: &[&str] = &[
    "metadata.google.internal",
    "metadata.goog",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.platformequinix.com",
    "metadata.packet.net",
    "metadata.tencentyun.com",
    "api.metadata.cloud.ibm.com",
    "host.docker.internal",
    "gateway.docker.internal",
    "host.containers.internal",
];

/// Suffixes that no public name has: multicast DNS and homes (RFC 6762, RFC 8375), what ICANN keeps for
/// networks of one's own (`internal`, and those that it does not delegate because they are used so), and
/// the service names of container clusters.
const PRIVATE: &[&str] = &[
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "svc",
    "consul",
];

/// Whether a host in its one spelling is of this machine, its network or its cloud rather than of the
/// world: where a request from inside reaches what one from outside cannot.
pub(super) fn is_inner(host: &str) -> bool {
    match address(host) {
        Some(IpAddr::V4(address)) => is_inner_v4(address),
        Some(IpAddr::V6(address)) => is_inner_v6(address),
        None => !host.contains('.') || is_of_the_machine(host) || is_private(host),
    }
}

/// Whether a name is that of this machine, or of what serves it alone.
fn is_of_the_machine(host: &str) -> bool {
    lies_in(host, "localhost") || lies_in(host, "localdomain") || OF_THE_MACHINE.contains(&host)
}

/// Whether a name is one of those that only a network of one's own answers to.
fn is_private(name: &str) -> bool {
    PRIVATE.iter().any(|suffix| lies_in(name, suffix))
}

/// Whether a name is this one or ends in it, an empty label before it included: what looks such a name up
/// may leave the first dot out.
fn lies_in(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What makes a host inner, for people.
pub(super) fn why_inner(host: &str) -> String {
    match address(host) {
        Some(IpAddr::V4(address)) => match network_v4(address) {
            Some((first, 32)) => format!("the address {first}, at which machines find their cloud"),
            Some((first, prefix)) => format!("an address in {first}/{prefix}"),
            None => "an address".to_owned(),
        },
        Some(IpAddr::V6(_)) => "an IPv6 address that is not of the public internet, or stands for \
                                an IPv4 address"
            .to_owned(),
        None if !host.contains('.') => "a name without a dot".to_owned(),
        None => "a name that leads to this machine, its network or its cloud".to_owned(),
    }
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// IPv4 networks that are not of the public internet (IANA's special-purpose registry), and the one
/// public address at which a cloud's machines find their host.
const INNER_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

fn is_inner_v4(address: Ipv4Addr) -> bool {
    network_v4(address).is_some()
}

fn network_v4(address: Ipv4Addr) -> Option<(Ipv4Addr, u32)> {
    let apart = |first: Ipv4Addr| (address.to_bits() ^ first.to_bits()).leading_zeros();
    INNER_V4.iter().copied().find(|(first, prefix)| apart(*first) >= *prefix)
}

/// All but global unicast, and of that what stands for other addresses or for none.
fn is_inner_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    match first {
        _ if embedded(address).is_some() => true,
        0x2001 => second < 0x0200 || second == 0x0db8,
        0x3fff => second < 0x1000,
        _ => !(0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// attack 32: both sides of each edge
    #[test]
    fn what_is_not_of_the_public_internet_is_inner() {
        for (host, inner) in [
            ("0.0.0.0", true),
            ("0.255.255.255", true),
            ("1.0.0.0", false),
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("100.63.255.255", false),
            ("100.64.0.0", true),
            ("100.100.100.200", true),
            ("100.128.0.0", false),
            ("126.255.255.255", false),
            ("127.0.0.1", true),
            ("128.0.0.0", false),
            ("168.63.129.15", false),
            ("168.63.129.16", true),
            ("168.63.129.17", false),
            ("169.253.255.255", false),
            ("169.254.169.254", true),
            ("169.255.0.0", false),
            ("172.15.255.255", false),
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("192.0.0.192", true),
            ("192.0.1.0", false),
            ("192.0.2.1", true),
            ("192.88.99.1", true),
            ("192.167.255.255", false),
            ("192.168.0.1", true),
            ("192.169.0.0", false),
            ("198.17.255.255", false),
            ("198.18.0.0", true),
            ("198.20.0.0", false),
            ("198.51.100.1", true),
            ("203.0.113.1", true),
            ("203.0.114.0", false),
            ("223.255.255.255", false),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("[::]", true),
            ("[::1]", true),
            ("[64:ff9b::a9fe:a9fe]", true),
            ("[fd00:ec2::254]", true),
            ("[fe80::1]", true),
            ("[fec0::1]", true),
            ("[ff02::1]", true),
            ("[1fff::1]", true),
            ("[2000::1]", false),
            ("[2001::1]", true),
            ("[2001:1ff::1]", true),
            ("[2001:200::1]", false),
            ("[2001:db8::1]", true),
            ("[2001:db9::1]", false),
            ("[2002:7f00:1::]", true),
            ("[2003::1]", false),
            ("[3fff::1]", true),
            ("[3fff:1000::1]", false),
            ("[4000::1]", true),
            ("localhost", true),
            ("x.localhost", true),
            ("metadata", true),
            ("metadata.google.internal", true),
            ("acme.test", false),
            ("localhost.acme.test", false),
            ("printer.local", true),
            ("db.corp.internal", true),
            ("router.lan", true),
            ("nas.home.arpa", true),
            ("home.arpa", true),
            ("arpa.acme.test", false),
            ("api.default.svc", true),
            ("api.default.svc.cluster.local", true),
            ("vault.service.consul", true),
            ("host.docker.internal", true),
            ("metadata.tencentyun.com", true),
            ("www.tencentyun.com", false),
            ("api.metadata.cloud.ibm.com", true),
            ("local.acme.test", false),
            ("mylocal.test", false),
            ("notinternal.test", false),
            ("wiki.corp", true),
            (".localhost", true),
            (".internal", true),
            ("..local", true),
        ] {
            assert_eq!(is_inner(host), inner, "{host}");
        }
    }

    /// attack 32: from RFC 6762 and RFC 8375, ICANN's reserved and never delegated names, and the service names
    /// of Kubernetes and Consul.
    #[test]
    fn every_suffix_of_private_networks_is_inner() {
        for suffix in [
            "local",
            "internal",
            "intranet",
            "private",
            "corp",
            "home",
            "lan",
            "home.arpa",
            "svc",
            "cluster.local",
            "consul",
            "localhost",
            "localdomain",
        ] {
            for host in [format!("db.{suffix}"), format!("a.b.{suffix}")] {
                assert!(is_inner(&host), "{host}");
                assert!(!is_inner(&format!("{host}.acme.test")), "{host}");
                assert!(!HostPattern::Any.names(&host, is_inner(&host)), "{host}");
            }
        }
    }

    /// attack 32: where Google, Amazon, Azure, Equinix, Tencent and IBM serve a machine's metadata, and
    /// how containers call their host: not even one who names what lies around them means these.
    #[cfg(feature = "url")]
    #[test]
    fn every_name_of_a_machine_s_surroundings_has_to_be_named_itself() {
        for host in [
            "metadata.google.internal",
            "metadata.goog",
            "instance-data.ec2.internal",
            "metadata.azure.internal",
            "metadata.platformequinix.com",
            "metadata.packet.net",
            "metadata.tencentyun.com",
            "api.metadata.cloud.ibm.com",
            "host.docker.internal",
            "gateway.docker.internal",
            "host.containers.internal",
        ] {
            let (_, around) = host.split_once('.').unwrap();
            for pattern in [HostPattern::Any, HostPattern::subdomain_of(around).unwrap()] {
                assert!(!pattern.names(host, is_inner(host)), "{host} {pattern:?}");
            }
            assert!(HostPattern::exact(host).unwrap().names(host, is_inner(host)), "{host}");
        }
    }

    #[cfg(feature = "url")]
    #[test]
    fn below_a_private_suffix_lies_only_what_names_it() {
        let below = |name: &str| HostPattern::subdomain_of(name).unwrap();
        let covers = |own: &HostPattern, host: &str| own.names(host, is_inner(host));
        for (name, host, covered) in [
            ("acme.internal", "db.acme.internal", true),
            ("acme.internal", "acme.internal", false),
            ("svc.cluster.local", "api.default.svc.cluster.local", true),
            ("internal", "db.acme.internal", true),
            ("internal", "metadata.google.internal", false),
            ("docker.internal", "host.docker.internal", false),
            ("arpa", "nas.home.arpa", false),
            ("localhost", "x.localhost", false),
            ("platformequinix.com", "metadata.platformequinix.com", false),
            ("platformequinix.com", "www.platformequinix.com", true),
        ] {
            assert_eq!(covers(&below(name), host), covered, "{name} {host}");
            assert!(!covers(&HostPattern::Any, host) || !is_inner(host), "{host}");
        }
        for (narrow, wide, within) in [
            ("acme.internal", "internal", true),
            ("home.arpa", "arpa", false),
            ("x.acme.test", "acme.test", true),
        ] {
            assert_eq!(below(narrow).is_within(&below(wide)), within, "{narrow} {wide}");
        }
        assert!(!below("internal").is_within(&HostPattern::Any));
        assert!(below("acme.test").is_within(&HostPattern::Any));
    }
}
