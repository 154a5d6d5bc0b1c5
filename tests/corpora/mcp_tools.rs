//! The tools of fourteen MCP servers as a catalogue: which of them a policy can name, and how.
//!
//! What an MCP client shows differs from a catalogue in two ways, on purpose:
//!
//! - tools of different servers may share a name (eight do here); in a catalogue every tool has a
//!   name of its own, so tools are called `SERVER/TOOL`;
//! - npm scopes begin with `@`, which is not a character of a tool's name, so the scope is left out.

use std::collections::BTreeMap;

use hallpass::policy::{Rule, Tool};
use hallpass::scope::{eq, has_any, not};
use hallpass::tool::ToolName;
use hallpass::{Broker, Call, Context, Policy, Purpose, Reason, Scope};
use serde_json::json;
use testkit::corpora::{Json, Shape, ask_gate, corpus, list, text};

/// What a server claims of a tool that only reads.
const CLAIMS_TO_READ: &str = "claims-to-read";

struct Listed {
    server: String,
    tool: Json,
}

impl Listed {
    fn bare_name(&self) -> &str {
        text(&self.tool["name"])
    }

    fn name(&self) -> String {
        let server = self.server.rsplit('/').next().unwrap();
        format!("{server}/{}", self.bare_name())
    }

    fn shape(&self) -> Shape {
        Shape::of_schema(&self.name(), &self.tool["inputSchema"])
    }

    fn claims_to_read(&self) -> bool {
        self.tool["annotations"]["readOnlyHint"] == true
    }

    fn catalogued(&self) -> Tool {
        let tool = Tool::new(&self.name());
        if self.claims_to_read() { tool.label(CLAIMS_TO_READ) } else { tool }
    }
}

fn load() -> Vec<Listed> {
    let corpus = corpus("mcp_tools/mcp_tools.json");
    let servers = list(&corpus["servers"]).iter();
    let listed = servers.flat_map(|server| {
        let server_name = text(&server["name"]);
        let listed = |tool: &Json| Listed { server: server_name.to_owned(), tool: tool.clone() };
        list(&server["tools"]).iter().map(listed)
    });
    listed.collect()
}

fn policy(listed: &[Listed]) -> Policy {
    Policy::builder()
        .tools(listed.iter().map(Listed::catalogued))
        .rules(listed.iter().map(|listed| listed.shape().permit()))
        .rule(
            Rule::forbid("only-readers-today")
                .labels(not(has_any([CLAIMS_TO_READ])))
                .when("freeze", eq(true)),
        )
        .build()
        .unwrap()
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_tool_becomes_an_entry_of_a_catalogue() {
    let listed = load();
    let servers: std::collections::BTreeSet<_> = listed.iter().map(|own| &own.server).collect();
    assert_eq!((servers.len(), listed.len()), (14, 112));
    // All bare names are well formed, too; but they are not unique.
    assert!(listed.iter().all(|own| ToolName::new(own.bare_name()).is_ok()));
    assert_eq!(policy(&listed).len(), 113);
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn text_and_builder_make_the_same_catalogue() {
    let listed = load();
    let tools: Vec<_> = listed
        .iter()
        .map(|own| {
            let labels = if own.claims_to_read() { vec![CLAIMS_TO_READ] } else { vec![] };
            let mut tool = json!({ "name": own.name() });
            if !labels.is_empty() {
                tool["labels"] = json!(labels);
            }
            tool
        })
        .collect();
    let permits = listed.iter().map(|own| {
        let Shape { name, args } = own.shape();
        let optional = json!({ "any": [{ "present": false }, "any"] });
        let args: BTreeMap<_, _> = args
            .into_iter()
            .map(|(arg, required)| (arg, if required { json!("any") } else { optional.clone() }))
            .collect();
        json!({
            "id": format!("may-{name}"), "effect": "permit", "what": { "tool": name, "args": args },
        })
    });
    let forbid = json!({
        "id": "only-readers-today", "effect": "forbid",
        "what": { "labels": { "not": { "has_any": [CLAIMS_TO_READ] } } },
        "when": { "freeze": true },
    });
    let rules: Vec<_> = permits.chain([forbid]).collect();
    let written = json!({ "version": 1, "tool": tools, "rule": rules });
    let read = Policy::from_json(&written.to_string()).unwrap();
    assert_eq!(read.digest(), policy(&listed).digest());
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn tools_that_share_a_name_are_refused_until_their_servers_tell_them_apart() {
    let listed = load();
    let mut servers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for own in &listed {
        servers.entry(own.bare_name()).or_default().push(&own.server);
    }
    servers.retain(|_, servers| servers.len() > 1);
    let expected = [
        "create_branch",
        "create_issue",
        "create_or_update_file",
        "create_repository",
        "fork_repository",
        "get_file_contents",
        "push_files",
        "search_repositories",
    ];
    assert_eq!(servers.keys().copied().collect::<Vec<_>>(), expected);

    let bare = listed.iter().map(|own| Tool::new(own.bare_name()));
    let error = Policy::builder().tools(bare).build().unwrap_err();
    assert!(error.to_string().contains("in the catalogue twice"), "{error}");
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn an_npm_scope_is_no_part_of_a_tools_name() {
    let listed = load();
    let scoped = listed.iter().filter(|own| own.server.starts_with('@'));
    let whole: Vec<_> = scoped.map(|own| format!("{}/{}", own.server, own.bare_name())).collect();
    assert_eq!(whole.len(), 97);
    for name in whole {
        assert!(ToolName::new(&name).unwrap_err().to_string().contains('@'), "{name}");
    }
}

/// What a server says of itself narrows and never widens: the label of a claim lifts no permit, it
/// only spares the tool one forbid, which also acts on tools that claim nothing.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn a_tool_that_claims_nothing_is_no_reader() {
    let listed = load();
    let broker = Broker::new(policy(&listed)).unwrap();
    let agent = broker.assert_identity("spiffe://acme.test/agent/assistant").unwrap();
    let task = broker.open(&agent, Purpose::new("look-around")).unwrap();
    let gate = broker.gate();
    let calm = Context::new().with("freeze", false);
    let freeze = Context::new().with("freeze", true);
    let mut readers = 0;
    for own in &listed {
        let shape = own.shape();
        let grant = task.request(shape.scope(|arg| Some(shape.free(arg))), &calm).unwrap();
        // Any value will do where any value is granted.
        let required = shape.args.iter().filter(|(_, required)| **required);
        let args: BTreeMap<_, _> = required.map(|(arg, _)| (arg, json!("x"))).collect();
        let call = || Call::new(&shape.name, json!(args)).unwrap();
        ask_gate(&gate, &grant, &agent, call(), &calm).unwrap();
        match ask_gate(&gate, &grant, &agent, call(), &freeze) {
            Ok(()) => readers += 1,
            Err(denial) => assert_eq!(denial.reason(), Reason::Forbidden),
        }
    }
    assert_eq!(readers, listed.iter().filter(|own| own.claims_to_read()).count());

    let unlisted = task.request(Scope::tool("git/force_push"), &calm).unwrap_err();
    assert_eq!(unlisted.reason(), Reason::UnknownTool);
    println!("mcp_tools: {} tools, {readers} claim to read only", listed.len());
}
