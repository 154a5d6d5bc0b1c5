//! A pin: a part of an argument that stays the same while the rest of it may vary.

use std::borrow::Cow;
use std::fmt;

use crate::scope::{canonical_path, canonical_url};
use crate::value::Value;

/// The part of an argument that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Scheme, host and port of a URL.
    Origin,
    /// The path of a URL.
    Path,
    /// The query of a URL, or that there is none.
    Query,
    /// The folder that a path lies in directly.
    Folder,
}

/// An argument, and the part of it that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) arg: Box<str>,
    pub(crate) part: Part,
}

impl Part {
    /// The words of policies.
    pub(crate) const WORDS: &'static [(&'static str, Part)] = &[
        ("origin", Part::Origin),
        ("path", Part::Path),
        ("query", Part::Query),
        ("folder", Part::Folder),
    ];

    /// The word of policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Part::Origin => "origin",
            Part::Path => "path",
            Part::Query => "query",
            Part::Folder => "folder",
        }
    }

    /// Whether it is a part of URLs; of paths otherwise.
    pub(crate) const fn is_of_urls(self) -> bool {
        !matches!(self, Part::Folder)
    }

    /// The part of a text. A text that is not in the one spelling of its kind has none: what reads it may
    /// take it for another.
    fn of(self, text: &str) -> Option<&str> {
        if let Part::Folder = self {
            let Ok(Cow::Borrowed(path)) = canonical_path(text) else { return None };
            return Some(match path.rsplit_once('/') {
                Some(("", _)) => "/",
                Some((folder, _)) => folder,
                None => ".",
            });
        }
        let Ok(Cow::Borrowed(url)) = canonical_url(text) else { return None };
        // In its one spelling nothing stands before the host, and no port that is the scheme's own.
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let behind = rest.get(host..)?;
        let (behind, _) = behind.split_once('#').unwrap_or((behind, ""));
        let (path, query) = behind.split_at(behind.find('?').unwrap_or(behind.len()));
        match self {
            // A URL without a host has no origin of its own.
            Part::Origin => url.get(..scheme.len() + 3 + host).filter(|_| host > 0),
            Part::Path => Some(path),
            Part::Query => Some(query),
            Part::Folder => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Pin {
    /// Whether both have the part, and it is the same. An argument that is not there, or is not text, has none.
    pub(crate) fn holds(&self, before: Option<&Value>, after: Option<&Value>) -> bool {
        let part = |value: Option<&Value>| -> Option<String> {
            Some(self.part.of(value?.as_text()?)?.to_owned())
        };
        part(before).is_some_and(|own| part(after) == Some(own))
    }

    /// Why it could never hold in this build.
    pub(crate) fn fault(&self) -> Option<String> {
        (self.part.is_of_urls() && !cfg!(feature = "url")).then(|| {
            format!(
                "the {} of a URL takes the feature `url`, which this build is without",
                self.part
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_path_is_what_it_lies_in_directly() {
        let of = |path| Part::Folder.of(path);
        assert_eq!(of("/data/q3/a.csv"), Some("/data/q3"));
        assert_eq!(of("/a"), Some("/"));
        assert_eq!(of("a"), Some("."));
        assert_eq!(of("d/a"), Some("d"));
        for other in ["/data//a", "/data/./a", "/data/../a", "/data/%61", "data\\a", "", "/data/"] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }

    #[cfg(feature = "url")]
    #[test]
    fn the_parts_of_a_url_are_those_of_its_one_spelling() {
        let parts = |url| [Part::Origin, Part::Path, Part::Query].map(|part| part.of(url));
        for (url, expected) in [
            ("https://acme.test/a/b?q=1#f", ["https://acme.test", "/a/b", "?q=1"]),
            ("https://acme.test:8443/", ["https://acme.test:8443", "/", ""]),
            ("http://[::1]/?", ["http://[::1]", "/", "?"]),
            (
                "https://acme.test/?next=https://evil.test/",
                ["https://acme.test", "/", "?next=https://evil.test/"],
            ),
            ("https://acme.test/#?a", ["https://acme.test", "/", ""]),
        ] {
            assert_eq!(parts(url), expected.map(Some), "{url}");
        }
        for other in [
            "https://acme.test",
            "HTTPS://acme.test/",
            "https://acme.test:443/",
            "https://user@acme.test/",
            "https:acme.test/",
            "mailto:a@acme.test",
            "acme.test/",
        ] {
            assert_eq!(parts(other), [None; 3], "{other}");
        }
        assert_eq!(Part::Origin.of("file:///etc/passwd"), None);
    }

    #[cfg(not(feature = "url"))]
    #[test]
    fn without_the_feature_no_url_has_a_part() {
        assert_eq!(Part::Origin.of("https://acme.test/"), None);
        let pin = Pin { arg: "link".into(), part: Part::Origin };
        assert!(pin.fault().unwrap().contains("feature `url`"));
    }
}
