//! Answers told to a person: a line for each, and what it all came to.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::Value;

/// Takes the answers, a line of JSON each, and tells them.
pub(crate) struct Story<'w> {
    out: &'w mut dyn Write,
    line: Vec<u8>,
    calls: u64,
    refused: BTreeMap<String, u64>,
    standing: Option<usize>,
}

impl<'w> Story<'w> {
    pub(crate) fn told_to(out: &'w mut dyn Write) -> Self {
        Story { out, line: Vec::new(), calls: 0, refused: BTreeMap::new(), standing: None }
    }

    /// What it all came to.
    pub(crate) fn close(self) -> io::Result<()> {
        let Story { out, calls, refused, standing, .. } = self;
        let attempts: u64 = refused.values().sum();
        write!(out, "\n{calls} calls ran. {attempts} attempts were refused")?;
        let mut by_count: Vec<_> = refused.into_iter().collect();
        by_count.sort_by(|(one, less), (other, more)| more.cmp(less).then(one.cmp(other)));
        for (at, (reason, count)) in by_count.into_iter().enumerate() {
            write!(out, "{}{count} {reason}", if at == 0 { ": " } else { ", " })?;
        }
        match standing {
            None => writeln!(out, "."),
            Some(0) => writeln!(out, ". In the end nothing stands."),
            Some(count) => writeln!(out, ". In the end {count} tasks and grants stand."),
        }
    }

    fn tell(&mut self, answer: &Value) -> io::Result<()> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let op = text("op").unwrap_or_default();
        let many = |name: &str| answer.get(name).and_then(Value::as_array).map(Vec::len);
        if let (Some(tasks), Some(grants)) = (many("tasks"), many("grants")) {
            self.standing = Some(tasks + grants);
        }
        let denied = text("decision") == Some("deny");
        if denied {
            *self.refused.entry(text("reason").unwrap_or_default().to_owned()).or_default() += 1;
        } else if matches!(op, "call" | "run") {
            self.calls += 1;
        }
        let mark = match text("decision") {
            Some("deny") => "refused",
            Some(_) => "yes",
            None => "",
        };
        let note = text("note").unwrap_or_default();
        writeln!(self.out, "{op:<10} {mark:<8} {note}")?;
        match text("why") {
            Some(why) if denied => writeln!(self.out, "{:20}{why}", ""),
            _ => Ok(()),
        }
    }
}

impl Write for Story<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                match serde_json::from_slice(&line) {
                    Ok(answer) => self.tell(&answer)?,
                    Err(_) => self.out.write_all(&line)?,
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
