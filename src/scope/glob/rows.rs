//! Globs as the implementations of `*`, `**` and `?` judge them where they agree with each other.

use testkit::corpora::{Json, corpus, list, own, text};

use super::Glob;

/// The rows that are judged otherwise here.
fn disagreements(rows: &[Json]) -> Vec<(&str, &str, bool)> {
    let rows = rows.iter().map(|row| (text(&row[0]), text(&row[1]), row[2] == true));
    rows.filter(|(pattern, text, expected)| {
        Glob::new(pattern).map(|glob| glob.matches(text)) != Ok(*expected)
    })
    .collect()
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_row_is_judged_as_elsewhere() {
    let corpus = corpus("globs/globs_core.json");
    let rows = list(&corpus["vectors"]);
    assert!(rows.len() > 600, "the corpus is whole");
    // A closing bracket alone is a literal elsewhere; here it is refused as the opening one is, so
    // that no half of a class is ever read as text.
    assert_eq!(disagreements(rows), [("]", "]", true)]);
}

#[test]
fn stars_and_question_marks_are_judged_as_the_rows_of_this_repository_say() {
    let data = own("globs.json");
    let rows = list(&data["vectors"]);
    assert!(rows.len() > 30, "the rows are there");
    assert_eq!(disagreements(rows), []);
}
