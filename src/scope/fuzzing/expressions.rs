//! Regular expressions: unchecked text is refused or matched, and an expression made from a
//! tree agrees with walking the tree.

use std::collections::BTreeSet;

use super::super::regex::Regex;
use super::two_texts;

/// Text as it comes, or an expression made from a tree and what walking the tree says.
pub fn expressions(bytes: &[u8]) {
    let Some((&mode, rest)) = bytes.split_first() else { return };
    if mode % 2 == 0 {
        let Some((pattern, text)) = two_texts(rest) else { return };
        let Ok(regex) = Regex::new(pattern) else { return };
        assert_eq!(regex.as_str(), pattern);
        regex.matches(text);
        if pattern.chars().all(char::is_alphanumeric) {
            assert_eq!(regex.matches(text), pattern == text);
        }
        return;
    }
    let mut left = rest;
    let tree = Tree::grow(&mut left, 4);
    let mut pattern = String::new();
    tree.write(&mut pattern);
    let Ok(regex) = Regex::new(&pattern) else { return };
    let letters: Vec<char> =
        left.iter().take(12).map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]).collect();
    let text: String = letters.iter().collect();
    let naive = tree.ends(&letters, 0).contains(&letters.len());
    assert_eq!(regex.matches(&text), naive, "`{pattern}` of `{text}`");
}

const LETTERS: [char; 6] = ['a', 'b', 'c', '\n', '/', 'é'];

enum Tree {
    Letter(char),
    AnyButLineFeed,
    Class { negated: bool, from: char, to: char },
    Sequence(Vec<Tree>),
    Alternatives(Vec<Tree>),
    Repeat(Box<Tree>, usize, Option<usize>),
}

impl Tree {
    fn grow(left: &mut &[u8], depth: usize) -> Tree {
        let byte = take(left);
        let several = |left: &mut &[u8]| {
            let most = 1 + usize::from(take(left)) % 3;
            (0..most).map(|_| Tree::grow(left, depth - 1)).collect()
        };
        match if depth == 0 { byte % 4 } else { byte % 9 } {
            0 | 1 => Tree::Letter(LETTERS[usize::from(byte / 9) % LETTERS.len()]),
            2 => Tree::AnyButLineFeed,
            3 => {
                let from = ['a', 'b'][usize::from(byte / 9) % 2];
                let to = ['b', 'c'][usize::from(byte / 18) % 2];
                Tree::Class { negated: byte / 36 % 2 == 1, from, to }
            }
            4 | 5 => Tree::Sequence(several(left)),
            6 => Tree::Alternatives(several(left)),
            _ => {
                let least = usize::from(byte / 9) % 3;
                let most = match byte / 27 % 3 {
                    0 => None,
                    more => Some(least + usize::from(more)),
                };
                Tree::Repeat(Box::new(Tree::grow(left, depth - 1)), least, most)
            }
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Tree::Letter('\n') => out.push_str("\\n"),
            Tree::Letter(letter) => out.push(*letter),
            Tree::AnyButLineFeed => out.push('.'),
            Tree::Class { negated, from, to } => {
                let not = if *negated { "^" } else { "" };
                out.push_str(&format!("[{not}{from}-{to}]"));
            }
            Tree::Sequence(parts) => parts.iter().for_each(|part| part.write(out)),
            Tree::Alternatives(parts) => {
                out.push('(');
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        out.push('|');
                    }
                    part.write(out);
                }
                out.push(')');
            }
            Tree::Repeat(inner, least, most) => {
                out.push('(');
                inner.write(out);
                out.push(')');
                match (least, most) {
                    (0, None) => out.push('*'),
                    (1, None) => out.push('+'),
                    (0, Some(1)) => out.push('?'),
                    (least, None) => out.push_str(&format!("{{{least},}}")),
                    (least, Some(most)) => out.push_str(&format!("{{{least},{most}}}")),
                }
            }
        }
    }

    /// Where a match that begins at `at` may end.
    fn ends(&self, text: &[char], at: usize) -> BTreeSet<usize> {
        let one = |matches: bool| if matches { BTreeSet::from([at + 1]) } else { BTreeSet::new() };
        let next = text.get(at);
        match self {
            Tree::Letter(letter) => one(next == Some(letter)),
            Tree::AnyButLineFeed => one(next.is_some_and(|c| *c != '\n')),
            Tree::Class { negated, from, to } => {
                one(next.is_some_and(|c| (from..=to).contains(&c) != *negated))
            }
            Tree::Sequence(parts) => parts.iter().fold(BTreeSet::from([at]), |ends, part| {
                ends.into_iter().flat_map(|end| part.ends(text, end)).collect()
            }),
            Tree::Alternatives(parts) => {
                parts.iter().flat_map(|part| part.ends(text, at)).collect()
            }
            Tree::Repeat(inner, least, most) => {
                let mut now = BTreeSet::from([at]);
                let mut all = BTreeSet::new();
                // Past the text's length every further round adds nothing but empty matches.
                for round in 0..=most.unwrap_or(least + text.len() + 1) {
                    if round >= *least {
                        if now.is_subset(&all) {
                            break;
                        }
                        all.extend(&now);
                    }
                    now = now.into_iter().flat_map(|end| inner.ends(text, end)).collect();
                }
                all
            }
        }
    }
}

fn take(left: &mut &[u8]) -> u8 {
    let Some((first, rest)) = left.split_first() else { return 0 };
    *left = rest;
    *first
}
