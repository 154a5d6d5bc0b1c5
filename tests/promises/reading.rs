//! What texts are read as, by the book: paths, addresses, instants, JSON, URLs, patterns.

use std::collections::BTreeMap;

use crate::universe::{START, V};

/// The longest text that a pattern is asked of.
const LONGEST: usize = 4096;

/// Texts of which some kind says something, and some that only look so.
pub(crate) const READ: [&str; 51] = [
    "/a",
    "/a/b",
    "/ab",
    "a/b/c",
    "/",
    ".",
    "/a/",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "..",
    "a/..",
    "~a",
    "/%61",
    "a\\b",
    "a\rb",
    "/a/\u{7f}",
    "a\tb",
    "10.0.0.1",
    "10.1.0.1",
    "11.0.0.1",
    "010.0.0.1",
    "::ffff:10.0.0.1",
    "::10.0.0.1",
    "::ffff:0:a00:1",
    "64:ff9b::a00:1",
    "64:ff9b::b00:1",
    "64:ff9b:1::a00:1",
    "2002:a00:1::1",
    "2001::f5ff:fffe",
    "2001:db8::1",
    "::1",
    "2027-01-15T08:00:00Z",
    "2027-01-15T08:00:30Z",
    "2027-01-15t09:00:10.5+01:00",
    "2027-01-15 08:00:20-00:00",
    "2027-01-16T12:00:00Z",
    "2027-01-15X08:00:00Z",
    "2027-01-15T08:00Z",
    "1",
    "\"a\"",
    "[1,2]",
    "{\"p\":1}",
    "{\"p\":1,\"p\":2}",
    "https://a.test/a",
    "https://x.a.test/a/b",
    "https://a.test:8443/a",
    "http://127.0.0.1/",
    "https://db.corp.internal/",
    "https://a.test/..;/b",
    "blob:https://a.test/a",
];

/// Texts around what is too long for a pattern.
pub(crate) fn long_texts() -> Vec<String> {
    let many = |n: usize| "a".repeat(n);
    vec![many(LONGEST), many(LONGEST + 1), format!("/a/{}", many(LONGEST)), "é".repeat(2049)]
}

/// `true` and `false`, and `None` for what can't be told.
pub(crate) type Told = Option<bool>;

pub(crate) fn is_too_long(text: &str) -> bool {
    text.len() > LONGEST
}

/// Whether a reader that takes it for a path is led elsewhere than it says.
pub(crate) fn climbs(text: &str) -> bool {
    text.split('/').any(|segment| segment == "." || segment == "..")
}

pub(crate) fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

/// Whether a text is one segment of a path for every reader.
pub(crate) fn is_one_segment(text: &str) -> bool {
    !["", ".", ".."].contains(&text)
        && !text.chars().any(|c| c == '/' || c == '\\' || c == '%' || c < ' ' || is_control(c))
}

/// A folder in its one spelling.
pub(crate) fn folder(text: &str) -> Option<String> {
    let segments = || text.split('/').filter(|own| !matches!(*own, "" | "."));
    let odd = |c: char| c == '\\' || c == '%' || c < ' ' || is_control(c);
    if text.is_empty() || text.chars().any(odd) || segments().any(|own| own == "..") {
        return None;
    }
    let root = if text.starts_with('/') { "/" } else { "" };
    let own = segments().collect::<Vec<_>>().join("/");
    if text.starts_with('~') || (root.is_empty() && own.starts_with('~')) {
        return None;
    }
    Some(if root.is_empty() && own.is_empty() { ".".to_owned() } else { format!("{root}{own}") })
}

/// `under`: segment by segment.
pub(crate) fn under(folder: &str, text: &str) -> Told {
    let body = text.strip_prefix('/').unwrap_or(text);
    let is_path = text == "/"
        || text == "."
        || (!text.starts_with('~')
            && body.split('/').all(|own| !own.is_empty() && own != "." && own != "..")
            && !text.contains(['\\', '%'])
            && !text.chars().any(|c| is_control(c) || c == '\t' || c == '\n'));
    if !is_path || text.starts_with('/') != folder.starts_with('/') {
        return None;
    }
    let segments = |path: &str| -> Vec<String> {
        path.split('/').filter(|own| !matches!(*own, "" | ".")).map(str::to_owned).collect()
    };
    Some(segments(text).starts_with(&segments(folder)))
}

