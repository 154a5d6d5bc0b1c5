//! Questions that were once dear: each side of each is within its bounds, and their product was not.
//!
//! Shared by the test that counts what they take and the bench that prints it.

use super::hallpass::Policy;
#[cfg(feature = "url")]
use super::hallpass::policy::ArgType;
use super::hallpass::prelude::*;
use super::hallpass::scope::{
    Constraint, all_of, any, any_of, each, eq, fields, glob, has_all, json, not, prefix, regex,
    suffix,
};
use super::hallpass::value::{Object, Value};

/// A question, ready to be asked.
pub(super) struct Row {
    pub(super) name: String,
    /// How many bytes of call and scope it has, and how many rules speak of its tool.
    pub(super) bytes: usize,
    pub(super) rules: usize,
    /// What it is refused for, if it is.
    pub(super) refused: Option<Reason>,
    pub(super) ask: Box<dyn FnMut() -> Result<(), Denial>>,
}

/// One broker, one task, one agent.
struct World {
    broker: Broker,
    gate: Gate,
    agent: Identity,
    task: Task,
    context: Context,
}

impl World {
    fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        World::of(Policy::builder().rules(rules).build().unwrap())
    }

    fn of(policy: Policy) -> Self {
        let broker = Broker::new(policy).unwrap();
        let agent = broker.assert_identity("agent").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        World { gate: broker.gate(), broker, agent, task, context: Context::new() }
    }

    fn grant(&self, scope: Scope) -> Grant {
        self.task.request(scope, &self.context).unwrap()
    }

    /// Authorizes a call with one argument under a grant of this scope.
    fn call(self, scope: Scope, argument: Value) -> Box<dyn FnMut() -> Result<(), Denial>> {
        let grant = self.grant(scope);
        let token = grant.token().expose().to_owned();
        self.present(token, argument)
    }

    fn present(self, token: String, argument: Value) -> Box<dyn FnMut() -> Result<(), Denial>> {
        let token = Token::from_text(token);
        let args = Args::try_from(Object::from_pairs([("x", argument)]).unwrap()).unwrap();
        let call = Call::new("t", args).unwrap();
        Box::new(move || {
            let World { gate, agent, context, .. } = &self;
            gate.authorize(&token, agent, call.clone(), context).map(drop)
        })
    }

    fn request(self, scope: Scope) -> Box<dyn FnMut() -> Result<(), Denial>> {
        Box::new(move || self.task.request(scope.clone(), &self.context).map(drop))
    }

    fn trim(self, scope: Scope) -> Box<dyn FnMut() -> Result<(), Denial>> {
        Box::new(move || self.task.request_trimmed(scope.clone(), &self.context).map(drop))
    }
}

fn permit() -> Rule {
    Rule::permit("any").tool("t").any_args()
}

fn asked(constraint: Constraint) -> Scope {
    Scope::tool("t").arg("x", constraint)
}

fn numbers(count: i64) -> Value {
    Value::List((0..count).map(Value::from).collect())
}

fn texts(count: usize, text: &str) -> Value {
    Value::List((0..count).map(|_| Value::from(text)).collect())
}

/// `*a*a…` with this many stars, told apart by how it ends.
fn stars(stars: usize, nth: usize) -> Constraint {
    glob(&format!("{}b{nth}", "*a".repeat(stars)))
}

/// This many different characters.
fn chinese(count: u32) -> String {
    (0..count).filter_map(|n| char::from_u32(0x4e00 + n)).collect()
}

fn row(
    name: impl Into<String>,
    (bytes, rules): (usize, usize),
    ask: Box<dyn FnMut() -> Result<(), Denial>>,
) -> Row {
    Row { name: name.into(), bytes, rules, refused: None, ask }
}

impl Row {
    fn refused_for(self, reason: Reason) -> Self {
        Row { refused: Some(reason), ..self }
    }
}

