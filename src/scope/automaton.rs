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

    /// Whether the whole text matches. For each character it asks whether as many steps may be taken
    /// as there are positions to go on from; `None` if they may not.
    pub(crate) fn matches(&self, text: &str, pay: &mut impl FnMut(usize) -> bool) -> Option<bool> {
        if self.is_small() {
            self.runs::<u64>(text, pay)
        } else {
            self.runs::<Positions>(text, pay)
        }
    }

    /// Whether a [`u64`] holds every position: so it is with nearly all patterns, and it is quicker.
    pub(crate) fn is_small(&self) -> bool {
        self.steps.len() <= 64
    }

    fn runs<S: PositionSet>(
        &self,
        text: &str,
        pay: &mut impl FnMut(usize) -> bool,
    ) -> Option<bool> {
        let mut now: S = self.start();
        for c in text.chars() {
            if !pay(S::STEPS + now.len()) {
                return None;
            }
            now = self.step(&now, c);
            if now.is_empty() {
                return Some(false);
            }
        }
        Some(self.accepts(&now))
    }

    pub(crate) fn start<S: PositionSet>(&self) -> S {
        let mut positions = S::default();
        self.enter(0, &mut positions);
        positions
    }

    pub(crate) fn step<S: PositionSet>(&self, from: &S, c: char) -> S {
        let mut to = S::default();
        from.each(|at| {
            let consumes = match self.steps.get(at) {
                Some(Step::Char(own)) => *own == c,
                Some(Step::Class(ranges)) => in_class(ranges, c),
                _ => false,
            };
            if consumes {
                self.enter(at + 1, &mut to);
            }
        });
        to
    }

    pub(crate) fn accepts<S: PositionSet>(&self, positions: &S) -> bool {
        // `End` is the last step.
        positions.contains(self.steps.len().saturating_sub(1))
    }

    /// Adds a position and all that are reached from it without consuming anything. Recurses as deep
    /// as the pattern nests alternatives and repetitions.
    fn enter<S: PositionSet>(&self, mut at: usize, positions: &mut S) {
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
    if ranges.len() <= 8 {
        return ranges.iter().any(|(low, high)| *low <= c && c <= *high);
    }
    // The first that does not end before it.
    let at = ranges.partition_point(|(_, high)| *high < c);
    ranges.get(at).is_some_and(|(low, _)| *low <= c)
}

/// The next character, if there is one.
pub(crate) fn after(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

/// The character before, if there is one.
pub(crate) fn before(c: char) -> Option<char> {
    ('\0'..=c).nth_back(1)
}

/// A set of positions in a pattern, which needs no memory of its own.
pub(crate) trait PositionSet: Default {
    /// Adds a position; whether it is new. One that can't be held never is.
    fn insert(&mut self, at: usize) -> bool;
    fn contains(&self, at: usize) -> bool;
    fn is_empty(&self) -> bool;
    /// How many positions there are.
    fn len(&self) -> usize;
    /// What going through the set takes in addition to what its positions take.
    const STEPS: usize;
    fn each(&self, visit: impl FnMut(usize));
}

impl PositionSet for u64 {
    fn insert(&mut self, at: usize) -> bool {
        let bit = u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0);
        let new = *self & bit != bit;
        *self |= bit;
        new
    }

    fn contains(&self, at: usize) -> bool {
        at < 64 && *self & (1 << at) != 0
    }

    fn is_empty(&self) -> bool {
        *self == 0
    }

    fn len(&self) -> usize {
        self.count_ones() as usize
    }

    const STEPS: usize = 1;

    fn each(&self, mut visit: impl FnMut(usize)) {
        let mut left = *self;
        while left != 0 {
            visit(left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

/// Every position that any pattern can have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Positions([u64; WORDS]);

impl PositionSet for Positions {
    fn insert(&mut self, at: usize) -> bool {
        self.0.get_mut(at / 64).is_some_and(|word| word.insert(at % 64))
    }

    fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word.contains(at % 64))
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn len(&self) -> usize {
        self.0.iter().map(PositionSet::len).sum()
    }

    const STEPS: usize = 1 + WORDS / 4;

    fn each(&self, mut visit: impl FnMut(usize)) {
        for (index, word) in self.0.iter().enumerate() {
            word.each(|at| visit(index * 64 + at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Behind each of these stands the same code but for the set.
        #[test]
        fn small_and_large_sets_match_the_same(
            pattern in "(a|b|[ab]|a\\*|\\(a\\|b\\)\\+){1,4}",
            text in "[ab*(|)+]{0,6}",
        ) {
            let regex = super::super::regex::Regex::new(&pattern).unwrap();
            let automaton = regex.automaton();
            prop_assert!(automaton.is_small());
            let mut free = |_| true;
            prop_assert_eq!(
                automaton.runs::<u64>(&text, &mut free),
                automaton.runs::<Positions>(&text, &mut free)
            );
        }

        #[test]
        fn a_set_has_what_was_put_in(positions in proptest::collection::btree_set(0..MAX_STEPS, 0..9)) {
            let mut set = Positions::default();
            for at in &positions {
                prop_assert!(set.insert(*at) && !set.insert(*at) && set.contains(*at));
            }
            let mut found = Vec::new();
            set.each(|at| found.push(at));
            prop_assert_eq!(found, positions.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(set.is_empty(), positions.is_empty());
        }
    }

    #[test]
    fn a_position_that_cannot_be_held_is_never_new() {
        assert!(!Positions::default().insert(WORDS * 64));
        assert!(!0_u64.insert(64));
    }
}
