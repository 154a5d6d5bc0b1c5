//! How many types a host meets that has people asked: a number that is looked at before it grows.

use std::collections::BTreeSet;

use crate::files;

/// All that is named to have people asked, to answer, to redeem, and to break the glass and review that, beside errors and
/// what is named without it, too: handles, what they give, what a policy says, and what a record has.
const OF_PEOPLE: [&str; 20] = [
    "AnswerGiven",
    "Answered",
    "ApprovalTerms",
    "Asked",
    "BreakGlassTerms",
    "BrokenGlass",
    "Debt",
    "Part",
    "Pending",
    "Per",
    "Question",
    "QuestionState",
    "ReviewEvent",
    "ReviewEvents",
    "Reviewers",
    "Reviews",
    "Tally",
    "View",
    "ViewLine",
    "Width",
];

/// Words of the files and types that are about people.
const WORDS: [&str; 10] = [
    "approv", "answer", "asked", "counted", "debt", "glass", "pending", "question", "review",
    "vote",
];

/// What reads a log back, tests policies, joins brokers or mints has types of its own, which may be called alike.
const OTHERS: [&str; 9] = [
    "src/audit/explain",
    "src/audit/left_",
    "src/audit/replay",
    "src/audit/review",
    "src/audit/verify",
    "src/audit/watch",
    "src/credential/",
    "src/fleet/",
    "src/testing/",
];

/// The public types of a source, each with what stands before it, but for errors.
fn public_types(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut derives = "";
    for line in source.lines() {
        if line.starts_with("#[derive(") {
            derives = line;
        }
        let type_of = |word: &str| line.strip_prefix("pub ")?.strip_prefix(word);
        let named = ["struct ", "enum ", "trait ", "type ", "union "].into_iter().find_map(type_of);
        if let Some(rest) = named {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !derives.contains("Error") {
                found.push(name);
            }
            derives = "";
        }
    }
    found
}

#[test]
fn who_has_people_asked_meets_twenty_types_and_errors() {
    let is_of_people = |text: &str| {
        let text = text.to_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    };
    let ours = |path: &String| !OTHERS.iter().any(|own| path.starts_with(own));
    let mut found = BTreeSet::new();
    for path in files::below("src", ".rs").into_iter().filter(ours) {
        let types = public_types(&files::read(&path));
        found.extend(types.into_iter().filter(|name| is_of_people(&path) || is_of_people(name)));
    }
    let expected: BTreeSet<String> = OF_PEOPLE.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, expected, "twenty or fewer: see whether one of these can say it");
}
