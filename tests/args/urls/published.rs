//! URLs of the published vectors.

use hallpass::prelude::*;
use serde_json::json;

use super::{anything, everything, world};
use testkit::corpora::{corpus, list, text};

/// The published vectors: refused where the standard refuses, accepted in its spelling where it accepts,
/// but for what is listed.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn urls_are_read_as_the_standard_says_but_for_the_listed_differences() {
    let corpus = corpus("urls/whatwg_urltestdata.json");
    let (broker, agent) = world([anything()]);
    let task = broker.open(&agent, Purpose::new("read")).unwrap();
    let context = Context::new();
    let grant = task.request(everything(), &context).unwrap();
    let read = |link: &str| {
        let call = Call::new("web.get", json!({ "link": link })).unwrap();
        match broker.gate().authorize(grant.token(), &agent, call, &context) {
            Ok(permit) => Ok(permit.start().unwrap().args().text("link").unwrap().to_owned()),
            Err(denial) => {
                assert_eq!(denial.reason(), Reason::MalformedCall, "{link:?}");
                Err(denial.explain().to_string())
            }
        }
    };
    let (mut spelled, mut refused) = (Vec::new(), Vec::new());
    let (mut users, mut files) = (0, 0);
    for case in list(&corpus["cases"]) {
        // There is no base here: what a link comes to on its base stands alone.
        let input = match (case["base"].is_null(), case["failure"] == true) {
            (true, true) => {
                assert!(read(text(&case["input"])).is_err(), "{case}");
                continue;
            }
            (true, false) => text(&case["input"]),
            (false, true) => continue,
            (false, false) => text(&case["href"]),
        };
        let href = text(&case["href"]);
        let has_user = case["username"] != "" || case["password"] != "";
        match read(input) {
            Ok(got) if got == href => assert!(!has_user, "{input}"),
            // The parser has its own way with drives and slashes of files. Nothing covers them as URLs.
            Ok(got) if href.starts_with("file:") => {
                assert!(got.starts_with("file:"), "{got}");
                files += 1;
            }
            Ok(got) => spelled.push((input, got)),
            Err(why) if has_user => {
                assert!(why.contains("it names a user before the host"), "{input}: {why}");
                users += 1;
            }
            Err(_) => refused.push(input),
        }
    }
    assert_eq!(refused, DOTS_ALONE);
    let spelled: Vec<_> = spelled.iter().map(|(input, got)| (*input, got.as_str())).collect();
    assert_eq!(spelled, SPELLED_OTHERWISE);
    assert_eq!((users, files), (35, 38), "of {}", list(&corpus["cases"]).len());
}

/// The standard keeps a dot at the end of a host. Here it is dropped, since with and without it is the
/// same host, and of these nothing, or a bad address, would be left.
const DOTS_ALONE: &[&str] = &["http://./", "http://../", "http://foo.09.."];

/// Spaces at the end of what has no host, and `^`: the parser follows an earlier text of the standard.
/// The tool gets what was judged, and it reads back as itself.
const SPELLED_OTHERWISE: &[(&str, &str)] = &[
    ("non-special:opaque  ?hi", "non-special:opaque  ?hi"),
    ("non-special:opaque  #hi", "non-special:opaque  #hi"),
    ("non-special:opaque \t\t  \t#hi", "non-special:opaque   #hi"),
    ("non-special:opaque \t\t  #hi", "non-special:opaque   #hi"),
    ("non-special:opaque\t\t  \r #hi", "non-special:opaque   #hi"),
    (
        "foo://host/ !\"$%&'()*+,-./:;<=>@[\\]^_`{|}~",
        "foo://host/%20!%22$%&'()*+,-./:;%3C=%3E@[\\]^_%60%7B|%7D~",
    ),
    (
        "wss://host/ !\"$%&'()*+,-./:;<=>@[\\]^_`{|}~",
        "wss://host/%20!%22$%&'()*+,-./:;%3C=%3E@[/]^_%60%7B|%7D~",
    ),
];
