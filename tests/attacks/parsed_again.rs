//! Text that another program parses again: not gated as text, and what the documentation offers instead.
//!
//! The policy is the one that `docs/policy.md` shows under "Types of arguments".

use hallpass::prelude::*;
use hallpass::scope::{eq, under};
use serde_json::{Value, json};

use crate::world::{World, call, policy};

/// The policy of the page, and with it a permit to ask for any call, so that each call is decided by the
/// page's rule alone; and people to ask, who are never reached by what no permit covers.
fn documented() -> World {
    let page = include_str!("../../docs/policy.md");
    let shown = page
        .split("```")
        .find(|block| block.contains("\"git-reads\"") && block.contains("\"git.run\""))
        .unwrap();
    let more = r#"
[[rule]]
id     = "anything-may-be-asked-for"
effect = "permit"
on     = ["request"]
what   = { tool = "git.run", args = "any" }

[[rule]]
id       = "people-look-at-chains"
effect   = "ask"
on       = ["call"]
what     = { tool = "git.run", args = { command = { contains = ";" } } }
approval = { review = [{ groups = { has_any = ["owners"] }, count = 1 }], per = "call" }
"#;
    let shown = shown.strip_prefix("toml\n").unwrap();
    World::of(Policy::from_toml(&format!("{shown}{more}")).unwrap(), |builder| builder)
}

struct Git {
    world: World,
    grant: Grant,
    _task: hallpass::Task,
}

fn git() -> Git {
    let world = documented();
    let task = world.open();
    let grant = task.request(Scope::tool("git.run").any_args(), &world.context).unwrap();
    Git { world, grant, _task: task }
}

impl Git {
    /// What the tool gets, as a list for a process without a shell; or why it gets nothing.
    fn run(&self, command: &str, options: &[&str], files: &[&str]) -> Result<Value, Reason> {
        let args = json!({ "command": command, "options": options, "files": files });
        let call = Call::new("git.run", args).unwrap();
        let permit = self.world.authorize(&self.grant, call).map_err(|denial| denial.reason())?;
        let receipt = permit.run(|running| Ok::<_, ()>(running.args().object().to_json()));
        Ok(serde_json::from_str(&receipt.unwrap().scrubbed()).unwrap())
    }
}

/// attack 20
#[test]
fn a_list_of_arguments_says_what_shell_text_can_not() {
    let git = git();
    let got = git.run("log", &["--oneline"], &["src/./main.rs", "docs//"]).unwrap();
    assert_eq!(got["files"], json!(["src/main.rs", "docs"]), "the tool gets the one spelling");
    assert_eq!((&got["command"], &got["options"]), (&json!("log"), &json!(["--oneline"])));
    assert!(git.run("diff", &[], &["."]).is_ok());

    for command in [
        "git log",
        "log; rm -rf ~",
        "log $(id)",
        "log `id`",
        "log && id",
        "log || id",
        "log | sh",
        "log\nid",
        "log\rid",
        "log &",
        "LOG",
        "log ",
        "-c",
        "push",
        "",
    ] {
        let refused = git.run(command, &[], &["."]).unwrap_err();
        assert_eq!(refused, Reason::NoPermit, "{command:?}: no one is asked about it");
    }
    for option in [
        "-c",
        "-c core.pager=sh",
        "--output=/x",
        "--output",
        "--oneline;id",
        "--oneline --output=/x",
        "--oneline\0",
        "--ONELINE",
        "--stat=1",
        "",
    ] {
        for options in [&[option][..], &["--oneline", option], &[option, "--stat"]] {
            assert_eq!(
                git.run("log", options, &["."]).unwrap_err(),
                Reason::NoPermit,
                "{options:?}"
            );
        }
    }
    // What stands where a file should: an option, a way out, what a shell would expand.
    for (file, reason) in [
        ("--output=x", Reason::NoPermit),
        ("--output=/x", Reason::NoPermit),
        ("-c", Reason::NoPermit),
        ("./-c", Reason::NoPermit),
        ("/etc/passwd", Reason::NoPermit),
        ("../x", Reason::MalformedCall),
        ("src/../../x", Reason::MalformedCall),
        ("~/x", Reason::MalformedCall),
        ("a\\..\\x", Reason::MalformedCall),
        ("a\nb", Reason::MalformedCall),
    ] {
        for files in [&[file][..], &["src", file]] {
            assert_eq!(git.run("log", &[], files).unwrap_err(), reason, "{files:?}");
        }
    }
    // One argument more, and one text for all.
    for args in [
        json!({ "command": "log", "options": [], "files": ["."], "env": { "GIT_PAGER": "sh" } }),
        json!({ "command": "log --oneline; id" }),
        json!({ "argv": ["log", "--output=/x"] }),
        json!({ "command": "log", "options": "--oneline", "files": ["."] }),
    ] {
        let call = Call::new("git.run", args.clone()).unwrap();
        assert_eq!(git.world.attempt(&git.grant, call), Err(Reason::NoPermit), "{args}");
    }
}

