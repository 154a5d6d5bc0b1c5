//! What stands where a kind of constraint is expected and is none: words of other systems, and what they are called here.

use super::{KINDS, constraint_words};
use crate::document::did_you_mean;
use crate::visible::Shown;

/// Bounds by other names.
pub(super) const BOUNDS_ELSEWHERE: &[(&[&str], &str)] = &[
    (&["gte", "ge", "minimum", "at_least", ">=", "from"], "`min`"),
    (&["lte", "le", "maximum", "at_most", "<=", "to"], "`max`"),
    (&["gt", "above", ">"], "`min`, of one more"),
    (&["lt", "below", "<"], "`max`, of one less"),
    (&["eq", "equals", "exactly", "=="], "the number itself"),
];

/// Words of other systems, and what they are called here.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["gt", "greater_than", "more_than", "exclusiveminimum", "numericgreaterthan", ">"],
        "`above`",
    ),
    (&["gte", "ge", "minimum", "at_least", "numericgreaterthanequals", ">="], "`min`"),
    (&["lt", "less_than", "exclusivemaximum", "numericlessthan", "<"], "`below`"),
    (&["lte", "le", "maximum", "at_most", "numericlessthanequals", "<="], "`max`"),
    (&["equals", "equal", "is", "value", "const", "stringequals", "==", "="], "`eq`"),
    (&["ne", "neq", "not_equals", "notequals", "stringnotequals", "!="], "`not = { eq = … }`"),
    (&["in", "enum", "oneof", "any_in", "values"], "`one_of`"),
    (&["nin", "not_in", "notin", "none_of"], "`not = { one_of = [ … ] }`"),
    (&["starts_with", "startswith", "begins_with"], "`prefix`"),
    (&["ends_with", "endswith"], "`suffix`"),
    (&["includes", "substring"], "`contains`"),
    (&["like", "wildcard", "stringlike", "arnlike"], "`glob`"),
    (&["pattern", "match", "matches"], "`glob`, or `regex` for a regular expression"),
    (&["regexp", "re"], "`regex`"),
    (&["ip", "ip_in", "in_cidr", "ipaddress", "ipmatch", "in_network", "subnet"], "`cidr`"),
    (&["notipaddress"], "`not = { cidr = [ … ] }`"),
    (&["within", "path", "in_dir", "subpath"], "`under`"),
    (&["exists", "required", "is_set"], "`present`"),
    (&["missing", "absent", "is_null", "unset"], "`present = false`"),
    (&["typeof", "datatype", "is_type", "type_of"], "`type`"),
    (&["length", "size"], "`len` for text, `count` for lists"),
    (&["minlength", "min_length", "maxlength", "max_length"], "`len = { min = …, max = … }`"),
    (&["minitems", "min_items", "maxitems", "max_items"], "`count = { min = …, max = … }`"),
    (&["every", "foreach"], "`each`"),
    (&["argv", "words", "command", "first"], "`items = [ … ]`, a constraint for each place"),
    (&["properties", "keys"], "`fields`"),
    (&["and", "allof", "all_of"], "`all`"),
    (&["or", "anyof", "any_of"], "`any`"),
    (&["intersects", "overlaps", "contains_any", "containsany"], "`has_any`"),
    (&["contains_all", "containsall", "superset_of"], "`has_all`"),
    (&["has_none", "contains_none", "disjoint"], "`not = { has_any = [ … ] }`"),
    (&["has"], "`has_any = [ … ]`"),
    (&["ref"], "`same_as`, or `ref` in the place of a value, as in `max = { ref = … }`"),
    (&["join", "concat"], "`join` in the place of a text, as in `under = { join = [ … ] }`"),
    (&["equals_to", "same"], "`same_as`"),
    (
        &["optional", "default"],
        "`any = [{ present = false }, { … }]`, of which one may be left out",
    ),
    (&["between", "range"], "`min` and `max`"),
    (
        &["from", "since", "not_before"],
        "`after` for an instant, `weekly = { days = [ … ], from = … }` for a time of day",
    ),
    (
        &["until", "not_after", "expires"],
        "`before` for an instant, `weekly = { days = [ … ], until = … }` for a time of day",
    ),
    (
        &["days", "day", "hours", "weekday", "weekdays", "cron"],
        "`weekly = { days = [ … ], from = …, until = … }`",
    ),
    (
        &["zone", "timezone", "tz", "offset"],
        "`weekly = { days = [ … ], from = …, until = …, zone = … }`, inside of it",
    ),
    (&["host", "hostname", "domain", "subdomain_of", "scheme", "port"], "`url = { host = … }`"),
];

/// Words for what is not said by a constraint, and how it is said.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["ignore_case", "ignorecase", "case_insensitive", "flags", "nocase"],
        "texts are compared letter by letter: name each spelling, as in `one_of = [\"a\", \"A\"]` or `regex = '[aA]'`",
    ),
    (
        &["unless", "except", "if", "when"],
        "exceptions are the rule's own, as in `unless = { what = { args = { … } } }`",
    ),
];

pub(super) fn unknown_kind(word: &str) -> String {
    let shown = Shown(word);
    let lower = word.trim_start_matches('$').to_lowercase();
    if let Some((_, own)) = FOREIGN.iter().find(|(words, _)| words.contains(&&*lower)) {
        return format!("{shown} is not a kind of constraint: the word here is {own}");
    }
    if let Some((_, own)) = ELSEWHERE.iter().find(|(words, _)| words.contains(&&*lower)) {
        return format!("{shown} is not a kind of constraint: {own}");
    }
    if let Some(own) = excluded(&lower) {
        return format!("{shown} is not a kind of constraint: write `not = {{ {own} = … }}`");
    }
    match did_you_mean(word, constraint_words()) {
        Some(guess) => format!("{shown} is not a kind of constraint: {guess}"),
        None => format!(
            "{shown} is not a kind of constraint, as `eq`, `one_of`, `min`, `glob` and `has_any` are: if it is a \
             field of an object, write `fields = {{ NAME = … }}`"
        ),
    }
}

/// The kind of which `not_…` says that it does not hold.
fn excluded(word: &str) -> Option<&'static str> {
    let rest = ["not_", "no_", "is_not_"].into_iter().find_map(|start| word.strip_prefix(start))?;
    KINDS.iter().map(|kind| kind.word).find(|own| *own == rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_another_system_hides_a_kind() {
        for (words, _) in FOREIGN.iter().chain(ELSEWHERE) {
            for word in *words {
                assert!(KINDS.iter().all(|kind| kind.word != *word), "`{word}`");
                assert_eq!(*word, word.to_lowercase(), "words are compared in lower case");
            }
        }
    }

    #[test]
    fn what_is_not_a_kind_is_told_what_to_write() {
        for (word, told) in [
            ("StringLike", "`glob`"),
            ("in_cidr", "`cidr`"),
            ("not_cidr", "`not = { cidr = … }`"),
            ("not_one_of", "`not = { one_of = … }`"),
            ("missing", "`present = false`"),
            ("has_none", "`not = { has_any = [ … ] }`"),
            ("ignore_case", "each spelling"),
            ("matches", "`regex`"),
            ("glbo", "did you mean `glob`?"),
            ("owner", "`fields = { NAME = … }`"),
        ] {
            let message = unknown_kind(word);
            assert!(message.contains(told), "{message}");
        }
    }
}
