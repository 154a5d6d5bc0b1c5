//! TOML text as statements: what stands on a line, or on several where a value goes on.

/// One statement, with the comment behind it inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statement<'t> {
    Blank,
    Comment(&'t str),
    /// `[a]` or `[[a]]`.
    Header(&'t str),
    /// A key, and its value from behind the `=` on, of one line or several.
    Entry {
        key: &'t str,
        value: &'t str,
    },
    /// What is none of these: no TOML has it.
    Other(&'t str),
}

/// The statements of a text. Together they have all of it but line breaks and space around them.
pub(super) fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line = line_of(rest);
        let trimmed = line.trim();
        let (statement, length) = if trimmed.is_empty() {
            (Statement::Blank, line.len())
        } else if trimmed.starts_with('#') {
            (Statement::Comment(trimmed), line.len())
        } else if trimmed.starts_with('[') {
            (Statement::Header(trimmed), line.len())
        } else {
            entry(rest)
        };
        all.push(statement);
        rest = rest.get(length..).unwrap_or_default();
        rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
    }
    all
}

fn line_of(text: &str) -> &str {
    text.split('\n').next().map_or("", |line| line.strip_suffix('\r').unwrap_or(line))
}

fn entry(text: &str) -> (Statement<'_>, usize) {
    let mut scanner = Scanner::default();
    let mut equals = None;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        if c == '\n' && !scanner.goes_on() {
            end = at;
            break;
        }
        let is_code = scanner.step(c);
        if is_code && c == '=' && scanner.depth == 0 && equals.is_none() {
            equals = Some(at);
        }
    }
    let own = text.get(..end).unwrap_or(text);
    let own = own.strip_suffix('\r').unwrap_or(own);
    let parts = equals.and_then(|at| Some((own.get(..at)?, own.get(at + 1..)?)));
    let statement = match parts {
        Some((key, value)) => Statement::Entry { key: key.trim(), value: value.trim() },
        None => Statement::Other(own.trim()),
    };
    (statement, own.len())
}

/// Where a reader of TOML is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scanner {
    state: State,
    /// How many quotation marks of one kind stand in a row.
    run: u8,
    pub(super) depth: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Code,
    Comment,
    /// Between quotation marks; whether of the kind that has escapes, whether three of them end it.
    Text {
        mark: char,
        several: bool,
        escaped: bool,
    },
}

impl Scanner {
    /// Whether a statement goes on behind the end of a line.
    fn goes_on(&self) -> bool {
        self.depth > 0 || matches!(self.state, State::Text { several: true, .. })
    }

    pub(super) fn is_in_comment(&self) -> bool {
        self.state == State::Comment
    }

    /// Takes the next character; says whether it is code, and neither text nor comment.
    pub(super) fn step(&mut self, c: char) -> bool {
        match self.state {
            State::Code => {
                match c {
                    '#' => self.state = State::Comment,
                    '"' | '\'' => {
                        self.state = State::Text { mark: c, several: false, escaped: false };
                        self.run = 1;
                    }
                    '[' | '{' => self.depth += 1,
                    ']' | '}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                !matches!(c, '#' | '"' | '\'')
            }
            State::Comment => {
                if c == '\n' {
                    self.state = State::Code;
                }
                false
            }
            State::Text { mark, several, escaped } => {
                self.in_text(c, mark, several, escaped);
                // The first character behind an empty text is code.
                self.state == State::Code && c != mark && self.step(c)
            }
        }
    }

    fn in_text(&mut self, c: char, mark: char, several: bool, escaped: bool) {
        let text = |several, escaped| State::Text { mark, several, escaped };
        if escaped {
            self.state = text(several, false);
            self.run = 0;
        } else if c == '\\' && mark == '"' {
            self.state = text(several, true);
            self.run = 0;
        } else if c == mark {
            self.run = self.run.saturating_add(1);
            match (several, self.run) {
                // `""` may be the beginning of `"""`, or an empty text.
                (false, 2) => self.state = text(false, false),
                (false, 3) => {
                    self.state = text(true, false);
                    self.run = 0;
                }
                (false, _) => self.state = State::Code,
                (true, 3) => self.state = State::Code,
                (true, _) => {}
            }
        } else if !several && self.run == 2 {
            self.state = State::Code;
        } else {
            self.run = 0;
            self.state = text(several, false);
        }
    }
}
