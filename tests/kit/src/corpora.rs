//! Reading the corpora, and asking a broker about what they hold as a host would.

pub mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hallpass::identity::Identity;
use hallpass::policy::Rule;
use hallpass::scope::{Constraint, any, optional};
use hallpass::value::Value;
use hallpass::{Broker, Call, Context, Denial, Gate, Grant, Purpose, Scope, Task};

pub type Json = serde_json::Value;

/// A file of the corpora. A test that reads one is ignored unless it is asked for.
pub fn corpus(file: &str) -> Json {
    let folder = std::env::var_os("HALLPASS_CORPORA");
    let folder = folder.expect("HALLPASS_CORPORA is the folder of the published data");
    read(&PathBuf::from(folder).join(file))
}

/// A file of this repository in the format of a corpus.
pub fn own(file: &str) -> Json {
    read(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../corpora/own").join(file))
}

fn read(path: &Path) -> Json {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

pub fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

pub fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_else(|| panic!("no text: {json}"))
}

pub fn value(json: &Json) -> Value {
    Value::try_from(json).unwrap()
}

/// A tool: its arguments by name, and whether a call must give them.
pub struct Shape {
    pub name: String,
    pub args: BTreeMap<String, bool>,
}

impl Shape {
    /// From a name and a JSON schema of its arguments.
    pub fn of_schema(name: &str, schema: &Json) -> Self {
        let required = list(&schema["required"]);
        let properties = schema["properties"].as_object();
        let args = properties.into_iter().flatten();
        let args = args.map(|(arg, _)| (arg.clone(), required.iter().any(|own| own == arg)));
        Shape { name: name.to_owned(), args: args.collect() }
    }

    /// Any value of an argument; also none, where a call may leave it out.
    pub fn free(&self, arg: &str) -> Constraint {
        if self.args[arg] { any() } else { optional(any()) }
    }

    /// The permit that leaves pinning to the grant: this tool with any values of its own arguments.
    pub fn permit(&self) -> Rule {
        let rule = Rule::permit(format!("may-{}", self.name)).tool(&self.name);
        self.args.keys().fold(rule, |rule, arg| rule.arg(arg, self.free(arg)))
    }

    /// A capability that says of each argument what `pin` says; one that it does not name must be
    /// left out of the call.
    pub fn scope(&self, pin: impl Fn(&str) -> Option<Constraint>) -> Scope {
        let pinned = self.args.keys().filter_map(|arg| Some((arg, pin(arg)?)));
        pinned.fold(Scope::tool(&self.name), |scope, (arg, pin)| scope.arg(arg, pin))
    }
}

/// The shapes of tools by name.
pub type Shapes = BTreeMap<String, Shape>;

/// A task under way: who runs it, by which grants, through which gate.
pub struct Errand<'h> {
    pub task: Task,
    pub grants: Vec<Grant>,
    who: &'h Identity,
    gate: Gate,
    context: Context,
}

impl<'h> Errand<'h> {
    /// Opens a task, which holds nothing yet.
    pub fn open(broker: &Broker, who: &'h Identity, purpose: &str) -> Self {
        Errand {
            task: broker.open(who, Purpose::new(purpose)).unwrap(),
            grants: Vec::new(),
            who,
            gate: broker.gate(),
            context: Context::new(),
        }
    }

    /// Asks for one more grant.
    pub fn ask(&mut self, scope: Scope) {
        let grant = self.task.request(scope, &self.context);
        self.grants.push(grant.unwrap_or_else(|denial| panic!("{}", denial.explain())));
    }

    /// Makes a call of the corpus by the newest grant; see [`ask_gate`].
    pub fn call(&self, call: &Json) -> Result<(), Denial> {
        self.call_by(self.grants.last().expect("a grant was asked for"), call)
    }

    /// Makes a call of the corpus by this grant; see [`ask_gate`].
    pub fn call_by(&self, grant: &Grant, call: &Json) -> Result<(), Denial> {
        let call = Call::new(text(&call["tool"]), &call["args"]).unwrap();
        ask_gate(&self.gate, grant, self.who, call, &self.context)
    }

    /// Whether all these calls pass.
    pub fn makes_all(&self, calls: &[Json]) -> bool {
        calls.iter().all(|call| self.call(call).is_ok())
    }

    /// Completes the task, and shows that a call by any of its grants is over with it.
    pub fn complete(self, broker: &Broker, call: &Json) {
        let Errand { task, grants, who, gate, context } = self;
        task.complete();
        assert!(broker.standing().is_empty(), "something is left behind");
        for grant in &grants {
            let call = Call::new(text(&call["tool"]), &call["args"]).unwrap();
            ask_gate(&gate, grant, who, call, &context).unwrap_err();
        }
    }
}

/// Authorizes and runs one call. The dry run must have said the same.
pub fn ask_gate(
    gate: &Gate,
    grant: &Grant,
    who: &Identity,
    call: Call,
    context: &Context,
) -> Result<(), Denial> {
    let foretold = gate.check(grant.token(), who, &call, context);
    let made = call.clone();
    match gate.authorize(grant.token(), who, call, context) {
        Ok(permit) => {
            assert!(foretold.is_ok(), "permitted, though the dry run denied");
            permit.run(|running| if *running.call() == made { Ok(()) } else { Err(()) }).unwrap();
            Ok(())
        }
        Err(denial) => {
            assert_eq!(foretold.unwrap_err().reason(), denial.reason());
            Err(denial)
        }
    }
}
