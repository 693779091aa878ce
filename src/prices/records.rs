//! Records of a CSV file (RFC 4180) that arrives in pieces: bytes in, whole records out.
//!
//! Keeps one record in memory, whatever the size of the file. Knows nothing of what stands in the cells.

/// Longest record, in bytes: far above a line of a price list, far below what would fill a machine.
const LONGEST: usize = 1 << 20;

/// Where in the text the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a cell, or before it.
    Plain,
    /// Between the quotes of a cell.
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first half of a doubled quote.
    Quote,
}

/// A record is longer than any price list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The reader: its state between two pieces.
#[derive(Debug)]
pub struct Records {
    at: At,
    cell: Vec<u8>,
    cells: Vec<String>,
    length: usize,
}

impl Records {
    /// Returns the reader at the start of a file.
    pub fn new() -> Self {
        Records { at: At::Plain, cell: Vec::new(), cells: Vec::new(), length: 0 }
    }

    /// Reads a piece, and hands each record that ends in it to `each`.
    ///
    /// # Errors
    /// A record that does not end, or what `each` says.
    pub fn push<E: From<TooLong>>(
        &mut self,
        piece: &[u8],
        mut each: impl FnMut(&[String]) -> Result<(), E>,
    ) -> Result<(), E> {
        for &byte in piece {
            self.length += 1;
            if self.length > LONGEST {
                return Err(TooLong.into());
            }
            if self.take(byte) {
                each(&self.cells)?;
                self.cells.clear();
                self.length = 0;
            }
        }
        Ok(())
    }

    /// Returns true when the file ended where a record ended.
    pub fn is_between_records(&self) -> bool {
        self.at == At::Plain && self.cell.is_empty() && self.cells.is_empty()
    }

    /// Takes one byte; true when it ended a record.
    fn take(&mut self, byte: u8) -> bool {
        match (self.at, byte) {
            (At::Plain, b'"') if self.cell.is_empty() => self.at = At::Quoted,
            (At::Quoted, b'"') => self.at = At::Quote,
            (At::Quote, b'"') => {
                self.cell.push(byte);
                self.at = At::Quoted;
            }
            (At::Plain | At::Quote, b',') => self.end_cell(),
            (At::Plain | At::Quote, b'\n') => {
                self.end_cell();
                return true;
            }
            (At::Quote, b'\r') => {}
            _ => self.cell.push(byte),
        }
        false
    }

    fn end_cell(&mut self) {
        if self.at == At::Plain && self.cell.last() == Some(&b'\r') {
            self.cell.pop();
        }
        self.cells.push(String::from_utf8_lossy(&self.cell).into_owned());
        self.cell.clear();
        self.at = At::Plain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, piece: usize) -> (Vec<Vec<String>>, bool) {
        let (mut records, mut found) = (Records::new(), Vec::new());
        for piece in text.as_bytes().chunks(piece) {
            let each = |cells: &[String]| {
                found.push(cells.to_vec());
                Ok::<(), TooLong>(())
            };
            records.push(piece, each).unwrap();
        }
        (found, records.is_between_records())
    }

    #[test]
    fn records_are_the_same_however_the_file_is_cut() {
        let text = "\"a\",\"b, \"\"c\"\"\",\"\"\r\nplain,\"two\nlines\",é\n";
        let whole = [vec!["a", "b, \"c\"", ""], vec!["plain", "two\nlines", "é"]];
        for piece in 1..text.len() {
            let (found, ended) = read(text, piece);
            assert_eq!(found, whole);
            assert!(ended);
        }
    }

    #[test]
    fn a_file_that_ends_inside_a_record_is_cut_short() {
        for cut in ["a,b\n\"c", "a,b\nc,d", "a,b\n\"c\""] {
            assert!(!read(cut, 3).1, "{cut}");
        }
    }

    #[test]
    fn a_record_without_end_is_refused() {
        let mut records = Records::new();
        let endless = vec![b'"'; 1].into_iter().chain(vec![b'x'; LONGEST + 1]).collect::<Vec<_>>();
        assert_eq!(records.push(&endless, |_| Ok::<(), TooLong>(())), Err(TooLong));
    }
}
