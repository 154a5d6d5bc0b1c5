//! What `hallpass mcp` adds to a call over stdio, and how long the command takes to start.
//!
//! ```sh
//! cargo bench -p hallpass-cli --bench stdio
//! ```
//!
//! A server that answers each call at once is asked by itself and through the command, whose log on file is buffered: in pairs,
//! one after the other, so that both meet the same machine. The figure is the median of the pairs' differences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "what is measured is the time that passes")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, process};

const ECHO: &str = "HALLPASS_BENCH_ECHO";
const PAIRS: usize = 4000;
const WARM: usize = 400;
const STARTS: usize = 30;

const POLICY: &str = r#"
    version = 1
    tool = [{ name = "echo", args = { path = "path" } }]
    [[rule]]
    id = "echo"
    effect = "permit"
    who = { kind = "agent", id = "agent-7" }
    what = { tool = "echo", args = { path = { under = "/data" }, text = "any" } }
    why = { purpose = "errand" }
"#;

fn main() {
    if env::var_os(ECHO).is_some() {
        return echo();
    }
    let folder = env::temp_dir().join(format!("hallpass-bench-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("p.toml"), POLICY).unwrap();
    fs::write(folder.join("key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();
    calls(&folder);
    starts(&folder);
    fs::remove_dir_all(&folder).unwrap();
}

fn calls(folder: &Path) {
    let (mut direct, mut gated) = (Server::direct(folder), Server::gated(folder));
    let (mut alone, mut through, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..WARM + PAIRS {
        // Which is first alternates.
        let (one, two) = if n % 2 == 0 {
            let one = direct.call(n);
            (one, gated.call(n))
        } else {
            let two = gated.call(n);
            (direct.call(n), two)
        };
        if n >= WARM {
            alone.push(micros(one));
            through.push(micros(two));
            added.push(micros(two) - micros(one));
        }
    }
    direct.end();
    gated.end();
    let (alone, through, added) = (sorted(alone), sorted(through), sorted(added));
    println!("a call over stdio, {PAIRS} pairs, log on file buffered");
    println!("  server by itself   {:7.1} µs at the median", at(&alone, 50));
    println!("  through the gate   {:7.1} µs at the median", at(&through, 50));
    println!(
        "  the gate adds      {:7.1} µs at the median (aim: at most 150), {:.1} at the 90th, {:.1} at the 99th percentile",
        at(&added, 50),
        at(&added, 90),
        at(&added, 99)
    );
}

fn starts(folder: &Path) {
    let help = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        let begun = Instant::now();
        let ran = command.arg("--version").output().unwrap();
        assert!(ran.status.success());
        begun.elapsed()
    };
    let first_answer = |start: &dyn Fn() -> Server| {
        let begun = Instant::now();
        let mut server = start();
        server.ask(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
        let took = begun.elapsed();
        server.end();
        took
    };
    let mut all = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        all[0].push(micros(help()));
        all[1].push(micros(first_answer(&|| Server::direct(folder))));
        all[2].push(micros(first_answer(&|| Server::gated_alone(folder))));
    }
    let [version, direct, gated] = all.map(|own| at(&sorted(own), 50) / 1000.0);
    println!("a start, median of {STARTS}");
    println!("  hallpass --version                       {version:6.1} ms (aim: under 50)");
    println!("  a server by itself, to its first answer  {direct:6.1} ms");
    println!("  hallpass mcp before it, to the first     {gated:6.1} ms");
}

struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(mut command: Command, folder: &Path) -> Self {
        command.current_dir(folder).env(ECHO, "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Server { child, input, output: BufReader::new(output) }
    }

    fn direct(folder: &Path) -> Self {
        Server::start(Command::new(env::current_exe().unwrap()), folder)
    }

    fn gated_alone(folder: &Path) -> Self {
        Server::gated_with(folder, &[])
    }

    fn gated(folder: &Path) -> Self {
        let log = ["--log", "log", "--key-file", "key", "--durability", "nothing"];
        let mut server = Server::gated_with(folder, &log);
        let params = r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}"#;
        server.ask(&format!(
            r#"{{"jsonrpc":"2.0","id":"begin","method":"initialize","params":{params}}}"#
        ));
        server.tell(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        server
    }

    fn gated_with(folder: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args(["mcp", "--policy", "p.toml", "--as", "agent-7", "--purpose", "errand"]);
        command.args(options).arg("--").arg(env::current_exe().unwrap());
        Server::start(command, folder)
    }

    fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert!(answer.contains("\"result\""), "{answer}");
        answer
    }

    fn call(&mut self, n: usize) -> Duration {
        let args = format!(r#"{{"path":"/data/notes/{n}","text":"what is written there"}}"#);
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{n},"method":"tools/call","params":{{"name":"echo","arguments":{args}}}}}"#
        );
        let begun = Instant::now();
        let answer = self.ask(&line);
        let took = begun.elapsed();
        assert!(!answer.contains("denied"), "{answer}");
        took
    }

    fn end(mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }
}

/// A server that answers everything at once.
fn echo() {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut line = String::new();
    while input.read_line(&mut line).unwrap() > 0 {
        let id = line.split(r#""id":"#).nth(1).and_then(|rest| rest.split(',').next());
        if let Some(id) = id {
            let version = r#""protocolVersion":"2025-11-25","capabilities":{"tools":{}}"#;
            let content = r#""content":[{"type":"text","text":"done"}]"#;
            let result = if line.contains("\"initialize\"") { version } else { content };
            let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{result}}}}}\n");
            output.write_all(answer.as_bytes()).unwrap();
            output.flush().unwrap();
        }
        line.clear();
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn sorted(mut all: Vec<f64>) -> Vec<f64> {
    all.sort_by(f64::total_cmp);
    all
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}