/// The bits of an address, as text.
fn bits(text: &str) -> Option<String> {
    match text.parse().ok()? {
        std::net::IpAddr::V4(own) => Some(own.octets().map(|byte| format!("{byte:08b}")).concat()),
        std::net::IpAddr::V6(own) => Some(own.octets().map(|byte| format!("{byte:08b}")).concat()),
    }
}

/// `cidr`: an address lies in a network if it begins with its bits; one that stands for another is both.
pub(crate) fn cidr(networks: &[&str], text: &str) -> Told {
    let bits_of = |text: &str| bits(text).unwrap();
    let mut own = bits(text)?;
    let mapped = bits_of("::ffff:0:0");
    if own.len() == 128 && own[..96] == mapped[..96] {
        own = own[96..].to_owned();
    }
    let lies = |own: &str| {
        networks.iter().any(|network| {
            let (first, length) = network.split_once('/').unwrap_or((network, "128"));
            let first = bits_of(first);
            let length = length.parse::<usize>().unwrap().min(first.len());
            first.len() == own.len() && first[..length] == own[..length]
        })
    };
    let here = lies(&own);
    if own.len() == 32 || own == bits_of("::") || own == bits_of("::1") {
        return Some(here);
    }
    let begins = |prefix: &str, length: usize| own[..length] == bits_of(prefix)[..length];
    let flipped = || own[96..].chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    let other: String = if begins("64:ff9b:1::", 48) {
        return None;
    } else if begins("::", 96) || begins("::ffff:0:0:0", 96) || begins("64:ff9b::", 96) {
        own[96..].to_owned()
    } else if begins("2002::", 16) {
        own[16..48].to_owned()
    } else if begins("2001::", 32) {
        flipped()
    } else {
        return Some(here);
    };
    (lies(&other) == here).then_some(here)
}

/// The milliseconds of an instant since 1970: days are counted one by one.
pub(crate) fn instant(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().unwrap())
    };
    let at = |place: usize| text.as_bytes().get(place).copied();
    let marks = [(4, b"-"), (7, b"-"), (13, b":"), (16, b":")];
    if marks.iter().any(|(place, mark)| at(*place) != Some(mark[0])) {
        return None;
    }
    if !matches!(at(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let mut rest = text.get(19..)?;
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        millis = format!("{:0<3}", &fraction[..digits])[..3].parse().ok()?;
        rest = &fraction[digits..];
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            let clock = rest.get(1..).filter(|own| own.len() == 5)?;
            let (hours, minutes) = clock.split_once(':')?;
            sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?)
        }
    };
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year: i64, month: i64| match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let valid = (1..=12).contains(&month) && (1..=length(year, month)).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let years: i64 = (1970..year).map(|year| 365 + i64::from(leap(year))).sum();
    let months: i64 = (1..month).map(|month| length(year, month)).sum();
    let minutes = (years + months + day - 1) * 1440 + hour * 60 + minute - offset;
    Some((minutes * 60 + second) * 1000 + millis)
}

/// `weekly`, in UTC: [`START`] is a Friday.
pub(crate) fn weekly(
    days: &[&str],
    from_hour: i64,
    until_hour: i64,
    hours_ahead: i64,
    text: &str,
) -> Told {
    let millis = instant(text)? + hours_ahead * 3_600_000;
    let day = 86_400_000;
    let since_friday = millis - (START - START.rem_euclid(day));
    let names = ["fri", "sat", "sun", "mon", "tue", "wed", "thu"];
    let name = names[usize::try_from(since_friday.div_euclid(day).rem_euclid(7)).unwrap()];
    let hour = since_friday.rem_euclid(day) / 3_600_000;
    Some(days.contains(&name) && (from_hour..until_hour).contains(&hour))
}

/// What a text of [`READ`] says as JSON.
pub(crate) fn json(text: &str) -> Option<V> {
    Some(match text {
        "1" => V::Halves(2),
        "\"a\"" => V::Text("a".into()),
        "[1,2]" => V::List(vec![V::Halves(2), V::Halves(4)]),
        "{\"p\":1}" => V::Object(BTreeMap::from([("p".into(), V::Halves(2))])),
        _ => return None,
    })
}

