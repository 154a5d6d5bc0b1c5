//! An agent that a test plays: it hands on what it is told, and says what it is handed.
//!
//! ```text
//! relayed-agent ADDRESS
//! ```
//!
//! It ends when its input does, and crashes when the test closes the connection.
#![allow(clippy::unwrap_used)]

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::{env, process, thread};

fn main() {
    let stream = TcpStream::connect(env::args().nth(1).unwrap()).unwrap();
    let mut told = stream.try_clone().unwrap();
    thread::spawn(move || {
        let mut out = io::stdout();
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let _ = out.write_all(&line).and_then(|()| out.flush());
            line.clear();
        }
        process::exit(3);
    });
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        if told.write_all(format!("{line}\n").as_bytes()).is_err() {
            return;
        }
    }
}
