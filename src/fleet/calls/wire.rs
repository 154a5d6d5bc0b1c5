//! The bytes of messages between nodes. What is read here is believed once its tag or seal was checked.

/// The version, which every message begins with.
const VERSION: u8 = 1;

/// The longest message: a call with its arguments, an identity and a context.
pub(super) const MAX_MESSAGE: usize = 8 << 20;

pub(super) const TAG: usize = 32;
const HELLO: u8 = 1;
const WELCOME: u8 = 2;
const REQUEST: u8 = 3;
const REPLY: u8 = 4;
const REFUSED: u8 = 5;

/// One life of a node, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeLife {
    pub(super) name: Box<str>,
    pub(super) incarnation: [u8; 16],
}

/// Which way a sealed message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Reply,
}

/// A message, taken apart.
#[derive(Debug)]
pub(super) enum Message<'m> {
    /// A node would speak to another: what is signed, and the tag.
    Hello {
        from: NodeLife,
        to: NodeLife,
        signed: &'m [u8],
        tag: &'m [u8; TAG],
    },
    /// It may, in this session.
    Welcome {
        session: [u8; 16],
        signed: &'m [u8],
        tag: &'m [u8; TAG],
    },
    Sealed(Sealed<'m>),
    /// The home took nothing of it. Not a member's word, and so nothing is concluded from it.
    Refused,
}

/// A sealed message.
#[derive(Debug)]
pub(super) struct Sealed<'m> {
    pub(super) direction: Direction,
    pub(super) session: [u8; 16],
    /// The nonce: in a session it only rises.
    pub(super) counter: u64,
    /// The id of the request, which a reply repeats.
    pub(super) id: [u8; 16],
    /// Everything before the ciphertext.
    pub(super) header: &'m [u8],
    pub(super) ciphertext: &'m [u8],
}

impl NodeLife {
    pub(super) fn push_to(&self, bytes: &mut Vec<u8>) {
        // A name is at most 64 bytes long.
        bytes.push(u8::try_from(self.name.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(self.name.as_bytes());
        bytes.extend_from_slice(&self.incarnation);
    }

    fn read(bytes: &[u8]) -> Option<(NodeLife, &[u8])> {
        let (length, rest) = bytes.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (incarnation, rest) = rest.split_first_chunk::<16>()?;
        let name = std::str::from_utf8(name).ok()?.into();
        Some((NodeLife { name, incarnation: *incarnation }, rest))
    }
}

/// The bytes of a hello, but for its tag.
pub(super) fn hello(from: &NodeLife, to: &NodeLife, fresh: &[u8; 32]) -> Vec<u8> {
    let mut bytes = vec![VERSION, HELLO];
    from.push_to(&mut bytes);
    to.push_to(&mut bytes);
    bytes.extend_from_slice(fresh);
    bytes
}

/// The bytes of a welcome, but for its tag.
pub(super) fn welcome(session: &[u8; 16], fresh: &[u8; 32]) -> Vec<u8> {
    [&[VERSION, WELCOME][..], session, fresh].concat()
}

/// What stands before a ciphertext of this length.
pub(super) fn header(
    direction: Direction,
    session: &[u8; 16],
    counter: u64,
    id: &[u8; 16],
    length: usize,
) -> Vec<u8> {
    let kind = match direction {
        Direction::Request => REQUEST,
        Direction::Reply => REPLY,
    };
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [&[VERSION, kind][..], session, &counter.to_be_bytes(), id, &length].concat()
}

pub(super) fn refused() -> Vec<u8> {
    vec![VERSION, REFUSED]
}

impl<'m> Message<'m> {
    /// Takes a message apart; `None` of what is none, is cut, or has more behind it.
    pub(super) fn read(bytes: &'m [u8]) -> Option<Message<'m>> {
        if bytes.len() > MAX_MESSAGE {
            return None;
        }
        let ([VERSION, kind], rest) = bytes.split_first_chunk::<2>()? else { return None };
        match *kind {
            HELLO => {
                let (from, rest) = NodeLife::read(rest)?;
                let (to, rest) = NodeLife::read(rest)?;
                let (_, tag) = rest.split_first_chunk::<32>()?;
                let tag: &[u8; TAG] = tag.try_into().ok()?;
                let (signed, _) = bytes.split_last_chunk::<TAG>()?;
                Some(Message::Hello { from, to, signed, tag })
            }
            WELCOME => {
                let (session, rest) = rest.split_first_chunk::<16>()?;
                let (_, tag) = rest.split_first_chunk::<32>()?;
                let tag: &[u8; TAG] = tag.try_into().ok()?;
                let (signed, _) = bytes.split_last_chunk::<TAG>()?;
                Some(Message::Welcome { session: *session, signed, tag })
            }
            REQUEST | REPLY => {
                let direction =
                    if *kind == REQUEST { Direction::Request } else { Direction::Reply };
                let (session, rest) = rest.split_first_chunk::<16>()?;
                let (counter, rest) = rest.split_first_chunk::<8>()?;
                let (id, rest) = rest.split_first_chunk::<16>()?;
                let (length, ciphertext) = rest.split_first_chunk::<4>()?;
                if usize::try_from(u32::from_be_bytes(*length)).ok()? != ciphertext.len() {
                    return None;
                }
                let (header, _) = bytes.split_at_checked(bytes.len() - ciphertext.len())?;
                let (session, counter, id) = (*session, u64::from_be_bytes(*counter), *id);
                Some(Message::Sealed(Sealed {
                    direction,
                    session,
                    counter,
                    id,
                    header,
                    ciphertext,
                }))
            }
            REFUSED if rest.is_empty() => Some(Message::Refused),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_cut_or_goes_on_is_none() {
        let life = |name: &str| NodeLife { name: name.into(), incarnation: [7; 16] };
        let mut hello = hello(&life("n1"), &life("n2"), &[1; 32]);
        hello.extend_from_slice(&[2; TAG]);
        let mut welcome = welcome(&[3; 16], &[4; 32]);
        welcome.extend_from_slice(&[5; TAG]);
        let mut sealed = header(Direction::Reply, &[3; 16], 9, &[6; 16], 5);
        sealed.extend_from_slice(b"12345");
        for whole in [hello, welcome, sealed, refused()] {
            assert!(Message::read(&whole).is_some());
            for length in 0..whole.len() {
                assert!(Message::read(&whole[..length]).is_none(), "{length} of {whole:?}");
            }
            assert!(Message::read(&[&whole[..], &[0]].concat()).is_none());
            let other = [&[2][..], &whole[1..]].concat();
            assert!(Message::read(&other).is_none(), "another version");
        }
    }
}