/// A URL of [`READ`], part by part.
#[cfg(feature = "url")]
pub(crate) struct Url {
    pub(crate) scheme: &'static str,
    pub(crate) host: &'static str,
    pub(crate) is_private: bool,
    pub(crate) port: u16,
    pub(crate) path: &'static str,
}

#[cfg(feature = "url")]
impl Url {
    pub(crate) fn read(text: &str) -> Option<Url> {
        let (scheme, host, port, path) = match text {
            "https://a.test/a" => ("https", "a.test", 443, "/a"),
            "https://x.a.test/a/b" => ("https", "x.a.test", 443, "/a/b"),
            "https://a.test:8443/a" => ("https", "a.test", 8443, "/a"),
            "http://127.0.0.1/" => ("http", "127.0.0.1", 80, "/"),
            "https://db.corp.internal/" => ("https", "db.corp.internal", 443, "/"),
            "https://a.test/..;/b" => ("https", "a.test", 443, "/..;/b"),
            _ => return None,
        };
        let is_private = !host.ends_with("a.test");
        Some(Url { scheme, host, is_private, port, path })
    }

    /// Whether servers may read the path in another way.
    pub(crate) fn is_read_otherwise(&self) -> bool {
        self.path.contains(';')
    }
}

/// A regular expression of letters, `.`, `|`, `(`, `)` and `*`, from end to end: every way is tried.
pub(crate) fn regex(pattern: &str, text: &str) -> bool {
    fn alternatives(pattern: &[char]) -> Vec<Vec<char>> {
        let (mut all, mut depth) = (vec![Vec::new()], 0);
        for c in pattern {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if *c == '|' && depth == 0 {
                all.push(Vec::new())
            } else {
                all.last_mut().unwrap().push(*c)
            }
        }
        all
    }
    fn matches(pattern: &[char], text: &[char]) -> bool {
        alternatives(pattern).iter().any(|own| sequence(own, text))
    }
    fn sequence(pattern: &[char], text: &[char]) -> bool {
        let Some(first) = pattern.first() else { return text.is_empty() };
        let length = match first {
            '(' => pattern.iter().position(|c| *c == ')').unwrap() + 1,
            _ => 1,
        };
        let (one, rest) = pattern.split_at(length);
        let is_one = |part: &[char]| match one {
            ['.'] => part.len() == 1 && part[0] != '\n',
            ['(', inner @ .., ')'] => matches(inner, part),
            own => own == part,
        };
        match rest.first() {
            Some('*') => {
                // Place by place: a long text takes no deeper stack. Nothing matches more than it is long.
                let mut reached = vec![false; text.len() + 1];
                reached[0] = true;
                for from in 0..text.len() {
                    let longest = one.len().min(text.len() - from);
                    for n in (1..=longest).filter(|_| reached[from]).collect::<Vec<_>>() {
                        reached[from + n] |= is_one(&text[from..from + n]);
                    }
                }
                (0..=text.len()).any(|n| reached[n] && sequence(&rest[1..], &text[n..]))
            }
            _ => (0..=text.len()).any(|n| is_one(&text[..n]) && sequence(rest, &text[n..])),
        }
    }
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    matches(&chars(pattern), &chars(text))
}

#[test]
fn the_book_reads_what_people_read() {
    assert_eq!(instant("1970-01-02T00:00:00.250Z"), Some(86_400_250));
    assert_eq!(instant("2027-01-15T08:00:00Z"), Some(START));
    assert_eq!(instant("2027-01-15T08:00Z"), None);
    assert_eq!(weekly(&["fri"], 8, 9, 0, "2027-01-15T08:59:59Z"), Some(true));
    assert_eq!(weekly(&["fri"], 9, 24, 0, "2027-01-15T08:59:59Z"), Some(false));
    assert_eq!(cidr(&["10.0.0.0/8"], "2002:a00:1::1"), None);
    assert_eq!(cidr(&["10.0.0.0/8"], "::ffff:10.9.9.9"), Some(true));
    assert_eq!(under("/a", "/a/b"), Some(true));
    assert_eq!(under("/a", "a/b"), None);
    assert!(regex("(a|b)*", "abba") && !regex("(a|b)*", "abc") && regex("a.*", "ab/c"));
}
