//! The known word that was probably meant.

/// The longest word looked at: comparing takes time in the product of the lengths.
const LONGEST: usize = 64;

/// The candidate nearest to `word`, if one is near enough to be a slip: one edit in a short word, one
/// for every three letters in a longer one. Case alone is not a distance.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if word.len() > LONGEST {
        return None;
    }
    let most = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (edits(&word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= most && *edits < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// `: did you mean …?` for messages, or nothing.
pub(crate) fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour.
fn edits(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> =
        candidate.chars().take(2 * LONGEST).flat_map(char::to_lowercase).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=candidate.len()).collect();
    let mut previous = None;
    for (row, letter) in word.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in candidate.iter().enumerate() {
            let of = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX - 1);
            let replaced = of(&last, column) + usize::from(letter != other);
            let mut least = replaced.min(of(&last, column + 1) + 1).min(of(&current, column) + 1);
            let swapped =
                column > 0 && previous == Some(other) && candidate.get(column - 1) == Some(letter);
            if swapped {
                least = least.min(of(&before_last, column - 1) + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let known = ["effect", "purpose", "groups", "one_of", "id"];
        for (slip, meant) in [
            ("efect", "effect"),
            ("Effect", "effect"),
            ("group", "groups"),
            ("oen_of", "one_of"),
            ("propose", "purpose"),
        ] {
            assert_eq!(nearest(slip, known), Some(meant), "{slip}");
        }
    }

    #[test]
    fn a_different_word_finds_nothing() {
        for word in ["colour", "x", "", &"e".repeat(1000)] {
            assert_eq!(nearest(word, ["effect", "id", "to"]), None, "{word}");
        }
    }

    #[test]
    fn edits_are_counted_as_people_count_them() {
        for (word, other, count) in
            [("", "abc", 3), ("abc", "", 3), ("abc", "acb", 1), ("kitten", "sitting", 3)]
        {
            let word: Vec<char> = word.chars().collect();
            assert_eq!(edits(&word, other), count, "{word:?} {other}");
        }
    }
}
