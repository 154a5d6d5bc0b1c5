//! `docs/envoy.md`: all that is in it runs as it is written, Envoy included, but for the ports.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::server::Server;
use crate::world::Folder;

/// The blocks of the page, by their languages, without their indentation.
fn blocks() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/envoy.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = Vec::new();
    let mut parts = page.split("   ```");
    parts.next();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        let lines = text.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
        blocks.push((language.to_owned(), lines.collect::<Vec<_>>().join("\n")));
    }
    blocks
}

fn run(folder: &Folder, script: &str) -> String {
    let ran = Command::new("bash").args(["-ec", script]).current_dir(folder.path()).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{script}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// Needs `openssl`, `curl`, and Envoy, which `HALLPASS_ENVOY` says where to find.
#[test]
#[ignore = "needs Envoy, openssl and curl"]
fn the_page_runs_as_it_is_written() {
    let envoy = std::env::var("HALLPASS_ENVOY").expect("HALLPASS_ENVOY is set");
    let blocks = blocks();
    let of = |language: &str| {
        let own = blocks.iter().filter(|(own, _)| own == language);
        own.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    let (scripts, answers) = (of("sh"), of("text"));
    let [certificates, serve, begin, asked @ ..] = &scripts[..] else { panic!("{scripts:?}") };
    assert_eq!((asked.len(), answers.len()), (4, 4));

    let folder = Folder::new();
    folder.write("shop.toml", of("toml")[0]);
    run(&folder, certificates);
    let (secrets, serve) = serve.rsplit_once('\n').unwrap();
    run(&folder, secrets);
    let words: Vec<_> = serve.strip_prefix("hallpass serve ").unwrap().split(' ').collect();
    let server = Server::of_words(folder.path(), &words);

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_, port) = server.address.rsplit_once(':').unwrap();
    let yaml = of("yaml")[0].replace("8181", port).replace("10000", &free.port().to_string());
    folder.write("envoy.yaml", yaml);
    let (secret, begin) = begin.split_once('\n').unwrap();
    run(&folder, secret);
    let words = begin.strip_prefix("envoy ").unwrap().split(' ');
    let mut command = Command::new(envoy);
    command.args(words).args(["--concurrency", "1", "--log-level", "error"]);
    command.current_dir(folder.path()).stdin(Stdio::null());
    let mut envoy = command.spawn().unwrap();
    let mut tries = 0;
    while TcpStream::connect(free).is_err() {
        tries += 1;
        assert!(tries < 600, "Envoy does not listen");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let told: Vec<String> = asked
        .iter()
        .map(|script| run(&folder, &script.replace("10000", &free.port().to_string())))
        .collect();
    // Without a certificate there is no connection.
    let stranger =
        "curl -s -o answer --cacert ca.pem https://localhost:10000/orders/7 || echo refused";
    let stranger = run(&folder, &stranger.replace("10000", &free.port().to_string()));
    server.tell("-TERM");
    let left = server.ended();
    let ended = run(
        &folder,
        &asked[0].replace("10000", &free.port().to_string()).replace("-s ", "-s -w %{http_code} "),
    );
    envoy.kill().unwrap();
    envoy.wait().unwrap();
    for (told, answer) in told.iter().zip(&answers) {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert!(
            told.trim() == *answer || json(told).is_some_and(|own| Some(own) == json(answer)),
            "{told}"
        );
    }
    assert_eq!(stranger.trim(), "refused");
    assert_eq!(ended.trim(), "403", "who stops the server opens nothing");
    assert_eq!(left.code, Some(0), "{}", left.errors);
    let verify = format!("{} log verify log --key-file log.key", env!("CARGO_BIN_EXE_hallpass"));
    assert!(run(&folder, &verify).contains("intact    yes"));
}
