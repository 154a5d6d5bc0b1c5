//! Policies of the documentation and of examples, under the schema and laid out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use world::{Folder, Ran, hallpass};

/// Reads each policy named, and says which the schema refuses: 3 where no validator can be had.
const VALIDATE: &str = r#"
import datetime, json, sys, tomllib
try:
    import jsonschema
except ImportError:
    sys.exit(3)

def plain(value):
    if isinstance(value, dict):
        return {key: plain(own) for key, own in value.items()}
    if isinstance(value, list):
        return [plain(own) for own in value]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    return value

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for name in sys.argv[2:]:
    if name.endswith(".json"):
        policy = json.load(open(name))
    else:
        policy = plain(tomllib.load(open(name, "rb")))
    error = jsonschema.exceptions.best_match(validator.iter_errors(policy))
    if error is not None:
        print(name, "/".join(str(own) for own in error.absolute_path), error.message[:300])
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The blocks of the documentation that load, and the policies of examples and tests.
fn policies(folder: &Folder) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for page in files(&root().join("docs"), "md") {
        let text = fs::read_to_string(&page).unwrap();
        let blocks =
            text.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
        for (at, block) in blocks.enumerate() {
            let name = format!("{}-{at}.toml", page.file_stem().unwrap().display());
            all.push(folder.write(&name, format!("{block}\n")));
        }
    }
    let others = ["examples", "tests", "cli/tests", "adapters"];
    for path in others.iter().flat_map(|own| files(&root().join(own), "toml")) {
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("[[rule]]") {
            let name = format!("other-{}.toml", all.len());
            all.push(folder.write(&name, text));
        }
    }
    all.retain(|own| hallpass(&["policy", "check", &own.display().to_string()], &root()).code == 0);
    assert!(all.len() > 40, "{}", all.len());
    all
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_none_or(|own| own != "target") {
            all.extend(files(&path, ending));
        } else if path.extension().is_some_and(|own| own == ending) {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// What the schema refuses, a line for each; `None` without a validator.
fn refused(folder: &Folder, policies: &[PathBuf]) -> Option<String> {
    let schema = hallpass(&["policy", "schema"], folder.path());
    assert_eq!((schema.code, schema.errors.as_str()), (0, ""));
    let schema = folder.write("schema.json", schema.output);
    let script = folder.write("validate.py", VALIDATE);
    let ran = Command::new("python3").arg(script).arg(schema).args(policies).output();
    let ran = ran.ok().filter(|ran| ran.status.code() != Some(3));
    if ran.is_none() {
        eprintln!("skipped: no python3 with jsonschema");
    }
    let ran = ran?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap())
}

#[test]
fn every_policy_that_loads_is_valid_under_the_schema() {
    let folder = Folder::new();
    let policies = policies(&folder);
    if let Some(refused) = refused(&folder, &policies) {
        assert_eq!(refused, "", "of {}", policies.len());
    }
}

#[test]
fn a_key_that_the_loader_does_not_know_is_refused_by_the_schema_wherever_it_stands() {
    let folder = Folder::new();
    let rule =
        |body: &str| format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n{body}\n");
    let odd = [
        "version = 1\nrules = []\n".to_owned(),
        "version = 2\n".to_owned(),
        "rule = []\n".to_owned(),
        rule("efect = \"permit\""),
        rule("who = { role = \"x\" }"),
        rule("what = { tool = \"t\", args = { a = { lte = 5 } } }"),
        rule("what = { tool = \"t\", args = { a = { max = true } } }"),
        rule("what = { tool = \"t\", args = { a = [] } }"),
        rule("what = { tool = \"t\", args = { a = { any = [{ maxx = 1 }] } } }"),
        rule("grant = { max_uses = 1 }"),
        rule("approval = { review = [{ groups = { has_any = [\"g\"] }, cuont = 2 }] }"),
        rule("unless = { grant = { uses = 1 } }"),
        rule("on = [\"calls\"]"),
        "version = 1\n[[tool]]\nname = \"t\"\nargs = { a = \"string\" }\n".to_owned(),
    ];
    let mut names = Vec::new();
    for (at, text) in odd.iter().enumerate() {
        let name = folder.write(&format!("{at:02}.toml"), text);
        assert_eq!(
            hallpass(&["policy", "check", &format!("{at:02}.toml")], folder.path()).code,
            1,
            "{text}"
        );
        names.push(name);
    }
    if let Some(refused) = refused(&folder, &names) {
        assert_eq!(refused.lines().count(), odd.len(), "{refused}");
    }
}

/// Laying out refuses to change what a policy says; laid out once, it stays.
#[test]
fn every_policy_that_loads_can_be_laid_out_and_stays_as_it_is_then() {
    let folder = Folder::new();
    let policies = policies(&folder);
    let names: Vec<String> = policies.iter().map(|own| own.display().to_string()).collect();
    let before: Vec<String> = policies.iter().map(|own| fs::read_to_string(own).unwrap()).collect();
    let run = |args: &[&str]| {
        let names = names.iter().map(String::as_str);
        hallpass(&[&["policy"], args, &names.collect::<Vec<_>>()].concat(), folder.path())
    };
    let digests = |ran: Ran| {
        let all = ran.output.lines().map(|line| line.rsplit_once("digest ").unwrap().1.to_owned());
        all.collect::<Vec<_>>()
    };
    let said = digests(run(&["check"]));
    assert_eq!(run(&["fmt"]), Ran::default());
    assert_eq!(digests(run(&["check"])), said);
    assert_eq!(run(&["fmt", "--check"]), Ran::default());
    for (path, before) in policies.iter().zip(&before) {
        let after = fs::read_to_string(path).unwrap();
        let comments = |text: &str| text.matches('#').count();
        assert_eq!(comments(before), comments(&after), "{}", path.display());
    }
}
