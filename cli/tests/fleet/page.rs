//! `docs/fleet.md`: three nodes on one machine, as the page says it, but for the ports and the server's socket.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use testkit::postgres::bin;

use crate::postgres::Postgres;
use crate::world::Folder;

/// What stands between what two blocks have told.
const NEXT: &str = "== next";

/// The blocks of the part, by their languages, without their indentation.
fn blocks() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fleet.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, part) = page.split_once("## Three nodes on one machine").unwrap();
    let (part, _) = part.split_once("\n## ").unwrap();
    let mut parts = part.split("   ```");
    parts.next();
    let mut blocks = Vec::new();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        let lines = text.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
        blocks.push((language.to_owned(), lines.collect::<Vec<_>>().join("\n")));
    }
    blocks
}

/// Ends what a script has left running.
struct Ended<'f>(&'f Folder);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let script = "for n in 1 2 3; do kill -9 $(cat n$n.pid); done";
        let _ = Command::new("bash").args(["-c", script]).current_dir(self.0.path()).output();
    }
}

#[test]
#[ignore = "needs a server of PostgreSQL, and curl"]
fn the_page_runs_as_it_is_written() {
    let (postgres, folder) = (Postgres::start(), Folder::new());
    let schema =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/postgres/src/fleet/schema.sql");
    folder.write("schema.sql", std::fs::read(schema).unwrap());
    let _ended = Ended(&folder);
    let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = free.map(|own| own.local_addr().unwrap().port().to_string());

    let (mut script, mut answers) = (Vec::new(), Vec::new());
    for (language, text) in blocks() {
        match &*language {
            "toml" => drop(folder.write("shop.toml", text)),
            "sh" => {
                let text = ports
                    .iter()
                    .zip(1..)
                    .fold(text, |text, (port, n)| text.replace(&format!("818{n}"), port));
                let text = text.replace("818$n", "${port[$n]}");
                let text = text.replace("/run/postgresql", postgres.folder.to_str().unwrap());
                script.push(text);
                answers.push(None);
            }
            "text" => *answers.last_mut().unwrap() = Some(text),
            _ => panic!("{language}"),
        }
    }
    assert_eq!((script.len(), answers.iter().flatten().count()), (8, 5));
    let ports = format!("port=(0 {})", ports.join(" "));
    let script = format!("{ports}\n{}", script.join(&format!("\necho '{NEXT}'\n")));
    let mut path =
        vec![Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().unwrap().to_owned(), bin()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let ran = Command::new("bash")
        .args(["-ec", &script])
        .current_dir(folder.path())
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("PGHOST", &postgres.folder)
        .env("PGUSER", "owner")
        .env("PGDATABASE", "postgres")
        .output()
        .unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
    let nodes: Vec<String> = (1..=3).map(|n| folder.read(&format!("n{n}.out"))).collect();
    assert!(ran.status.success(), "{told}\n{errors}\n{nodes:?}");
    for (told, answer) in told.split(NEXT).zip(&answers) {
        let Some(answer) = answer else { continue };
        // A mark has a digest, which is another each time.
        let known = |line: &str| match line.split_once(':') {
            Some((mark, _)) if mark.starts_with("mark ") => mark.to_owned(),
            _ => line.trim_end().to_owned(),
        };
        let told: Vec<String> = told.trim().lines().map(known).collect();
        let answer: Vec<String> = answer.trim().lines().map(known).collect();
        assert_eq!(told, answer, "{errors}\n{nodes:?}");
    }
}
