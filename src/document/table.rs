//! A table of which every key is known.

use super::misfit::Misfit;
use super::nearest::did_you_mean;
use super::tree::{Written, kind_name};
use crate::value::SpannedNode;
use crate::visible::Shown;

/// A table whose keys have all been found among those expected, so that none is silently ignored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'w> {
    pub(crate) at: usize,
    entries: &'w [(std::ops::Range<usize>, Box<str>, Written)],
}

impl<'w> Table<'w> {
    /// A table with only keys of `known`; `example` shows what was expected instead of a non-table.
    pub(crate) fn read(
        written: &'w Written,
        known: &[&'static str],
        example: &str,
    ) -> Result<Self, Misfit> {
        let table = Table::open(written, example)?;
        table.all_known(known, &|_| None)?;
        Ok(table)
    }

    /// # Errors
    /// The first key that is not known, with the nearest that is, or else what `otherwise` says of it.
    fn all_known(
        &self,
        known: &[&'static str],
        otherwise: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), Misfit> {
        match self.entries.iter().find(|(_, key, _)| !known.contains(&&**key)) {
            Some((span, key, _)) => {
                Err(Misfit::new(span.start, unknown_key(key, known, otherwise(key))))
            }
            None => Ok(()),
        }
    }

    /// As [`Table::read`]; words of other systems, in lower case, are told what they are called here.
    pub(crate) fn read_translated(
        written: &'w Written,
        known: &[&'static str],
        foreign: &[(&[&str], &str)],
        example: &str,
    ) -> Result<Self, Misfit> {
        Table::read_explained(written, known, foreign, &|_| None, example)
    }

    /// As [`Table::read_translated`]; of a key that is like none of those known, `otherwise` says where it belongs.
    pub(crate) fn read_explained(
        written: &'w Written,
        known: &[&'static str],
        foreign: &[(&[&str], &str)],
        otherwise: &dyn Fn(&str) -> Option<String>,
        example: &str,
    ) -> Result<Self, Misfit> {
        let table = Table::open(written, example)?;
        for (at, key, _) in table.entries() {
            let lower = key.to_lowercase();
            let own = foreign.iter().find(|(words, _)| words.contains(&&*lower));
            if let Some((_, own)) = own.filter(|_| !known.contains(&key)) {
                return Err(Misfit::new(
                    at,
                    format!("{} is not a key here: write {own}", Shown(key)),
                ));
            }
        }
        table.all_known(known, otherwise)?;
        Ok(table)
    }

    /// As [`Table::read`], for a table that must say something.
    pub(crate) fn read_some(
        written: &'w Written,
        known: &[&'static str],
        example: &str,
    ) -> Result<Self, Misfit> {
        Table::read(written, known, example)?.said()
    }

    /// A table whose keys are names of the writer's own.
    pub(crate) fn open(written: &'w Written, example: &str) -> Result<Self, Misfit> {
        let at = written.span.start;
        let SpannedNode::Object(entries) = &written.node else {
            let found = kind_name(&written.node);
            return Err(Misfit::new(at, format!("expected {example}, found {found}")));
        };
        match entries.iter().find(|(_, key, _)| key.is_empty()) {
            Some((span, ..)) => Err(Misfit::new(span.start, "an empty key names nothing")),
            None => Ok(Table { at, entries }),
        }
    }

    pub(crate) fn said(self) -> Result<Self, Misfit> {
        if self.entries.is_empty() {
            return Err(Misfit::new(self.at, "an empty table says nothing: leave it out"));
        }
        Ok(self)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'w Written> {
        self.entries.iter().find(|(_, own, _)| &**own == key).map(|(_, _, written)| written)
    }

    /// What `read` makes of the value at `key`, if the key is there.
    pub(crate) fn read_at<T>(
        &self,
        key: &str,
        read: impl FnOnce(&'w Written) -> Result<T, Misfit>,
    ) -> Result<Option<T>, Misfit> {
        self.get(key).map(|written| read(written).map_err(|e| e.inside(key))).transpose()
    }

    /// As [`Table::read_at`], for a key that has to be there; `why` says what it is for.
    pub(crate) fn require<T>(
        &self,
        key: &str,
        why: &str,
        read: impl FnOnce(&'w Written) -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        self.read_at(key, read)?
            .ok_or_else(|| Misfit::new(self.at, format!("`{key}` is missing: {why}")))
    }

    /// Keys with their places and values, in the order of the text.
    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = (usize, &'w str, &'w Written)> {
        self.entries.iter().map(|(span, key, written)| (span.start, &**key, written))
    }

    /// What `read` makes of each value, by key.
    pub(crate) fn each<T>(
        &self,
        mut read: impl FnMut(&'w str, &'w Written) -> Result<T, Misfit>,
    ) -> Result<Vec<T>, Misfit> {
        self.entries().map(|(_, key, own)| read(key, own).map_err(|e| e.inside(key))).collect()
    }
}

fn unknown_key(key: &str, known: &[&'static str], otherwise: Option<String>) -> String {
    let shown = Shown(key);
    match did_you_mean(key, known.iter().copied()).or(otherwise) {
        Some(guess) => format!("{shown} is not a key here: {guess}"),
        None => {
            let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
            format!("{shown} is not a key here: expected {}", known.join(", "))
        }
    }
}