/// attack 21: no count of parts makes a reader give up and fall back to asking people
#[test]
fn however_many_parts_there_are_each_is_looked_at() {
    let git = git();
    let chain = |many: usize| ["log"].repeat(many).join("; ");
    for many in [2, 50, 51, 52, 1000] {
        assert_eq!(git.run(&chain(many), &[], &["."]).unwrap_err(), Reason::NoPermit, "{many}");
        let fine = vec!["--oneline"; many];
        assert!(git.run("log", &fine, &["."]).is_ok(), "{many} that are fine");
        for at in [0, many / 2, many - 1] {
            let mut options = fine.clone();
            options[at] = "--output=/x";
            assert_eq!(git.run("log", &options, &["."]).unwrap_err(), Reason::NoPermit, "{many}");
            let mut files = vec!["src"; many];
            files[at] = "/etc/passwd";
            assert_eq!(git.run("log", &[], &files).unwrap_err(), Reason::NoPermit, "{many}");
        }
    }
    let denials = git.world.kinds().iter().filter(|kind| **kind == "denied").count();
    assert_eq!(denials, 5 * 7, "each is in the log");
}

/// attack 8: there is no Windows mode to get wrong. What only Windows takes for a path is refused where
/// paths are judged; where files are named by id, a name is that name and no other spelling of it.
#[test]
fn windows_spellings_are_no_paths_and_no_ids() {
    let typed = Policy::builder()
        .tool(Tool::new("t").arg("file", hallpass::policy::ArgType::Path))
        .rule(Rule::permit("p").tool("t").arg("file", under("/data")))
        .build();
    let world = World::of(typed.unwrap(), |builder| builder);
    let task = world.open();
    let scope = Scope::tool("t").arg("file", under("/data"));
    let grant = task.request(scope, &world.context).unwrap();
    let file = |file: &str| world.attempt(&grant, call(json!({ "file": file })));
    for text in [
        r"C:\data\f.txt",
        r"C:\data\f.txt::$DATA",
        r"\\?\C:\data\f.txt",
        r"\\server\data\f.txt",
        r"/data\..\secret",
        r"/data/..\secret",
    ] {
        assert_eq!(file(text), Err(Reason::MalformedCall), "{text}");
    }
    for text in ["C:/data/f.txt", "C:f.txt", "//./pipe/data", "/DATA/f.txt", "data/f.txt"] {
        assert_eq!(file(text), Err(Reason::OutOfScope), "{text}");
    }

    // Instead: the id of a document, which the tool looks up.
    let rule = Rule::permit("p").tool("t").resource_type(eq("doc")).resource_id(eq("f.txt"));
    let world = World::of(policy([rule]), |builder| builder);
    let task = world.open();
    let scope = Scope::tool("t").resource(eq("doc"), eq("f.txt"));
    let grant = task.request(scope, &world.context).unwrap();
    let by_id = |id: &str| world.attempt(&grant, call(json!({})).on(Resource::new("doc", id)));
    assert_eq!(by_id("f.txt"), Ok(()));
    for id in
        ["f.txt::$DATA", "f.txt.", "f.txt ", " f.txt", "F.TXT", "F~1.TXT", "f.txt:s", "./f.txt"]
    {
        assert!(by_id(id).is_err(), "{id}");
    }
}
