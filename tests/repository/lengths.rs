//! A file of one idea is read in one sitting: 400 lines at most.

use crate::files;

const MOST: usize = 400;

const FOLDERS: [&str; 7] =
    ["src", "tests", "cli", "adapters", "examples", "benches", "interleavings"];

#[test]
fn no_file_has_more_lines_than_one_idea_needs() {
    let files = FOLDERS.iter().flat_map(|folder| files::below(folder, ".rs"));
    // What a generator wrote is read by no one, and a test holds that it is what the generator gives.
    let ours = |path: &String| !path.split('/').any(|part| matches!(part, "target" | "generated"));
    let own = files.filter(ours);
    let long: Vec<(String, usize)> = own
        .map(|path| (files::read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > MOST)
        .map(|(lines, path)| (path, lines))
        .collect();
    assert!(long.is_empty(), "split by idea what has more than {MOST} lines: {long:?}");
}
