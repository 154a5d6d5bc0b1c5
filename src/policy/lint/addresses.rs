//! Addresses of which a rule looks at one end only: what stands at the other may lead elsewhere.

use super::types::Types;
use super::warning::{Findings, WarningCode};
use crate::policy::effect::Effect;
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::scope::{Condition, Constraint, Fact, Node};
use crate::spelling::ArgType;
use crate::visible::Shown;

/// Warns of `prefix`, `suffix` and `contains` that stand alone on a URL, a host, a mail address or an
/// address of a network.
pub(super) fn addresses(rule: &Rule, types: &Types<'_>, findings: &mut Findings<'_>) {
    for condition in &rule.conditions {
        // Ids are spelled in one way, and compared by their beginnings.
        if !matches!(
            condition.fact,
            Fact::Arg(_)
                | Fact::ResourceId
                | Fact::ResourceAttr(_)
                | Fact::WhoAttr(_)
                | Fact::Context(_)
        ) {
            continue;
        }
        let is_url = types.all_give(rule, &condition.fact, ArgType::Url);
        let look = Look {
            is_url,
            is_permit: rule.effect == Effect::Permit,
            named: is_named_so(condition),
        };
        look.inside(&condition.constraint, false, &mut |end, text, instead| {
            let fact = &condition.fact;
            let message = format!(
                "`{fact}` is compared with the {end} {} of an address and with nothing else: {instead}",
                Shown(text)
            );
            findings.add(WarningCode::PartOfAddress, &place_of(fact), message);
        });
    }
}

/// Words that stand in the names of arguments which are addresses.
const NAMES: &[&str] = &[
    "url", "uri", "link", "href", "host", "hostname", "domain", "endpoint", "webhook", "email",
    "ip",
];

fn is_named_so(condition: &Condition) -> bool {
    let name = condition.fact.to_string().to_lowercase();
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| NAMES.contains(&word))
}

struct Look {
    /// Whether the argument has the type `url`, and so one spelling.
    is_url: bool,
    is_permit: bool,
    /// Whether its name says that it is an address.
    named: bool,
}

impl Look {
    fn inside(
        &self,
        constraint: &Constraint,
        held: bool,
        found: &mut impl FnMut(&'static str, &str, &'static str),
    ) {
        match &constraint.0 {
            Node::All(parts) => {
                // What says the whole, or the host, holds the ends, too.
                let held = held
                    || parts.iter().any(|part| {
                        matches!(
                            part.0,
                            Node::Url(_)
                                | Node::Cidr(_)
                                | Node::Regex(_)
                                | Node::Is(_)
                                | Node::SameAs(_)
                                | Node::Compared(_)
                        )
                    });
                parts.iter().for_each(|part| self.inside(part, held, found));
            }
            Node::AnyOf(parts) => parts.iter().for_each(|part| self.inside(part, held, found)),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) => {
                self.inside(inner, held, found);
            }
            Node::Items(items) => items.iter().for_each(|item| self.inside(item, held, found)),
            Node::Json(inner) => Look { is_url: false, ..*self }.inside(inner, false, found),
            Node::Fields(fields) => {
                let look = Look { is_url: false, ..*self };
                fields.iter().for_each(|(_, field)| look.inside(field, false, found));
            }
            _ if held => {}
            Node::Prefix(text) => {
                if is_of_network(text) {
                    found("beginning", text, "say `cidr = \"…\"`, which knows every spelling");
                } else if self.is_address(text) && !self.holds_host(text) {
                    found("beginning", text, SAY_URL);
                }
            }
            Node::Suffix(text) => {
                if is_of_mail(text) {
                    found(
                        "end",
                        text,
                        "`x@evil.test,y@…` may end so, too: say the whole, as in \
                         `regex = '[^@,; ]+@acme\\.test'`",
                    );
                } else if self.is_address(text) || is_of_host(text) {
                    found("end", text, SAY_URL);
                }
            }
            Node::Glob(glob) if !self.is_url && has_open_host(glob.as_str()) => {
                found("pattern", glob.as_str(), SAY_URL);
            }
            Node::Contains(text) if self.is_address(text) || is_of_mail(text) => {
                found("part", text, SAY_URL);
            }
            _ => {}
        }
    }

    fn is_address(&self, text: &str) -> bool {
        // A scheme alone says that any host is meant.
        if text.ends_with("://") {
            return false;
        }
        self.is_url || self.named || text.contains("://") || text.starts_with("//")
    }

    /// Whether a permit's beginning has the whole host in it, in the one spelling that there is.
    fn holds_host(&self, text: &str) -> bool {
        let host = text.split_once("://").map(|(_, rest)| rest);
        self.is_permit && self.is_url && host.is_some_and(|rest| rest.contains('/'))
    }
}

const SAY_URL: &str = "another host may come with it, or the same in another spelling: give the argument \
                       the type `url` and say `url = { host = … }`";

/// `https://*.acme.test/**`: what `*` stands for may have a `?` or `#` in it, behind which nothing is the host.
fn has_open_host(pattern: &str) -> bool {
    let host = pattern.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    host.is_some_and(|host| host.contains('*'))
}

/// `10.` or `192.168.0.`: the beginning of an IPv4 address.
fn is_of_network(text: &str) -> bool {
    text.strip_suffix('.').is_some_and(|rest| {
        rest.split('.').all(|part| part.parse::<u8>().is_ok()) && rest.split('.').count() < 4
    })
}

/// `@acme.test`
fn is_of_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(_, host)| host.contains('.') && !host.contains('/'))
}

/// `.acme.test`, and not `.tar.gz`: at least two labels, and the last no ending of packed files.
fn is_of_host(text: &str) -> bool {
    const PACKED: &[&str] =
        &["gz", "xz", "bz2", "zst", "br", "lz4", "asc", "sig", "map", "js", "ts", "json"];
    let Some(name) = text.strip_prefix('.') else { return false };
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let Some((first, last)) = name.rsplit_once('.') else { return false };
    first.split('.').all(is_label)
        && last.len() >= 2
        && last.bytes().all(|byte| byte.is_ascii_lowercase())
        && !PACKED.contains(&last)
}
