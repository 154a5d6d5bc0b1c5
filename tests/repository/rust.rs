//! Just enough of Rust's grammar to see what a file names: its tokens without comments and literals.

/// A word of Rust: an identifier, or one character of anything else; `::` is one word.
pub(crate) type Word = String;

/// The words of a source text. Comments, strings, characters and lifetimes are left out.
pub(crate) fn words(source: &str) -> Vec<Word> {
    let chars: Vec<char> = source.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        match c {
            '/' if next == Some('/') => at = line_end(&chars, at),
            '/' if next == Some('*') => at = comment_end(&chars, at),
            '"' => at = string_end(&chars, at + 1),
            'r' | 'b' if raw_string(&chars, at).is_some() => {
                at = raw_string(&chars, at).unwrap();
            }
            '\'' => at = quote_end(&chars, at),
            ':' if next == Some(':') => {
                words.push("::".to_owned());
                at += 2;
            }
            _ if is_name(c) => {
                let end = (at..).find(|&i| chars.get(i).is_none_or(|&c| !is_name(c))).unwrap();
                words.push(chars[at..end].iter().collect());
                at = end;
            }
            _ if c.is_whitespace() => at += 1,
            _ => {
                words.push(c.to_string());
                at += 1;
            }
        }
    }
    words
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_end(chars: &[char], at: usize) -> usize {
    (at..chars.len()).find(|&i| chars[i] == '\n').unwrap_or(chars.len())
}

fn comment_end(chars: &[char], at: usize) -> usize {
    let end = (at + 2..chars.len()).find(|&i| chars[i] == '*' && chars.get(i + 1) == Some(&'/'));
    end.map_or(chars.len(), |end| end + 2)
}

/// Behind the quote that ends a string which began just before `at`.
fn string_end(chars: &[char], mut at: usize) -> usize {
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The end of `r"..."`, `r#"..."#` or `b"..."`, if one starts here.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    if at.checked_sub(1).is_some_and(|before| is_name(chars[before])) {
        return None;
    }
    let mut open = at + 1;
    if chars[at] == 'b' {
        match chars.get(open)? {
            '"' => return Some(string_end(chars, open + 1)),
            '\'' => return Some(quote_end(chars, open)),
            'r' => open += 1,
            _ => return None,
        }
    }
    let hashes = chars.get(open..)?.iter().take_while(|&&c| c == '#').count();
    open += hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |i: usize| {
        chars[i] == '"' && chars[i + 1..].iter().take_while(|&&c| c == '#').count() >= hashes
    };
    let close = (open + 1..chars.len()).find(|&i| closes(i))?;
    Some(close + 1 + hashes)
}

/// Behind a character literal, or behind the quote of a lifetime.
fn quote_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let close = (at + 3..chars.len()).find(|&i| chars[i] == '\'');
            close.map_or(chars.len(), |close| close + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// The words without what is compiled for tests or fuzzing only.
pub(crate) fn without_tests(words: &[Word]) -> Vec<Word> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if !is_for_tests(&words[at..]) {
            kept.push(words[at].clone());
            at += 1;
            continue;
        }
        // Over the attribute, then over its item: to a `;` or behind the block that opens first.
        at = block_end(words, at + 1, "[", "]");
        while words.get(at).is_some_and(|word| word == "#") {
            at = block_end(words, at + 1, "[", "]");
        }
        let end = (at..words.len()).find(|&i| words[i] == ";" || words[i] == "{");
        at = match end {
            Some(end) if words[end] == "{" => block_end(words, end, "{", "}"),
            Some(end) => end + 1,
            None => words.len(),
        };
    }
    kept
}

/// Whether a condition that is never met outside of tests and fuzzing starts here.
fn is_for_tests(words: &[Word]) -> bool {
    let text: String = words.iter().take(8).map(String::as_str).collect();
    let conditions = ["#[cfg(test)]", "#[cfg(fuzzing)]", "#[cfg(any(test,fuzz", "#[cfg(all(test,"];
    conditions.iter().any(|condition| text.starts_with(condition))
}

/// The words with what modules inside a file name, seen from the file: their `super` is its `self`.
pub(crate) fn flat(mut words: Vec<Word>) -> Vec<Word> {
    let inline = |words: &[Word], at: usize| {
        words[at] == "mod" && words.get(at + 2).is_some_and(|word| word == "{")
    };
    for at in 0..words.len() {
        if inline(&words, at) {
            let end = block_end(&words, at + 2, "{", "}");
            for inside in at + 2..end {
                if words[inside] == "super" && words[inside - 1] != "::" {
                    words[inside] = "self".to_owned();
                }
            }
        }
    }
    words
}

/// Behind the bracket that closes the one at `open`.
fn block_end(words: &[Word], open: usize, opening: &str, closing: &str) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        if word == opening {
            depth += 1;
        } else if word == closing {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    words.len()
}

/// The paths that a tree such as `a::{b, c::{self, D as E}}` names, and the name each is called by.
pub(crate) fn paths(words: &[Word]) -> (Vec<(Vec<Word>, Word)>, usize) {
    let mut found = Vec::new();
    let read = tree(words, 0, &mut Vec::new(), &mut found);
    (found, read)
}

fn tree(
    words: &[Word],
    mut at: usize,
    prefix: &mut Vec<Word>,
    found: &mut Vec<(Vec<Word>, Word)>,
) -> usize {
    let depth = prefix.len();
    loop {
        match words.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while words.get(at).is_some_and(|word| word != "}") {
                    at = tree(words, at, prefix, found);
                    if words.get(at).is_some_and(|word| word == ",") {
                        at += 1;
                    }
                }
                prefix.truncate(depth);
                return at + 1;
            }
            Some(word) if word == "*" || word.starts_with(is_name) => {
                if word != "self" || prefix.is_empty() {
                    prefix.push(word.to_owned());
                }
                at += 1;
            }
            _ => break,
        }
        if words.get(at).is_some_and(|word| word == "::") {
            at += 1;
        } else {
            break;
        }
    }
    let mut name = prefix.last().cloned().unwrap_or_default();
    if words.get(at).is_some_and(|word| word == "as") {
        name = words.get(at + 1).cloned().unwrap_or_default();
        at += 2;
    }
    if prefix.len() > depth || depth > 0 {
        found.push((prefix.clone(), name));
    }
    prefix.truncate(depth);
    at.max(1)
}
