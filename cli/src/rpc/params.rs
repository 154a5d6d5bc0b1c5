//! The parameters of a request: what is decided about, and what goes on as it came.

use std::borrow::Cow;

use hallpass::args::Args;

use super::answer;
use super::members::Members;
use super::message::{Id, object};
use super::outbox::Outbox;

/// Parameters without what a gate does not ask about, as the arguments of a call.
pub(crate) fn args_of(params: &Members<'_>, but: &[&str]) -> String {
    object(params.iter().filter(|(name, _)| !but.contains(name)))
}

/// Parameters written anew: from the arguments that were decided about, and what is asked about nowhere, as it came.
pub(crate) fn params_of<'p>(
    args: &'p Args,
    others: impl Iterator<Item = (&'p str, &'p str)>,
) -> String {
    let args = args.iter().map(|(name, value)| (name, Cow::Owned(value.to_json())));
    let members: Vec<(&str, Cow<'_, str>)> =
        args.chain(others.map(|(name, text)| (name, Cow::Borrowed(text)))).collect();
    object(members.iter().map(|(name, text)| (*name, &**text)))
}

/// The members that go on as they came, of those that are there.
pub(crate) fn passing<'p>(
    params: &'p Members<'_>,
    names: &'static [&'static str],
) -> impl Iterator<Item = (&'p str, &'p str)> + Clone {
    names.iter().filter_map(|name| Some((*name, params.get(name)?)))
}

/// Whether an id may be used for a request now; otherwise it was answered.
pub(crate) fn check_id(outbox: &Outbox, id: &Id, check: Result<(), &'static str>) -> bool {
    if let Err(why) = check {
        outbox.answer(answer::error(Some(id), answer::INVALID_REQUEST, why));
    }
    check.is_ok()
}
