//! Files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the crate.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The text of a file, by its path below the crate's folder.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder whose names end so, by their paths below the crate's folder, in order.
pub(crate) fn below(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // What a package outside of the workspace is built into.
            if !path.ends_with("target") {
                collect(&path, ending, found);
            }
        } else if path.to_str().is_some_and(|path| path.ends_with(ending)) {
            found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"));
        }
    }
}

/// Whether pages are rewritten rather than compared.
pub(crate) fn writes() -> bool {
    std::env::var_os("HALLPASS_WRITE").is_some_and(|value| value == "1")
}

/// Fails where a page differs from what it should say, or rewrites it where `HALLPASS_WRITE=1`.
pub(crate) fn assert_says(path: &str, expected: &str) {
    if read(path) == expected {
        return;
    }
    if writes() {
        fs::write(root().join(path), expected).unwrap();
        return;
    }
    let found = read(path);
    let differs = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
    panic!(
        "{path}:{}: expected `{}`; run it again with `HALLPASS_WRITE=1` to rewrite the page",
        line + 1,
        expected.lines().nth(line).unwrap_or("the end of the page"),
    );
}

/// A page whose text between the two marker lines is replaced.
pub(crate) fn with_block(page: &str, name: &str, block: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no `{start}`"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no `{end}`"));
    format!("{before}{start}{block}{end}{after}")
}
