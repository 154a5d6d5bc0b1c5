//! The names a trace gives to tasks, grants and permits.

use std::collections::HashMap;

use super::fields::Misread;

/// What aliases of one kind stand for, and in which line they were given.
pub(crate) struct Aliases<T> {
    kind: &'static str,
    of: HashMap<Box<str>, (usize, T)>,
}

impl<T> Aliases<T> {
    /// `kind` is what messages call it.
    pub(crate) fn of(kind: &'static str) -> Self {
        Aliases { kind, of: HashMap::new() }
    }

    /// # Errors
    /// [`Misread`] if no line before gave this alias.
    pub(crate) fn get(&self, alias: &str) -> Result<&T, Misread> {
        self.peek(alias).ok_or_else(|| undefined(self.kind, alias))
    }

    /// # Errors
    /// As [`get`](Aliases::get).
    pub(crate) fn get_mut(&mut self, alias: &str) -> Result<&mut T, Misread> {
        match self.of.get_mut(alias) {
            Some((_, meaning)) => Ok(meaning),
            None => Err(undefined(self.kind, alias)),
        }
    }

    pub(crate) fn peek(&self, alias: &str) -> Option<&T> {
        self.of.get(alias).map(|(_, meaning)| meaning)
    }

    /// # Errors
    /// [`Misread`] if the alias stands for something that `lives`: two things of one name could not
    /// be told apart in the answers.
    pub(crate) fn free(&self, alias: &str, lives: impl Fn(&T) -> bool) -> Result<(), Misread> {
        if alias.is_empty() {
            return Err(Misread(format!("an alias of a {} is empty", self.kind)));
        }
        match self.of.get(alias) {
            Some((line, meaning)) if lives(meaning) => Err(Misread(format!(
                "`{}` is a {} since line {line}, expected another alias",
                alias.escape_debug(),
                self.kind
            ))),
            _ => Ok(()),
        }
    }

    pub(crate) fn give(&mut self, alias: &str, line: usize, meaning: T) {
        self.of.insert(alias.into(), (line, meaning));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.of.iter().map(|(alias, (_, meaning))| (&**alias, meaning))
    }

    /// The alias that was given last of those that stand for such a thing.
    pub(crate) fn newest(&self, such: impl Fn(&T) -> bool) -> Option<&str> {
        let found = self.of.iter().filter(|(_, (_, meaning))| such(meaning));
        found.max_by_key(|(_, (line, _))| *line).map(|(alias, _)| &**alias)
    }

    pub(crate) fn meanings_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.of.values_mut().map(|(_, meaning)| meaning)
    }
}

fn undefined(kind: &str, alias: &str) -> Misread {
    Misread(format!(
        "undefined alias `{}`, expected a {kind} that a line before named",
        alias.escape_debug()
    ))
}
