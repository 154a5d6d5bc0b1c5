//! Which texts are spellings of a type, as a small automaton, and which patterns match none of them.

use std::borrow::Cow;

use crate::scope::{Automaton, Constraint, Expected, Node, Relation, Step, canonical_url};
use crate::visible::is_hidden;

use super::arg_type::ArgType;

/// A set of states of a [`Language`], a bit for each.
type States = u32;

/// A set of classes of characters, a bit for each.
type Classes = u32;

/// Texts that an automaton of few states accepts, which tells few classes of characters apart.
struct Language {
    /// The class of a character; `None` for one that no text of the language has.
    class_of: fn(char) -> Option<u8>,
    /// Where a state goes on with a character of a class, if the text can still be of the language.
    next: fn(u8, u8) -> Option<u8>,
    classes: u8,
    /// The classes of characters beyond ASCII.
    beyond_ascii: Classes,
    accepting: States,
}

impl Language {
    fn start(&self) -> States {
        1
    }

    fn accepts(&self, states: States) -> bool {
        states & self.accepting != 0
    }

    /// Where any of the states may be after one character of any of the classes.
    fn step(&self, states: States, classes: Classes) -> States {
        let mut to = 0;
        // An agent's texts are read so, a byte at a time: only what is set is looked at.
        for class in set_bits(classes).take_while(|class| *class < self.classes) {
            for state in set_bits(states) {
                to |= (self.next)(state, class).map_or(0, |next| 1 << next);
            }
        }
        to
    }

    fn after_text(&self, states: States, text: &str) -> States {
        text.chars().fold(states, |states, c| match (self.class_of)(c) {
            Some(class) if states != 0 => self.step(states, 1 << class),
            _ => 0,
        })
    }

    fn after_anything(&self, mut states: States) -> States {
        loop {
            let more = states | self.step(states, Classes::MAX);
            if more == states {
                return states;
            }
            states = more;
        }
    }

    /// Whether some text of the language begins so, goes on with anything, and ends so.
    fn has_between(&self, before: States, text: &str, open: bool) -> bool {
        let after = self.after_text(before, text);
        self.accepts(if open { self.after_anything(after) } else { after })
    }

    /// Whether some text of the language is matched by an automaton.
    fn meets(&self, automaton: &Automaton) -> bool {
        let steps = automaton.steps();
        let mut reached: Vec<States> = vec![0; steps.len()];
        let mut open = vec![(0_usize, self.start())];
        while let Some((at, states)) = open.pop() {
            let (Some(known), Some(step)) = (reached.get_mut(at), steps.get(at)) else { continue };
            let new = states & !*known;
            if new == 0 {
                continue;
            }
            *known |= new;
            match step {
                Step::Char(c) => {
                    let class = (self.class_of)(*c);
                    open.push((at + 1, class.map_or(0, |class| self.step(new, 1 << class))));
                }
                Step::Class(ranges) => {
                    open.push((at + 1, self.step(new, self.classes_of(ranges))));
                }
                Step::Split(one, other) => {
                    open.push((usize::from(*one), new));
                    open.push((usize::from(*other), new));
                }
                Step::Jump(to) => open.push((usize::from(*to), new)),
                Step::End => {
                    if self.accepts(new) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// The classes of the characters in ranges.
    fn classes_of(&self, ranges: &[(char, char)]) -> Classes {
        const ASCII: char = '\x7f';
        let mut classes = 0;
        for (low, high) in ranges {
            let ascii = (*low..=ASCII.min(*high)).filter_map(self.class_of);
            classes = ascii.fold(classes, |classes, class| classes | 1 << class);
            // Some of these may be hidden: then too much is thought to match, never too little.
            classes |= if *high > ASCII { self.beyond_ascii } else { 0 };
        }
        classes
    }
}

/// The places of the bits that are set, ascending.
fn set_bits(mut bits: u32) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let at = u8::try_from(bits.trailing_zeros()).ok().filter(|at| *at < 32)?;
        bits &= bits - 1;
        Some(at)
    })
}

/// Paths in their one spelling, exactly: what `canonical_path` leaves as it is.
const PATHS: Language = Language {
    class_of: |c| match c {
        '/' => Some(0),
        '.' => Some(1),
        '~' => Some(2),
        '\\' | '%' => None,
        c if is_hidden(c) => None,
        _ => Some(3),
    },
    next: |state, class| match (state, class) {
        // At the beginning.
        (0, 0) => Some(1),
        (0, 1) => Some(3),
        (0, 2) => None,
        (0, _) => Some(6),
        // Behind a `/`: the first (1), or another (2).
        (1 | 2, 0) => None,
        (1 | 2, 1) => Some(4),
        (1 | 2, _) => Some(6),
        // A segment of one dot: alone a path (3), or not (4); one of two (5).
        (3..=5, 0) => None,
        (3 | 4, 1) => Some(5),
        (3..=5, _) => Some(6),
        // Another segment.
        (_, 0) => Some(2),
        (_, _) => Some(6),
    },
    classes: 4,
    beyond_ascii: 1 << 3,
    accepting: 1 << 1 | 1 << 3 | 1 << 6,
};

mod url {
    //! States and classes of [`super::URLS`].

