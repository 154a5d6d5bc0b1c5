//! URLs: the one spelling that is judged and used, and what a URL must be.
//!
//! Reading one takes the parser of the feature `url`. Without the feature nothing here matches, and a
//! policy that speaks of URLs is refused.

mod bytes;
mod host;
mod outside;
mod parts;
mod path;
mod read;

use super::constraint_error::ConstraintError;
use super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::value::{Object, Value};
use crate::visible::Shown;
use host::HostPattern;
pub(crate) use parts::UrlParts;
use path::PathPattern;
pub(crate) use read::{UrlFault, canonical_url};

/// The schemes a pattern may name, and their ports: those whose hosts every parser reads alike.
const SCHEMES: &[(&str, u16)] =
    &[("ftp", 21), ("http", 80), ("https", 443), ("ws", 80), ("wss", 443)];

/// What a URL must be: its host, and what else is said.
///
/// A permit and a scope take what is unsaid strictly: only `https`, only the scheme's own port. A
/// forbid and an ask look only at what is said. The path, if none is said, may be any; so may query
/// and fragment.
///
/// Hosts that are addresses of private networks, of this machine or link, or of none, names without a
/// dot, names below those that only a network of one's own answers to (`.local`, `.internal`, …), and
/// the well-known names of metadata services are covered only where they are named exactly: never as any
/// host, and as a subdomain only of a name that is such itself. Names are not resolved: that a public
/// name leads to a private address, only the side that connects can see.
///
/// ```
/// # #[cfg(feature = "url")] {
/// use hallpass::scope::{Scope, UrlPattern, url};
///
/// let api = UrlPattern::host("api.acme.test").or_subdomain_of("cdn.acme.test").path_under("/v1");
/// let scope = Scope::tool("web.get").arg("link", url(api));
/// # assert!(scope.check().is_ok());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UrlPattern {
    // Each sorted, each once; an empty one is unsaid, but for hosts, of which there is at least one.
    schemes: Vec<&'static str>,
    hosts: Vec<HostPattern>,
    ports: Vec<u16>,
    paths: Vec<PathPattern>,
    fault: Option<ConstraintError>,
}

