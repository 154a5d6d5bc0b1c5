use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    Shown::of_text(text).text
}

/// attacks 118 and 167
#[test]
fn what_hides_reorders_or_imitates_is_escaped() {
    for (given, expected) in [
        ("plain text", r#""plain text""#),
        ("\u{1b}[2J\u{1b}[31mred", r#""\u{1b}[2J\u{1b}[31mred""#),
        ("pay\u{202e}lliB", r#""pay\u{202e}lliB""#),
        ("a\u{2066}b\u{2069}", r#""a\u{2066}b\u{2069}""#),
        ("a\0b", r#""a\u{0}b""#),
        ("a\u{200b}b\u{feff}", r#""a\u{200b}b\u{feff}""#),
        ("a\u{e0041}b", r#""a\u{e0041}b""#),
        ("a\nrule: ask", r#""a\nrule: ask""#),
        ("a\r\n\tb", r#""a\r\n\tb""#),
        ("a\u{2028}b\u{85}", r#""a\u{2028}b\u{85}""#),
        (r#"" [untrusted]"#, r#""\" [untrusted]""#),
        (r#"\""#, r#""\\\"""#),
        (r"\u{202e}", r#""\\u{202e}""#),
        ("a … b", r#""a \u{2026} b""#),
        ("a\u{a0}b\u{2003}c\u{3000}", r#""a\u{a0}b\u{2003}c\u{3000}""#),
        ("a      b", r#""a    \u{20}\u{20}b""#),
        // Marks over letters are letters; over nothing, or many of them, they are drawn over others.
        ("e\u{301}", "\"e\u{301}\""),
        ("\u{338}x", r#""\u{338}x""#),
        ("a\u{301}\u{302}\u{303}\u{304}", "\"a\u{301}\u{302}\\u{303}\\u{304}\""),
        ("1\u{338}", r#""1\u{338}""#),
        ("<img src=x onerror=alert(1)>", r#""<img src=x onerror=alert(1)>""#),
        ("Zürich 東京 नमस्ते", "\"Zürich 東京 नमस्ते\""),
    ] {
        assert_eq!(shown(given), expected, "{given:?}");
    }
}

#[test]
fn a_structure_is_json_in_the_order_of_its_keys() {
    let value = Value::from_json(r#"{"b":[1.50,null,"x\ny"],"a":{"k \"q\"":true}}"#).unwrap();
    assert_eq!(Shown::of(&value).text, r#"{"a":{"k \"q\"":true},"b":[1.5,null,"x\ny"]}"#);
}

/// attack 167: 10 kB
#[test]
fn a_long_value_is_its_beginning_and_its_end() {
    let just = "x".repeat(HEAD + TAIL - 2);
    assert_eq!((shown(&just), Shown::of_text(&just).is_cut), (format!("\"{just}\""), false));
    let over = Shown::of_text(&format!("{just}y"));
    assert!(over.is_cut);
    let cut = Shown::of_text(&format!("begin{}end", " middle".repeat(1500)));
    assert!(cut.is_cut);
    assert!(cut.text.starts_with("\"begin middle") && cut.text.ends_with("middleend\""));
    assert_eq!(cut.text.matches('…').count(), 1);
    assert!(cut.text.chars().count() <= HEAD + TAIL + 1);
    // An escape is shown whole or not at all.
    let bells = Shown::of_text(&"\u{7}".repeat(500)).text;
    for piece in bells.trim_matches('"').split('…') {
        assert_eq!(piece.replace(r"\u{7}", ""), "");
    }
    let list = Value::List(vec![Value::from("abc"); 500]);
    assert!(Shown::of(&list).is_cut && !Shown::whole(&list).contains('…'));
    assert_eq!(Shown::whole(&list).len(), 500 * 6 + 1);
}

#[test]
fn what_no_one_can_read_is_said_to_be_that() {
    let encoded = "QmFzZTY0IGlzIG5vdCByZWFkYWJsZSBieSBwZW9wbGUs".repeat(3);
    for (text, unreadable) in [
        (encoded.as_str(), true),
        (&format!("data:image/png;base64,{encoded}"), true),
        (&encoded[..ENCODED - 1], false),
        (&"\u{1}\u{2}\u{3}\u{4}".repeat(2), true),
        ("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}", false),
        (&format!("{}{}", "a".repeat(100), "\u{1}".repeat(8)), false),
        ("line\n\n\n\n\n\n\n\n\n", false),
        (&"a".repeat(400), false),
        (&"words with spaces 1 ".repeat(40), false),
    ] {
        assert_eq!(Shown::of_text(text).is_unreadable, unreadable, "{text:?}");
    }
    let inside = Value::List(vec![Value::from(1), Value::from(encoded.as_str())]);
    assert!(Shown::of(&inside).is_unreadable);
}

/// attack 167: look-alikes
#[test]
fn letters_that_look_like_others_are_named() {
    let alike = |text: &str| Shown::of_text(text).alike;
    assert_eq!(alike("p\u{430}ypal.test"), ['\u{430}']);
    assert_eq!(alike("\u{ff41}cme"), ['\u{ff41}']);
    assert!(alike("москва").is_empty());
    assert!(alike("Zürich").is_empty());
    assert_eq!(alike(&format!("a{}", "аеорсхіј".repeat(5))).len(), MOST_ALIKE);
    let key = Value::from_json(r#"{"\u0430mount":1,"b":2}"#).unwrap();
    assert_eq!(Shown::of(&key).alike, ['\u{430}']);
}

proptest! {
    /// attack 167: whatever is shown is one visible line, in quotes that nothing inside ends
    #[test]
    fn a_text_is_one_visible_line_in_its_quotes(text in any::<String>()) {
        let shown = shown(&text);
        prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
        prop_assert!(!shown.chars().any(|c| c.is_whitespace() && c != ' '));
        let inner = shown.strip_prefix('"').and_then(|own| own.strip_suffix('"')).unwrap();
        let mut escaped = false;
        for c in inner.chars() {
            prop_assert!(c != '"' || escaped);
            escaped = c == '\\' && !escaped;
        }
        prop_assert!(!escaped);
    }

    #[test]
    fn two_texts_never_look_the_same_in_full(a in "[ -~\u{300}-\u{310}\u{200b}…é]{0,12}", b in "[ -~\u{300}-\u{310}\u{200b}…é]{0,12}") {
        prop_assume!(a != b);
        let whole = |text: &str| Shown::whole(&Value::Text(text.into()));
        prop_assert_ne!(whole(&a), whole(&b));
    }

    #[test]
    fn what_is_cut_is_the_beginning_and_the_end_of_the_whole(text in "[a-z \\\\\u{7}é]{0,900}") {
        let (shown, whole) = (Shown::of_text(&text), Shown::whole(&Value::Text(text.into())));
        match shown.text.split_once('…') {
            Some((head, tail)) => {
                prop_assert!(shown.is_cut && whole.len() > head.len() + tail.len());
                prop_assert!(whole.starts_with(head) && whole.ends_with(tail));
            }
            None => prop_assert_eq!((shown.text, shown.is_cut), (whole, false)),
        }
    }
}
