//! `docs/authzen.md`: each command in it runs as it is written, `curl` included.

use std::path::Path;
use std::process::Command;

use crate::server::{SECRET, Server};
use crate::world::Folder;

/// The blocks of a language in the page's list of steps, without their indentation.
fn blocks(language: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/authzen.md");
    let page = std::fs::read_to_string(page).unwrap();
    let begins = format!("   ```{language}\n");
    let blocks = page.split(&begins).skip(1).map(|rest| rest.split("   ```").next().unwrap());
    blocks.map(|block| block.replace("\n   ", "\n").trim().to_owned()).collect()
}

/// Runs a command in a folder, with `hallpass` where a shell finds it.
fn shell(folder: &Folder, command: &str) -> String {
    let path = Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().unwrap().display();
    let path = format!("{path}:{}", std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    let ran =
        bash.args(["-c", command]).env("PATH", path).current_dir(folder.path()).output().unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
#[ignore = "needs curl"]
fn each_command_of_the_page_runs_as_it_is_written() {
    let folder = Folder::new();
    let ([policy], [begin, ask], [answer]) =
        (&blocks("toml")[..], &blocks("sh")[..], &blocks("json")[..])
    else {
        panic!("one policy, two blocks of commands, one answer")
    };
    folder.write("orders.toml", policy);
    let mut served = 0;
    for command in begin.lines() {
        if !command.starts_with("hallpass serve ") {
            shell(&folder, command);
            continue;
        }
        let words: Vec<&str> = command.split_whitespace().skip(2).collect();
        let server = Server::of_words(folder.path(), &words);
        let ask = ask.replace("127.0.0.1:8181", &server.address);
        assert_eq!(shell(&folder, &ask), *answer);
        let denied = shell(&folder, &ask.replace("\"id\": \"ana\"", "\"id\": \"ben\""));
        assert_eq!(denied, r#"{"context":{"reason":"not_permitted"},"decision":false}"#);
        let bearer = folder.read("bearer");
        folder.write("bearer", SECRET);
        assert_eq!(shell(&folder, &ask), "the bearer token is missing or not known");
        folder.write("bearer", bearer);
        assert_eq!(server.end().code, Some(0));
        served += 1;
    }
    assert_eq!(served, 1);
    assert!(shell(&folder, "hallpass log verify log --key-file log.key").contains("intact    yes"));
}
