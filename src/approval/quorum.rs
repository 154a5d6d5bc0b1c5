//! A quorum: how many people of which lines have to agree, and whether those who did are enough.
//!
//! One person fills one place, however many lines there are to fit in. So people are not counted line by
//! line: they are assigned to places, by augmenting paths.

use std::collections::BTreeMap;

/// How many lines a quorum may have, in all its branches together: what a person reads in one look.
pub(crate) const MOST_LINES: usize = 32;
/// How many people it may ask for, in all its branches together.
pub(crate) const MOST_PLACES: u32 = 64;
/// How deep `any` and `all` may stand in each other.
pub(crate) const MOST_DEPTH: usize = 8;
/// How many ways there may be to choose a branch of every `any`. Each is looked at with every answer.
pub(crate) const MOST_WAYS: usize = 64;
/// How many people are looked at. More than this many have never agreed to one call; those who did after
/// them are not counted.
pub(crate) const MOST_PEOPLE: usize = 256;

/// Who has to agree. Lines are numbered from 0, in the order in which they stand in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Quorum {
    /// This many people who fit one line.
    Line { line: usize, count: u32 },
    /// All of these: refused if there are none, since they would ask no one.
    All(Vec<Quorum>),
    /// Any one of these.
    Any(Vec<Quorum>),
}

/// Why a quorum is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuorumFault {
    #[error("it has no line, and so asks no one")]
    Empty,
    #[error("`count = 0` would ask no one: expected at least 1")]
    Zero,
    #[error("it has more than {MOST_LINES} lines")]
    Lines,
    #[error("it asks for more than {MOST_PLACES} people")]
    Places,
    #[error("`any` and `all` stand more than {MOST_DEPTH} deep in each other")]
    Depth,
    #[error("it has more than {MOST_WAYS} ways to choose a branch of every `any`")]
    Ways,
}

/// How far a quorum has come: people who fill places, of the places there are. Of several branches, that of
/// which the least is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) have: u32,
    pub(crate) need: u32,
}

impl Progress {
    /// Where there is no place to fill, no one was asked, and it is not met.
    pub(crate) fn is_met(self) -> bool {
        self.need > 0 && self.have >= self.need
    }
}

/// Which lines a person fits: one bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Fits(u32);

impl Fits {
    pub(crate) const NONE: Fits = Fits(0);

    /// Fits this line, too. A line past the limit is fitted by no one.
    pub(crate) fn and(self, line: usize) -> Fits {
        let bit = u32::try_from(line).ok().and_then(|line| 1_u32.checked_shl(line));
        Fits(self.0 | bit.unwrap_or(0))
    }

    /// What both together fit: two answers of one person.
    pub(crate) fn or(self, other: Fits) -> Fits {
        Fits(self.0 | other.0)
    }

    pub(crate) fn is_none(self) -> bool {
        self.0 == 0
    }

    fn has(self, line: usize) -> bool {
        self.0 & Fits::NONE.and(line).0 != 0
    }
}

/// Places of each line, for one choice of branches.
type Way = BTreeMap<usize, u32>;

impl Quorum {
    /// # Errors
    /// The first limit that it is over, or what of it asks no one.
    pub(crate) fn check(&self) -> Result<(), QuorumFault> {
        let (mut lines, mut places) = (0, 0);
        self.measure(MOST_DEPTH, &mut lines, &mut places)?;
        // Only now is there little to go through.
        if self.number_of_ways() > MOST_WAYS { Err(QuorumFault::Ways) } else { Ok(()) }
    }

