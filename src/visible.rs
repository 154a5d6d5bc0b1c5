//! Which characters a reader can see: what a name may hold, and how untrusted text is shown to people.
//! The one table of hidden characters is here.

mod alike;

use std::borrow::Cow;
use std::fmt::{self, Write as _};

pub(crate) use alike::plain_letter;

use crate::word::Word;

/// Whether a reader of `c` cannot see it or is misled by it: controls, zero-width and filler
/// characters, bidirectional overrides and isolates, line separators, byte order marks, soft
/// hyphens, tags, variation selectors, noncharacters.
pub(crate) fn is_hidden(c: char) -> bool {
    // Nearly all text is printable ASCII: decide that first.
    if matches!(c, ' '..='~') {
        return false;
    }
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}'
            // Hangul, Khmer and Braille fillers: letters by class, blank to the eye.
            | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
}

/// `text` as a person may safely read it: hidden characters as `\u{..}`, backslash and backtick
/// escaped so that neither an escape nor the end of a quotation can be faked. The answer has at most
/// `max` characters and ends in `…` if something was left out.
pub(crate) fn escape_for_people(text: &str, max: usize) -> String {
    let mut shown = String::new();
    let mut room = max;
    for c in text.chars() {
        let piece = escape_char(c);
        let width = piece.chars().count();
        if width > room {
            make_room_for_ellipsis(&mut shown, room);
            return shown;
        }
        room -= width;
        shown.push_str(&piece);
    }
    shown
}

fn make_room_for_ellipsis(shown: &mut String, room: usize) {
    if room == 0 && shown.pop().is_none() {
        return;
    }
    shown.push('…');
}

