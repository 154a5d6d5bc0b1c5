//! The catalogue: which tools there are, what they are labelled, and which arguments have a type.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::descriptions::Descriptions;
use crate::denial::{Denial, Reason};
use crate::scope::Capability;
use crate::spelling::{ArgType, TypedArg, TypedArgs};
use crate::spread::SpreadMap;
use crate::value::{Digest, Object, Value};

/// One tool of the catalogue.
///
/// ```
/// use hallpass::policy::Tool;
///
/// let mail = Tool::new("mail.send").label("egress");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    pub(crate) name: Box<str>,
    pub(crate) labels: Vec<Box<str>>,
    pub(crate) args: Vec<TypedArg>,
    pub(crate) credentials: Vec<Box<str>>,
    /// Where each of them may be sent.
    pub(crate) origins: Vec<(Box<str>, Box<str>)>,
    pub(crate) plain: Vec<Box<str>>,
    pub(crate) leak_halts: bool,
    pub(crate) pin: Option<Digest>,
    pub(crate) texts: Descriptions,
}

impl Tool {
    /// A tool without labels, no argument of which has a type.
    pub fn new(name: &str) -> Self {
        Tool {
            name: name.into(),
            labels: Vec::new(),
            args: Vec::new(),
            credentials: Vec::new(),
            origins: Vec::new(),
            plain: Vec::new(),
            leak_halts: false,
            pin: None,
            texts: Descriptions::NONE,
        }
    }

    /// Adds a label: a word for what the tool does or touches (`egress`, `untrusted-input`).
    pub fn label(mut self, label: &str) -> Self {
        self.labels.push(label.into());
        self
    }

    /// Adds labels.
    pub fn labels<'l>(mut self, labels: impl IntoIterator<Item = &'l str>) -> Self {
        self.labels.extend(labels.into_iter().map(Box::from));
        self
    }

    /// Says what the argument `name` is: it is brought to its one spelling before any rule is asked.
    pub fn arg(mut self, name: &str, of: ArgType) -> Self {
        self.args.push(TypedArg { name: name.into(), of, optional: false, default: None });
        self
    }

    /// As [`arg`](Tool::arg), of one that a call may leave out. `null`, as models send it that have to name
    /// every argument, is then taken out of the call before anything is asked, and the tool does not get it.
    pub fn optional_arg(mut self, name: &str, of: ArgType) -> Self {
        self.args.push(TypedArg { name: name.into(), of, optional: true, default: None });
        self
    }

    /// As [`optional_arg`](Tool::optional_arg), of one for which `default` stands where a call leaves it out: it is put into the
    /// call before anything is asked, and the tool gets it. A permit that does not name the argument lets it be that.
    ///
    /// ```
    /// use hallpass::policy::{ArgType, Policy, Rule, Tool};
    ///
    /// let policy = |lines: i64| {
    ///     let tool = Tool::new("log.read").arg("file", ArgType::Text).default_arg("lines", ArgType::Integer, lines);
    ///     Policy::builder().tool(tool).rule(Rule::permit("p").tool("log.read").arg("file", hallpass::scope::any())).build()
    /// };
    /// assert!(policy(100).is_ok());
    /// ```
    pub fn default_arg(mut self, name: &str, of: ArgType, default: impl Into<Value>) -> Self {
        let default = Some(default.into());
        self.args.push(TypedArg { name: name.into(), of, optional: true, default });
        self
    }

    /// Has the log keep the argument `name` in plain, next to the record of each call whose token verified; otherwise the
    /// log has a digest of all arguments. The value can be erased later: the record has a commitment alone. A value of
    /// more than 1,024 bytes of JSON is not kept, and neither is one that holds a secret that the task has used.
    ///
    /// ```
    /// use hallpass::policy::{Policy, Rule, Tool};
    ///
    /// let policy = Policy::builder()
    ///     .tool(Tool::new("bank.pay").log_plain("to").log_plain("amount"))
    ///     .rule(Rule::permit("payers-pay").tool("bank.pay").any_args())
    ///     .build();
    /// assert!(policy.is_ok());
    /// ```
    pub fn log_plain(mut self, name: &str) -> Self {
        self.plain.push(name.into());
        self
    }

    /// Says that the tool runs with the credential of this name, in addition to those said before. The broker must have a
    /// source for it: a secret in its [vault](crate::BrokerBuilder::vault).
    pub fn credential(mut self, name: &str) -> Self {
        self.credentials.push(name.into());
        self
    }

    /// Says that what sends a [credential](Self::credential) of the tool over HTTP may send it to this origin, in addition to
    /// those said before: `https://host` or `https://host:port` in lower case; `http` for addresses of the loopback alone.
    /// Unsaid, it is sent nowhere. A tool that is lent the secret itself asks
    /// [`Secrets::origins`](crate::vault::Secrets::origins).
    ///
    /// ```
    /// use hallpass::policy::{Policy, Rule, Tool};
    ///
    /// let fetch = Tool::new("orders.fetch").credential("orders-api");
    /// let policy = |tool| Policy::builder().tool(tool).rule(Rule::permit("p").tool("orders.fetch").any_args()).build();
    /// assert!(policy(fetch.clone().origin("orders-api", "https://api.acme.test")).is_ok());
    /// assert!(policy(fetch.clone().origin("orders-api", "http://api.acme.test")).is_err());
    /// assert!(policy(fetch.origin("another", "https://api.acme.test")).is_err());
    /// ```
    pub fn origin(mut self, credential: &str, origin: &str) -> Self {
        self.origins.push((credential.into(), origin.into()));
        self
    }
}

