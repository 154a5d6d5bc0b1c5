//! DER, as strictly as it is defined: one spelling for each value.

/// An element: its tag, and what it has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'d> {
    pub(crate) tag: u8,
    pub(crate) content: &'d [u8],
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_ID: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'d>(&'d [u8]);

impl<'d> Elements<'d> {
    pub(crate) fn of(bytes: &'d [u8]) -> Self {
        Elements(bytes)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element; `None` of what is none.
    pub(crate) fn next(&mut self) -> Option<Element<'d>> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of more bytes are not in certificates.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().try_fold(0_usize, |length, byte| {
                    length.checked_mul(256)?.checked_add(usize::from(*byte))
                })?;
                // The shortest spelling is the only one.
                if bytes.first() == Some(&0) || length < 0x80 {
                    return None;
                }
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag, content })
    }

    /// The next element, which has to have this tag: what is in it.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next().filter(|own| own.tag == tag).map(|own| own.content)
    }

    /// The next element, if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<&'d [u8]> {
        let mut ahead = *self;
        let content = ahead.expect(tag)?;
        *self = ahead;
        Some(content)
    }
}

/// The one element that these bytes are: what is in it.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let mut elements = Elements::of(bytes);
    elements.expect(tag).filter(|_| elements.is_over())
}

/// A truth value.
pub(crate) fn boolean(content: &[u8]) -> Option<bool> {
    match content {
        [0] => Some(false),
        [0xff] => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_one_spelling() {
        assert_eq!(only(&[4, 2, 7, 8], OCTET_STRING), Some(&[7, 8][..]));
        let long = [&[4, 0x81, 0x80][..], &[9; 128]].concat();
        assert_eq!(only(&long, OCTET_STRING).map(<[u8]>::len), Some(128));
        for bytes in [
            &[][..],
            &[4],
            &[4, 2, 7],
            // More behind it, another tag.
            &[4, 1, 7, 0],
            &[3, 1, 7],
            // Longer spellings of a length, no length, and one of too many bytes.
            &[4, 0x81, 1, 7],
            &[4, 0x82, 0, 1, 7],
            &[4, 0x80, 7, 0, 0],
            &[4, 0x85, 0, 0, 0, 0, 1, 7],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
            // A tag of more bytes.
            &[0x1f, 4, 0],
        ] {
            assert_eq!(only(bytes, OCTET_STRING), None, "{bytes:?}");
        }
        assert_eq!(
            (boolean(&[0xff]), boolean(&[0]), boolean(&[1])),
            (Some(true), Some(false), None)
        );
    }
}
