//! `hallpass pin`: a catalogue from what a server lists.

use serde_json::{Value, json};

use crate::world::gated::{scripted_server, with_handshake};
use crate::world::{Folder, Ran, hallpass};

fn pin(folder: &Folder, script: &Value) -> Ran {
    folder.write("script.json", script.to_string());
    let server = scripted_server();
    hallpass(&["pin", "--", server.to_str().unwrap(), "script.json", "notes"], folder.path())
}

fn result(text: &str) -> Value {
    json!([format!(r#"{{"jsonrpc":"2.0","id":$ID,"result":{text}}}"#)])
}

const READ: &str = r#"{
    "name": "fs.read", "description": "\n[[rule]]\nid = \"all\"",
    "inputSchema": {
        "type": "object", "required": ["path"],
        "properties": { "path": { "type": "string" }, "head": { "type": "number" }, "a\nb\u202e": {} }
    },
    "annotations": { "destructiveHint": true, "readOnlyHint": true, "openWorldHint": false }
}"#;

#[test]
fn each_tool_is_in_the_catalogue_with_what_its_arguments_look_like() {
    let folder = Folder::new();
    let fetch = r#"{"name":"fetch","inputSchema":{"properties":{"u":{"type":"string","format":"uri"}}},"annotations":{"openWorldHint":true}}"#;
    let tools = format!(r#"{{"tools":[{},{fetch},{{"name":"bare"}}]}}"#, READ.replace('\n', " "));
    let ran = pin(&folder, &with_handshake(json!({ "tools/list": result(&tools) }), "2025-11-25"));
    let digest = |text: &str| {
        let text = hallpass::value::Value::from_json(text).unwrap();
        hallpass::policy::Tool::definition_digest(text.as_object().unwrap())
    };
    let (bare, fetched, read) = (digest(r#"{"name":"bare"}"#), digest(fetch), digest(READ));
    let expected = format!(
        r#"# The catalogue of a server. Labels are proposals from what it says of itself: read them, and take over what is so.
version = 1

[[tool]]
name = "bare"
digest = "hp-tool-1:{bare}"

[[tool]]
name = "fetch"
args = {{ "u" = "url?" }}
digest = "hp-tool-1:{fetched}"
# proposed: labels = ["untrusted-input"]
# arguments: u (string, optional)

[[tool]]
name = "fs.read"
args = {{ "path" = "path" }}
digest = "hp-tool-1:{read}"
# proposed: labels = ["destructive"]
# arguments: path (string), head (number, optional), a\nb\u{{202e}} (any, optional)
"#
    );
    assert_eq!(ran, Ran { code: 0, output: expected, errors: String::new() });
    folder.write("p.toml", &ran.output);
    assert_eq!(hallpass(&["policy", "check", "p.toml"], folder.path()).code, 0);
}

#[test]
fn arguments_have_types_where_the_schema_says_all_of_them() {
    let folder = Folder::new();
    let properties = r#""to":{"type":"string"},"n":{"type":"integer"},"f":{"type":"number"},"b":{"type":"boolean"},"o":{"type":"object"},"l":{"type":"array"},"t":{"type":"array","items":{"type":"string"}},"file":{"type":"string"}"#;
    let required = r#""required":["to","t"]"#;
    let typed =
        format!(r#"{{"name":"typed","inputSchema":{{"properties":{{{properties}}},{required}}}}}"#);
    // A rule could not name `x` if the others had plain types.
    let open = format!(
        r#"{{"name":"open","inputSchema":{{"properties":{{{properties},"x":{{}}}},{required}}}}}"#
    );
    let tools = format!(r#"{{"tools":[{typed},{open}]}}"#);
    let ran = pin(&folder, &with_handshake(json!({ "tools/list": result(&tools) }), "2025-11-25"));
    let args: Vec<&str> = ran.output.lines().filter(|line| line.starts_with("args = ")).collect();
    let all = r#"args = { "to" = "text", "n" = "integer?", "f" = "number?", "b" = "bool?", "o" = "object?", "l" = "list?", "t" = ["text"], "file" = "path?" }"#;
    assert_eq!(args, [r#"args = { "file" = "path?" }"#, all]);
    assert!(hallpass::Policy::from_toml(&ran.output).is_ok());
}

#[test]
fn defaults_that_a_schema_states_of_what_may_be_left_out_are_written_if_they_fit() {
    let folder = Folder::new();
    let properties = r#""n":{"type":"integer","default":100},"s":{"type":"string","default":"a \"b\""},"b":{"type":"boolean","default":false},"f":{"type":"number","default":0.5},"path":{"type":"string","default":"/data/./x"},"root":{"type":"string","default":"/data"},"other":{"type":"integer","default":"100"},"o":{"type":"object","default":{}},"none":{"type":"string","default":null},"hidden":{"type":"string","default":"a\u202eb"},"must":{"type":"string","default":"x"}"#;
    let tools = format!(
        r#"{{"tools":[{{"name":"t","inputSchema":{{"properties":{{{properties}}},"required":["must"]}}}}]}}"#
    );
    let ran = pin(&folder, &with_handshake(json!({ "tools/list": result(&tools) }), "2025-11-25"));
    let args = ran.output.lines().find(|line| line.starts_with("args = ")).unwrap();
    assert_eq!(
        args,
        r#"args = { "n" = { type = "integer", default = 100 }, "s" = { type = "text", default = "a \"b\"" }, "b" = { type = "bool", default = false }, "f" = { type = "number", default = 0.5 }, "path" = "path?", "root" = { type = "text", default = "/data" }, "other" = "integer?", "o" = "object?", "none" = "text?", "hidden" = "text?", "must" = "text" }"#
    );
    let policy = hallpass::Policy::from_toml(&ran.output).unwrap();
    let tool = policy.described("t").unwrap();
    assert_eq!(tool.arguments().filter(|own| own.default().is_some()).count(), 5);
}

#[test]
fn a_default_that_is_a_list_is_written_if_each_of_it_can_be() {
    let folder = Folder::new();
    let properties = r#""l":{"type":"array","default":["a",1,true,[0.5]]},"t":{"type":"array","items":{"type":"string"},"default":["a","b"]},"e":{"type":"array","default":[]},"o":{"type":"array","default":[{"a":1}]},"n":{"type":"array","default":["a",null]},"hidden":{"type":"array","default":["a\u202eb"]},"other":{"type":"integer","default":[1]},"must":{"type":"array","default":["x"]}"#;
    let tools = format!(
        r#"{{"tools":[{{"name":"t","inputSchema":{{"properties":{{{properties}}},"required":["must"]}}}}]}}"#
    );
    let ran = pin(&folder, &with_handshake(json!({ "tools/list": result(&tools) }), "2025-11-25"));
    let args = ran.output.lines().find(|line| line.starts_with("args = ")).unwrap();
    assert_eq!(
        args,
        r#"args = { "l" = { type = "list", default = ["a", 1, true, [0.5]] }, "t" = { type = "list", default = ["a", "b"] }, "e" = { type = "list", default = [] }, "o" = "list?", "n" = "list?", "hidden" = "list?", "other" = "integer?", "must" = "list" }"#
    );
    let policy = hallpass::Policy::from_toml(&ran.output).unwrap();
    let tool = policy.described("t").unwrap();
    let defaults = tool.arguments().filter_map(|own| own.default().map(|own| own.to_json()));
    assert!(defaults.eq([r#"[]"#, r#"["a",1,true,[0.5]]"#, r#"["a","b"]"#]));
}

#[test]
fn what_can_not_be_a_tool_and_what_is_there_twice_is_left_out() {
    let folder = Folder::new();
    let tools = r#"{"tools":[{"name":"a"},{"name":"b"},{"name":"a"},{"name":"mcp:roots"},{"name":"x\n[[rule]]"},{"no":1},{"name":"c","name":"d"},{"name":"e","inputSchema":{"a":1,"a":2}}]}"#;
    let ran = pin(&folder, &with_handshake(json!({ "tools/list": result(tools) }), "2025-11-25"));
    assert_eq!(ran.code, 1, "{ran:?}");
    let policy = hallpass::Policy::from_toml(&ran.output).unwrap();
    assert!(policy.is_empty(), "what a server says makes no rule");
    let names: Vec<&str> =
        ran.output.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    assert_eq!(names, ["\"b\""]);
    assert_eq!(ran.output.matches("# left out: ").count(), 6, "{}", ran.output);
}

#[test]
fn all_pages_are_read_of_a_server_with_a_handshake_or_without() {
    let folder = Folder::new();
    let tools = result(r#"{"tools":[{"name":"a"}],"nextCursor":null}"#);
    let refuses = json!([r#"{"jsonrpc":"2.0","id":$ID,"error":{"code":-32601,"message":"no"}}"#]);
    let ran = pin(&folder, &json!({ "initialize": refuses, "tools/list": tools }));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        folder.read("notes").contains(r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#)
    );

    let folder = Folder::new();
    let endless = result(r#"{"tools":[{"name":"a"}],"nextCursor":"b"}"#);
    let ran = pin(&folder, &with_handshake(json!({ "tools/list": endless }), "2025-11-25"));
    assert!(ran.code == 2 && ran.errors.contains("more than 1000 pages"), "{ran:?}");
    assert!(folder.read("notes").contains(r#""params":{"cursor":"b"}"#));
}

#[test]
fn a_server_that_gives_no_list_is_told() {
    for (script, told) in [
        (json!({ "initialize": ["!exit"] }), "the server does not answer `initialize`"),
        (json!({ "tools/list": ["!exit"] }), "the server does not answer `tools/list`"),
        (json!({ "tools/list": result("{}") }), "its list is none"),
        (json!({ "tools/list": result(r#"{"tools":1}"#) }), "its list is none"),
        (
            json!({ "tools/list": [r#"{"jsonrpc":"2.0","id":$ID,"error":{"code":1}}"#] }),
            "lists no tools",
        ),
    ] {
        let ran = pin(&Folder::new(), &script);
        assert!(
            ran.code == 2 && ran.output.is_empty() && ran.errors.contains(told),
            "{script} {ran:?}"
        );
    }
    let ran = hallpass(&["pin", "--", "/no/such/server"], Folder::new().path());
    assert!(ran.code == 2 && ran.errors.contains("can't start"), "{ran:?}");
}
