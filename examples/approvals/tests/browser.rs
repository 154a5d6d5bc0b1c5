//! The page in a real browser, driven by the keyboard: Debian's `chromium` and `chromium-driver`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod world;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hallpass::QuestionState;
use serde_json::{Value, json};
use world::World;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
/// How WebDriver calls the key of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser without a window, and what drives it. Both end with this.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    fn open() -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let started = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        // What it says later goes nowhere, and must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Browser { driver, port: started.unwrap(), session: String::new() };
        let args = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": args },
            "timeouts": { "implicit": 30_000 },
        } } });
        let opened = browser.ask("POST", "/session", &wanted);
        browser.session = format!("/session/{}", opened["sessionId"].as_str().unwrap());
        browser
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(own) = lower.strip_prefix("content-length:") {
                length = own.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].clone()
    }

    fn go(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    /// The first element, once it is there.
    fn find(&self, css: &str) -> String {
        let found = self.ask("POST", "/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn text(&self, css: &str) -> String {
        let text = self.ask("GET", &format!("/element/{}/text", self.find(css)), &Value::Null);
        text.as_str().unwrap().to_owned()
    }

    /// Types into whatever has the focus.
    fn press(&self, keys: &str) {
        let active = self.ask("GET", "/element/active", &Value::Null);
        let id = active[ELEMENT].as_str().unwrap();
        self.ask("POST", &format!("/element/{id}/value"), &json!({ "text": keys }));
    }

    fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until the page, which nobody touches, shows as many cards as these and no others.
    fn sees(&self, cards: &[&str]) {
        let script = "return [...document.querySelectorAll('article')].map(own => own.textContent)";
        let mut shown = Value::Null;
        for _ in 0..600 {
            shown = self.run(script);
            let texts = shown.as_array().unwrap();
            let is_one = |(text, part): (&Value, &&str)| text.as_str().unwrap().contains(*part);
            if texts.len() == cards.len() && texts.iter().zip(cards).all(is_one) {
                return;
            }
            std::thread::park_timeout(PATIENCE / 600);
        }
        panic!("the page shows {shown}, and not {cards:?}");
    }

    /// Goes on from element to element until one of this kind has the focus.
    fn tab_to(&self, css: &str) {
        for _ in 0..40 {
            let there = format!("return document.activeElement.matches({css:?})");
            if self.run(&there) == json!(true) {
                return;
            }
            self.press(TAB);
        }
        panic!("the keyboard does not lead to `{css}`");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ask("DELETE", "", &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[test]
#[ignore = "a browser: `.ci/run` installs Debian's chromium and chromium-driver"]
fn people_answer_in_a_browser_by_the_keyboard_alone() {
    let world = World::new();
    let browser = Browser::open();
    let page = format!("http://{}/", world.address);
    browser.go(&page);
    browser.tab_to("input[name=name]");
    browser.press("ada");
    browser.press(ENTER);
    browser.find("#cards");

    // The card appears on the open page while the agent's call waits.
    let pending = world.ask(json!({ "to": "CH93", "amount": 98 }));
    assert!(browser.text("article").contains("argument amount"));
    assert!(pending.state().is_waiting());
    browser.tab_to("article .approve");
    browser.press(ENTER);
    assert_eq!(pending.wait(PATIENCE), QuestionState::Approved);
    assert_eq!(world.redeem(&pending).unwrap(), r#"{"amount":98,"to":"CH93"}"#);
    assert_eq!(world.redeem(&pending), None);

    // A no stops it.
    let pending = world.ask(json!({ "to": "CH93", "amount": 99 }));
    browser.find("article");
    browser.tab_to("article input[name=why]");
    browser.press("too much");
    browser.tab_to("article .deny");
    browser.press(ENTER);
    assert_eq!(pending.wait(PATIENCE), QuestionState::Denied);
    assert_eq!(world.redeem(&pending), None);

    // attacks 118 and 167: hostile arguments are text, and whole by digest.
    let pending = world.ask(json!({
        "html": "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>",
        "bidi": "pay\u{202e}lliB",
        "ansi": "\u{1b}[2Jgone",
        "long": "x ".repeat(5_000),
    }));
    let shown = browser.text("article");
    for part in ["<script>", "\\u{202e}", "\\u{1b}[2J", "cut; 10000 bytes; sha-256"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(browser.run("return document.title"), "Approvals");
    assert_eq!(
        browser.run("return document.querySelectorAll('article script, article img').length"),
        0
    );
    assert_eq!(browser.run("return document.body.scrollWidth <= window.innerWidth"), true);
    let picture = browser.ask("GET", "/screenshot", &Value::Null);
    let picture = STANDARD.decode(picture.as_str().unwrap()).unwrap();
    std::fs::write(format!("{}/approvals.png", env!("CARGO_TARGET_TMPDIR")), picture).unwrap();

    // A card that shows something else than the question is refused.
    browser.run("document.querySelector('input[name=shown]').value = 'A'.repeat(43)");
    browser.tab_to("article .approve");
    browser.press(ENTER);
    assert_eq!(browser.text("#refused"), "stale_view");
    assert!(pending.state().is_waiting());
    assert_eq!(world.redeem(&pending), None);
}

/// Nobody touches the page between these steps: all that changes on it, it was told.
#[test]
#[ignore = "a browser: `.ci/run` installs Debian's chromium and chromium-driver"]
fn a_card_comes_while_the_agent_waits_and_goes_once_it_is_settled_elsewhere() {
    let world = World::new();
    let browser = Browser::open();
    let page = format!("http://{}/", world.address);
    browser.go(&page);
    browser.tab_to("input[name=name]");
    browser.press("ada");
    browser.press(ENTER);
    browser.find("#cards");
    browser.sees(&[]);

    let agent = |amount: i64| world.ask(json!({ "to": "CH93", "amount": amount }));
    let first = agent(101);
    browser.sees(&["101"]);
    let second = agent(102);
    browser.sees(&["101", "102"]);
    // Answered by somebody else, elsewhere; taken back by the agent; ended with its task.
    world.approve_elsewhere(&first);
    browser.sees(&["102"]);
    assert_eq!(first.state(), QuestionState::Approved);
    second.cancel().unwrap();
    browser.sees(&[]);
    agent(103);
    browser.sees(&["103"]);
    world.ends();
    browser.sees(&[]);
}
