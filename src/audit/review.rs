//! The access review: what was granted, against what was used.

mod live;
mod report;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use self::live::{Live, LiveCall, Span};
pub use self::report::{AskReview, DenialCluster, RuleReview, ToolReview};
use super::{Answered, Event, Outcome, Record};
use crate::audit::{AnswerGiven, Asked, GrantShortened};
use crate::clock::Timestamp;
use crate::policy::Policy;
use crate::value::Value;

/// Reviews a log: [`Review`] says what for.
///
/// Records are believed: [`verify`](super::verify()) says whether they may be. For a log longer than memory, a
/// [`Reviewer`] takes them one by one.
///
/// ```
/// use hallpass::audit::review;
/// # use hallpass::prelude::*;
/// # let rule = Rule::permit("adders").any_tool().any_args();
/// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("adding"))?;
/// let scope = Scope::tool("math.add").any_args().and_tool("math.divide").any_args();
/// let grant = task.request(scope, &Context::new())?;
/// let call = Call::new("math.add", serde_json::json!({ "a": 1 }))?;
/// broker.gate().authorize(&grant, &agent, call, &Context::new())?.run(|_| Ok::<_, String>(2))?;
/// task.complete();
/// broker.flush();
///
/// let review = review(&broker.log().expect("in memory").records());
/// let unused: Vec<_> = review.never_used().map(|row| (&*row.who, &*row.tool)).collect();
/// assert_eq!(unused, [("agent-7", "math.divide")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn review<'r>(records: impl IntoIterator<Item = &'r Record>) -> Review {
    let mut reviewer = Reviewer::new();
    for record in records {
        reviewer.note(record);
    }
    reviewer.finish()
}

/// At most as many rows of each table, and as many live grants, are held: some hundred megabytes, however long
/// the log is.
const MOST: usize = 262_144;

/// As [`review`], of records that come one by one, from the log's first on.
#[derive(Debug)]
pub struct Reviewer {
    most: usize,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    tools: BTreeMap<(String, String), ToolReview>,
    rules: BTreeMap<String, RuleReview>,
    asks: BTreeMap<String, AskReview>,
    denials: BTreeMap<(String, String, String), DenialCluster>,
    live: Live,
    /// The rules of each question of a task that has not ended, by that one's generation.
    questions: BTreeMap<(u64, String), Vec<String>>,
    left_out: u64,
    summed: u64,
}

impl Default for Reviewer {
    fn default() -> Self {
        Reviewer::new()
    }
}

impl Reviewer {
    /// Nothing reviewed yet.
    #[must_use]
    pub fn new() -> Self {
        Reviewer::holding(MOST)
    }

    /// Holds at most as many rows of each table.
    fn holding(most: usize) -> Self {
        let (tools, rules, asks, denials, questions) = Default::default();
        let (from, to, live, left_out, summed) = (None, None, Live::holding(most), 0, 0);
        Reviewer { most, from, to, tools, rules, asks, denials, live, questions, left_out, summed }
    }

