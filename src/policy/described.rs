//! What the catalogue says of tools and arguments in words, for those who show tools to an agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Policy;
use super::catalogue::Tool;
use super::compiled::Compiled;
use crate::spelling::ArgType;
use crate::value::Value;

impl Tool {
    /// Says in words what the tool does, for those who show it to an agent: at most 1,024 bytes, and nothing that can't be
    /// seen. No rule looks at it.
    ///
    /// ```
    /// use hallpass::policy::{ArgType, Policy, Tool};
    ///
    /// let tool = Tool::new("log.read").arg("file", ArgType::Text).description("Reads a log file.");
    /// let policy = Policy::builder().tool(tool.describe_arg("file", "Its name, without a folder.")).build()?;
    /// let log_read = policy.described("log.read").unwrap();
    /// assert_eq!(log_read.description(), Some("Reads a log file."));
    /// let file = log_read.arguments().next().unwrap();
    /// assert_eq!((file.name(), file.of()), ("file", Some(ArgType::Text)));
    /// assert_eq!(file.description(), Some("Its name, without a folder."));
    /// assert!(policy.described("log.write").is_none());
    /// # Ok::<(), hallpass::policy::PolicyError>(())
    /// ```
    pub fn description(mut self, text: &str) -> Self {
        self.texts.tool = Some(text.into());
        self
    }

    /// The same of one of its arguments.
    pub fn describe_arg(mut self, name: &str, text: &str) -> Self {
        self.texts.args.insert(name.into(), text.into());
        self
    }
}

impl Policy {
    /// What the catalogue says of a tool; `None` where it does not have it, or there is none.
    pub fn described(&self, tool: &str) -> Option<DescribedTool> {
        DescribedTool::of(&self.0, tool)
    }
}

/// A tool as a catalogue says it, with the policy that has it.
#[derive(Clone)]
pub struct DescribedTool {
    policy: Arc<Compiled>,
    name: Box<str>,
}

/// An argument of a [`DescribedTool`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DescribedArg<'p> {
    name: &'p str,
    of: Option<ArgType>,
    optional: bool,
    default: Option<&'p Value>,
    description: Option<&'p str>,
}

impl DescribedTool {
    pub(crate) fn of(policy: &Arc<Compiled>, tool: &str) -> Option<Self> {
        let is_listed = policy.catalogue.is_there() && policy.catalogue.get(tool).is_some();
        is_listed.then(|| DescribedTool { policy: policy.clone(), name: tool.into() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does, in words, if that is said.
    pub fn description(&self) -> Option<&str> {
        self.policy.catalogue.get(&self.name)?.texts.tool.as_deref()
    }

    /// Its labels, sorted.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        let labels = self.policy.catalogue.labels_of(&self.name).and_then(Value::as_list);
        labels.into_iter().flatten().filter_map(Value::as_text)
    }

    /// Its arguments that have a type or a description, by name.
    pub fn arguments(&self) -> impl Iterator<Item = DescribedArg<'_>> {
        let mut all: BTreeMap<&str, DescribedArg<'_>> = BTreeMap::new();
        if let Some(listed) = self.policy.catalogue.get(&self.name) {
            let of_nothing = |name| DescribedArg {
                name,
                of: None,
                optional: false,
                default: None,
                description: None,
            };
            for (name, text) in &listed.texts.args {
                let own = all.entry(name).or_insert_with(|| of_nothing(name));
                own.description = Some(text);
            }
            for typed in listed.typed.all() {
                let own = all.entry(&typed.name).or_insert_with(|| of_nothing(&typed.name));
                own.of = Some(typed.of);
                own.optional = typed.optional;
                own.default = typed.default.as_ref();
            }
        }
        all.into_values()
    }
}

impl<'p> DescribedArg<'p> {
    /// Its name.
    pub fn name(&self) -> &'p str {
        self.name
    }

    /// Its type, if it has one.
    pub fn of(&self) -> Option<ArgType> {
        self.of
    }

