//! A policy's text in its one layout.
//!
//! Comments, the order of keys and how texts are written stay as they are. What changes is the space between them: one
//! empty line before each table, `=` in line where entries stand together, one space around it and inside of braces, and
//! two spaces a level where a value goes on over lines.

use super::scan::{Scanner, Statement, statements};

/// Lays out a text. What is laid out stays as it is.
pub(super) fn laid_out(text: &str) -> String {
    let all = statements(text);
    let mut out = String::with_capacity(text.len());
    let mut is_blank_wanted = false;
    for (at, statement) in all.iter().enumerate() {
        let behind = all.get(at..).unwrap_or_default();
        match statement {
            Statement::Blank => {
                is_blank_wanted = !out.is_empty();
                continue;
            }
            // The comments right above a table belong to it.
            _ if begins_a_table(behind) && !is_above(&all, at) => is_blank_wanted = !out.is_empty(),
            _ => {}
        }
        if is_blank_wanted {
            out.push('\n');
            is_blank_wanted = false;
        }
        match statement {
            Statement::Blank => {}
            Statement::Comment(own) | Statement::Other(own) => out.push_str(own),
            Statement::Header(own) => out.push_str(&with_comment(own)),
            Statement::Entry { key, value } => {
                out.push_str(key);
                let width = width_of_keys(&all, at);
                let padding = width.saturating_sub(key.chars().count());
                out.extend(std::iter::repeat_n(' ', padding));
                out.push_str(" = ");
                out.push_str(&value_laid_out(value));
            }
        }
        out.push('\n');
    }
    out
}

/// Whether a table begins here, with the comments above it.
fn begins_a_table(statements: &[Statement<'_>]) -> bool {
    let first = statements.iter().find(|own| !matches!(own, Statement::Comment(_)));
    matches!(first, Some(Statement::Header(_)))
}

/// Whether a comment stands right above.
fn is_above(all: &[Statement<'_>], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|above| matches!(all.get(above), Some(Statement::Comment(_))))
}

/// How wide the keys are that stand together with this one.
fn width_of_keys(all: &[Statement<'_>], at: usize) -> usize {
    let width = |own: &Statement<'_>| match own {
        Statement::Entry { key, .. } => Some(key.chars().count()),
        _ => None,
    };
    let before = all.get(..at).unwrap_or_default().iter().rev().map_while(width);
    let behind = all.get(at..).unwrap_or_default().iter().map_while(width);
    before.chain(behind).max().unwrap_or_default()
}

/// What stands on one line, and the comment behind it.
fn with_comment(line: &str) -> String {
    let (code, comment) = parted(line, &mut Scanner::default());
    match comment {
        Some(comment) => format!("{} {comment}", code.trim()),
        None => code.trim().to_owned(),
    }
}

/// A line's code and its comment. The scanner goes on.
fn parted<'l>(line: &'l str, scanner: &mut Scanner) -> (&'l str, Option<&'l str>) {
    let mut comment = None;
    for (at, c) in line.char_indices() {
        scanner.step(c);
        if scanner.is_in_comment() && comment.is_none() {
            comment = Some(at);
        }
    }
    match comment {
        Some(at) => (line.get(..at).unwrap_or(line), line.get(at..).map(str::trim_end)),
        None => (line, None),
    }
}

fn value_laid_out(value: &str) -> String {
    // Of a text of several lines every character counts.
    if value.contains("\"\"\"") || value.contains("'''") {
        return value.to_owned();
    }
    let mut scanner = Scanner::default();
    let several = value.contains('\n');
    let mut lines: Vec<String> = Vec::new();
    for line in value.lines() {
        let depth = scanner.depth;
        let (code, comment) = parted(line, &mut scanner);
        scanner.step('\n');
        let code = spaced(code, several);
        let closing =
            code.chars().take_while(|c| matches!(c, ']' | '}' | ' ')).filter(|c| *c != ' ');
        let indent = depth.saturating_sub(closing.count());
        let own = match (code.is_empty(), comment) {
            (true, None) => continue,
            (true, Some(comment)) => comment.to_owned(),
            (false, None) => code,
            (false, Some(comment)) => format!("{code} {comment}"),
        };
        let indent = if lines.is_empty() { 0 } else { indent };
        lines.push(format!("{}{own}", "  ".repeat(indent)));
    }
    lines.join("\n")
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open(char),
    Close(char),
    Comma,
    Equals,
    /// A text, a word or a number; whether space stands before it.
    Word(String, bool),
}

/// Code with its space as it is to be. A comma before what closes goes, where the value stands on one line.
fn spaced(code: &str, several: bool) -> String {
    let tokens = tokens(code);
    let mut out = String::new();
    let mut last: Option<&Token> = None;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        if *token == Token::Comma && !several && matches!(next, Some(Token::Close(_))) {
            continue;
        }
        let space = match (last, token) {
            (None, _) | (_, Token::Comma) => false,
            (Some(Token::Open('{')), Token::Close('}')) => false,
            (Some(Token::Open('{')), _) | (_, Token::Close('}')) => true,
            (Some(Token::Open(_)), _) | (_, Token::Close(_)) => false,
            (Some(Token::Word(..)), Token::Word(_, spaced)) => *spaced,
            _ => true,
        };
        if space {
            out.push(' ');
        }
        match token {
            Token::Open(c) | Token::Close(c) => out.push(*c),
            Token::Comma => out.push(','),
            Token::Equals => out.push('='),
            Token::Word(word, _) => out.push_str(word),
        }
        last = Some(token);
    }
    out
}