    /// Follows the log by one record.
    pub fn note(&mut self, record: &Record) {
        let (seq, at) = (record.seq, record.at);
        self.from.get_or_insert(at);
        self.to = self.to.max(Some(at));
        match &record.event {
            Event::Granted { generation, grant, parent, holder, scope, rules, expires, .. } => {
                for rule in rules {
                    if let Some(row) = self.rule(rule) {
                        row.grants += 1;
                        row.note(seq, at);
                    }
                }
                let tools = tools_of(scope);
                for tool in &tools {
                    if let Some(row) = self.tool(holder, tool) {
                        row.grants += 1;
                        row.first_granted.get_or_insert(seq);
                    }
                }
                let parent = parent.as_deref();
                let spans =
                    self.live.begin(grant, (*generation, parent), (holder, tools), (at, *expires));
                self.add_spans(spans);
            }
            Event::Permitted { who, tool, rules, approvals, .. } => {
                for rule in rules {
                    if let Some(row) = self.rule(rule) {
                        row.calls += 1;
                        row.note(seq, at);
                    }
                }
                let approved = !approvals.is_empty();
                if let Some(row) = self.tool(who, tool) {
                    row.calls += 1;
                    row.approved += u64::from(approved);
                    row.last_used = row.last_used.max(Some(at));
                }
                let (who, tool) = (who.to_string(), tool.to_string());
                self.live.call(seq, LiveCall { who, tool, since: at });
            }
            Event::Outcome { of, outcome, .. } => {
                let Some(LiveCall { who, tool, since }) = self.live.end_call(*of) else { return };
                let Some(row) = self.tool(&who, &tool) else { return };
                match outcome {
                    Outcome::Abandoned => row.abandoned += 1,
                    Outcome::Ok | Outcome::Forwarded => {}
                    _ => row.failed += 1,
                }
                if *outcome != Outcome::Abandoned {
                    row.in_use_millis += since_millis(since, at);
                }
            }
            Event::GrantShortened(GrantShortened { grant, expires, .. }) => {
                self.live.shorten(grant, *expires)
            }
            Event::GrantEnded { grant, below, .. } => {
                for id in below.iter().chain([grant]) {
                    let spans = self.live.end(id, at);
                    self.add_spans(spans);
                }
            }
            Event::Ended { generation, .. } => {
                let spans = self.live.end_task(*generation, at);
                self.add_spans(spans);
                let after = self.questions.split_off(&(*generation, String::new()));
                let later = after.into_iter().filter(|((of, _), _)| of != generation);
                self.questions.extend(later);
            }
            Event::Denied { who, tool, reason, rules, .. } => {
                self.deny(record, 1, rules);
                let [who, tool] = [who, tool].map(|text| text.as_deref().unwrap_or_default());
                self.cluster(record, (who, tool, reason));
            }
            Event::DeniedAgain(denials) => {
                self.deny(record, denials.count, &denials.rules);
                let texts = [&denials.who, &denials.tool];
                let [who, tool] = texts.map(|text| text.as_deref().unwrap_or_default());
                self.cluster(record, (who, tool, &denials.reason));
            }
            Event::Denials { reasons, .. } => {
                self.summed += reasons.values().fold(0, |sum: u64, n| sum.saturating_add(*n));
            }
            Event::Asked(Asked { generation, question, rules, .. }) => {
                for rule in rules {
                    if let Some(row) = self.ask(rule) {
                        row.asked += 1;
                    }
                }
                if self.questions.len() < self.most {
                    let rules = rules.iter().map(ToString::to_string).collect();
                    self.questions.insert((*generation, question.to_string()), rules);
                }
            }
            Event::Answered(AnswerGiven { generation, question, answer, refused, .. }) => {
                let key = (*generation, question.to_string());
                let rules = self.questions.get(&key).cloned().unwrap_or_default();
                for rule in &rules {
                    let Some(row) = self.ask(rule) else { continue };
                    match (refused, answer) {
                        (Some(_), _) => row.refused += 1,
                        (None, Answered::Approve | Answered::Confirm) => row.yes += 1,
                        (None, Answered::Deny) => row.no += 1,
                        (None, Answered::Cancel | Answered::Amend) => row.taken_back += 1,
                    }
                }
            }
            Event::Voided { generation, question, .. } => {
                let key = (*generation, question.to_string());
                for rule in self.questions.remove(&key).unwrap_or_default() {
                    if let Some(row) = self.ask(&rule) {
                        row.voided += 1;
                    }
                }
            }
            _ => {}
        }
    }

    /// What the records that were noted come to. What stands then counts as live up to the last record.
    #[must_use]
    pub fn finish(mut self) -> Review {
        let to = self.to.unwrap_or(Timestamp::MIN);
        let spans = self.live.end_all(to);
        self.add_spans(spans);
        let left_out = self.left_out + self.live.left_out();
        let tools: Vec<_> = self.tools.into_values().collect();
        Review {
            from: self.from,
            to: self.to,
            tools,
            rules: self.rules.into_values().collect(),
            asks: self.asks.into_values().collect(),
            denials: self.denials.into_values().collect(),
            denials_summed: self.summed,
            left_out,
        }
    }

    fn tool(&mut self, who: &str, tool: &str) -> Option<&mut ToolReview> {
        let key = (who.to_owned(), tool.to_owned());
        row(&mut self.tools, key, self.most, &mut self.left_out, || ToolReview::of(who, tool))
    }

