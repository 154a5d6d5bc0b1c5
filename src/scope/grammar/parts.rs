//! Kinds of several parts (`url`, `cidr`, `weekly`): what is wrong with one is shown where it stands.

use super::is_plain;
use crate::document::{Misfit, Table, Written, list, text, whole_number};
use crate::scope::constraint::{Constraint, Node};
use crate::scope::describe::{JOIN, REF};
use crate::scope::url::UrlPattern;
use crate::scope::weekly::Place;
use crate::scope::words::{cidr, url, weekly, weekly_at};
use crate::value::SpannedNode;
use crate::visible::Shown;

/// One network, or a list of them.
pub(super) fn networks(written: &Written) -> Result<Constraint, Misfit> {
    if let SpannedNode::Object(_) = &written.node {
        let problem = "expected a network or a list of them, found a table: networks stand in the policy, as in \
                       `cidr = [\"10.0.0.0/8\"]`";
        return Err(Misfit::new(written.span.start, problem));
    }
    let own = match &written.node {
        SpannedNode::Text(_) => std::slice::from_ref(written),
        _ => list(written)?,
    };
    let named = each(own, own.len() > 1, |own| {
        let network = text(own)?;
        meant(cidr([network]), own)?;
        Ok(network)
    })?;
    Ok(cidr(named))
}

/// Words of other systems for the parts of a URL, and what is said here.
const NOT_OF_URLS: &[(&[&str], &str)] = &[
    (&["hosts", "domain", "hostname", "authority"], "`host`"),
    (&["protocol", "schemes"], "`scheme`"),
    (&["ports"], "`port`"),
    (&["paths", "pathname", "prefix"], "`path = { under = \"/v1\" }`"),
    (
        &["query", "params", "search", "fragment", "user"],
        "nothing of that: any query and fragment may stand behind the path, and no user before the host",
    ),
];

/// Words of other systems for the hosts below a name.
const BELOW: &[(&[&str], &str)] = &[
    (
        &["suffix", "ends_with", "glob", "wildcard", "domain", "parent", "under"],
        "`subdomain_of = \"acme.test\"`, which takes the hosts below it",
    ),
    (
        &["eq", "one_of", "any", "in"],
        "the hosts themselves, as in `host = [\"a.acme.test\", \"b.acme.test\"]`",
    ),
    (&["cidr", "ip", "regex", "prefix"], "nothing of that: hosts are named, or below a name"),
];

/// `{ scheme, host, port, path }`: each one or a list, but for `path`, of which all must hold.
pub(super) fn url_pattern(written: &Written) -> Result<Constraint, Misfit> {
    let example = "a table such as `{ scheme = \"https\", host = \"acme.test\" }`";
    let keys = ["scheme", "host", "port", "path"];
    let table = Table::read_translated(written, &keys, NOT_OF_URLS, example)?.said()?;
    let why = "write `host = \"any\"` if any public host will do";
    let hosts = table.require("host", why, one_or_more)?;
    let mut pattern = UrlPattern::nowhere();
    for (key, parts) in [
        ("host", Some(hosts)),
        ("scheme", table.read_at("scheme", one_or_more)?),
        ("port", table.read_at("port", one_or_more)?),
        ("path", table.read_at("path", one_or_more)?),
    ] {
        let parts = parts.unwrap_or_default();
        each(parts, parts.len() > 1, |own| {
            let with = std::mem::replace(&mut pattern, UrlPattern::nowhere());
            pattern = match key {
                "host" => host(with, own)?,
                "scheme" => with.scheme(text(own)?),
                "port" => with.port(port(own)?),
                _ => path(with, own)?,
            };
            // Without what reads URLs all of them are wrong, and that is said of the whole.
            match pattern.fault().filter(|_| cfg!(feature = "url")) {
                Some(fault) => Err(Misfit::new(own.span.start, fault.to_string())),
                None => Ok(()),
            }
        })
        .map_err(|error| error.inside(key))?;
    }
    Ok(url(pattern))
}

