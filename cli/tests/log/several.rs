//! A folder of logs, as the nodes of a fleet write one each.

use std::fs;

use hallpass::audit::Durability;
use serde_json::Value;

use crate::{FIRST, log, world::Folder, written};

/// Two logs in `logs`.
fn two() -> Folder {
    let (folder, other) = (written(Durability::Flushed), written(Durability::Flushed));
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::rename(folder.path().join("log"), logs.join("n1")).unwrap();
    let n2 = logs.join("n2");
    fs::create_dir(&n2).unwrap();
    for entry in fs::read_dir(other.path().join("log")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), n2.join(entry.file_name())).unwrap();
    }
    folder
}

#[test]
fn each_log_of_a_folder_is_verified_and_the_worst_counts() {
    let folder = two();
    let verify = ["verify", "logs", "--key-file", "key"];
    let ran = log(&verify, &folder);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Vec<&str> = ran.output.lines().filter(|line| line.starts_with("log of")).collect();
    assert_eq!(told, ["log of    n1", "log of    n2"]);
    assert_eq!(ran.output.matches("intact    yes").count(), 2);
    assert!(ran.output.contains("fleet     not known to be complete: 2 logs"), "{}", ran.output);
    let ran = log(&[&verify[..], &["--json"]].concat(), &folder);
    let objects: Vec<Value> =
        ran.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2);
    assert!(objects.iter().all(|own| own["intact"] == true));
    assert_eq!((&objects[0]["folder"], &objects[1]["folder"]), (&"n1".into(), &"n2".into()));

    // One record of one log, changed.
    let file = folder.path().join("logs/n1").join(FIRST.rsplit('/').next().unwrap());
    let changed = fs::read_to_string(&file).unwrap().replacen("payer", "pager", 1);
    fs::write(&file, changed).unwrap();
    let ran = log(&verify, &folder);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.output.matches("intact    yes").count(), 1);
    assert_eq!(ran.output.matches("intact    NO").count(), 1);
}

#[test]
fn a_folder_that_is_no_log_is_not_passed_over() {
    let folder = two();
    fs::create_dir(folder.path().join("logs/n3")).unwrap();
    let ran = log(&["verify", "logs", "--key-file", "key"], &folder);
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("n3: has no record of a log"), "{ran:?}");
    assert_eq!(ran.output.matches("intact    yes").count(), 2);
    let anchor = format!("3:{}", "ab".repeat(32));
    let ran = log(&["verify", "logs", "--key-file", "key", "--anchor", &anchor], &folder);
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("has several logs, and an anchor is of one"), "{ran:?}");
}

/// attack 134: a name does nothing to a terminal, and a program reads what it is
#[test]
fn the_name_of_a_log_is_told_as_text() {
    let folder = two();
    let name = "n\u{202e}1\u{200b}\u{9b}2J";
    let logs = folder.path().join("logs");
    fs::rename(logs.join("n1"), logs.join(name)).unwrap();
    for more in [&[][..], &["--json"]] {
        let ran = log(&[&["verify", "logs", "--key-file", "key"], more].concat(), &folder);
        assert_eq!(ran.code, 0, "{ran:?}");
        let is_hidden = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{200b}".contains(c));
        assert!(!ran.output.contains(is_hidden), "{ran:?}");
        if !more.is_empty() {
            let objects = ran.output.lines().map(|line| serde_json::from_str(line).unwrap());
            let folders: Vec<Value> = objects.map(|own: Value| own["folder"].clone()).collect();
            assert_eq!(folders, [Value::from("n2"), Value::from(name)]);
        }
    }
}
