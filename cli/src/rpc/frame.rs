//! Frames: lines of bounded length.

use std::io::{self, BufRead, Read};

/// The most bytes of one message. Results of ten megabytes pass, images and all; what never ends is not a message.
pub(crate) const MAX_FRAME: usize = 64 << 20;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A line without its end.
    Line(Vec<u8>),
    /// A line of more bytes than a message may have. All of it was thrown away.
    TooLong,
}

/// Reads frames. A last line without its end is none: whatever wrote it did not finish.
pub(crate) struct Frames<R> {
    reader: R,
    most: usize,
}

impl<R: BufRead> Frames<R> {
    pub(crate) fn new(reader: R, most: usize) -> Self {
        Frames { reader, most }
    }

    /// The next frame that is not empty; `None` at the end.
    ///
    /// # Errors
    /// If nothing can be read any more.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let mut line = Vec::new();
            // A byte more than a message may have, and one for the end of the line.
            let most = u64::try_from(self.most).unwrap_or(u64::MAX).saturating_add(1);
            self.reader.by_ref().take(most).read_until(b'\n', &mut line)?;
            match line.pop() {
                None => return Ok(None),
                Some(b'\n') => {}
                Some(_) if line.len() < self.most => return Ok(None),
                Some(_) => {
                    drop(line);
                    return Ok(self.skip_line()?.then_some(Frame::TooLong));
                }
            }
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if !line.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
                return Ok(Some(Frame::Line(line)));
            }
        }
    }

    /// Throws away what is left of a line; whether it had an end.
    fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let read = self.reader.fill_buf()?;
            if read.is_empty() {
                return Ok(false);
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(read.len(), |at| at + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &[u8], most: usize) -> Vec<Frame> {
        // Two bytes at a time, so that lines lie across what is read at once.
        let mut frames = Frames::new(io::BufReader::with_capacity(2, text), most);
        std::iter::from_fn(|| frames.next().unwrap()).collect()
    }

    fn line(text: &[u8]) -> Frame {
        Frame::Line(text.to_vec())
    }

    #[test]
    fn lines_come_without_their_ends_and_empty_ones_not_at_all() {
        assert_eq!(frames(b"{}\n\r\n \n[1]\r\n\n", 9), [line(b"{}"), line(b"[1]")]);
        assert_eq!(frames(b"", 9), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_thrown_away_and_the_next_is_read() {
        assert_eq!(
            frames(b"1234\n12345\n123456789\n12\n", 4),
            [line(b"1234"), Frame::TooLong, Frame::TooLong, line(b"12")]
        );
    }

    #[test]
    fn what_has_no_end_is_no_message() {
        assert_eq!(frames(b"12\n34", 4), [line(b"12")]);
        assert_eq!(frames(b"12\n3456789", 4), [line(b"12")]);
    }
}
