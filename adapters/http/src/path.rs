//! Paths that servers read in one way alone.

/// Whether every server reads this path as it is written: nothing in it steps up, is empty, or stands for a separator once it
/// is decoded, be it twice.
pub(crate) fn is_plain(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let is_visible = path.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    let mut segments = rest.split('/').peekable();
    let mut all = is_visible;
    while let Some(segment) = segments.next() {
        // A path may end in a slash.
        let is_last = segments.peek().is_none();
        all &= is_segment(segment) && (is_last || !segment.is_empty());
    }
    all
}

/// Whether a segment is what it looks like.
fn is_segment(segment: &str) -> bool {
    let Some(decoded) = decoded(segment) else { return false };
    // Some servers leave out what follows a semicolon.
    let name = decoded.split(|byte| *byte == b';').next().unwrap_or_default();
    let is_dots = !name.is_empty() && name.iter().all(|byte| *byte == b'.');
    let is_nameless = name.is_empty() && !decoded.is_empty();
    let has_hidden =
        decoded.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'%' | ..=b' ' | 0x7f));
    !is_dots && !is_nameless && !has_hidden
}

/// What the percent escapes of a segment stand for; `None` if one is none.
fn decoded(segment: &str) -> Option<Vec<u8>> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            own => own,
        });
    }
    Some(decoded)
}

/// Whether a path is another, or below it where that ends in a slash.
pub(crate) fn is_within(path: &str, allowed: &str) -> bool {
    path == allowed || allowed.ends_with('/') && path.starts_with(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_servers_read_differently_is_refused() {
        for path in [
            "/",
            "/v1/orders/7",
            "/v1/orders/",
            "/a.b/..c/.hidden",
            "/caf%C3%A9",
            "/a;v=1/b",
            "/a:b@c",
            "/~x",
        ] {
            assert!(is_plain(path), "{path}");
        }
        for path in [
            "",
            "v1",
            "*",
            "//v1",
            "/v1//orders",
            "/v1/../admin",
            "/v1/./x",
            "/..",
            "/.",
            "/...",
            "/v1/%2e%2e/admin",
            "/v1/.%2E/admin",
            "/v1/%2e/x",
            "/v1/..;/admin",
            "/v1/..;a=b/admin",
            "/v1/;/admin",
            "/v1/a%2fb",
            "/v1/a%5Cb",
            "/v1/a\\b",
            "/v1/%00",
            "/v1/%0a",
            "/v1/%20",
            "/v1/%7f",
            "/v1/%252e%252e/admin",
            "/v1/%",
            "/v1/%2",
            "/v1/%zz",
            "/v1/%+f",
            "/é",
            "/a b",
            "/v1/..%3bx/admin",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn only_what_ends_in_a_slash_allows_what_is_below() {
        assert!(is_within("/v1/orders", "/v1/orders") && is_within("/v1/orders/7", "/v1/orders/"));
        assert!(is_within("/x", "/"));
        for (path, allowed) in [
            ("/v1/orders/7", "/v1/orders"),
            ("/v1/ordersx", "/v1/orders"),
            ("/v1/orders", "/v1/orders/"),
            ("/", "/v1"),
        ] {
            assert!(!is_within(path, allowed), "{path} {allowed}");
        }
    }
}