    fn rule(&mut self, id: &str) -> Option<&mut RuleReview> {
        let new = || RuleReview::of(id);
        row(&mut self.rules, id.to_owned(), self.most, &mut self.left_out, new)
    }

    fn ask(&mut self, id: &str) -> Option<&mut AskReview> {
        let new = || AskReview::of(id);
        row(&mut self.asks, id.to_owned(), self.most, &mut self.left_out, new)
    }

    /// Counts denials by the rules that decided them.
    fn deny(&mut self, record: &Record, count: u64, rules: &[Cow<'_, str>]) {
        for rule in rules {
            if let Some(row) = self.rule(rule) {
                row.denials = row.denials.saturating_add(count);
                row.note(record.seq, record.at);
            }
        }
    }

    fn cluster(&mut self, record: &Record, (who, tool, reason): (&str, &str, &str)) {
        let key = (who.to_owned(), tool.to_owned(), reason.to_owned());
        let new = || DenialCluster::of(record, (who, tool, reason));
        if let Some(row) = row(&mut self.denials, key, self.most, &mut self.left_out, new) {
            row.note(record);
        }
    }

    fn add_spans(&mut self, spans: impl IntoIterator<Item = Span>) {
        for Span { holder, tools, millis } in spans {
            for tool in tools {
                if let Some(row) = self.tool(&holder, &tool) {
                    row.live_millis += millis;
                }
            }
        }
    }
}

/// The row of a key, as long as there is room for a new one.
fn row<'t, K: Ord, R>(
    table: &'t mut BTreeMap<K, R>,
    key: K,
    most: usize,
    left_out: &mut u64,
    new: impl FnOnce() -> R,
) -> Option<&'t mut R> {
    if table.len() >= most && !table.contains_key(&key) {
        *left_out += 1;
        return None;
    }
    Some(table.entry(key).or_insert_with(new))
}

fn since_millis(since: Timestamp, at: Timestamp) -> u64 {
    u64::try_from(at.since(since).as_millis()).unwrap_or(u64::MAX)
}

/// The tools that a scope in a record names, each once. None of a refused one that was too long to be kept.
pub(super) fn tools_of(scope: &Value) -> Vec<String> {
    // One of which the log keeps a digest names its tools by themselves.
    let digested = scope.as_object().and_then(|kept| kept.get("tools")?.as_list());
    let tool = |capability: &Value| match capability {
        Value::Object(object) => object.get("tool")?.as_text().map(str::to_owned),
        Value::Text(tool) if digested.is_some() => Some(tool.to_string()),
        _ => None,
    };
    let capabilities = digested.or(scope.as_list()).unwrap_or_default().iter();
    let mut tools: Vec<_> = capabilities.filter_map(tool).collect();
    tools.sort();
    tools.dedup();
    tools
}

/// What was granted in the time of a log, against what was used. Every table is in the order of its names.
///
/// What it takes from a log is bounded: where there are more rows than it holds, `left_out` says how many
/// records were not counted, and is 0 of a review that is complete.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Review {
    /// The time of the first record.
    pub from: Option<Timestamp>,
    /// The latest time of any record.
    pub to: Option<Timestamp>,
    /// By identity and tool.
    pub tools: Vec<ToolReview>,
    /// The rules that decided something.
    pub rules: Vec<RuleReview>,
    /// The rules that had people asked.
    pub asks: Vec<AskReview>,
    /// Denials, by identity, tool and reason.
    pub denials: Vec<DenialCluster>,
    /// Denials that are only known by their number.
    pub denials_summed: u64,
    /// Records that were not counted, for want of room.
    pub left_out: u64,
}

impl Review {
    /// What was granted and never called: who should not have been granted it, or which rule gives too much.
    pub fn never_used(&self) -> impl Iterator<Item = &ToolReview> {
        self.tools.iter().filter(|row| row.grants > 0 && row.calls == 0)
    }

    /// The rules of a policy that decided nothing in this time, in its order. A forbid decides where it denies, an
    /// ask where it asks.
    pub fn never_fired(&self, policy: &Policy) -> Vec<String> {
        let fired = |id: &str| {
            let decided = self.rules.iter().any(|row| row.rule == id);
            decided || self.asks.iter().any(|row| row.rule == id)
        };
        let rules = policy.rules().filter(|rule| !fired(rule.id()));
        rules.map(|rule| rule.id().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests;
