//! Networks of addresses.

use std::fmt;
use std::net::IpAddr;

use super::embedded::{Embedded, embedded, splits_repetition};
use super::truth::Truth;
use crate::value::{DecodeError, Decoder};

/// The addresses that share a beginning: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
///
/// An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is that IPv4 address, on both sides; otherwise
/// an IPv4 network has no IPv6 address in it and the other way round. What other addresses stand for is
/// asked by [`lie_in`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network {
    // INVARIANT: canonical, and no bit is set behind the prefix.
    first: IpAddr,
    prefix: u8,
}

/// Why text is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetworkError {
    #[error("`{0}` is not an address or network, expected one like `10.0.0.0/8` or `2001:db8::1`")]
    Syntax(String),
    /// Someone who writes `10.1.2.0/8` means 256 addresses or 16 million.
    #[error("`{given}` has bits set behind its prefix: write `{meant}` if all of that is meant")]
    HostBits { given: String, meant: Network },
}

impl Network {
    pub(crate) fn parse(text: &str) -> Result<Self, NetworkError> {
        let syntax =
            || NetworkError::Syntax(crate::visible::escape_for_people(text, crate::visible::SHOWN));
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => {
                let plain = (1..=3).contains(&length.len())
                    && length.bytes().all(|b| b.is_ascii_digit())
                    && (length == "0" || !length.starts_with('0'));
                let length = length.parse::<u8>().ok().filter(|_| plain).ok_or_else(syntax)?;
                (address, Some(length))
            }
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| syntax())?;
        let address = written.to_canonical();
        let (written_bits, bits) = (width(written), width(address));
        let prefix = match length {
            None => bits,
            Some(length) if length > written_bits => return Err(syntax()),
            // A mapped network counts its prefix from the IPv6 end.
            Some(length) if written_bits == bits => length,
            Some(length) => length.checked_sub(written_bits - bits).ok_or_else(syntax)?,
        };
        let first = masked(address, prefix);
        let network = Network { first, prefix };
        if first == address {
            Ok(network)
        } else {
            Err(NetworkError::HostBits { given: text.to_owned(), meant: network })
        }
    }

    /// Its byte form: how many bytes the address has, the address, the prefix.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self.first {
            IpAddr::V4(first) => {
                out.push(4);
                out.extend_from_slice(&first.octets());
            }
            IpAddr::V6(first) => {
                out.push(16);
                out.extend_from_slice(&first.octets());
            }
        }
        out.push(self.prefix);
    }

    /// Reads the one byte form of a network.
    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let first = match decoder.byte()? {
            4 => IpAddr::from(decoder.array::<4>()?),
            16 => IpAddr::from(decoder.array::<16>()?),
            _ => return Err(DecodeError::Unknown("a length of an address")),
        };
        let prefix = decoder.byte()?;
        let own = first == first.to_canonical()
            && prefix <= width(first)
            && masked(first, prefix) == first;
        match own {
            true => Ok(Network { first, prefix }),
            false => Err(DecodeError::NotCanonical("a network is not in its one form")),
        }
    }

    /// The first address in it.
    pub(crate) fn first(&self) -> IpAddr {
        self.first
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.first) && masked(address, self.prefix) == self.first
    }

    pub(crate) fn is_within(&self, wider: &Network) -> bool {
        self.prefix >= wider.prefix && wider.contains(self.first)
    }

    /// Whether it is a part of addresses that stand for the same IPv4 addresses over and over.
    pub(super) fn splits_repetition(&self) -> bool {
        match self.first {
            IpAddr::V4(_) => false,
            IpAddr::V6(first) => splits_repetition(first, u32::from(self.prefix)),
        }
    }

    /// The first and last address of the network and those just outside: between the ends of some
    /// networks all addresses are in the same ones.
    pub(crate) fn around(&self) -> impl Iterator<Item = IpAddr> {
        let free = width(self.first) - self.prefix;
        let around = match self.first {
            IpAddr::V4(first) => {
                let first = first.to_bits();
                let last = first | u32::MAX.checked_shr(32 - u32::from(free)).unwrap_or(0);
                let ends = [first.checked_sub(1), Some(first), Some(last), last.checked_add(1)];
                ends.map(|bits| bits.map(|bits| IpAddr::V4(bits.into())))
            }
            IpAddr::V6(first) => {
                let first = first.to_bits();
                let last = first | u128::MAX.checked_shr(128 - u32::from(free)).unwrap_or(0);
                let ends = [first.checked_sub(1), Some(first), Some(last), last.checked_add(1)];
                ends.map(|bits| bits.map(|bits| IpAddr::V6(bits.into())))
            }
        };
        // Next to the mapped addresses an IPv6 address is none of its own.
        around.into_iter().flatten().map(|address| address.to_canonical())
    }
}