/// Every one, in the order of how each is asked: at calls, at requests, after a reload.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        texts_against_globs().refused_for(Reason::TooCostly),
        texts_against_one_glob().refused_for(Reason::OutOfScope),
        texts_against_a_regex().refused_for(Reason::Forbidden),
        list_against_any_of_many().refused_for(Reason::OutOfScope),
        list_against_all_not(),
        list_against_has_all(),
        list_against_attenuations().refused_for(Reason::OutOfScope),
        list_against_many_lists().refused_for(Reason::TooCostly),
        list_of_one_value_under_indexed_rules(),
        json_under_many_forbids(),
    ];
    #[cfg(feature = "url")]
    rows.extend(urls());
    for count in [2000, 8000, 16_000] {
        rows.push(characters_under_a_prefix(count).refused_for(Reason::NotCovered));
    }
    rows.push(characters_under_many_prefixes().refused_for(Reason::NotCovered));
    rows.push(globs_under_many_permits().refused_for(Reason::TooCostly));
    rows.push(globs_trimmed().refused_for(Reason::TooCostly));
    rows.push(excluded_values().refused_for(Reason::NotCovered));
    rows.push(characters_after_a_reload().refused_for(Reason::Drifted));
    rows
}

fn texts_against_globs() -> Row {
    let scope = asked(any_of((0..60).map(|nth| stars(31, nth))));
    let text = "a".repeat(4000);
    let ask = World::new([permit()]).call(scope, texts(256, &text));
    row("60 globs of 31 stars, 256 texts of 4000 bytes", (256 * 4000, 1), ask)
}

fn texts_against_one_glob() -> Row {
    let ask = World::new([permit()]).call(asked(stars(31, 0)), texts(256, &"a".repeat(4000)));
    row("1 glob of 31 stars, 256 texts of 4000 bytes", (256 * 4000, 1), ask)
}

fn texts_against_a_regex() -> Row {
    let commas = Rule::forbid("commas").tool("t").arg("x", regex("(.*,){0,60}.*"));
    let ask = World::new([permit(), commas]).call(asked(any()), texts(256, &",".repeat(4000)));
    row("1 regex `(.*,){0,60}.*`, 256 texts of 4000 bytes", (256 * 4000, 2), ask)
}

fn list_against_any_of_many() -> Row {
    let scope = asked(any_of((0..5000).map(|n| eq(n * 12))));
    let ask = World::new([permit()]).call(scope, numbers(60_000));
    row("any of 5000 eq, 60000 numbers", (60_000 * 8, 1), ask)
}

fn list_against_all_not() -> Row {
    let scope = asked(all_of((0..5000).map(|n| not(eq(n + 100_000)))));
    let ask = World::new([permit()]).call(scope, numbers(60_000));
    row("all of 5000 not eq, 60000 numbers", (60_000 * 8, 1), ask)
}

fn list_against_has_all() -> Row {
    let scope = asked(has_all((0..10_000).map(|n| n * 6)));
    let ask = World::new([permit()]).call(scope, numbers(60_000));
    row("has_all of 10000, 60000 numbers", (60_000 * 8, 1), ask)
}

fn list_against_attenuations() -> Row {
    let letter = |n: u32| char::from_digit(n % 36, 36).unwrap_or('-');
    let word = |n: u32| format!("{}{}", letter(n / 36), letter(n));
    let world = World::new([permit()]);
    let grant = world.grant(asked(any()));
    let mut token = Token::from_text(grant.token().expose().to_owned());
    for _ in 0..3 {
        token = token.attenuate(&asked(has_all((0..480).map(word))), None).unwrap();
    }
    let list = Value::List((0..60_000).map(|n| Value::from(word(n % 479))).collect());
    let ask = world.present(token.expose().to_owned(), list);
    row("3 attenuations, has_all of 480, 60000 texts", (60_000 * 12, 1), ask)
}

/// What no set can shorten: lists of which each is asked as a whole.
fn list_against_many_lists() -> Row {
    let pairs = (0..200).map(|n| all_of([has_all([n]), has_all([n + 1])]));
    let forbid = Rule::forbid("never").tool("t").arg("x", each(not(any_of(pairs))));
    let lists = Value::List((0..20_000).map(|n| Value::List(vec![n.into(), n.into()])).collect());
    let ask = World::new([permit(), forbid]).call(asked(any()), lists);
    row("not any of 200 pairs of has_all, 20000 lists", (20_000 * 24, 2), ask)
}

/// Filed under a value that stands in the list again and again.
fn list_of_one_value_under_indexed_rules() -> Row {
    let pair = |n: i32| Rule::permit(format!("p{n}")).tool("t").arg("x", has_all([n, n + 1000]));
    let threes = Value::List((0..60_000).map(|_| Value::from(3)).collect());
    let ask = World::new((0..50).map(pair).chain([permit()])).call(asked(any()), threes);
    row("60000 times one value, 50 permits filed by it", (60_000 * 8, 51), ask)
}

