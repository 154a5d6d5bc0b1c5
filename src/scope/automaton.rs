//! Patterns as one small automaton: what globs and regular expressions are compiled into.
//!
//! Matching follows the set of all positions a pattern may be in, so its cost is at most the size of
//! the pattern times the length of the text, whatever either says: there is nothing to backtrack.

/// How many steps a compiled pattern may have: enough for the longest glob with the most wildcards.
/// The bound keeps the set of positions a small array on the stack and the cost per character in sight.
pub(crate) const MAX_STEPS: usize = 1152;

const WORDS: usize = MAX_STEPS.div_ceil(64);

/// One step of a compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Consumes this character.
    Char(char),
    /// Consumes one character of these ranges, ends included; ascending and apart.
    Class(Box<[(char, char)]>),
    /// Goes on at both places without consuming anything.
    Split(u16, u16),
    /// Goes on elsewhere.
    Jump(u16),
    /// The pattern ends here.
    End,
}

/// A compiled pattern, matched against text from end to end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Automaton {
    steps: Box<[Step]>,
}

/// A pattern of more than [`MAX_STEPS`] steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Automaton {
    /// `steps` ends in [`Step::End`] and every [`Step::Split`] and [`Step::Jump`] stays inside.
    pub(crate) fn new(steps: Vec<Step>) -> Result<Self, TooLarge> {
        if steps.len() > MAX_STEPS {
            return Err(TooLarge);
        }
        Ok(Automaton { steps: steps.into_boxed_slice() })
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut now = self.start();
        for c in text.chars() {
            now = self.step(&now, c);
            if now.is_empty() {
                return false;
            }
        }
        self.accepts(&now)
    }

    pub(crate) fn start(&self) -> Positions {
        let mut positions = Positions::default();
        self.enter(0, &mut positions);
        positions
    }

    pub(crate) fn step(&self, from: &Positions, c: char) -> Positions {
        let mut to = Positions::default();
        for at in from.iter() {
            let consumes = match self.steps.get(at) {
                Some(Step::Char(own)) => *own == c,
                Some(Step::Class(ranges)) => in_class(ranges, c),
                _ => false,
            };
            if consumes {
                self.enter(at + 1, &mut to);
            }
        }
        to
    }

    pub(crate) fn accepts(&self, positions: &Positions) -> bool {
        // `End` is the last step.
        positions.contains(self.steps.len().saturating_sub(1))
    }

    /// Adds a position and all that are reached from it without consuming anything. Recurses as deep
    /// as the pattern nests alternatives and repetitions.
    fn enter(&self, mut at: usize, positions: &mut Positions) {
        while positions.insert(at) {
            match self.steps.get(at) {
                Some(Step::Split(one, other)) => {
                    self.enter(usize::from(*one), positions);
                    at = usize::from(*other);
                }
                Some(Step::Jump(to)) => at = usize::from(*to),
                _ => return,
            }
        }
    }
}

pub(crate) fn in_class(ranges: &[(char, char)], c: char) -> bool {
    ranges.iter().any(|(low, high)| *low <= c && c <= *high)
}

/// The next character, if there is one.
pub(crate) fn after(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

/// The character before, if there is one.
pub(crate) fn before(c: char) -> Option<char> {
    ('\0'..=c).nth_back(1)
}

/// A set of positions in a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Positions([u64; WORDS]);

impl Positions {
    /// Whether the position is new. One outside every pattern never is.
    fn insert(&mut self, at: usize) -> bool {
        let Some(word) = self.0.get_mut(at / 64) else { return false };
        let bit = 1 << (at % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.checked_sub(1)?;
                Some(index * 64 + bit)
            })
        })
    }
}