impl Tool {
    /// Pins the tool's definition, by its [digest](Tool::definition_digest): where a server says what its tools are, a
    /// tool that it describes otherwise is another one, which no one has looked at. It is for hosts that see definitions,
    /// as `hallpass mcp` does, to hold a server to it; a broker sees calls alone.
    pub fn pinned(mut self, definition: Digest) -> Self {
        self.pin = Some(definition);
        self
    }

    /// The digest of a tool's definition as a server of the Model Context Protocol lists it: of all its members but `_meta`, exactly, whatever
    /// their order and the spelling of their numbers. (`hp-tool-1`: SHA-256 of that word, a line break, and the
    /// object's canonical form.)
    ///
    /// ```
    /// use hallpass::policy::Tool;
    /// use hallpass::value::Value;
    ///
    /// # fn run() -> Option<()> {
    /// let digest = |text| Some(Tool::definition_digest(Value::from_json(text).ok()?.as_object()?));
    /// let read = digest(r#"{ "name": "read", "inputSchema": { "maxLength": 10 } }"#)?;
    /// assert_eq!(digest(r#"{ "inputSchema": { "maxLength": 1e1 }, "name": "read", "_meta": {} }"#)?, read);
    /// assert_ne!(digest(r#"{ "name": "read", "inputSchema": { "maxLength": 11 } }"#)?, read);
    /// # Some(())
    /// # }
    /// # run().unwrap();
    /// ```
    pub fn definition_digest(definition: &Object) -> Digest {
        let mut said = Object::new();
        for (name, value) in definition.iter().filter(|(name, _)| *name != "_meta") {
            // An object has each key once.
            let _ = said.insert(name.to_owned(), value.clone());
        }
        let mut bytes = format!("{PIN}\n").into_bytes();
        said.encode(&mut bytes);
        Digest::of(&bytes)
    }
}

/// The word for how definitions are digested.
pub(crate) const PIN: &str = "hp-tool-1";

impl Tool {
    /// Says that the caller is halted when a result of this tool holds a secret that the task has used: what an agent
    /// asked for came back with it.
    pub fn halts_on_leak(mut self) -> Self {
        self.leak_halts = true;
        self
    }
}

/// The tools of a policy, by name. Without one, every well-formed tool name is a tool; with one, a
/// tool outside it is refused.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    tools: Option<SpreadMap<Box<str>, Listed>>,
    /// Whether any tool runs with a credential: where none does, no call looks for one.
    has_credentials: bool,
    /// The same of halting on a leak.
    has_leak_halts: bool,
}

/// What the catalogue says of a tool.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The list of its labels, sorted, each once.
    pub(crate) labels: Value,
    pub(crate) typed: TypedArgs,
    /// What the tool runs with, in the order of the catalogue.
    pub(crate) credentials: Vec<Box<str>>,
    /// Where each of them may be sent.
    pub(crate) origins: BTreeMap<Box<str>, Arc<[Box<str>]>>,
    /// The arguments that the log keeps in plain.
    pub(crate) plain: Vec<Box<str>>,
    /// Whether a result that holds a secret halts the caller.
    pub(crate) leak_halts: bool,
    /// Of all that is said of it; `None` where there is no catalogue.
    pub(crate) digest: Option<Digest>,
    /// Of its definition, where that is pinned.
    pub(crate) pin: Option<Digest>,
    pub(crate) texts: Descriptions,
}

impl Catalogue {
    /// Tools whose names have been found unique, and the digest of all that is said of each.
    pub(crate) fn of(tools: &[Tool], digest: impl Fn(&Tool) -> Digest) -> Self {
        if tools.is_empty() {
            return Catalogue::default();
        }
        let has_credentials = tools.iter().any(|tool| !tool.credentials.is_empty());
        let has_leak_halts = tools.iter().any(|tool| tool.leak_halts);
        let tools = tools.iter().map(|tool| {
            let mut labels = tool.labels.clone();
            labels.sort();
            labels.dedup();
            let labels = Value::List(labels.into_iter().map(Value::Text).collect());
            let credentials = tool.credentials.clone();
            let origins = origins_of(tool);
            let typed = TypedArgs::of(&tool.args);
            let digest = Some(digest(tool));
            (
                tool.name.clone(),
                Listed {
                    labels,
                    typed,
                    credentials,
                    origins,
                    plain: tool.plain.clone(),
                    leak_halts: tool.leak_halts,
                    digest,
                    pin: tool.pin,
                    texts: tool.texts.clone(),
                },
            )
        });
        Catalogue { tools: Some(tools.collect()), has_credentials, has_leak_halts }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.tools.is_some()
    }