fn json_under_many_forbids() -> Row {
    let forbid = |n: i32| {
        let said = json(fields([("none", eq(n))]).other_fields());
        Rule::forbid(format!("f{n}")).tool("t").arg("x", said)
    };
    let keys: Vec<String> = (0..60_000).map(|n| format!("\"k{n}\":1")).collect();
    let text = format!("{{{}}}", keys.join(","));
    let bytes = text.len();
    let ask = World::new((0..20).map(forbid).chain([permit()])).call(asked(any()), text.into());
    row("20 forbids of kind json, a text of 60000 keys", (bytes, 21), ask)
}

#[cfg(feature = "url")]
fn urls() -> Vec<Row> {
    use super::hallpass::scope::{UrlPattern, url};

    let forbid = |n: i32| {
        let host = UrlPattern::host(&format!("h{n}.test"));
        Rule::forbid(format!("f{n}")).tool("t").arg("x", url(host.path_under("/a")))
    };
    let under = |text: String| {
        let ask =
            World::new((0..100).map(forbid).chain([permit()])).call(asked(any()), text.into());
        move |name: &str, bytes| row(name, (bytes, 101), ask)
    };
    let path = format!("https://acme.test/{}", "a/".repeat(500_000));
    let labels = format!("https://{}test/", "a.".repeat(100_000));
    let tool = Tool::new("t").arg("x", ArgType::Url);
    let policy = Policy::builder().tool(tool).rule(permit()).build().unwrap();
    let host = format!("https://{}test/", "ü.".repeat(300_000));
    let bytes = host.len();
    vec![
        under(path)("100 forbids of kind url, a path of 1 MB", 1_000_000),
        under(labels)("100 forbids of kind url, a host of 100000 labels", 200_000)
            .refused_for(Reason::Forbidden),
        row(
            "a typed url whose host is `ü.` 300000 times",
            (bytes, 1),
            World::of(policy).call(asked(any()), host.into()),
        )
        .refused_for(Reason::MalformedCall),
    ]
}

fn characters_under_a_prefix(count: u32) -> Row {
    let world = World::new([Rule::permit("p").tool("t").arg("x", prefix("inv-"))]);
    let ask = world.request(asked(eq(chinese(count))));
    row(format!("eq {count} characters under a prefix"), (count as usize * 3, 1), ask)
}

fn characters_under_many_prefixes() -> Row {
    let rules = (0..50)
        .map(|n| Rule::permit(format!("p{n}")).tool("t").arg("x", prefix(&format!("inv-{n}-"))));
    let ask = World::new(rules).request(asked(eq(chinese(2000))));
    row("eq 2000 characters under 50 prefixes", (6000, 50), ask)
}

fn globs_under_many_permits() -> Row {
    let rules = (0..100_000)
        .map(|n| Rule::permit(format!("p{n}")).tool("t").arg("x", prefix(&format!("k{n}-"))));
    let scope: Scope = (0..16).map(|n| asked(stars(8, n))).collect();
    row("16 globs under 100000 permits", (16 * 20, 100_000), World::new(rules).request(scope))
}

fn globs_trimmed() -> Row {
    let rules = (0..200)
        .map(|n| Rule::permit(format!("p{n}")).tool("t").arg("x", glob(&format!("k{n}-*/*"))));
    let scope: Scope = (0..128).map(|n| asked(glob(&format!("*a*{n}*")))).collect();
    row("128 globs trimmed under 200 permits", (128 * 8, 200), World::new(rules).trim(scope))
}

fn excluded_values() -> Row {
    let many = |from: i32| not(any_of((from..from + 2000).map(|n| eq(format!("{n}-名")))));
    let world = World::new([Rule::permit("p").tool("t").arg("x", all_of([prefix("k"), many(0)]))]);
    let scope = asked(all_of([prefix("k"), many(1), suffix("z")]));
    row("not of 2000 texts under not of 2000 others", (2000 * 20, 1), world.request(scope))
}

fn characters_after_a_reload() -> Row {
    let world = World::new([permit()]);
    let grant = world.grant(asked(eq(chinese(6000))));
    let token = grant.token().expose().to_owned();
    let prefixed = Rule::permit("p").tool("t").arg("x", prefix("inv-"));
    let _ = world.broker.reload(&Policy::builder().rule(prefixed).build().unwrap()).unwrap();
    let ask = world.present(token, chinese(6000).into());
    row("6000 characters granted, then a reload to a prefix", (18_000, 1), ask)
}