fn tokens(code: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut scanner = Scanner::default();
    let mut word = String::new();
    let (mut is_spaced, mut was_spaced) = (false, false);
    for c in code.chars() {
        let is_code = scanner.step(c);
        let token = match c {
            '[' | '{' if is_code => Some(Token::Open(c)),
            ']' | '}' if is_code => Some(Token::Close(c)),
            ',' if is_code => Some(Token::Comma),
            '=' if is_code => Some(Token::Equals),
            _ => None,
        };
        let is_space = is_code && c.is_whitespace();
        if token.is_some() || is_space {
            if !word.is_empty() {
                all.push(Token::Word(std::mem::take(&mut word), was_spaced));
            }
            is_spaced = is_space;
            all.extend(token);
        } else {
            if word.is_empty() {
                was_spaced = is_spaced;
            }
            word.push(c);
        }
    }
    if !word.is_empty() {
        all.push(Token::Word(word, was_spaced));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(laid_out(text), expected);
        assert_eq!(laid_out(expected), expected, "what is laid out stays");
    }

    #[test]
    fn space_is_as_it_is_to_be_and_comments_stay() {
        check(
            "\n\n# who pays\n\n\nversion=1\n[identity] # names\nfold   =\"ascii\"\n# one\n\n# two\n[[rule]]\n  id = 'a'\n\
             effect=\"permit\"   #  yes  \nwhat ={tool=\"t\",args={a={max=5,},b=[ 1,2 , ]}}\n\n\n\n",
            "# who pays\n\nversion = 1\n\n[identity] # names\nfold = \"ascii\"\n# one\n\n# two\n[[rule]]\nid     = 'a'\n\
             effect = \"permit\" #  yes\nwhat   = { tool = \"t\", args = { a = { max = 5 }, b = [1, 2] } }\n",
        );
    }

    #[test]
    fn what_stands_in_texts_is_not_touched() {
        let text = "a = \"# = [ {  ,\\\" ]\"\nb = '\"  #'\nc = \"\"\nd = [\"\", '', \"a\"]\n\"e  f\".g = 1\n";
        let expected = "a        = \"# = [ {  ,\\\" ]\"\nb        = '\"  #'\nc        = \"\"\nd        = [\"\", '', \"a\"]\n\"e  f\".g = 1\n";
        check(text, expected);
        let several = "a = \"\"\"\n  x = [\n\n   # no comment\n\"\"\"\nb = '''\n  '''\nc = 2026-01-01 00:00:00Z\n";
        check(several, several);
    }

    #[test]
    fn a_value_that_goes_on_keeps_its_lines() {
        check(
            "review={any=[\n{id=\"a\"},# first\n   # alone\n\n      {all=[{id=\"b\"},\n{id=\"c\"}]},\n]}\nper = \"call\"\n",
            "review = { any = [\n    { id = \"a\" }, # first\n    # alone\n    { all = [{ id = \"b\" },\n        { id = \"c\" }] },\n] }\nper    = \"call\"\n",
        );
    }

    #[test]
    fn lines_of_other_systems_end_as_here() {
        check("a = 1\r\n\r\nbb = [\r\n1,\r\n]\r\n", "a = 1\n\nbb = [\n  1,\n]\n");
    }
}
