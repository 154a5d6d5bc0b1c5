use super::*;

#[test]
fn of_every_key_that_the_loader_knows_it_is_said_what_may_stand_there() {
    for Keys { name, keys, required, of } in TABLES {
        for key in keys {
            assert!(of(key).is_some(), "{name}: `{key}`");
        }
        assert!(required.iter().all(|key| keys.contains(key)), "{name}");
    }
    assert!(POLICY.iter().all(|key| of_policy(key).is_some()));
    assert!(rule::EXCEPTION.iter().all(|key| of_rule(key).is_some()));
    for word in constraint_words() {
        assert!(of_constraint(word).is_some(), "`{word}`");
    }
}

/// The loader reads no key of which the schema says nothing, and refuses what the schema has no key for.
#[test]
fn the_loader_knows_every_key_that_stands_in_the_schema() {
    let schema = Policy::schema();
    let defs = schema.as_object().unwrap().get("$defs").unwrap().as_object().unwrap().clone();
    for Keys { name, keys, .. } in TABLES.into_iter().filter(|own| own.name != "test") {
        let own = defs.get(name).unwrap().as_object().unwrap();
        let said = own.get("properties").unwrap().as_object().unwrap();
        assert!(said.keys().all(|key| keys.contains(&key)) && said.len() == keys.len(), "{name}");
        // Through the loader: `zzz` is not a key there, and none of these is refused as one.
        for key in keys.iter().copied().chain(["zzz"]) {
            let text = format!("version = 1\n{}", at(name, key));
            let error =
                Policy::from_toml(&text).map_or_else(|error| error.to_string(), |_| String::new());
            let is_unknown = error.contains(&format!("`{key}` is not a key"));
            assert_eq!(is_unknown, key == "zzz", "{name}: {key}: {error}");
        }
    }
}

/// Policy text with a key in a table of this name; the value may be of the wrong kind.
fn at(table: &str, key: &str) -> String {
    let rule = |body: &str| format!("[[rule]]\nid = \"r\"\neffect = \"ask\"\n{body}\n");
    match table {
        "log" => format!("[log]\n{key} = 1\n"),
        "argument" => format!("[[tool]]\nname = \"t\"\nargs = {{ x = {{ {key} = 1 }} }}\n"),
        "tool" if key == "name" => "[[tool]]\nname = 1\n".to_owned(),
        "tool" => format!("[[tool]]\nname = \"t\"\n{key} = 1\n"),
        "rule" if matches!(key, "id" | "effect") => format!("[[rule]]\n{key} = 1\n"),
        "rule" => rule(&format!("{key} = 1")),
        "break_glass" if key != "review" => {
            rule(&format!("break_glass = {{ review = [{{ id = \"a\" }}], {key} = 1 }}"))
        }
        "reviewers" => rule(&format!("approval = {{ review = [{{ {key} = 1 }}] }}")),
        other => rule(&format!("{other} = {{ {key} = 1 }}")),
    }
}