    fn measure(
        &self,
        depth: usize,
        lines: &mut usize,
        places: &mut u32,
    ) -> Result<(), QuorumFault> {
        match self {
            Quorum::Line { count: 0, .. } => return Err(QuorumFault::Zero),
            Quorum::Line { line, count } => {
                *lines += 1;
                *places = places.saturating_add(*count);
                if *lines > MOST_LINES || *line >= MOST_LINES {
                    return Err(QuorumFault::Lines);
                }
                if *places > MOST_PLACES {
                    return Err(QuorumFault::Places);
                }
            }
            Quorum::All(parts) | Quorum::Any(parts) => {
                let depth = depth.checked_sub(1).ok_or(QuorumFault::Depth)?;
                if parts.is_empty() {
                    return Err(QuorumFault::Empty);
                }
                parts.iter().try_for_each(|part| part.measure(depth, lines, places))?;
            }
        }
        Ok(())
    }

    fn number_of_ways(&self) -> usize {
        match self {
            Quorum::Line { .. } => 1,
            Quorum::All(parts) => {
                parts.iter().map(Quorum::number_of_ways).fold(1, usize::saturating_mul)
            }
            Quorum::Any(parts) => {
                parts.iter().map(Quorum::number_of_ways).fold(0, usize::saturating_add)
            }
        }
    }

    /// How far it has come with these people, each of whom is counted once. One that is refused by
    /// [`check`](Self::check) is never met.
    pub(crate) fn progress(&self, people: &[Fits]) -> Progress {
        if self.check().is_err() {
            return Progress { have: 0, need: u32::MAX };
        }
        let people: Vec<Fits> =
            people.iter().copied().filter(|own| !own.is_none()).take(MOST_PEOPLE).collect();
        let of_way = |way: &Way| Progress {
            have: most_filled(way, &people),
            need: way.values().fold(0, |sum, count| sum.saturating_add(*count)),
        };
        let all = self.ways().into_iter().map(|way| of_way(&way));
        let least_missing = |own: &Progress| (own.need.saturating_sub(own.have), own.need);
        all.min_by_key(least_missing).unwrap_or(Progress { have: 0, need: u32::MAX })
    }

    /// The places of each choice of branches.
    fn ways(&self) -> Vec<Way> {
        match self {
            Quorum::Line { line, count } => vec![Way::from([(*line, *count)])],
            Quorum::Any(parts) => parts.iter().flat_map(Quorum::ways).collect(),
            Quorum::All(parts) => parts.iter().fold(vec![Way::new()], |before, part| {
                let own = part.ways();
                before.iter().flat_map(|one| own.iter().map(|two| together(one, two))).collect()
            }),
        }
    }
}

fn together(one: &Way, two: &Way) -> Way {
    let mut both = one.clone();
    for (line, count) in two {
        let places = both.entry(*line).or_insert(0);
        *places = places.saturating_add(*count);
    }
    both
}

/// How many places of a way can be filled at once.
fn most_filled(way: &Way, people: &[Fits]) -> u32 {
    let mut filling: Vec<Option<usize>> = vec![None; people.len()];
    let places = way.iter().flat_map(|(line, count)| std::iter::repeat_n(*line, *count as usize));
    let mut filled = 0;
    let mut lines_full = Fits::NONE;
    for line in places {
        // If no way led to one place of a line, none leads to the next.
        if lines_full.has(line) {
            continue;
        }
        match free_a_place(line, people, &mut filling, &mut vec![false; people.len()]) {
            true => filled += 1,
            false => lines_full = lines_full.and(line),
        }
    }
    filled
}