fn host(pattern: UrlPattern, written: &Written) -> Result<UrlPattern, Misfit> {
    Ok(match &written.node {
        SpannedNode::Text(word) if &**word == "any" => pattern.or_any_host(),
        SpannedNode::Object(entries) => {
            if let Some((at, key, _)) =
                entries.iter().find(|(_, key, _)| matches!(&**key, REF | JOIN | "same_as"))
            {
                let problem = format!(
                    "`{key}`: hosts are named in the policy, and not taken from another part of the question: where links \
                     are stated with the question, `one_of = {{ ref = \"when.NAME\" }}` next to `url` takes one of them"
                );
                return Err(Misfit::new(at.start, problem));
            }
            let below = Table::read_translated(written, &["subdomain_of"], BELOW, "a host")?;
            let below = below.said()?;
            pattern.or_subdomain_of(below.require(
                "subdomain_of",
                "it says below which name",
                text,
            )?)
        }
        _ => {
            let host = text(written)?;
            if let Some(instead) = not_a_host(host) {
                let problem = format!("{} is not a host: {instead}", Shown(host));
                return Err(Misfit::new(written.span.start, problem));
            }
            pattern.or_host(host)
        }
    })
}

/// What was meant by a text that has more than a host in it.
fn not_a_host(text: &str) -> Option<String> {
    let plain = |part: &str| is_plain(part) && !part.is_empty();
    if let Some((scheme, rest)) = text.split_once("://") {
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or(rest);
        return (plain(scheme) && plain(host))
            .then(|| format!("write `scheme = \"{scheme}\", host = \"{host}\"`"));
    }
    if let Some(below) = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
        return plain(below).then(|| {
            format!("for the hosts below a name write `{{ subdomain_of = \"{below}\" }}`")
        });
    }
    let (host, port) = text.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && plain(host)).then(|| format!("write `host = \"{host}\", port = {port}`"))
}

fn port(written: &Written) -> Result<u16, Misfit> {
    let port = whole_number(written)?;
    port.try_into().map_err(|_| Misfit::new(written.span.start, "expected a port, at most 65535"))
}

fn path(pattern: UrlPattern, written: &Written) -> Result<UrlPattern, Misfit> {
    if let SpannedNode::Text(path) = &written.node {
        return Ok(pattern.path(path));
    }
    let example = "a path, or a table such as `{ under = \"/v1\" }`";
    let table = Table::read_some(written, &["eq", "prefix", "glob", "under"], example)?;
    let mut pattern = pattern;
    for (_, word, own) in table.entries() {
        let path = text(own).map_err(|error| error.inside(word))?;
        pattern = match word {
            "prefix" => pattern.path_prefix(path),
            "glob" => pattern.path_glob(path),
            "under" => pattern.path_under(path),
            _ => pattern.path(path),
        };
        if let Some(fault) = pattern.fault().filter(|_| cfg!(feature = "url")) {
            return Err(Misfit::new(own.span.start, fault.to_string()).inside(word));
        }
    }
    Ok(pattern)
}

/// Words of other systems for the parts of a window, and what they are called here.
const FOREIGN: &[(&[&str], &str)] = &[
    (&["day", "weekday", "weekdays", "on"], "`days = [ … ]`"),
    (&["hours", "time", "between", "window"], "`from = \"09:00\", until = \"17:00\"`"),
    (&["start", "after", "begin"], "`from`"),
    (&["to", "end", "before"], "`until`"),
    (
        &["timezone", "time_zone", "tz", "location"],
        "`zone = \"Europe/Berlin\"`, or `offset = \"+02:00\"`",
    ),
    (&["utc_offset", "utc"], "`offset = \"+02:00\"`"),
];

