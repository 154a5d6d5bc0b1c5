//! The parameters of a query, read strictly: what two readers could take for different things is refused.

/// Names and values, decoded, in order. An empty query has none.
///
/// # Errors
/// What it was expected to be.
pub(crate) fn parameters(query: &str) -> Result<Vec<(String, String)>, &'static str> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    query.split('&').map(parameter).collect()
}

fn parameter(text: &str) -> Result<(String, String), &'static str> {
    // `a` and `a=` are one to some readers and two to others.
    let (name, value) = text.split_once('=').ok_or("expected `name=value` in the query")?;
    // Some readers part parameters there, too.
    if text.contains(';') {
        return Err("expected `%3B` for `;` in the query");
    }
    Ok((decoded(name)?, decoded(value)?))
}

/// A `+` is a space, as forms write it.
fn decoded(text: &str) -> Result<String, &'static str> {
    const ESCAPE: &str = "expected two hexadecimal digits after `%` in the query";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    let digit = char::from(rest.next()?).to_digit(16)?;
                    u8::try_from(digit).ok()
                };
                let (high, low) = (digit().ok_or(ESCAPE)?, digit().ok_or(ESCAPE)?);
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| "expected UTF-8 in the query")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parameters_are_decoded_once_and_in_order() {
        let read = |query| parameters(query).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read(""), []);
        assert_eq!(read("a=1&b=%C3%A4+c"), [pair("a", "1"), pair("b", "ä c")]);
        assert_eq!(read("a=%2561&a=="), [pair("a", "%61"), pair("a", "=")]);
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        for query in ["a", "&", "a=1&", "a=%", "a=%4", "a=%zz", "a=%ff", "a=1;b=2", "a=%+1", "a=%é"]
        {
            assert!(parameters(query).is_err(), "{query}");
        }
    }
}
