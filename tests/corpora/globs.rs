//! Globs as the implementations of `*`, `**` and `?` judge them where they agree with each other.

use std::path::PathBuf;

use hallpass::scope::Glob;

#[test]
fn every_row_is_judged_as_elsewhere() {
    let Some(folder) = std::env::var_os("HALLPASS_CORPORA") else {
        println!("skipped: HALLPASS_CORPORA is not set");
        return;
    };
    let file = PathBuf::from(folder).join("globs/globs_core.json");
    let text = std::fs::read_to_string(&file).expect("the corpus is readable");
    let corpus: serde_json::Value = serde_json::from_str(&text).expect("the corpus is JSON");
    let rows = corpus["vectors"].as_array().expect("a list of rows");
    assert!(rows.len() > 600, "the corpus is whole");

    let mut disagreements = Vec::new();
    for row in rows {
        let pattern = row[0].as_str().expect("a pattern");
        let text = row[1].as_str().expect("a text");
        let expected = row[2].as_bool().expect("a verdict");
        let judged = Glob::new(pattern).map(|glob| glob.matches(text));
        if judged != Ok(expected) {
            disagreements.push((pattern, text, expected));
        }
    }
    // A closing bracket alone is a literal elsewhere; here it is refused beside the opening one, so
    // that no half of a class is ever read as text.
    assert_eq!(disagreements, [("]", "]", true)]);
}
