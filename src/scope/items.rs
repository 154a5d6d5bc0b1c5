//! Lists with places: what stands first, what stands second, and what may follow.

use super::constraint_error::ConstraintError;

/// How many places a list may be given. A command's words that are told apart are few.
pub(super) const MAX_PLACES: usize = 64;

/// What the elements of a list must be, by their places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Items<C> {
    pub(crate) places: Box<[C]>,
    /// What each element behind the places must be; where it is not said, a cover admits none.
    pub(crate) rest: Option<C>,
}

impl<C> Items<C> {
    pub(super) fn new(places: Vec<C>) -> Result<Self, ConstraintError> {
        match places.len() {
            0 => Err(ConstraintError::Empty("items")),
            1..=MAX_PLACES => Ok(Items { places: places.into(), rest: None }),
            many => Err(ConstraintError::Pattern(format!(
                "`items` of {many} places, expected at most {MAX_PLACES}"
            ))),
        }
    }

    /// The places, and then what follows them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &C> {
        self.places.iter().chain(&self.rest)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut C> {
        self.places.iter_mut().chain(&mut self.rest)
    }

    pub(crate) fn try_map<E>(
        &self,
        mut change: impl FnMut(&C) -> Result<C, E>,
    ) -> Result<Items<C>, E> {
        let places = self.places.iter().map(&mut change).collect::<Result<_, E>>()?;
        Ok(Items { places, rest: self.rest.as_ref().map(change).transpose()? })
    }
}
