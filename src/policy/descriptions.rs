//! Descriptions of a tool and its arguments, and what keeps a text from being one.

use std::collections::BTreeMap;

use crate::visible::is_hidden;

/// How many bytes a description may have: it is read by a model with each listing.
const MOST: usize = 1_024;

/// The descriptions of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Descriptions {
    pub(crate) tool: Option<Box<str>>,
    pub(crate) args: BTreeMap<Box<str>, Box<str>>,
}

impl Descriptions {
    pub(crate) const NONE: Descriptions = Descriptions { tool: None, args: BTreeMap::new() };
}

/// Why a text describes nothing, or more than it shows.
pub(super) fn description_fault(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("an empty description says nothing: leave it out".to_owned());
    }
    if text.len() > MOST {
        return Some(format!(
            "a description of {} bytes, expected at most {MOST}: say what the tool does, and nothing else",
            text.len()
        ));
    }
    // An agent would read what no reviewer of the policy has seen.
    let hidden = text.chars().find(|c| is_hidden(*c) && !matches!(c, '\n' | '\t'))?;
    let shown = hidden.escape_unicode();
    Some(format!("the description has `{shown}`, which can't be seen: leave it out"))
}