    /// What is said of a tool; `None` if the tool is outside the catalogue.
    #[inline]
    pub(crate) fn get(&self, tool: &str) -> Option<&Listed> {
        match &self.tools {
            Some(tools) => tools.get(tool),
            None => Some(&UNSAID),
        }
    }

    /// As [`get`](Self::get).
    ///
    /// # Errors
    /// A [`Denial`] if the tool is outside the catalogue.
    #[inline]
    pub(crate) fn find(&self, tool: &str) -> Result<&Listed, Denial> {
        self.get(tool).ok_or_else(|| Catalogue::unknown(tool))
    }

    /// The denial for a tool outside the catalogue.
    #[cold]
    pub(crate) fn unknown(tool: &str) -> Denial {
        Denial::new(Reason::UnknownTool).because(format_args!("`{tool}` is not in the catalogue"))
    }

    /// The labels of a tool; `None` if the tool is outside the catalogue.
    pub(crate) fn labels_of(&self, tool: &str) -> Option<&Value> {
        self.get(tool).map(|listed| &listed.labels)
    }

    /// The names of the credentials that a tool runs with.
    #[inline]
    pub(crate) fn credentials_of(&self, tool: &str) -> &[Box<str>] {
        if !self.has_credentials {
            return &[];
        }
        self.get(tool).map_or(&[], |listed| listed.credentials.as_slice())
    }

    /// As [`credentials_of`](Self::credentials_of), each with where it may be sent, if that is said.
    pub(crate) fn credentials_and_origins_of(
        &self,
        tool: &str,
    ) -> impl ExactSizeIterator<Item = (&str, Option<&Arc<[Box<str>]>>)> {
        let listed = if self.has_credentials { self.get(tool) } else { None };
        let Listed { credentials, origins, .. } = listed.unwrap_or(&UNSAID);
        credentials.iter().map(|name| (&**name, origins.get(name)))
    }

    /// Whether a result of the tool that holds a secret halts the caller.
    #[inline]
    pub(crate) fn leak_halts(&self, tool: &str) -> bool {
        self.has_leak_halts && self.get(tool).is_some_and(|listed| listed.leak_halts)
    }

    /// Each tool that runs with credentials, and their names.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = (&str, &[Box<str>])> {
        let tools = self.tools.iter().flatten();
        tools
            .map(|(name, listed)| (&**name, listed.credentials.as_slice()))
            .filter(|(_, credentials)| !credentials.is_empty())
    }

    /// Capabilities as calls will be compared with them: see
    /// [`TypedArgs::canonical_capability`]. Those of tools outside the catalogue stay as they are. Whether any
    /// became another.
    ///
    /// # Errors
    /// A [`Denial`] if one pins a typed argument to what is not a value of that type.
    pub(crate) fn canonical(&self, capabilities: &mut [Capability]) -> Result<bool, Denial> {
        let mut changed = false;
        for capability in capabilities {
            let Some(listed) = self.get(capability.tool.as_str()) else { continue };
            let canonical = listed
                .typed
                .canonical_capability(capability)
                .map_err(|fault| Denial::new(Reason::MalformedScope).because(fault))?;
            if let Some(canonical) = canonical {
                changed |= canonical != *capability;
                *capability = canonical;
            }
        }
        Ok(changed)
    }

    /// Each tool whose definition is pinned.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (&str, Digest)> {
        let tools = self.tools.iter().flatten();
        tools.filter_map(|(name, listed)| Some((&**name, listed.pin?)))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().flat_map(|tools| tools.keys().map(|name| &**name))
    }
}

/// The origins of each credential, sorted.
fn origins_of(tool: &Tool) -> BTreeMap<Box<str>, Arc<[Box<str>]>> {
    let mut said: BTreeMap<&str, Vec<Box<str>>> = BTreeMap::new();
    for (credential, origin) in &tool.origins {
        said.entry(credential).or_default().push(origin.clone());
    }
    let sorted = said.into_iter().map(|(credential, mut origins)| {
        origins.sort();
        (credential.into(), origins.into())
    });
    sorted.collect()
}

/// What is said of every tool where there is no catalogue.
static UNSAID: Listed = Listed {
    labels: Value::List(Vec::new()),
    typed: TypedArgs::NONE,
    credentials: Vec::new(),
    origins: BTreeMap::new(),
    plain: Vec::new(),
    leak_halts: false,
    digest: None,
    pin: None,
    texts: Descriptions::NONE,
};
