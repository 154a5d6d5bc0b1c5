//! IPv6 addresses that stand for IPv4 ones: connecting to one may reach the other.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The IPv4 address that an IPv6 address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Embedded {
    Address(Ipv4Addr),
    /// One that only the network's own translator knows.
    Unknown,
}

/// Where the IPv4 address stands in the addresses of one form.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// In the last 32 bits.
    Last,
    /// In the last 32 bits, each of them inverted.
    LastInverted,
    /// Behind the first 16 bits.
    Second,
    Unknown,
}

/// Every form: the first of its addresses, how many bits they share, and where the IPv4 address stands.
const FORMS: &[(Ipv6Addr, u32, Form)] = &[
    // Compatible (RFC 4291), but for `::` and `::1`.
    (Ipv6Addr::UNSPECIFIED, 96, Form::Last),
    // Mapped (RFC 4291).
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, Form::Last),
    // Translated (RFC 2765).
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, Form::Last),
    // NAT64 (RFC 6052), and the same for use within a network (RFC 8215), which each lays out its own way.
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, Form::Last),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, Form::Unknown),
    // Teredo (RFC 4380): the client.
    (TEREDO, 32, Form::LastInverted),
    // 6to4 (RFC 3056).
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Form::Second),
];

const TEREDO: Ipv6Addr = Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0);

/// What `address` stands for, if it stands for an IPv4 address.
pub(super) fn embedded(address: Ipv6Addr) -> Option<Embedded> {
    if address.is_unspecified() || address.is_loopback() {
        return None;
    }
    let bits = address.to_bits();
    let of = |(first, shared, _): &&(Ipv6Addr, u32, Form)| {
        (bits ^ first.to_bits()).leading_zeros() >= *shared
    };
    let (_, _, form) = FORMS.iter().find(of)?;
    let at = |shift: u32| Embedded::Address(Ipv4Addr::from_bits((bits >> shift) as u32));
    Some(match form {
        Form::Last => at(0),
        Form::LastInverted => Embedded::Address(Ipv4Addr::from_bits(!(bits as u32))),
        Form::Second => at(80),
        Form::Unknown => Embedded::Unknown,
    })
}

/// An address of each form that stands for `address`, the first such.
pub(super) fn standing_for(address: Ipv4Addr) -> impl Iterator<Item = Ipv6Addr> {
    let own = u128::from(address.to_bits());
    FORMS.iter().filter_map(move |(first, _, form)| {
        let bits = match form {
            Form::Last => own,
            Form::LastInverted => own ^ u128::from(u32::MAX),
            Form::Second => own << 80,
            Form::Unknown => return None,
        };
        Some(Ipv6Addr::from_bits(first.to_bits() | bits))
    })
}

/// Where each form begins, and the first address behind it.
pub(super) fn edges() -> impl Iterator<Item = Ipv6Addr> {
    let exceptions = [Ipv6Addr::LOCALHOST, Ipv6Addr::from_bits(2)];
    let ends = FORMS.iter().flat_map(|(first, shared, _)| {
        let behind = first.to_bits() + (1_u128 << (128 - shared));
        [*first, Ipv6Addr::from_bits(behind)]
    });
    exceptions.into_iter().chain(ends)
}

/// Whether the addresses that begin with these bits are a part of those of a form that stand for the same
/// IPv4 addresses over and over.
pub(super) fn splits_repetition(first: Ipv6Addr, prefix: u32) -> bool {
    prefix > 32 && (first.to_bits() ^ TEREDO.to_bits()).leading_zeros() >= 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        embedded(text.parse().unwrap()).map(|found| match found {
            Embedded::Address(address) => address.to_string(),
            Embedded::Unknown => "unknown".to_owned(),
        })
    }

    /// attack 32
    #[test]
    fn an_address_stands_for_the_one_that_lies_in_it() {
        for (text, stands_for) in [
            ("::ffff:10.1.2.3", Some("10.1.2.3")),
            ("::10.1.2.3", Some("10.1.2.3")),
            ("::2", Some("0.0.0.2")),
            ("::ffff:0:10.1.2.3", Some("10.1.2.3")),
            ("64:ff9b::a9fe:a9fe", Some("169.254.169.254")),
            ("64:ff9b:1::a9fe:a9fe", Some("unknown")),
            ("64:ff9b:1:ffff::", Some("unknown")),
            ("2002:a9fe:a9fe::1", Some("169.254.169.254")),
            ("2002:a9fe:a9fe:ffff:ffff:ffff:ffff:ffff", Some("169.254.169.254")),
            // RFC 4380's own example.
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some("192.0.2.45")),
            ("::", None),
            ("::1", None),
            ("::1:0:0:0", None),
            ("64:ff9b::1:0:0", None),
            ("64:ff9b:2::a9fe:a9fe", None),
            ("2001:1::a9fe:a9fe", None),
            ("2003:a9fe:a9fe::1", None),
            ("fd00::10.1.2.3", None),
        ] {
            assert_eq!(of(text).as_deref(), stands_for, "{text}");
        }
    }

    #[test]
    fn what_stands_for_an_address_is_read_back_as_that() {
        let address = Ipv4Addr::new(10, 1, 2, 3);
        let all: Vec<_> = standing_for(address).collect();
        assert_eq!(all.len(), FORMS.len() - 1);
        assert!(
            all.iter().all(|own| embedded(*own) == Some(Embedded::Address(address))),
            "{all:?}"
        );
    }

    #[test]
    fn only_a_part_of_the_form_that_repeats_splits_it() {
        for (first, prefix, splits) in [
            ("2001::", 33, true),
            ("2001:0:1::", 48, true),
            ("2001::", 32, false),
            ("2000::", 3, false),
            ("2001:db8::", 48, false),
            ("64:ff9b::", 96, false),
        ] {
            assert_eq!(
                splits_repetition(first.parse().unwrap(), prefix),
                splits,
                "{first}/{prefix}"
            );
        }
    }
}
