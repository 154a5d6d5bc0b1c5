//! Weekly windows by the clocks of a place: what loads, and what is refused.

use hallpass::policy::Policy;
use hallpass::scope::{Scope, weekly_in};

fn rule(window: &str) -> String {
    format!(
        "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat.tool = \"t\"\n\
         when.now = {{ weekly = {{ days = [\"mon\"], {window} }} }}\n"
    )
}

/// The error, with its line and without its column.
fn refused(window: &str) -> String {
    let told = Policy::from_toml(&rule(window)).expect_err(window).to_string();
    let (place, problem) = told.split_once(": ").unwrap();
    let (line, column) = place.split_once(", column ").unwrap();
    assert!(column.parse::<usize>().is_ok_and(|own| own > 1), "{told}");
    format!("{line}: {problem}")
}

#[cfg(not(feature = "zones"))]
#[test]
fn a_build_without_time_zones_says_which_feature_it_takes() {
    let at = "line 6: rule `r`: `when.now.weekly.zone`: ";
    let problem = "this build knows no time zones: it needs the feature `zones`";
    assert_eq!(refused("zone = \"Europe/Berlin\""), format!("{at}{problem}"));
    // Not that of Rust either: it would match nothing, and a forbid of nothing forbids nothing.
    assert!(weekly_in(&["mon"], "09:00", "17:00", "Europe/Berlin").check().is_err());
    assert!(Scope::tool("t").any_args().check().is_ok());
}

#[cfg(feature = "zones")]
#[test]
fn what_is_wrong_with_a_zone_is_said_where_it_stands() {
    let version = hallpass::scope::zone_data_version().unwrap();
    for (window, expected) in [
        (
            "zone = \"Europe/Berln\"",
            format!(
                "line 6: rule `r`: `when.now.weekly.zone`: `Europe/Berln` is not a time zone of the \
                 IANA database ({version}), expected one such as `Europe/Berlin`: did you mean `Europe/Berlin`?"
            ),
        ),
        (
            "zone = \"Etc/GMT-1\"",
            "line 6: rule `r`: `when.now.weekly.zone`: `Etc/GMT-1` does not move its clocks: name a \
             place, such as `Europe/Berlin`, or write `offset = \"+01:00\"`"
                .to_owned(),
        ),
        (
            "zone = \"Europe/Berlin\", offset = \"+01:00\"",
            "line 6: rule `r`: `when.now.weekly`: `offset` and `zone` together: a zone says how far its \
             clocks are from UTC"
                .to_owned(),
        ),
        (
            "offset = \"Europe/Berlin\"",
            "line 6: rule `r`: `when.now.weekly.offset`: `Europe/Berlin` is not an offset from UTC, \
             expected one like `+01:00`: a place that moves its clocks is said by `zone`"
                .to_owned(),
        ),
        (
            "zone = \"Europe/Berlin\", from = \"22:00\", until = \"06:00\"",
            "line 6: rule `r`: `when.now.weekly`: no value lies within a window from 22:00 until 06:00: \
             one that spans midnight is written as two"
                .to_owned(),
        ),
    ] {
        assert_eq!(refused(window), expected, "{window}");
    }
}

/// Who reads a scope may have other data, or none: the window would be another one there.
#[cfg(feature = "zones")]
#[test]
fn no_scope_is_by_the_clocks_of_a_zone() {
    let window = || weekly_in(&["mon"], "09:00", "17:00", "Europe/Berlin");
    let told = |scope: Scope| scope.check().unwrap_err().to_string();
    let inside = hallpass::scope::any_of([hallpass::scope::not(window())]);
    for scope in [Scope::tool("t").arg("at", window()), Scope::tool("t").arg("at", inside)] {
        let told = told(scope);
        assert!(told.contains("`zone` is for policies only: those who read a scope"), "{told}");
    }
    let json = r#"[{"tool": "t", "args": {"at": {"weekly": {"days": ["mon"], "zone": "Europe/Berlin"}}}}]"#;
    let told = Scope::from_json(json).unwrap_err().to_string();
    assert!(told.contains("`zone` is for policies only"), "{told}");
}

#[cfg(feature = "zones")]
#[test]
fn a_zone_is_part_of_what_a_policy_says() {
    let digest = |window: &str| Policy::from_toml(&rule(window)).unwrap().digest();
    let berlin = digest("zone = \"Europe/Berlin\"");
    assert_ne!(berlin, digest("zone = \"Europe/Vienna\""));
    assert_ne!(berlin, digest("offset = \"+01:00\""));
    let text = rule("zone = \"Europe/Berlin\"");
    let again = text.replace(
        "days = [\"mon\"], zone = \"Europe/Berlin\"",
        "zone = \"Europe/Berlin\", days = [\"mon\"]",
    );
    assert_ne!(text, again);
    assert_eq!(Policy::from_toml(&again).unwrap().digest(), berlin);
    // As a place it may say what is fixed all year, if that is a place.
    assert!(Policy::from_toml(&rule("zone = \"UTC\"")).is_ok());
}