/// A single address is written without its prefix.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == width(self.first) {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}/{}", self.first, self.prefix)
        }
    }
}

/// Which addresses one leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The address itself.
    pub(crate) address: IpAddr,
    /// The IPv4 address that it stands for, if it stands for one; nothing in its place where that is not
    /// known.
    pub(crate) other: Option<Option<IpAddr>>,
}

impl Meant {
    pub(crate) fn by(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let other = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => embedded(v6),
        };
        let other = other.map(|own| match own {
            Embedded::Address(v4) => Some(v4.into()),
            Embedded::Unknown => None,
        });
        Meant { address, other }
    }
}

/// Whether an address, and the IPv4 address that it stands for, lie in some of the networks. Where one
/// does and the other does not, it can't be told which of them is reached.
pub(super) fn lie_in(networks: &[Network], address: IpAddr) -> Truth {
    let within = |one: IpAddr| Truth::of(networks.iter().any(|own| own.contains(one)));
    let Meant { address, other } = Meant::by(address);
    match other {
        None => within(address),
        Some(Some(other)) if within(address) == within(other) => within(address),
        Some(_) => Truth::Unknown,
    }
}

/// Reads one address: no shorthand, no octal or hexadecimal parts, no zone, no port.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has(network: &str, text: &str) -> bool {
        Network::parse(network).unwrap().contains(address(text).unwrap())
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_is_that_address() {
        assert!(has("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(has("10.0.0.0/8", "::ffff:a01:203"));
        assert!(has("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(!has("::/0", "10.1.2.3") && !has("::/0", "::ffff:10.1.2.3"));
        assert!(!has("0.0.0.0/0", "::1") && !has("0.0.0.0/0", "::10.1.2.3"));
        assert_eq!(Network::parse("::ffff:10.0.0.0/104").unwrap().to_string(), "10.0.0.0/8");
    }

    /// attack 32: by a form that the policy does not name, and by the form alone.
    #[test]
    fn an_address_that_stands_for_another_is_asked_of_both() {
        let lies = |networks: &[&str], text: &str| {
            let networks: Vec<_> =
                networks.iter().map(|own| Network::parse(own).unwrap()).collect();
            lie_in(&networks, address(text).unwrap())
        };
        let inner = ["10.0.0.0/8", "169.254.0.0/16"];
        for (text, truth) in [
            ("10.1.2.3", Truth::True),
            ("::ffff:10.1.2.3", Truth::True),
            ("::10.1.2.3", Truth::Unknown),
            ("::ffff:0:10.1.2.3", Truth::Unknown),
            ("64:ff9b::a01:203", Truth::Unknown),
            ("64:ff9b:1::8.8.8.8", Truth::Unknown),
            ("2002:a01:203::1", Truth::Unknown),
            ("2001:0:808:808::f5fe:fdfc", Truth::Unknown),
            ("64:ff9b::8.8.8.8", Truth::False),
            ("2002:808:808::1", Truth::False),
            ("2001:db8::a01:203", Truth::False),
            ("::1", Truth::False),
        ] {
            assert_eq!(lies(&inner, text), truth, "{text}");
        }
        // Naming the form alone does not name what is behind it.
        assert_eq!(lies(&["64:ff9b::/96"], "64:ff9b::a01:203"), Truth::Unknown);
        assert_eq!(lies(&["64:ff9b::/96", "10.0.0.0/8"], "64:ff9b::a01:203"), Truth::True);
        assert_eq!(lies(&["::/0"], "2002:a01:203::1"), Truth::Unknown);
    }

    #[test]
    fn bits_behind_the_prefix_are_refused_with_what_was_meant() {
        let error = Network::parse("192.168.2.0/16").unwrap_err();
        assert!(error.to_string().contains("`192.168.0.0/16`"), "{error}");
        assert!(Network::parse("2001:db8::1/64").is_err());
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "::/129",
            "10/8",
            "::ffff:0.0.0.0/95",
            "010.0.0.0/8",
            "10.0.0.0/8 ",
            "fe80::1%eth0",
            "[::1]",
            "0x7f.0.0.1",
        ] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn containment_agrees_with_the_bits(
            network in any::<u32>(), other in any::<u32>(), prefix in 0..33_u8, more in 0..33_u8,
        ) {
            let net = |bits: u32, prefix: u8| {
                let first = masked(IpAddr::V4(bits.into()), prefix);
                Network::parse(&format!("{first}/{prefix}")).unwrap()
            };
            let wide = net(network, prefix);
            let same = (0..u32::from(prefix)).all(|bit| (network ^ other) & (1 << (31 - bit)) == 0);
            prop_assert_eq!(wide.contains(IpAddr::V4(other.into())), same);
            let narrow = net(other, more);
            prop_assert_eq!(narrow.is_within(&wide), more >= prefix && same);
        }
    }
}