/// `{ days, from, until }` with `offset` or `zone`: days of the week, and a window of the day on a clock.
pub(super) fn weekly_window(written: &Written) -> Result<Constraint, Misfit> {
    const DAY: (&str, &str, &str) = ("00:00", "24:00", "+00:00");
    let keys = ["days", "from", "until", "offset", "zone"];
    let example = "a table such as `{ days = [\"mon\"], from = \"09:00\" }`";
    let table = Table::read_translated(written, &keys, FOREIGN, example)?.said()?;
    let why = "which days, as in `days = [\"mon\", \"fri\"]`; for each day name all seven";
    let days = table.require("days", why, |own| {
        each(list(own)?, true, |own| {
            let day = match &own.node {
                SpannedNode::Text(day) => &**day,
                _ => {
                    let problem = "expected a day as text, one of `\"mon\"` to `\"sun\"`";
                    return Err(Misfit::new(own.span.start, problem));
                }
            };
            if day.len() > 3 && day.contains('-') {
                let problem =
                    "expected one day: each is named, as in `[\"mon\", \"tue\", \"wed\"]`";
                return Err(Misfit::new(own.span.start, problem));
            }
            meant(weekly(&[day], DAY.0, DAY.1, DAY.2), own)?;
            Ok(day)
        })
    })?;
    // Each alone, with what fits any: the first minute that is wrong, and not the window.
    let time = |key, (from, until, offset): (&'static str, &'static str, &'static str)| {
        table.read_at(key, |own| {
            let SpannedNode::Text(given) = &own.node else {
                let example = if key == "offset" { "+02:00" } else { "09:00" };
                let problem = format!("expected text like `\"{example}\"`");
                return Err(Misfit::new(own.span.start, problem));
            };
            let given: &str = given;
            let alone = match key {
                "from" if given != "24:00" => weekly(&["mon"], given, until, offset),
                "until" if given != "00:00" => weekly(&["mon"], from, given, offset),
                "offset" => weekly(&["mon"], from, until, given),
                _ => return Ok(given),
            };
            meant(alone, own)?;
            Ok(given)
        })
    };
    let (from, until) = (time("from", DAY)?.unwrap_or(DAY.0), time("until", DAY)?.unwrap_or(DAY.1));
    let offset = time("offset", DAY)?;
    let zone = table.read_at("zone", |own| {
        let place = Place::in_zone(text(own)?);
        place.map_err(|error| Misfit::new(own.span.start, error.to_string()))
    })?;
    let place = match (offset, zone) {
        (Some(_), Some(_)) => {
            let problem =
                "`offset` and `zone` together: a zone says how far its clocks are from UTC";
            return Err(Misfit::new(table.at, problem));
        }
        (_, Some(zone)) => Ok(zone),
        (offset, None) => Place::at_offset(offset.unwrap_or(DAY.2)),
    };
    Ok(weekly_at(&days, from, until, place))
}

/// What `read` makes of each, and where it is wrong, by its index where there are several.
fn each<'w, T>(
    written: &'w [Written],
    several: bool,
    mut read: impl FnMut(&'w Written) -> Result<T, Misfit>,
) -> Result<Vec<T>, Misfit> {
    let own = written.iter().enumerate();
    own.map(|(at, own)| {
        read(own).map_err(|error| if several { error.of_element(at) } else { error })
    })
    .collect()
}

/// # Errors
/// What is wrong with a part, at the part.
fn meant(alone: Constraint, written: &Written) -> Result<(), Misfit> {
    match alone.0 {
        Node::Faulty(error) => Err(Misfit::new(written.span.start, error.to_string())),
        _ => Ok(()),
    }
}

/// The elements of a list, or the one thing that stands in its place.
fn one_or_more(written: &Written) -> Result<&[Written], Misfit> {
    match &written.node {
        SpannedNode::List(list) if list.is_empty() => {
            Err(Misfit::new(written.span.start, "an empty list names nothing: leave it out"))
        }
        SpannedNode::List(list) => Ok(list),
        _ => Ok(std::slice::from_ref(written)),
    }
}