    // Schemes, letter by letter: the first five of states and classes spell the special ones.
    pub(super) const START: u8 = 0;
    pub(super) const SCHEME: u8 = 12;
    /// Behind the `:` of a scheme that is not special.
    pub(super) const OPEN: u8 = 13;
    pub(super) const COLON: u8 = 14;
    pub(super) const SLASH: u8 = 15;
    pub(super) const SLASHES: u8 = 16;
    pub(super) const HOST: u8 = 17;
    /// Behind a `/` of the path; then a segment of one dot, of two, and another.
    pub(super) const SEGMENT: u8 = 18;
    pub(super) const DOT: u8 = 19;
    pub(super) const DOTS: u8 = 20;
    pub(super) const IN_SEGMENT: u8 = 21;
    /// In the query or the fragment.
    pub(super) const REST: u8 = 22;

    /// The states of a scheme that has been read so far, and the letters that lead on.
    pub(super) const SCHEMES: &[(u8, char, u8)] = &[
        (START, 'h', 1),
        (1, 't', 2),
        (2, 't', 3),
        (3, 'p', 4),
        (4, 's', 5),
        (START, 'w', 6),
        (6, 's', 7),
        (7, 's', 8),
        (START, 'f', 9),
        (9, 't', 10),
        (10, 'p', 11),
    ];

    pub(super) const fn is_special(state: u8) -> bool {
        matches!(state, 4 | 5 | 7 | 8 | 11)
    }

    /// Letters that tell schemes apart, other lower-case letters, digits with `+` and `-`, upper case,
    /// and signs that mean something, each of its own class.
    pub(super) const SIGNS: &[char] =
        &['h', 't', 'p', 's', 'w', 'f', '.', ':', '/', '?', '#', '@', '\\', '%'];
    pub(super) const LOWER: u8 = 14;
    pub(super) const DIGIT: u8 = 15;
    pub(super) const UPPER: u8 = 16;
    /// Never in a URL of a special scheme: space, quotation marks and angle brackets.
    pub(super) const ENCODED: u8 = 17;
    pub(super) const OTHER: u8 = 18;
    pub(super) const CLASSES: u8 = 19;

    pub(super) fn class_of(c: char) -> Option<u8> {
        match c {
            'h' | 't' | 'p' | 's' | 'w' | 'f' | '.' | ':' | '/' | '?' | '#' | '@' | '\\' | '%' => {
                SIGNS.iter().position(|own| *own == c).and_then(|at| u8::try_from(at).ok())
            }
            'a'..='z' => Some(LOWER),
            '0'..='9' | '+' | '-' => Some(DIGIT),
            'A'..='Z' => Some(UPPER),
            ' ' | '"' | '<' | '>' => Some(ENCODED),
            '!'..='~' => Some(OTHER),
            _ => None,
        }
    }

    pub(super) fn next(state: u8, class: u8) -> Option<u8> {
        let sign = SIGNS.get(usize::from(class)).copied();
        match state {
            START..=SCHEME => match sign {
                Some(':') if is_special(state) => Some(COLON),
                Some(':') if state != START => Some(OPEN),
                Some('.') if state != START => Some(SCHEME),
                Some(letter) if letter.is_ascii_lowercase() => {
                    let on = SCHEMES.iter().find(|(from, by, _)| (*from, *by) == (state, letter));
                    Some(on.map_or(SCHEME, |(_, _, to)| *to))
                }
                None if class == LOWER || (class == DIGIT && state != START) => Some(SCHEME),
                _ => None,
            },
            OPEN => Some(OPEN),
            COLON => (sign == Some('/')).then_some(SLASH),
            SLASH => (sign == Some('/')).then_some(SLASHES),
            SLASHES | HOST => match sign {
                Some('/') if state == HOST => Some(SEGMENT),
                Some('/' | '?' | '#' | '@' | '\\' | '%') => None,
                _ if class == UPPER => None,
                _ => Some(HOST),
            },
            SEGMENT..=IN_SEGMENT => match (state, sign) {
                (DOT | DOTS, Some('/' | '?' | '#')) | (_, Some('\\')) => None,
                (_, Some('?' | '#')) => Some(REST),
                (_, Some('/')) => Some(SEGMENT),
                (SEGMENT, Some('.')) => Some(DOT),
                (DOT, Some('.')) => Some(DOTS),
                _ if class == ENCODED => None,
                _ => Some(IN_SEGMENT),
            },
            _ if class == ENCODED => None,
            _ => Some(REST),
        }
    }
}

/// URLs in their one spelling, and some more texts: a scheme, and for those whose hosts every parser
/// reads alike a host in lower case and a path without dot segments.
const URLS: Language = Language {
    class_of: url::class_of,
    next: url::next,
    classes: url::CLASSES,
    beyond_ascii: 0,
    accepting: 1 << url::OPEN | 1 << url::SEGMENT | 1 << url::IN_SEGMENT | 1 << url::REST,
};

impl ArgType {
    const fn language(self) -> &'static Language {
        match self {
            ArgType::Url => &URLS,
            _ => &PATHS,
        }
    }

