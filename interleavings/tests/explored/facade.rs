//! What is not named through the facade is not explored.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

/// Where locks, atomics and what belongs to a thread come from, other than through `sync`.
const ORIGINS: [&str; 6] = [
    "parking_lot::",
    "std::sync::atomic",
    "std::sync::{Mutex",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::thread_local",
];

#[test]
fn no_code_of_the_crate_names_a_lock_or_an_atomic_but_through_the_facade() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let files = files_below(&src);
    assert!(files.iter().any(|file| file.ends_with("task/cell.rs")));
    let is_test = |file: &Path| file.components().any(|part| part.as_os_str() == "tests");
    let of_tests =
        |file: &Path| file.ends_with("tests.rs") || is_test(file.strip_prefix(&src).unwrap());
    for file in files.iter().filter(|file| !is_facade(file) && !of_tests(file)) {
        let text = read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let named = ORIGINS.iter().any(|origin| line.contains(origin))
                || line.contains("thread_local!") && !line.contains("sync::thread_local!");
            assert!(!named, "{}: {line}", file.display());
        }
    }
}

fn is_facade(file: &Path) -> bool {
    file.ends_with("src/sync.rs") || file.ends_with("src/sync/explored.rs")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => files_below(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