impl UrlPattern {
    /// Whether it can be meant: some host is named, and nothing of it is faulty.
    pub(super) fn check(&self) -> Result<(), ConstraintError> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None if self.hosts.is_empty() => Err(ConstraintError::Empty("host")),
            None => Ok(()),
        }
    }

    /// This host: a name, or an address, in whatever spelling.
    pub fn host(name: &str) -> Self {
        UrlPattern::nowhere().or_host(name)
    }

    /// Any name below this one, and not itself.
    pub fn subdomain_of(name: &str) -> Self {
        UrlPattern::nowhere().or_subdomain_of(name)
    }

    /// Any host that is not private.
    pub fn any_host() -> Self {
        UrlPattern::nowhere().or_any_host()
    }

    /// Or this host.
    pub fn or_host(self, name: &str) -> Self {
        self.with_host(HostPattern::exact(name))
    }

    /// Or any name below this one.
    pub fn or_subdomain_of(self, name: &str) -> Self {
        self.with_host(HostPattern::subdomain_of(name))
    }

    /// This scheme, or one named before: `http`, `https`, `ws`, `wss` or `ftp`.
    pub fn scheme(mut self, scheme: &str) -> Self {
        match SCHEMES.iter().find(|(own, _)| *own == scheme) {
            Some((own, _)) => insert(&mut self.schemes, *own),
            None => self.fail(format!(
                "{} is not a scheme here: expected `http`, `https`, `ws`, `wss` or `ftp`",
                Shown(scheme)
            )),
        }
        self
    }

    /// This port, or one named before.
    pub fn port(mut self, port: u16) -> Self {
        match port {
            0 => self.fail("0 is not a port, and never means any".to_owned()),
            port => insert(&mut self.ports, port),
        }
        self
    }

    /// Exactly this path.
    pub fn path(self, path: &str) -> Self {
        self.with_path(PathPattern::exact(path))
    }

    /// A path that begins so.
    pub fn path_prefix(self, start: &str) -> Self {
        self.with_path(PathPattern::prefix(start))
    }

    /// This path, or one that goes on behind it with a `/`.
    pub fn path_under(self, folder: &str) -> Self {
        self.with_path(PathPattern::under(folder))
    }

    /// A path that matches a glob.
    pub fn path_glob(self, pattern: &str) -> Self {
        self.with_path(PathPattern::glob(pattern))
    }

    /// What is wrong with it.
    pub(super) fn fault(&self) -> Option<&ConstraintError> {
        self.fault.as_ref()
    }

    /// Without a host yet: what begins with it names one.
    pub(super) fn nowhere() -> Self {
        let (schemes, hosts, ports, paths) = Default::default();
        UrlPattern { schemes, hosts, ports, paths, fault: None }
    }

    /// Or any host that is not private.
    pub(super) fn or_any_host(self) -> Self {
        self.with_host(Ok(HostPattern::Any))
    }

    fn with_host(mut self, host: Result<HostPattern, String>) -> Self {
        match host {
            Ok(host) => insert(&mut self.hosts, host),
            Err(problem) => self.fail(problem),
        }
        self
    }

    fn with_path(mut self, path: Result<PathPattern, String>) -> Self {
        match path {
            Ok(path) => insert(&mut self.paths, path),
            Err(problem) => self.fail(problem),
        }
        self
    }

    fn fail(&mut self, problem: String) {
        self.fault.get_or_insert(ConstraintError::Pattern(problem));
    }

    /// Whether it is such a URL. `strict` takes what is unsaid as a cover does.
    pub(super) fn matches(&self, url: &UrlParts, strict: bool, meter: &Meter) -> Truth {
        let UrlParts { parts, .. } = url;
        if !SCHEMES.iter().any(|(own, _)| *own == parts.scheme()) {
            // Its opener may read the host in ways of its own, or another URL behind the scheme
            // (`blob:`, `view-source:`, `jar:`).
            return Truth::Unknown;
        }
        let scheme = match self.schemes.is_empty() {
            true => !strict || parts.scheme() == "https",
            false => self.schemes.contains(&parts.scheme()),
        };
        if !scheme {
            return Truth::False;
        }
        let Some(host) = parts.host() else { return Truth::False };
        if !meter.charge(self.hosts.len() + self.ports.len(), Work::Comparing) {
            return Truth::Unknown;
        }
        let inner = strict && url.is_inner;
        let host = self.hosts.iter().any(|own| own.names(host, inner));
        let port = match self.ports.is_empty() {
            true => !strict || parts.has_own_port(),
            false => parts.port().is_some_and(|port| self.ports.contains(&port)),
        };
        if !host || !port {
            return Truth::False;
        }
        match self.paths.is_empty() {
            true => Truth::True,
            false if url.path_has_other_spelling => Truth::Unknown,
            false => {
                let path = parts.path();
                let answers = self.paths.iter().map(|own| own.matches(path, meter));
                answers.fold(Truth::True, |all, one| all & one)
            }
        }
    }

    /// Whether every URL that this covers is one that `wider` covers; `false` where the parts do not
    /// show it.
    pub(super) fn is_within(&self, wider: &UrlPattern) -> bool {
        self.doors().all(|door| wider.doors().any(|wide| wide == door))
            && self.hosts.iter().all(|own| wider.hosts.iter().any(|wide| own.is_within(wide)))
            && wider.paths.iter().all(|wide| self.paths.iter().any(|own| own.is_within(wide)))
    }

    /// How much it says, in bytes.
    pub(super) fn size(&self) -> usize {
        let hosts = self.hosts.iter().map(HostPattern::len).sum::<usize>();
        hosts + self.paths.iter().map(PathPattern::len).sum::<usize>()
    }

    /// How many bytes its globs have together.
    pub(super) fn pattern_bytes(&self) -> usize {
        self.paths.iter().map(PathPattern::pattern_bytes).sum()
    }

    /// Scheme and port as a cover takes them.
    fn doors(&self) -> impl Iterator<Item = (&'static str, u16)> {
        let said = |scheme: &str| match self.schemes.is_empty() {
            true => scheme == "https",
            false => self.schemes.contains(&scheme),
        };
        SCHEMES.iter().filter(move |(scheme, _)| said(scheme)).flat_map(|(scheme, own)| {
            let ports = if self.ports.is_empty() { std::slice::from_ref(own) } else { &self.ports };
            ports.iter().map(move |port| (*scheme, *port))
        })
    }

    pub(super) fn to_value(&self) -> Value {
        let mut out = Object::new();
        let mut put = |word: &'static str, values: Vec<Value>| {
            let value = match <[Value; 1]>::try_from(values) {
                Ok([only]) => only,
                Err(values) if values.is_empty() => return,
                Err(values) => Value::List(values),
            };
            // Each word is written once.
            let _ = out.insert(word, value);
        };
        put("host", self.hosts.iter().map(HostPattern::to_value).collect());
        put("path", path::to_value(&self.paths).into_iter().collect());
        put("port", self.ports.iter().map(|port| Value::from(u64::from(*port))).collect());
        put("scheme", self.schemes.iter().map(|scheme| Value::from(*scheme)).collect());
        Value::Object(out)
    }
}

