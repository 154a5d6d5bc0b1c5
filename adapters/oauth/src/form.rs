//! The form of a request.

use zeroize::Zeroizing;

/// Adds a parameter to a form, escaped. Room is made by hand: what grows by itself leaves a copy behind.
pub(crate) fn add(form: &mut Zeroizing<String>, name: &str, value: &str) {
    let room = form.len() + name.len() + 3 * value.len() + 2;
    if room > form.capacity() {
        let mut grown = Zeroizing::new(String::with_capacity(room.saturating_mul(2)));
        grown.push_str(form);
        *form = grown;
    }
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'*') {
            form.push(char::from(byte));
        } else {
            form.push('%');
            for half in [byte >> 4, byte & 15] {
                form.push(
                    char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_form_that_grew_and_is_dropped_leaves_no_copy_of_what_it_says() {
        let computed = testkit::memory::Computed { seed: 2, length: 300 };
        let mut secret = Zeroizing::new(Vec::with_capacity(computed.length));
        computed.write(&mut secret);
        let secret = Zeroizing::new(String::from_utf8(std::mem::take(&mut *secret)).unwrap());
        let mut form = Zeroizing::new(String::new());
        add(&mut form, "grant_type", "x");
        add(&mut form, "subject_token", &secret);
        (0..100).for_each(|_| add(&mut form, "audience", "https://orders.acme.test"));
        drop(secret);
        assert!(computed.is_in_memory(), "what is there is found");
        drop(form);
        assert!(!computed.is_in_memory());
    }

    #[test]
    fn a_value_can_not_begin_another_parameter() {
        let mut form = Zeroizing::new(String::new());
        add(&mut form, "scope", "a b&scope=admin");
        add(&mut form, "audience", "https://é/+%");
        assert_eq!(*form, "scope=a%20b%26scope%3Dadmin&audience=https%3A%2F%2F%C3%A9%2F%2B%25");
    }
}
