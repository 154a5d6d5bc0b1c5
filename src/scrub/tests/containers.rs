//! A result is searched whatever it comes in.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::{SECRET, by};
use crate::scrub::Scrub;

fn shown<T: Scrub + std::fmt::Debug>(given: T) -> String {
    format!("{:?}", given.scrub(&by(&[SECRET.to_vec()]).scrubber()))
}

#[test]
fn a_secret_is_taken_out_of_each_container_and_the_rest_stays() {
    let secret = || String::from_utf8(SECRET.to_vec()).unwrap();
    let (kept, within) = (|| "kept".to_owned(), || format!("kept {}", secret()));
    let spelled: Vec<char> = within().chars().collect();
    let spelled = spelled.scrub(&by(&[SECRET.to_vec()]).scrubber());
    for told in [
        shown(within()),
        shown(Box::<str>::from(within())),
        shown(Cow::from(within())),
        spelled.into_iter().collect(),
        shown(vec![secret(), kept()]),
        shown(Box::<[String]>::from([secret(), kept()])),
        shown(Some(within())),
        shown(Ok::<_, ()>(within())),
        shown(Err::<(), _>(within())),
        shown((kept(), secret())),
        shown((1, secret(), kept())),
        shown((kept(), true, secret())),
        shown(BTreeMap::from([(secret(), kept())])),
        shown(BTreeMap::from([(kept(), secret())])),
        shown(HashMap::from([(secret(), kept())])),
        shown(HashMap::from([(kept(), secret())])),
        shown(serde_json::json!({ "kept": [secret()], secret(): [null, true, 1.5] })),
    ] {
        assert!(told.contains("kept") && !told.contains(&secret()), "{told}");
    }
}
