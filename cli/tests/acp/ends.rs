//! How a session ends, on either side and by a signal.

use std::process::Command;

use serde_json::json;

use crate::CODING;
use crate::played::{Played, ended_terminals};
use crate::world::gated::outcomes;

/// A turn with a file that is being read and a command that runs.
fn busy() -> Played {
    let mut played = Played::prompted(CODING, &[]);
    played.run("s", "t1");
    played.agent.request(
        "open",
        "fs/read_text_file",
        json!({ "sessionId": "s", "path": "/src/a" }),
    );
    assert_eq!(played.editor.message()["id"], "open");
    played
}

#[test]
fn an_agent_that_crashes_leaves_nothing() {
    let mut played = busy();
    played.agent.crash();
    assert_eq!(ended_terminals(&played.until_answered("s")), ["t1"]);
    let left = played.editor.ended();
    assert_eq!(left.code, Some(2), "{}", left.errors);
    assert!(left.errors.contains("the server has ended"), "{}", left.errors);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted", "interrupted"]);
}

#[test]
fn an_editor_that_goes_leaves_nothing() {
    let played = busy();
    let left = played.end();
    assert_eq!(left.code, Some(0), "{}", left.errors);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted", "interrupted"]);
}

#[test]
fn an_editor_that_crashes_leaves_nothing() {
    let Played { editor, agent } = busy();
    let (id, log) = (editor.child.id().to_string(), editor.folder().path().to_owned());
    assert!(log.is_dir());
    // Told to end, as by a terminal that is closed.
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    let left = editor.ended();
    assert_eq!(left.code, Some(0), "{}", left.errors);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted", "interrupted"]);
    drop(agent);
}

#[test]
fn an_agent_that_writes_no_message_ends_the_session() {
    for text in [
        "{\"jsonrpc\":\n",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}]\n",
        "{}\n",
        "{\"a\":1,\"a\":2}\n",
    ] {
        let mut played = busy();
        played.agent.say(text);
        assert_eq!(ended_terminals(&played.until_answered("s")), ["t1"]);
        let left = played.editor.ended();
        assert!(left.code == Some(2) && left.errors.contains("not a message"), "{}", left.errors);
        assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted", "interrupted"]);
    }
}

#[test]
fn an_agent_that_can_not_be_started_is_told() {
    let folder = crate::world::Folder::new();
    folder.write("p.toml", CODING);
    let words =
        ["acp", "--policy", "p.toml", "--as", "a", "--purpose", "p", "--", "/no/such/agent"];
    let ran = crate::world::hallpass(&words, folder.path());
    assert!(ran.code == 2 && ran.errors.contains("can't start"), "{ran:?}");
}