/// Finds somebody for a place of this line, if need be by moving others to another line that they fit.
fn free_a_place(
    line: usize,
    people: &[Fits],
    filling: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    let fitting = people.iter().enumerate().filter(|(_, fits)| fits.has(line));
    for (person, _) in fitting {
        // Each person once in one search: it takes no more steps than there are people and lines.
        match asked.get_mut(person) {
            Some(asked) if !*asked => *asked = true,
            _ => continue,
        }
        let held = filling.get(person).copied().flatten();
        if held.is_none_or(|other| free_a_place(other, people, filling, asked)) {
            if let Some(place) = filling.get_mut(person) {
                *place = Some(line);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn line(line: usize, count: u32) -> Quorum {
        Quorum::Line { line, count }
    }

    fn fits(lines: &[usize]) -> Fits {
        lines.iter().fold(Fits::NONE, |all, line| all.and(*line))
    }

    /// attacks 107 and 162: one in both groups fills one place
    #[test]
    fn one_person_in_two_groups_fills_one_place() {
        let both = Quorum::All(vec![line(0, 1), line(1, 1)]);
        assert_eq!(both.progress(&[fits(&[0, 1])]), Progress { have: 1, need: 2 });
        assert!(both.progress(&[fits(&[0, 1]), fits(&[0])]).is_met());
        assert!(!Progress { have: 0, need: 0 }.is_met(), "no one was asked");
        assert!(!both.progress(&[fits(&[0]), fits(&[0])]).is_met());
    }

    /// attack 162: who came first takes the place that only another could fill
    #[test]
    fn people_are_moved_to_the_lines_that_need_them() {
        let quorum = Quorum::All(vec![line(0, 2), line(1, 1)]);
        let people = [fits(&[0, 1]), fits(&[0]), fits(&[0])];
        assert_eq!(quorum.progress(&people), Progress { have: 3, need: 3 });
        // Two that fit one line only, and a third that can't stand in for the other.
        let chain = Quorum::All(vec![line(0, 1), line(1, 1), line(2, 1)]);
        assert!(chain.progress(&[fits(&[0, 1]), fits(&[1, 2]), fits(&[0])]).is_met());
        assert!(!chain.progress(&[fits(&[0]), fits(&[0, 1]), fits(&[1])]).is_met());
    }

    /// attack 112
    #[test]
    fn more_than_enough_is_enough_and_any_takes_one_branch() {
        assert_eq!(line(0, 2).progress(&[fits(&[0]); 3]), Progress { have: 2, need: 2 });
        let either = Quorum::Any(vec![line(0, 3), Quorum::All(vec![line(1, 1), line(2, 1)])]);
        assert!(either.progress(&[fits(&[1]), fits(&[2])]).is_met());
        // Of each branch a part is none of them.
        assert_eq!(either.progress(&[fits(&[0]), fits(&[1])]), Progress { have: 1, need: 2 });
    }

    /// attack 111
    #[test]
    fn what_asks_no_one_or_too_many_is_refused_and_never_met() {
        let deep = (0..=MOST_DEPTH).fold(line(0, 1), |inner, _| Quorum::All(vec![inner]));
        let either = || Quorum::Any(vec![line(0, 1), line(1, 1)]);
        for (quorum, fault) in [
            (Quorum::All(vec![]), QuorumFault::Empty),
            (Quorum::Any(vec![line(0, 1), Quorum::All(vec![])]), QuorumFault::Empty),
            (line(0, 0), QuorumFault::Zero),
            (Quorum::All(vec![line(0, 1); MOST_LINES + 1]), QuorumFault::Lines),
            (line(MOST_LINES, 1), QuorumFault::Lines),
            (line(0, MOST_PLACES + 1), QuorumFault::Places),
            (Quorum::All(vec![line(0, u32::MAX), line(0, u32::MAX)]), QuorumFault::Places),
            (deep, QuorumFault::Depth),
            (Quorum::All((0..7).map(|_| either()).collect()), QuorumFault::Ways),
        ] {
            assert_eq!(quorum.check(), Err(fault), "{quorum:?}");
            assert!(!quorum.progress(&[fits(&[0, 1]); 80]).is_met(), "{quorum:?}");
        }
        for quorum in [
            Quorum::All(vec![line(0, 1); MOST_LINES]),
            line(MOST_LINES - 1, MOST_PLACES),
            Quorum::All((0..6).map(|_| either()).collect()),
            (1..MOST_DEPTH).fold(Quorum::Any(vec![line(0, 1)]), |own, _| Quorum::All(vec![own])),
        ] {
            assert_eq!(quorum.check(), Ok(()), "{quorum:?}");
        }
    }

    #[test]
    fn people_past_the_limit_and_of_no_line_are_not_counted() {
        assert!(!line(0, 1).progress(&vec![fits(&[1]); MOST_PEOPLE - 1]).is_met());
        let mut people = vec![fits(&[1]); MOST_PEOPLE];
        people.push(fits(&[0]));
        assert!(!line(0, 1).progress(&people).is_met());
        let mut strangers = vec![Fits::NONE; MOST_PEOPLE];
        strangers.push(fits(&[0]));
        assert!(line(0, 1).progress(&strangers).is_met());
        assert!(fits(&[32, 64, usize::MAX]).is_none());
    }

    /// The dearest there is stays within what a lock may be held for: no more searches than places and ways.
    #[test]
    fn the_dearest_quorum_is_still_answered() {
        let either = || Quorum::Any(vec![line(0, 5), line(1, 5)]);
        let quorum = Quorum::All((0..6).map(|_| either()).collect());
        assert_eq!(quorum.check(), Ok(()));
        let people: Vec<Fits> = (0..MOST_PEOPLE).map(|own| fits(&[2 + own % 30])).collect();
        assert_eq!(quorum.progress(&people).have, 0);
    }

    fn quorums() -> impl Strategy<Value = Quorum> {
        let leaf = (0..3_usize, 1..3_u32).prop_map(|(own, count)| line(own, count));
        leaf.prop_recursive(2, 5, 2, |inner| {
            prop_oneof![
                vec(inner.clone(), 1..3).prop_map(Quorum::All),
                vec(inner, 1..3).prop_map(Quorum::Any),
            ]
        })
    }

    /// Every choice of a branch, as the places' lines.
    fn choices(quorum: &Quorum) -> Vec<Vec<usize>> {
        match quorum {
            Quorum::Line { line, count } => vec![vec![*line; *count as usize]],
            Quorum::Any(parts) => parts.iter().flat_map(choices).collect(),
            Quorum::All(parts) => parts.iter().fold(vec![vec![]], |all, part| {
                let own = choices(part);
                all.iter()
                    .flat_map(|a| own.iter().map(|b| [a.clone(), b.clone()].concat()))
                    .collect()
            }),
        }
    }

    /// The most places filled, over all ways to give each place to one person or leave it empty.
    fn tried_all(places: &[usize], people: &[Vec<usize>], taken: &mut Vec<usize>) -> u32 {
        let Some((line, rest)) = places.split_first() else { return 0 };
        let mut best = tried_all(rest, people, taken);
        for person in 0..people.len() {
            if people[person].contains(line) && !taken.contains(&person) {
                taken.push(person);
                best = best.max(1 + tried_all(rest, people, taken));
                taken.pop();
            }
        }
        best
    }

    proptest! {
        /// attack 162: compared with every assignment there is
        #[test]
        fn a_quorum_is_met_just_where_some_assignment_fills_all_places(
            quorum in quorums(),
            people in vec(vec(0..3_usize, 0..3), 0..5),
        ) {
            let progress = quorum.progress(&people.iter().map(|own| fits(own)).collect::<Vec<_>>());
            let tried = choices(&quorum).into_iter().map(|places| {
                let filled = tried_all(&places, &people, &mut Vec::new());
                (places.len() as u32 - filled, places.len() as u32, filled)
            });
            let (missing, need, have) = tried.min().unwrap();
            prop_assert_eq!(progress, Progress { have, need });
            prop_assert_eq!(progress.is_met(), missing == 0);
        }

        /// attack 112: another yes never undoes what was enough
        #[test]
        fn one_more_yes_never_takes_away(quorum in quorums(), people in vec(vec(0..3_usize, 0..3), 1..6)) {
            let all: Vec<Fits> = people.iter().map(|own| fits(own)).collect();
            let before = quorum.progress(&all[1..]);
            prop_assert!(!before.is_met() || quorum.progress(&all).is_met());
        }
    }
}
