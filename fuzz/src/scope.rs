//! Scope text: what is read is written as data that reads back the same.

use hallpass::scope::Scope;

pub fn scope(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let scope = match Scope::from_json(text) {
        Ok(scope) => scope,
        Err(error) => {
            assert!(!error.to_string().contains(|c: char| c.is_control()), "{error:?}");
            return;
        }
    };
    assert!(!scope.is_empty() && scope.check().is_ok());
    let data = scope.to_value();
    let again = Scope::from_value(&data).expect("its own data is read");
    assert_eq!(again.to_value(), data);
    assert_eq!(again.len(), scope.len());
    let written = Scope::from_json(&data.to_json()).expect("its own text is read");
    assert_eq!(written.to_value(), data);
}