    /// As [`unmatched`](Self::unmatched), of a type that says the kind of a value alone.
    fn unmatched_kind(self, constraint: &Constraint) -> Option<&Constraint> {
        let has_elements = matches!(self, ArgType::List | ArgType::Texts);
        let text = matches!(self, ArgType::Text) || has_elements;
        let number = matches!(self, ArgType::Number | ArgType::Integer | ArgType::List);
        let matched = match &constraint.0 {
            Node::All(parts) | Node::AnyOf(parts) => {
                return parts.iter().find_map(|part| self.unmatched_kind(part));
            }
            Node::Not(inner) => return self.unmatched_kind(inner),
            Node::Range(_) => number,
            Node::Fields(_) => matches!(self, ArgType::Object | ArgType::List),
            Node::Each(_) | Node::Some(_) | Node::Items(_) | Node::Count(_) => has_elements,
            Node::SubsetOf(_) | Node::HasAny(_) | Node::HasAll(_) => has_elements,
            Node::Prefix(_) | Node::Suffix(_) | Node::Contains(_) | Node::Glob(_) => text,
            Node::Regex(_) | Node::Under(_) | Node::Url(_) | Node::Cidr(_) | Node::Len(_) => text,
            Node::Instants(_) | Node::Weekly(_) | Node::Json(_) | Node::Levels(_) => text,
            Node::Compared(own) => match (own.relation, own.expects()) {
                (_, Expected::Number) => number,
                (_, Expected::Text) => text,
                (Relation::SubsetOf | Relation::HasAny | Relation::HasAll, _) => has_elements,
                _ => true,
            },
            _ => true,
        };
        (!matched).then_some(constraint)
    }

    /// The first kind in a constraint that holds of no spelling of this type, `not` aside.
    ///
    /// What stands inside `fields` and `json` speaks of other values, and the values of `eq` and of
    /// sets are brought to their spelling elsewhere.
    pub(super) fn unmatched(self, constraint: &Constraint) -> Option<&Constraint> {
        if self.is_plain() {
            return self.unmatched_kind(constraint);
        }
        let beginning = |text| self == ArgType::Url && has_other_authority(text);
        let language = self.language();
        let matched = match &constraint.0 {
            Node::All(parts) | Node::AnyOf(parts) => {
                return parts.iter().find_map(|part| self.unmatched(part));
            }
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) => {
                return self.unmatched(inner);
            }
            Node::Items(items) => return items.iter().find_map(|item| self.unmatched(item)),
            Node::Prefix(text) if beginning(text) => false,
            Node::Glob(glob) if beginning(glob.beginning()) => false,
            Node::Prefix(text) => language.has_between(language.start(), text, true),
            Node::Suffix(text) => {
                language.has_between(language.after_anything(language.start()), text, false)
            }
            Node::Contains(text) => {
                language.has_between(language.after_anything(language.start()), text, true)
            }
            // The current folder holds every relative path.
            Node::Under(folder) if &**folder == "." => self == ArgType::Path,
            Node::Under(folder) => {
                let inside = if folder.ends_with('/') { folder } else { &*format!("{folder}/") };
                language.has_between(language.start(), folder, false)
                    || language.has_between(language.start(), inside, true)
            }
            Node::Glob(glob) => glob.automaton().is_none_or(|own| language.meets(&own)),
            Node::Regex(regex) => language.meets(regex.automaton()),
            Node::Range(_) | Node::Fields(_) => false,
            Node::Compared(own) => own.expects() != Expected::Number,
            Node::Url(_) => self == ArgType::Url,
            Node::Json(_) | Node::Cidr(_) | Node::Instants(_) | Node::Weekly(_) => {
                self == ArgType::Path
            }
            _ => true,
        };
        (!matched).then_some(constraint)
    }
}

/// Whether a text begins with a scheme and a whole authority, up to the `/` behind it, and no URL in
/// its one spelling begins so.
fn has_other_authority(text: &str) -> bool {
    let authority = text.find("://").and_then(|at| {
        let host = at + "://".len();
        text.get(..=host + text.get(host..)?.find('/')?)
    });
    authority.is_some_and(|own| !matches!(canonical_url(own), Ok(Cow::Borrowed(_))))
}

#[cfg(test)]
mod tests;
