//! Decision tables: one question at a time, asked the whole way from opening a task to running a call.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::identity::Assertion;
use hallpass::policy::{Moment, Rule};
use hallpass::scope::eq;
use hallpass::value::Value;
use hallpass::{Broker, Call, Code, Context, Policy, Purpose, Resource, Scope};

use super::{Json, list, text, value};

/// Who would do what to what, and in which context.
pub struct Question {
    pub who: Assertion,
    pub tool: String,
    /// An object: the arguments.
    pub args: Json,
    pub resource: Option<Resource>,
    pub context: Context,
}

/// What was answered.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// The call ran, by these permits.
    Ran(Vec<String>),
    /// Refused, with the agent's code, by these forbids.
    Refused(Code, Vec<String>),
    /// The host could not even put the question: an identity or a call that is none.
    NoQuestion,
}

impl Answer {
    pub fn is_permit(&self) -> bool {
        matches!(self, Answer::Ran(_))
    }
}

impl Question {
    /// Opens a task, asks for a grant of exactly this call, makes the call, ends the task.
    pub fn ask(&self, broker: &Broker) -> Answer {
        let Ok(who) = broker.assert_identity(self.who.clone()) else { return Answer::NoQuestion };
        let Ok(call) = Call::new(&self.tool, &self.args) else { return Answer::NoQuestion };
        let call = match self.resource.clone() {
            Some(resource) => call.on(resource),
            None => call,
        };
        let names = |ids: &mut dyn Iterator<Item = &str>| ids.map(str::to_owned).collect();
        let refused =
            |denial: hallpass::Denial| Answer::Refused(denial.code(), names(&mut denial.rules()));
        let task = broker.open(&who, Purpose::new("ask")).unwrap();
        let grant = match task.request(self.scope(), &self.context) {
            Ok(grant) => grant,
            Err(denial) => return refused(denial),
        };
        let gate = broker.gate();
        let foretold = gate.check(grant.token(), &who, &call, &self.context);
        match gate.authorize(grant.token(), &who, call, &self.context) {
            Ok(permit) => {
                let rules = names(&mut permit.rules());
                assert!(foretold.unwrap().rules().eq(permit.rules()));
                permit.run(|_| Ok::<_, ()>(())).unwrap();
                Answer::Ran(rules)
            }
            Err(denial) => {
                assert_eq!(foretold.unwrap_err().reason(), denial.reason());
                refused(denial)
            }
        }
    }

    /// Asks where a request gets whatever it wants, so that the permits decide at the call.
    pub fn ask_at_call(&self, policy: &Policy) -> Answer {
        let everything = Rule::permit("everything-asked-for").on([Moment::Request]);
        let everything = everything.any_tool().any_args().any_resource();
        let rules = policy.rules().cloned().chain([everything]);
        let policy = Policy::builder().rules(rules).build().unwrap();
        self.ask(&Broker::new(policy).unwrap())
    }

    /// Exactly this call, on exactly this resource as the host describes it.
    fn scope(&self) -> Scope {
        let args = self.args.as_object().into_iter().flatten();
        let scope = args
            .fold(Scope::tool(&self.tool), |scope, (name, own)| scope.arg(name, eq(value(own))));
        let Some(resource) = &self.resource else { return scope };
        let scope = scope.resource(eq(resource.resource_type()), eq(resource.id()));
        resource
            .attributes()
            .iter()
            .fold(scope, |scope, (name, own)| scope.resource_attr(name, eq(own.clone())))
    }
}

/// The entities of a table, by `Type::id`.
pub struct Entities<'t>(BTreeMap<String, &'t Json>);

impl<'t> Entities<'t> {
    pub fn of(table: &'t Json) -> Self {
        Entities(list(&table["entities"]).iter().map(|own| (name_of(own), own)).collect())
    }

    /// Everything above an entity, itself included: parents, their parents, and so on.
    pub fn above(&self, name: &str) -> BTreeSet<String> {
        let mut above = BTreeSet::new();
        let mut next = vec![name.to_owned()];
        while let Some(name) = next.pop() {
            if let Some(entity) = self.0.get(&name) {
                next.extend(list(&entity["parents"]).iter().map(|own| text(own).to_owned()));
            }
            above.insert(name);
        }
        above
    }

    /// An entity's attributes, those of the entities they refer to among them: `account` is a name,
    /// `account_owner` the name of its owner. Rules look no further than the question, so a host
    /// lays out what they shall see.
    pub fn attributes(&self, name: &str) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        self.add_attributes(name, "", &mut all);
        all
    }

    fn add_attributes(&self, name: &str, prefix: &str, all: &mut BTreeMap<String, Value>) {
        let entity = self.0.get(name).map(|own| &own["attrs"]);
        for (attr, own) in entity.and_then(|attrs| attrs.as_object()).into_iter().flatten() {
            let attr = format!("{prefix}{attr}");
            if let Some(referred) = own.get("$ref") {
                self.add_attributes(text(referred), &format!("{attr}_"), all);
            }
            all.insert(attr, plain(own));
        }
    }
}

/// `Type::id`: one name for an entity, as tables refer to it.
pub fn name_of(entity: &Json) -> String {
    format!("{}::{}", text(&entity["type"]), text(&entity["id"]))
}

/// A value of a table: references and addresses are text, decimals are numbers.
pub fn plain(json: &Json) -> Value {
    if let Some(own) = json.get("$ref").or(json.get("$ip")) {
        return text(own).into();
    }
    if let Some(decimal) = json.get("$decimal") {
        return Value::from_json(text(decimal)).unwrap();
    }
    match json {
        Json::Array(own) => Value::List(own.iter().map(plain).collect()),
        _ => value(json),
    }
}
