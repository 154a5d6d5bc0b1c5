//! Names of tenants and fleets, as the tables have them.

/// The longest name.
const MAX: usize = 64;

/// A name of a tenant or a fleet that the store has no room for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreNameError {
    what: &'static str,
    shown: Box<str>,
}

impl std::fmt::Display for StoreNameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let StoreNameError { what, shown } = self;
        let shown = shown.escape_debug();
        write!(f, "{what} name `{shown}`, expected 1 to {MAX} bytes without control characters")
    }
}

impl std::error::Error for StoreNameError {}

pub(super) fn check_name(what: &'static str, name: &str) -> Result<Box<str>, StoreNameError> {
    match (1..=MAX).contains(&name.len()) && !name.contains(char::is_control) {
        true => Ok(name.into()),
        false => Err(StoreNameError { what, shown: name.chars().take(MAX).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_has_no_room_is_refused_with_what_was_expected() {
        assert_eq!(&*check_name("tenant", "Acme EU").unwrap(), "Acme EU");
        assert_eq!(check_name("fleet", &"n".repeat(64)).unwrap().len(), 64);
        for bad in ["", "a\0b", "a\n", &"n".repeat(65)] {
            let error = check_name("tenant", bad).unwrap_err().to_string();
            assert!(error.starts_with("tenant name `") && !error.contains('\n'), "{error}");
        }
    }
}
