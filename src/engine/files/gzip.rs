//! Gzip as it arrives: bytes in, bytes out. Knows no file and holds no more than one piece.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

/// Bytes of compressed text that are taken at once: a piece may become a thousand times as much.
pub const PIECE: usize = 16 * 1024;

/// Several gzip members after each other, as one text.
#[derive(Debug)]
pub struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
}

impl Gunzip {
    /// Returns a decoder at the start of a file.
    pub fn new() -> Self {
        Gunzip { decoder: MultiGzDecoder::new(Vec::new()) }
    }

    /// Takes the next bytes, at most [`PIECE`] of them, and returns what they stand for.
    pub fn feed(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        self.decoder.write_all(piece)?;
        self.decoder.flush()?;
        Ok(std::mem::take(self.decoder.get_mut()))
    }

    /// Takes the end of the file.
    ///
    /// # Errors
    /// It came too early, or a checksum does not match.
    pub fn finish(&mut self) -> io::Result<Vec<u8>> {
        self.decoder.try_finish()?;
        Ok(std::mem::take(self.decoder.get_mut()))
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn zip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unzip(bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut gunzip = Gunzip::new();
        let mut text = Vec::new();
        for piece in bytes.chunks(piece) {
            text.extend(gunzip.feed(piece)?);
        }
        text.extend(gunzip.finish()?);
        Ok(text)
    }

    #[test]
    fn members_after_each_other_are_one_text_however_they_arrive() {
        let long: Vec<u8> = (0..200_000_u32).flat_map(|n| (n % 7919).to_le_bytes()).collect();
        let both = [zip(b"first\n"), zip(&long)].concat();
        let text = [b"first\n".as_slice(), &long].concat();
        for piece in [1, 7, 1000, both.len()] {
            assert!(unzip(&both, piece).unwrap() == text, "{piece}");
        }
    }

    #[test]
    fn a_file_that_was_cut_short_is_refused_wherever_the_cut_is() {
        let whole = zip(b"a,b\n1,2\n");
        for cut in 0..whole.len() {
            assert!(unzip(&whole[..cut], 5).is_err(), "{cut} of {}", whole.len());
        }
        assert_eq!(unzip(&whole, 5).unwrap(), b"a,b\n1,2\n");
    }
}
