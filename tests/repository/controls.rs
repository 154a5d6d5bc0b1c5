//! The page of controls: what published lists ask for, and what of it a named test and record show.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Deserialize;

use crate::{files, found};

const HEAD: &str = "# Controls

Published lists of controls, and what hallpass does for each: for those who have to show where a control is met. Each
row says what stays with the host; a test holds that every test and kind of [record][audit] named here exists. The page is
drawn from `docs/controls.toml`.

What a library that is linked into a program can't claim:

- **It meets no control by itself.** A control is met by an organization that runs something; this says which part of it the
  code does, and what shows that. It is neither certified nor audited by anyone.
- **It believes its host**: who calls, what the moment is, and that tools run through permits only. Code in the same process
  owns the broker.
- **Its log does not bind who has the log's key.** Against its own operator only [checkpoints][receipts] help that others keep.
- **A fleet** is not spoken of: what each row says is of one broker. What several of them do is in `docs/fleet.md`.

Titles are shortened; the lists themselves say what they mean.
";

/// What each list has of which something has to be said.
const WHOLE: [(&str, &[&str]); 5] = [
    (
        "OWASP Top 10 for Agentic Applications 2026",
        &["ASI01", "ASI02", "ASI03", "ASI04", "ASI05", "ASI06", "ASI07", "ASI08", "ASI09", "ASI10"],
    ),
    (
        "OWASP Non-Human Identities Top 10, 2025",
        &["NHI1", "NHI2", "NHI3", "NHI4", "NHI5", "NHI6", "NHI7", "NHI8", "NHI9", "NHI10"],
    ),
    (
        "NIST SP 800-53, revision 5",
        &["AC-2", "AC-3", "AC-5", "AC-6", "AU-2", "AU-3", "AU-9", "AU-10", "AU-12", "IA-5"],
    ),
    ("NIST SP 800-207", &["1", "2", "3", "4", "5", "6", "7"]),
    ("SOC 2, CC6", &["CC6.1", "CC6.2", "CC6.3", "CC6.6", "CC6.7", "CC6.8"]),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Controls {
    framework: Vec<Framework>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Framework {
    name: String,
    about: String,
    control: Vec<Control>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    id: String,
    title: String,
    /// Nothing where nothing is claimed.
    does: Option<String>,
    host: String,
    #[serde(default)]
    records: Vec<String>,
    #[serde(default)]
    tests: Vec<String>,
}

fn controls() -> Controls {
    toml::from_str(&files::read("docs/controls.toml")).unwrap_or_else(|error| panic!("{error}"))
}

/// The kinds of records, as the code spells them.
fn kinds() -> BTreeSet<String> {
    let text = files::read("src/audit/about.rs");
    let (_, from) = text.split_once("fn kind").unwrap();
    let (own, _) = from.split_once("\n    }\n").unwrap();
    let named = own.lines().filter_map(|line| line.split_once("=> \"")?.1.split_once('"'));
    named.map(|(kind, _)| kind.to_owned()).collect()
}

#[test]
fn each_test_and_record_that_a_control_names_is_there() {
    let tests: BTreeSet<String> = found::tests().into_iter().map(|own| own.path()).collect();
    let kinds = kinds();
    assert!(tests.len() > 500 && kinds.contains("permitted"), "the tests and kinds are read");
    let mut wrong = Vec::new();
    for Framework { name, control, .. } in &controls().framework {
        for Control { id, does, records, tests: named, .. } in control {
            let lacking = named.iter().filter(|own| !tests.contains(*own));
            wrong.extend(lacking.map(|own| format!("{name}, {id}: `{own}` is not a test")));
            let lacking = records.iter().filter(|own| !kinds.contains(*own));
            wrong.extend(
                lacking.map(|own| format!("{name}, {id}: `{own}` is not a kind of record")),
            );
            let shown = !named.is_empty() && !records.is_empty();
            if does.is_some() != shown
                || (does.is_none() && !(named.is_empty() && records.is_empty()))
            {
                wrong.push(format!(
                    "{name}, {id}: what is claimed names tests and records, and no other"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_control_of_a_list_is_spoken_of_once() {
    let controls = controls();
    for (name, ids) in WHOLE {
        let own = controls.framework.iter().find(|own| own.name == name);
        let own = own.unwrap_or_else(|| panic!("{name} is not there"));
        assert!(own.control.iter().map(|control| &*control.id).eq(ids.iter().copied()), "{name}");
    }
    for Framework { name, control, .. } in &controls.framework {
        let ids: BTreeSet<&str> = control.iter().map(|own| &*own.id).collect();
        assert_eq!(ids.len(), control.len(), "{name}");
    }
}

#[test]
fn the_page_of_controls_is_drawn_from_them() {
    let mut page = HEAD.to_owned();
    for Framework { name, about, control } in controls().framework {
        let _ = write!(page, "\n## {name}\n\n{about}\n\n");
        page.push_str(
            "| control | what hallpass does | what stays with the host | records | shown by |\n",
        );
        page.push_str("|---|---|---|---|---|\n");
        for Control { id, title, does, host, records, tests } in control {
            let does = does.unwrap_or_else(|| "Nothing is claimed.".to_owned());
            let listed = |names: Vec<String>, between: &str| {
                let names: Vec<String> = names.iter().map(|own| format!("`{own}`")).collect();
                names.join(between)
            };
            let (records, tests) = (listed(records, " "), listed(tests, "<br>"));
            let _ = writeln!(page, "| {id} {title} | {does} | {host} | {records} | {tests} |");
        }
    }
    page.push_str("\n[audit]: audit.md\n[receipts]: receipts.md\n");
    files::assert_says("docs/controls.md", &page);
}
