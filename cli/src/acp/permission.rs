//! An agent's own question whether it may do something: what it says there is its story. It is answered from the policy, for
//! this once, and binds nothing: what the agent then asks the editor for is decided as what it is.

use hallpass::{Denial, Reason};

use super::turn::Turn;
use crate::errand::{Gatekeeper, Outcome};
use crate::rpc::members::{Members, elements};
use crate::rpc::message::{object, quoted};

/// Under which name it is asked for.
pub(super) const NAME: &str = "acp:permission";

/// What the agent offers to be answered.
#[derive(Default)]
struct Options {
    allow: Option<String>,
    reject: Option<String>,
    reject_for_good: Option<String>,
}

/// What it is answered, and the denial if that is no; or the denial, if it can't even be told no.
pub(super) fn answer(
    turn: Option<&Turn>,
    other: &Gatekeeper,
    params: &Members<'_>,
) -> Result<(String, Option<Denial>), Denial> {
    let deny = |reason, why| turn.map_or(other, |turn| &turn.keeper).deny(NAME, reason, why);
    let Some((options, args)) = Options::of(params).zip(args(params)) else {
        return Err(deny(Reason::MalformedCall, "`toolCall` or `options` can't be read"));
    };
    let decided = match (turn, &options.allow) {
        (None, _) => Err(deny(Reason::TaskOver, "no prompt of this session waits for its answer")),
        // What is allowed for always is not asked about again.
        (_, None) => Err(deny(Reason::NoPermit, "the agent offers no `allow_once`")),
        (Some(turn), Some(allow)) => turn.keeper.start(NAME, &args).map(|started| {
            turn.keeper.finish(started, Outcome::Ok);
            allow
        }),
    };
    match decided {
        Ok(allow) => Ok((selected(allow), None)),
        Err(denial) => match options.reject.as_ref().or(options.reject_for_good.as_ref()) {
            Some(reject) => Ok((selected(reject), Some(denial))),
            None => Err(denial),
        },
    }
}

impl Options {
    fn of(params: &Members<'_>) -> Option<Self> {
        let mut options = Options::default();
        for option in params.get("options").and_then(elements)? {
            let option = Members::of(option).ok()?;
            let id = option.text("optionId")?;
            let own = match option.text("kind")?.as_str() {
                "allow_once" => &mut options.allow,
                "reject_once" => &mut options.reject,
                "reject_always" => &mut options.reject_for_good,
                _ => continue,
            };
            own.get_or_insert(id);
        }
        Some(options)
    }
}

/// What a rule can look at: of which kind it is, and what the agent says of files and of its tool's input. Titles and
/// contents are words for people.
fn args(params: &Members<'_>) -> Option<String> {
    let call = Members::of(params.get("toolCall")?).ok()?;
    let said = |name: &str| call.get(name).filter(|text| *text != "null");
    let kind = match said("kind") {
        Some(_) => call.text("kind")?,
        None => "other".to_owned(),
    };
    let mut args = vec![("kind", quoted(&kind))];
    if said("name").is_some() {
        args.push(("name", quoted(&call.text("name")?)));
    }
    let mut paths = Vec::new();
    for location in said("locations").map_or(Some(Vec::new()), elements)? {
        paths.push(quoted(&Members::of(location).ok()?.text("path")?));
    }
    if !paths.is_empty() {
        args.push(("paths", format!("[{}]", paths.join(","))));
    }
    args.extend(said("rawInput").map(|input| ("input", input.to_owned())));
    Some(object(args.iter().map(|(name, text)| (*name, text.as_str()))))
}

fn selected(option: &str) -> String {
    format!(r#"{{"outcome":{{"outcome":"selected","optionId":{}}}}}"#, quoted(option))
}