    /// Whether a call may leave it out, as its type says.
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// What stands for it where a call leaves it out.
    pub fn default(&self) -> Option<&'p Value> {
        self.default
    }

    /// What it is, in words, if that is said.
    pub fn description(&self) -> Option<&'p str> {
        self.description
    }
}

impl std::fmt::Debug for DescribedTool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DescribedTool")
            .field("name", &self.name)
            .field("description", &self.description())
            .field("arguments", &self.arguments().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        version = 1
        [[tool]]
        name        = "log.read"
        description = "Reads the end of a log."
        args        = { lines = { type = "integer", default = 100, description = "How many lines." }, file = "text", note = { description = "Why." } }
        [[tool]]
        name = "plain"
    "#;

    #[test]
    fn a_catalogue_says_what_tools_and_arguments_are() {
        let policy = Policy::from_toml(POLICY).unwrap();
        let tool = policy.described("log.read").unwrap();
        assert_eq!(
            (tool.name(), tool.description()),
            ("log.read", Some("Reads the end of a log."))
        );
        let args: Vec<_> = tool.arguments().collect();
        let names: Vec<_> = args.iter().map(|own| (own.name(), own.description())).collect();
        assert_eq!(
            names,
            [("file", None), ("lines", Some("How many lines.")), ("note", Some("Why."))]
        );
        assert_eq!(args[1].default(), Some(&Value::from(100)));
        assert_eq!(
            args.iter().map(|own| own.of()).collect::<Vec<_>>(),
            [Some(ArgType::Text), Some(ArgType::Integer), None]
        );
        assert!(args[1].is_optional() && !args[0].is_optional());
        let plain = policy.described("plain").unwrap();
        assert_eq!((plain.description(), plain.arguments().count()), (None, 0));
        assert!(policy.described("other").is_none());
        assert!(Policy::from_toml("version = 1").unwrap().described("plain").is_none());
    }

    /// What an agent is told is a part of what was reviewed.
    #[test]
    fn another_description_is_another_policy_and_none_changes_no_digest() {
        let digest = |text: &str| Policy::from_toml(text).unwrap().digest();
        let own = digest(POLICY);
        for (from, to) in [("Reads the end", "Reads an end"), ("How many lines", "How many")] {
            assert_ne!(digest(&POLICY.replace(from, to)), own, "{to}");
        }
        let tool = |tool: Tool| Policy::builder().tool(tool).build().unwrap().digest();
        let bare = Tool::new("t").arg("a", ArgType::Text);
        assert_eq!(
            tool(bare.clone()),
            digest("version = 1\ntool = [{ name = \"t\", args = { a = \"text\" } }]")
        );
        assert_ne!(tool(bare.clone().description("x")), tool(bare.clone()));
        assert_ne!(tool(bare.clone().describe_arg("a", "x")), tool(bare));
    }

    /// attack 12
    #[test]
    fn a_description_that_is_not_as_it_looks_does_not_load() {
        let long = "x".repeat(1_025);
        for (text, fault) in [
            ("", "says nothing"),
            (" \n", "says nothing"),
            (long.as_str(), "1025 bytes"),
            ("a\u{200b}b", "`\\u{200b}`"),
            ("a\u{202e}b", "`\\u{202e}`"),
            ("a\u{e0041}b", "can't be seen"),
            ("a\u{1b}[8m", "can't be seen"),
        ] {
            for tool in [Tool::new("t").description(text), Tool::new("t").describe_arg("a", text)] {
                let error = Policy::builder().tool(tool).build().unwrap_err().to_string();
                assert!(error.contains(fault) && error.contains("description"), "{error}");
            }
        }
        let fits = "é\n\t".repeat(256);
        assert!(Policy::builder().tool(Tool::new("t").description(&fits)).build().is_ok());
        let unnamed = Tool::new("t").describe_arg("", "x");
        assert!(Policy::builder().tool(unnamed).build().is_err());
    }
}
