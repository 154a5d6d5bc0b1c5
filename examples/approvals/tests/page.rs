//! The page over HTTP: what it shows, and that each answer is the handle's to count.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod world;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use hallpass::QuestionState;
use serde_json::json;
use world::{BANK_KEY, World};

impl World {
    fn http(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str, cookie: &str) -> String {
        self.http(&format!(
            "GET {path} HTTP/1.1\r\nhost: page\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
        ))
    }

    fn post(&self, path: &str, cookie: &str, form: &str) -> String {
        self.http(&format!(
            "POST {path} HTTP/1.1\r\nhost: page\r\ncookie: {cookie}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        ))
    }

    fn sign_in(&self, name: &str) -> String {
        let answer = self.post("/sign-in", "", &format!("name={name}"));
        let cookie = answer.split("set-cookie: ").nth(1).unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        cookie.split(';').next().unwrap().to_owned()
    }
}

/// The value of the first hidden field of this name.
fn field(page: &str, name: &str) -> String {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

fn form(page: &str) -> String {
    let [csrf, question, shown] = ["csrf", "question", "shown"].map(|name| field(page, name));
    format!("csrf={csrf}&question={question}&shown={shown}&width=call")
}

#[test]
fn a_yes_on_the_page_lets_exactly_that_call_run_once() {
    let world = World::new();
    let pending = world.ask(json!({ "to": "CH93", "amount": 98 }));
    assert_eq!(world.redeem(&pending), None);
    let ada = world.sign_in("ada");
    let page = world.get("/", &ada);
    assert!(page.contains("argument amount") && page.contains("content-security-policy"));
    let answer = world.post("/approve", &ada, &form(&page));
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert_eq!(pending.wait(Duration::from_secs(5)), QuestionState::Approved);
    assert_eq!(world.redeem(&pending).unwrap(), r#"{"amount":98,"to":"CH93"}"#);
    assert_eq!(world.redeem(&pending), None);
    assert!(!world.get("/cards", &ada).contains("<article"));
}

/// P8: what an agent says of what a tool gave it is shown, and the tool's key is not in that
#[test]
fn no_key_of_a_tool_is_on_the_page_or_in_its_cards() {
    let world = World::new();
    let told = world.read();
    let _pending = world.ask(json!({ "to": "CH93", "memo": told }));
    let ada = world.sign_in("ada");
    for page in ["/", "/cards"].map(|path| world.get(path, &ada)) {
        assert!(page.contains("read with [redacted]"), "{page}");
        assert!(!page.contains(&BANK_KEY[..12]), "{page}");
    }
}

#[test]
fn a_no_on_the_page_stops_it() {
    let world = World::new();
    let pending = world.ask(json!({ "amount": 98 }));
    let ada = world.sign_in("ada");
    let page = world.get("/", &ada);
    let no = format!("{}&why=too+much", form(&page));
    assert!(world.post("/deny", &ada, &no).starts_with("HTTP/1.1 303"));
    assert_eq!(pending.state(), QuestionState::Denied);
    assert_eq!(world.redeem(&pending), None);
    assert!(world.post("/approve", &ada, &form(&page)).starts_with("HTTP/1.1 409"));
}

/// attacks 115 and 161, as a page meets them
#[test]
fn an_answer_that_the_handle_does_not_count_changes_nothing() {
    let world = World::new();
    let pending = world.ask(json!({ "amount": 98 }));
    let other = world.ask(json!({ "amount": 1 }));
    let (ada, eve) = (world.sign_in("ada"), world.sign_in("eve"));
    let page = world.get("/cards", &ada);
    let good = form(&page);
    let (mine, csrf) = (field(&page, "question"), field(&page, "csrf"));
    // Somebody whom no line describes sees nothing, and answers nothing.
    assert!(!world.get("/cards", &eve).contains("<article"));
    let eves = world.get("/", &eve);
    assert!(!eves.contains("name=\"csrf\""));
    for (cookie, form, status) in [
        ("", good.clone(), 401),
        ("session=guessed", good.clone(), 401),
        (&*eve, good.clone(), 403),
        (&*ada, good.replace(&csrf, "guessed"), 403),
        (&*ada, good.replace(&csrf, ""), 403),
        // Another view's digest, none, and another question's id.
        (&*ada, format!("csrf={csrf}&question={mine}&shown={}&width=call", "A".repeat(43)), 409),
        (&*ada, format!("csrf={csrf}&question={mine}&shown=&width=call"), 409),
        (&*ada, format!("csrf={csrf}&question={mine}"), 409),
        (&*ada, format!("csrf={csrf}&question=none&shown=none&width=call"), 409),
        // Further than is offered.
        (&*ada, good.replace("width=call", "width=calls:5"), 409),
        (&*ada, good.replace("width=call", "width=always"), 409),
    ] {
        let answer = world.post("/approve", cookie, &form);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{form}: {answer}");
    }
    let crossed = [pending.id(), other.id()].into_iter().find(|id| *id != mine).unwrap();
    let answer = world.post("/approve", &ada, &good.replace(&mine, &crossed));
    assert!(answer.contains("stale_view"), "{answer}");
    for pending in [&pending, &other] {
        assert!(pending.state().is_waiting());
        assert_eq!(world.redeem(pending), None);
    }
    assert!(world.post("/sign-in", "", "name=mallory").starts_with("HTTP/1.1 403"));
}

/// attacks 118 and 167: HTML, bidi, 10 kB, ANSI
#[test]
fn a_hostile_argument_is_harmless_and_whole_by_digest() {
    let world = World::new();
    let long = "x ".repeat(5_000);
    let pending = world.ask(json!({
        "html": "</code></dd><script>alert(1)</script><form action='//evil.test'>",
        "name\"><b>": "attribute",
        "bidi": "pay\u{202e}lliB",
        "ansi": "\u{1b}[2Jgone",
        "long": long.as_str(),
    }));
    let ada = world.sign_in("ada");
    let page = world.get("/cards", &ada);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(page.matches("<script").count(), 0);
    assert_eq!(page.matches("<form").count(), 2);
    assert!(!page.contains("<b>"));
    assert!(!page.contains('\u{202e}') && page.contains("\\u{202e}"));
    assert!(!page.contains('\u{1b}') && page.contains("\\u{1b}[2J"));
    assert!(page.contains("[cut; 10000 bytes; sha-256 "));
    assert!(page.contains(&field(&page, "shown")));
    assert!(world.post("/approve", &ada, &form(&page)).starts_with("HTTP/1.1 303"));
    assert!(world.redeem(&pending).unwrap().contains(&long));
}

#[test]
fn an_open_page_is_told_that_its_list_changed() {
    let world = World::new();
    let ada = world.sign_in("ada");
    let mut stream = TcpStream::connect(world.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nhost: page\r\ncookie: {ada}\r\n\r\n").unwrap();
    let mut seen = String::new();
    let mut told = |times: usize| {
        let mut room = [0; 1024];
        while seen.matches("data: changed").count() < times {
            let length = stream.read(&mut room).unwrap();
            // A comment is sent after a time in which there was nothing to tell.
            assert!(length > 0 && !seen.contains("\n:"), "{seen}");
            seen.push_str(std::str::from_utf8(&room[..length]).unwrap());
        }
    };
    told(1);
    let pending = world.ask(json!({ "amount": 98 }));
    told(2);
    assert!(pending.cancel().is_ok());
    told(3);
    assert!(world.get("/events", "").starts_with("HTTP/1.1 401"));
}
