//! Links of the pages work where files are shown, and in the documentation of the crate.
//!
//! They are written by name, with the names defined at the end of a page: a page of the documentation
//! defines those names first, as items, and the first definition holds.

use std::path::Path;

use crate::files;

/// The pages, by their paths below the crate's folder.
fn pages() -> Vec<String> {
    let mut pages = files::below("docs", ".md");
    pages.extend(["README.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned));
    pages
}

/// The names of links that a page defines, and what each leads to.
fn definitions(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    lines.collect()
}

#[test]
fn links_to_files_are_written_by_name() {
    for page in pages() {
        for rest in files::read(&page).split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            let elsewhere = target.starts_with("https://") || target.starts_with('#');
            assert!(
                elsewhere,
                "{page}: write `[text][name]` for `]({target})`, and define the name"
            );
        }
    }
}

#[test]
fn what_a_link_leads_to_is_there() {
    for page in pages() {
        let text = files::read(&page);
        for (name, target) in definitions(&text).into_iter().filter(|(_, to)| !to.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = Path::new(&page).parent().unwrap().join(file);
            let path = files::root().join(path);
            assert!(path.is_file(), "{page}: [{name}] leads to `{target}`, which is not a file");
            let text = std::fs::read_to_string(path).unwrap();
            let found = heading.is_empty() || headings(&text).any(|own| own == heading);
            assert!(found, "{page}: [{name}] leads to a heading that `{file}` has not");
        }
    }
}

/// The headings of a page as they are linked to.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    })
}

#[test]
fn the_documentation_has_every_page_and_defines_every_name_first() {
    let documentation = files::read("src/_documentation.rs");
    for page in files::below("docs", ".md") {
        assert!(documentation.contains(&format!("\"../{page}\"")), "{page} is not in it");
    }
    let top = files::read("src/lib.rs");
    for page in pages() {
        let defined = if page == "README.md" { &top } else { &documentation };
        for (name, _) in definitions(&files::read(&page)) {
            let first = format!("[{name}]: ");
            assert!(defined.contains(&first), "{page}: [{name}] is not defined first");
        }
    }
}
