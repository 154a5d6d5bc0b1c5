//! What the log keeps in plain of a question, beyond the arguments that the catalogue lists.

use super::error::PolicyError;
use crate::scope::Fact;

/// As many parts a policy has the log keep at most: a record has to stay short.
const MOST: usize = 64;

/// The parts that a policy names, sorted, each once.
///
/// # Errors
/// Of a name that is no part of a question, or one that the log has anyway, is said by the catalogue, or is given twice.
pub(super) fn plain_facts(names: &[Box<str>]) -> Result<Vec<Fact>, PolicyError> {
    let wrong = |at: usize, problem: String| PolicyError::new(&format!("log.plain[{at}]"), problem);
    if names.len() > MOST {
        let problem = format!("expected at most {MOST} parts");
        return Err(PolicyError::new("log.plain", problem));
    }
    let mut facts = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let fact = match &**name {
            "when.seen" => Fact::Seen,
            name => Fact::parse(name).map_err(|error| wrong(at, error.to_string()))?,
        };
        let problem = match &fact {
            Fact::WhoId
            | Fact::Purpose
            | Fact::Ticket
            | Fact::Now
            | Fact::ResourceType
            | Fact::ResourceId => Some("stands in plain in the log anyway"),
            Fact::Arg(_) => {
                Some("is an argument: say `log = \"plain\"` of it in the catalogue, tool by tool")
            }
            Fact::Asker(_) => Some("is of reviewers alone"),
            _ if facts.contains(&fact) => Some("is given twice"),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(wrong(at, format!("`{fact}` {problem}")));
        }
        facts.push(fact);
    }
    facts.sort();
    Ok(facts)
}
