use proptest::prelude::*;

use super::*;

fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

fn kept(parts: &[(&str, &str)]) -> KeptPlain {
    let mut draft = PlainDraft::new(0, false, false);
    for (name, json) in parts {
        draft.keep((*name).to_owned(), &value(json), |_| false).unwrap();
    }
    draft.finish()
}

fn line(kept: &KeptPlain) -> String {
    format!(r#"{{"seq":7,"plain":{}}}"#, kept.values)
}

#[test]
fn what_was_kept_is_opened_and_what_is_not_there_is_said_to_be_erased() {
    let kept = kept(&[("args.to", "\"CH93\""), ("args.amount", "98.50"), ("who.groups", "[]")]);
    let opened = kept.plain.open(Some(&line(&kept)));
    assert_eq!(opened.values["args.to"], value("\"CH93\""));
    assert_eq!(opened.values["args.amount"], value("98.5"));
    assert_eq!((opened.values.len(), opened.erased.len(), opened.changed.len()), (3, 0, 0));
    for gone in [None, Some(""), Some("{}"), Some(r#"{"seq":7,"plain":{}}"#)] {
        let opened = kept.plain.open(gone);
        assert!(opened.values.is_empty() && opened.changed.is_empty());
        assert_eq!(opened.erased, ["args.amount", "args.to", "who.groups"]);
    }
}

/// A value that was put in later, or that stands at another part, is not what was committed to.
#[test]
fn a_value_counts_only_as_the_one_that_was_committed_to_at_its_place() {
    let kept = kept(&[("args.from", "\"CH93\""), ("args.to", "\"XX66\"")]);
    let whole = line(&kept);
    let other = whole.replace("CH93", "CH94");
    let opened = kept.plain.open(Some(&other));
    assert_eq!(
        (opened.changed.as_slice(), opened.values.len()),
        (&["args.from".to_owned()][..], 1)
    );
    let swapped = whole.replace("args.from", "swap").replace("args.to", "args.from");
    let opened = kept.plain.open(Some(&swapped.replace("swap", "args.to")));
    assert_eq!(opened.changed, ["args.from", "args.to"]);
    let unsalted = whole.replace("salt", "sald");
    assert_eq!(kept.plain.open(Some(&unsalted)).changed.len(), 2);
}

/// Without the salt, all values of an argument that has few can be tried in vain.
#[test]
fn equal_values_have_other_commitments_each_time() {
    let parts = [("args.a", "true"), ("args.b", "true")];
    let (one, other) = (kept(&parts), kept(&parts));
    let mut all: Vec<_> =
        [&one, &other].into_iter().flat_map(|own| own.plain.values.values()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn what_is_too_long_too_much_or_a_secret_is_said_to_be_there_as_a_digest_alone() {
    let mut draft = PlainDraft::new(2, true, false);
    let text = |length: usize| Value::from("x".repeat(length));
    let keep = |draft: &mut PlainDraft, name: &str, value: &Value, secret| {
        draft.keep(name.to_owned(), value, |_| secret).unwrap();
    };
    keep(&mut draft, "args.longest", &text(LONGEST - 2), false);
    keep(&mut draft, "args.longer", &text(LONGEST - 1), false);
    keep(&mut draft, "args.secret", &text(8), true);
    for (name, kept) in [("args.b", true), ("args.c", true), ("args.d", true), ("args.e", false)] {
        keep(&mut draft, name, &text(LONGEST - 2), false);
        assert_eq!(draft.plain.digest_only.last().is_some_and(|own| *own == name), !kept, "{name}");
    }
    draft.note_absent("args.f".to_owned());
    let KeptPlain { plain, values } = draft.finish();
    assert_eq!(plain.digest_only, ["args.longer", "args.secret", "args.e"]);
    assert_eq!((plain.other_args, plain.call_bound, plain.values.len()), (2, true, 4));
    assert_eq!(plain.absent, ["args.f"]);
    assert!(!values.contains("secret") && values.len() < 2 * MOST_BYTES);
}

/// Arguments may be nested as deep as any JSON that is read: three braces more could not be.
#[test]
fn what_could_not_be_read_back_is_not_kept() {
    for depth in 1..200 {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let Ok(deep) = Value::from_json(&text) else {
            assert!(depth > 10);
            return;
        };
        let mut draft = PlainDraft::new(0, false, false);
        draft.keep("args.deep".to_owned(), &deep, |_| false).unwrap();
        let is_kept = draft.plain.digest_only.is_empty();
        let kept = draft.finish();
        assert_eq!(
            kept.plain.open(Some(&line(&kept))).values.len(),
            usize::from(is_kept),
            "{depth}"
        );
    }
    panic!("any depth is read");
}

proptest! {
    /// attack 134
    #[test]
    fn any_text_reads_back_and_nothing_hidden_stands_in_the_line(text in any::<String>()) {
        let mut draft = PlainDraft::new(0, false, false);
        draft.keep("args.x".to_owned(), &Value::from(text.clone()), |_| false).unwrap();
        let kept = draft.finish();
        let line = line(&kept);
        prop_assert!(!line.chars().any(crate::visible::is_hidden));
        if kept.plain.digest_only.is_empty() {
            prop_assert_eq!(&kept.plain.open(Some(&line)).values["args.x"], &Value::from(text));
        }
    }
}
