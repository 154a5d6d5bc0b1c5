//! The page of traces has every operation, with its fields and its answer.

use std::collections::BTreeSet;

use crate::driver::replay;

const PAGE: &str = include_str!("../../docs/replay.md");

/// The words in backticks behind `expected` of what is said of this line.
fn expected(test: &str, line: &str) -> Vec<String> {
    let told = replay(test, &[line]);
    assert_eq!(told.code, 2, "{}", told.answers);
    let (_, expected) = told.remarks.split_once("expected ").unwrap();
    words(expected.lines().next().unwrap()).map(str::to_owned).collect()
}

/// What stands in backticks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What stands between two headings.
fn part(from: &str, to: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

/// What the rows of tables begin with.
fn rows(part: &str) -> BTreeSet<&str> {
    let heads = part.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    heads.flat_map(|(head, _)| words(head)).collect()
}

#[test]
fn each_operation_stands_in_both_tables_of_the_page() {
    let operations = expected("operations", r#"{"op":"nothing"}"#);
    assert!(operations.len() > 40, "{operations:?}");
    let (fields, answers) =
        (part("\n## Operations", "\n## Answers"), part("\n## Answers", "\n## Errors"));
    let said = |part: &'static str| -> Vec<&str> {
        let rows = rows(part);
        operations.iter().map(String::as_str).filter(|own| !rows.contains(own)).collect()
    };
    assert_eq!(said(fields), [""; 0], "what it takes");
    assert_eq!(said(answers), [""; 0], "what it is answered");
}

#[test]
fn each_field_of_an_operation_is_named_where_operations_are() {
    let named: BTreeSet<&str> = words(part("\n## The trace", "\n## Answers"))
        .flat_map(|word| word.split(|c: char| c != '_' && !c.is_ascii_lowercase()))
        .collect();
    for operation in expected("fields", r#"{"op":"nothing"}"#) {
        let fields = expected("fields", &format!(r#"{{"op":"{operation}","nothing":1}}"#));
        let unsaid: Vec<&String> =
            fields.iter().filter(|own| !named.contains(own.as_str())).collect();
        assert!(unsaid.is_empty(), "`{operation}` takes {unsaid:?}");
    }
}