fn insert<T: Ord>(sorted: &mut Vec<T>, own: T) {
    if let Err(at) = sorted.binary_search(&own) {
        sorted.insert(at, own);
    }
}

#[cfg(all(test, feature = "url"))]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn patterns() -> impl Strategy<Value = UrlPattern> {
        use proptest::collection::vec;
        use proptest::sample::select;
        let hosts = select(vec![0_u8, 1, 2, 3, 4, 5, 6]);
        let schemes = vec(select(vec!["http", "https", "ftp"]), 0..3);
        let ports = vec(select(vec![80_u16, 443, 21, 8080]), 0..3);
        let paths = vec((0_u8..4, select(vec!["/", "/a", "/a/", "/a/b", "/ab"])), 0..3);
        (vec(hosts, 1..3), schemes, ports, paths).prop_map(|(hosts, schemes, ports, paths)| {
            let mut own = UrlPattern::nowhere();
            for host in hosts {
                own = match host {
                    0 => own.or_any_host(),
                    1 => own.or_host("x.test"),
                    2 => own.or_host("y.x.test"),
                    3 => own.or_subdomain_of("x.test"),
                    4 => own.or_subdomain_of("y.x.test"),
                    5 => own.or_host("127.0.0.1"),
                    _ => own.or_host("metadata.goog"),
                };
            }
            own = schemes.into_iter().fold(own, UrlPattern::scheme);
            own = ports.into_iter().fold(own, UrlPattern::port);
            paths.into_iter().fold(own, |own, (kind, path)| match kind {
                0 => own.path(path),
                1 => own.path_prefix(path),
                2 => own.path_under(path),
                _ => own.path_glob(&format!("{path}*")),
            })
        })
    }

    fn universe() -> Vec<String> {
        let mut all = Vec::new();
        for scheme in ["http", "https", "ftp", "ws", "gopher"] {
            for host in
                ["x.test", "y.x.test", "z.y.x.test", "127.0.0.1", "metadata.goog", "8.8.8.8"]
            {
                for port in ["", ":21", ":80", ":443", ":8080"] {
                    for path in ["/", "/a", "/a/", "/a/b", "/ab", "/a/%2Fb", "/a/%61"] {
                        let text = format!("{scheme}://{host}{port}{path}");
                        all.extend(canonical_url(&text).map(Cow::into_owned));
                    }
                }
            }
        }
        all
    }

    proptest! {
        /// attacks 50, 59: what is called within is, for every URL of a small universe; and a guard acts
        /// on all that a cover of the same words covers.
        #[test]
        fn what_lies_within_is_covered(a in patterns(), b in patterns()) {
            let meter = Meter::ample();
            for url in universe() {
                let parts = UrlParts::read(&url).unwrap();
                let covered = a.matches(&parts, true, &meter) == Truth::True;
                if covered {
                    prop_assert!(a.matches(&parts, false, &meter) == Truth::True, "{}", url);
                }
                if covered && a.is_within(&b) {
                    prop_assert!(b.matches(&parts, true, &meter) == Truth::True, "{} {:?} {:?}", url, a, b);
                }
            }
            prop_assert!(a.is_within(&a));
        }

        #[test]
        fn a_pattern_reads_back_as_it_is_written(own in patterns()) {
            let written = own.to_value();
            let scope = format!(r#"[{{"tool":"t","args":{{"u":{{"url":{written}}}}}}}]"#);
            let read = crate::Scope::from_json(&scope).unwrap();
            prop_assert_eq!(read.to_value().to_json().contains(&written.to_json()), true);
        }
    }
}
