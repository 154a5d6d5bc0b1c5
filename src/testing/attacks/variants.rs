//! Variants of a value that somebody might send instead of it.

use crate::value::{Number, Value};

/// Behind a path that is permitted.
const BEYOND_PATHS: [&str; 8] = [
    "/../../etc/passwd",
    "/./../etc",
    "/%2e%2e/etc",
    "/..%2fetc",
    "\\..\\etc",
    "-other/x",
    "/\u{0}",
    "/x/../../y",
];

/// Behind a text that another program may read: a shell, SQL, a template, a header.
const INJECTED: [&str; 8] = [
    "; id",
    "$(id)",
    "`id`",
    "|id",
    "' OR '1'='1",
    "\nBcc: eve@evil.test",
    "{{7*7}}",
    " --exec=id",
];

/// Letters that look like others, or that can't be seen.
const LOOKALIKES: [(&str, &str); 8] = [
    ("a", "\u{430}"),
    ("e", "\u{435}"),
    ("o", "\u{43e}"),
    ("p", "\u{440}"),
    ("c", "\u{441}"),
    ("x", "\u{445}"),
    ("/", "\u{2215}"),
    (".", "\u{3002}"),
];

/// The variants of a value, each with its kind. None is the value itself.
pub(in crate::testing) fn variants_of(value: &Value) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    match value {
        Value::Text(text) => of_text(text, &mut all),
        Value::Number(number) => of_number(*number, &mut all),
        Value::List(elements) => {
            let more = elements.iter().cloned().chain([Value::from("evil")]);
            all.push(("list", Value::List(more.collect())));
            if let Some(first) = elements.first() {
                for (kind, variant) in variants_of(first) {
                    let rest = elements.iter().skip(1).cloned();
                    all.push((kind, Value::List([variant].into_iter().chain(rest).collect())));
                }
            }
        }
        Value::Bool(own) => all.push(("injection", Value::from(own.to_string()))),
        Value::Null | Value::Object(_) => {}
    }
    all.retain(|(_, own)| own != value);
    all
}

fn of_text(text: &str, all: &mut Vec<(&'static str, Value)>) {
    let mut add = |kind: &'static str, own: String| all.push((kind, Value::from(own)));
    if let Some((scheme, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let path = rest.get(host.len()..).unwrap_or_default();
        for other in [
            format!("{scheme}://{host}.evil.test{path}"),
            format!("{scheme}://{host}@evil.test{path}"),
            format!("{scheme}://evil.test/{rest}"),
            format!("{scheme}://evil.test?{rest}"),
            format!("{scheme}://evil.test#{rest}"),
            format!("{scheme}://evil.test\\@{rest}"),
            format!("{scheme}://169.254.169.254{path}"),
            format!("{scheme}://2852039166{path}"),
            format!("{scheme}://[::ffff:169.254.169.254]{path}"),
            format!("file:///{rest}"),
            format!("{scheme}://{host}:8080{path}"),
            format!("{scheme}://{host}/../admin"),
        ] {
            add("url", other);
        }
    } else if text.contains('/') {
        for beyond in BEYOND_PATHS {
            add("path", format!("{text}{beyond}"));
        }
        add("path", format!("/{text}"));
        add("path", text.replacen('/', "//", 1));
        add("path", text.to_uppercase());
    }
    for more in INJECTED {
        add("injection", format!("{text}{more}"));
    }
    for (own, other) in LOOKALIKES {
        if text.contains(own) {
            add("confusable", text.replacen(own, other, 1));
        }
    }
    add("confusable", format!("{text}\u{200b}"));
    add("confusable", format!("\u{202e}{text}"));
    add("confusable", format!("{text} "));
    all.push(("list", Value::List(vec![Value::from(text), Value::from("evil")])));
}

fn of_number(number: Number, all: &mut Vec<(&'static str, Value)>) {
    let zero = Number::from(0_u64);
    let negative = zero.checked_sub(number);
    for other in [
        negative,
        Number::parse("-1").ok(),
        Number::parse("1e37").ok(),
        Number::parse("1e-30").ok(),
    ] {
        all.extend(other.map(|own| ("number", Value::Number(own))));
    }
    all.push(("number", Value::from(number.to_string())));
    if let Ok(huge) = Number::parse("1e37") {
        all.push(("list", Value::List(vec![Value::Number(number), Value::Number(huge)])));
    }
}