fn escape_char(c: char) -> String {
    match c {
        '\\' => "\\\\".to_owned(),
        '`' => "\\`".to_owned(),
        '\n' => "\\n".to_owned(),
        c if is_hidden(c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    }
}

/// The most characters of untrusted text a message repeats: enough to recognise a name, too little to
/// bury the message.
const MOST_SHOWN: usize = 64;

/// Text in backticks with everything invisible, reordering or line-breaking escaped, cut short, so that
/// what an agent wrote cannot forge or hide a message (`attack 118`, `attack 134`).
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(MOST_SHOWN) {
            if is_hidden(c) || c == '`' || c == '\\' {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        if chars.next().is_some() {
            f.write_str("...")?;
        }
        f.write_char('`')
    }
}

/// What is written, with everything invisible, reordering or turning a terminal's head escaped as JSON does it, so that
/// JSON stays JSON of the same value. Ends of lines stay: who writes them means them, and JSON has none in a text.
pub(crate) struct Visible<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Visible<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'e, 'f>(&'e mut fmt::Formatter<'f>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match is_hidden(c) && c != '\n' {
                true => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .try_for_each(|unit| write!(self.0, "\\u{unit:04x}"))?,
                false => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// `text` as it is, or the part of its beginning that with a `…` has at most `max` bytes: for records,
/// which escape what is hidden themselves.
pub(crate) fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let room = max.saturating_sub('…'.len_utf8());
    let end = (0..=room).rev().find(|at| text.is_char_boundary(*at));
    let beginning = end.and_then(|end| text.get(..end)).unwrap_or_default();
    Cow::Owned(format!("{beginning}…"))
}

/// Whether all of `text` is printable ASCII, of which nothing is hidden.
#[inline]
pub(crate) fn is_printable_ascii(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Every key of every call is asked, and most are this short: all there is of them is in their first
    // and their last four bytes.
    if let (4..=8, Some(head), Some(tail)) = (bytes.len(), bytes.first_chunk(), bytes.last_chunk())
    {
        let ([a, b, c, d], [e, f, g, h]): (&[u8; 4], &[u8; 4]) = (head, tail);
        return Word::of([*a, *b, *c, *d, *e, *f, *g, *h]).is_printable();
    }
    bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Characters of tool names, purpose names and resource types. ASCII only, so that no two spellings
/// look alike (attack 11) and Unicode normalisation has nothing to change (attack 10).
pub(crate) fn is_name_char(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '.' | ':' | '/' | '-')
}

/// [`is_name_char`] of a byte, without a branch: `-./0123456789:` stand in a row. A byte of a longer
/// character is none of a name's.
#[inline]
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() | matches!(byte, b'-'..=b':') | (byte == b'_')
}

/// Where the first character stands that is none of a name.
pub(crate) fn not_a_name_char(text: &str) -> Option<usize> {
    // Every call names a tool.
    if text.bytes().fold(true, |name, byte| name & is_name_byte(byte)) {
        return None;
    }
    text.chars().position(|c| !is_name_char(c))
}

/// What a piece of text must look like: 1 to `max` bytes, every character allowed.
#[derive(Debug)]
pub(crate) struct TextRule {
    pub(crate) max: usize,
    /// The first character that is not allowed, counted from 0. A loop of its own for every rule,
    /// because names are read with every call.
    pub(crate) refuses: fn(&str) -> Option<usize>,
    /// The allowed characters in words, for errors.
    pub(crate) expected: &'static str,
}

/// Names of attributes and groups. Any script, compared byte for byte: `é` composed and decomposed
/// are two names (attack 10). What cannot be seen is refused (attack 12).
pub(crate) const ATTRIBUTE_NAME: TextRule = TextRule {
    max: 128,
    refuses: |text| text.chars().position(is_hidden),
    expected: "visible characters",
};

impl TextRule {
    /// # Errors
    /// What is wrong with `text`, for its author.
    pub(crate) fn check(&self, text: &str) -> Result<(), TextFault> {
        let fault = if text.is_empty() {
            NameFault::Empty
        } else if text.len() > self.max {
            NameFault::TooLong { length: text.len(), max: self.max }
        } else {
            match (self.refuses)(text) {
                None => return Ok(()),
                Some(at) => NameFault::Character {
                    found: text.chars().nth(at).unwrap_or('\0'),
                    position: at + 1,
                },
            }
        };
        Err(TextFault { given: escape_for_people(text, SHOWN), fault, expected: self.expected })
    }
}

/// How much of a refused text an error repeats.
pub(crate) const SHOWN: usize = 64;

/// Why a text does not follow its [`TextRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextFault {
    given: String,
    fault: NameFault,
    expected: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum NameFault {
    Empty,
    TooLong {
        length: usize,
        max: usize,
    },
    /// Positions count characters, from 1.
    Character {
        found: char,
        position: usize,
    },
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, fault, expected } = self;
        match fault {
            NameFault::Empty => write!(f, "is empty, expected {expected}"),
            NameFault::TooLong { length, max } => {
                write!(f, "`{given}` has {length} bytes, expected at most {max}")
            }
            NameFault::Character { found, position } => {
                // A look-alike letter must not be printed as itself: escape all but plain ASCII.
                let found = if found.is_ascii_graphic() && *found != '`' {
                    found.to_string()
                } else {
                    found.escape_unicode().to_string()
                };
                write!(f, "`{given}` has `{found}` as character {position}, expected {expected}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_seen_is_hidden() {
        for c in [
            '\0',
            '\n',
            '\u{7F}',
            '\u{85}',
            '\u{AD}',
            '\u{34F}',
            '\u{61C}',
            '\u{115F}',
            '\u{3164}',
            '\u{2800}',
            '\u{180E}',
            '\u{200B}',
            '\u{200D}',
            '\u{200F}',
            '\u{2028}',
            '\u{202E}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{FE0F}',
            '\u{FEFF}',
            '\u{FFF9}',
            '\u{FFFE}',
            '\u{1FFFF}',
            '\u{FDD0}',
            '\u{1D173}',
            '\u{E0041}',
            '\u{E0100}',
        ] {
            assert!(is_hidden(c), "{}", c.escape_unicode());
        }
    }

    #[test]
    fn what_people_write_is_not_hidden() {
        for c in "aZ 0~é\u{301}жы漢字नमस्ते😀“…–€".chars() {
            assert!(!is_hidden(c), "{}", c.escape_unicode());
        }
    }

    #[test]
    fn escaping_shows_hidden_characters_and_cannot_be_faked() {
        assert_eq!(escape_for_people("pay\u{202E}lliB", 40), r"pay\u{202e}lliB");
        assert_eq!(escape_for_people("a\nb", 40), r"a\nb");
        assert_eq!(escape_for_people(r"\u{202e}", 40), r"\\u{202e}");
        assert_eq!(escape_for_people("end` of", 40), r"end\` of");
        assert_eq!(escape_for_people("заказ № 5", 40), "заказ № 5");
    }

    #[test]
    fn escaping_marks_what_it_leaves_out() {
        assert_eq!(escape_for_people("abcdef", 6), "abcdef");
        assert_eq!(escape_for_people("abcdefg", 6), "abcde…");
        assert_eq!(escape_for_people("abc\u{200B}", 6), "abc…");
        assert_eq!(escape_for_people("abc", 0), "");
    }

    #[test]
    fn a_byte_is_of_a_name_just_where_the_character_is() {
        for byte in u8::MIN..=u8::MAX {
            assert_eq!(is_name_byte(byte), is_name_char(char::from(byte)), "{byte:#04x}");
        }
    }

    #[test]
    fn printable_ascii_is_known_at_every_length_and_place() {
        for length in 0..=40 {
            assert!(is_printable_ascii(&" ~".repeat(length)[..length]));
            for (at, byte) in (0..length).flat_map(|at| (0..=0x7f).map(move |byte| (at, byte))) {
                let text = format!(
                    "{}{}{}",
                    "~".repeat(at),
                    char::from(byte),
                    " ".repeat(length - at - 1)
                );
                assert_eq!(is_printable_ascii(&text), !is_hidden(char::from(byte)), "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_no_ascii_is_no_printable_ascii() {
        for (before, after) in (0..20).flat_map(|before| (0..20).map(move |after| (before, after)))
        {
            for c in ['\u{80}', '\u{a0}', 'é', '\u{ff}', '\u{200b}', '漢', '😀'] {
                assert!(!is_printable_ascii(&format!(
                    "{}{c}{}",
                    "a".repeat(before),
                    "a".repeat(after)
                )));
            }
        }
    }

    #[test]
    fn invisible_and_reordering_characters_are_spelled_out() {
        let shown = Shown("a\n\u{200b}b\u{202e}c`\\").to_string();
        assert_eq!(shown, r"`a\u{a}\u{200b}b\u{202e}c\u{60}\u{5c}`");
    }

    #[test]
    fn letters_of_any_script_are_shown_as_they_are() {
        assert_eq!(Shown("zürich 東京 🙂").to_string(), "`zürich 東京 🙂`");
    }

    #[test]
    fn long_text_is_cut_by_characters() {
        assert_eq!(Shown(&"é".repeat(64)).to_string(), format!("`{}`", "é".repeat(64)));
        assert_eq!(Shown(&"é".repeat(65)).to_string(), format!("`{}...`", "é".repeat(64)));
    }

    proptest! {
        #[test]
        fn escaped_text_is_visible_and_within_its_bound(text in any::<String>(), max in 0_usize..40) {
            let shown = escape_for_people(&text, max);
            prop_assert!(shown.chars().count() <= max);
            prop_assert!(!shown.chars().any(is_hidden));
        }

        #[test]
        fn two_texts_never_look_the_same_in_full(a in any::<String>(), b in any::<String>()) {
            prop_assume!(a != b);
            prop_assert_ne!(escape_for_people(&a, usize::MAX), escape_for_people(&b, usize::MAX));
        }
    }
}
