//! Quotes in CSV: whether each one that is opened is closed. Looks at bytes and keeps none.
//!
//! A reader of CSV takes all that follows an open quote as one cell, up to the next quote or the end of the file: rows
//! are lost without a word.

/// The longest cell, in bytes; AWS writes none of a hundredth of it.
const LONGEST_CELL: usize = 4 << 20;

/// Where in the text the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// At the start of a cell.
    Start,
    /// In a cell without quotes, where a quote is a character.
    Plain,
    /// In a quoted cell.
    Quoted,
    /// After a quote in a quoted cell: its end, or the first of two that stand for one.
    Closed,
}

/// Follows the quotes of a text.
#[derive(Debug)]
pub struct Quotes {
    at: At,
    line: u64,
    /// Line on which the quoted cell began.
    opened: u64,
    /// Bytes of the quoted cell.
    length: usize,
}

impl Quotes {
    /// Returns the follower at the start of a text.
    pub fn new() -> Self {
        Quotes { at: At::Start, line: 1, opened: 0, length: 0 }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A quoted cell that is not closed where it should be, with the line on which it began.
    pub fn feed(&mut self, text: &[u8]) -> Result<(), String> {
        text.iter().try_for_each(|byte| self.take(*byte))
    }

    /// Takes the end of the text.
    ///
    /// # Errors
    /// It is inside a quoted cell.
    pub fn end(&self) -> Result<(), String> {
        if self.at == At::Quoted { Err(self.open()) } else { Ok(()) }
    }

    fn take(&mut self, byte: u8) -> Result<(), String> {
        self.line += u64::from(byte == b'\n');
        self.at = match (self.at, byte) {
            (At::Start, b'"') => {
                (self.opened, self.length) = (self.line, 0);
                At::Quoted
            }
            (At::Start | At::Plain | At::Closed, b',' | b'\n' | b'\r') => At::Start,
            (At::Quoted, b'"') => At::Closed,
            (At::Closed, b'"') => At::Quoted,
            (At::Quoted, _) => {
                self.length += 1;
                if self.length > LONGEST_CELL {
                    return Err(self.open());
                }
                At::Quoted
            }
            // Readers take what follows as text. Over several lines it is the start of another cell, whose quote closed
            // this one.
            (At::Closed, _) if self.line > self.opened => return Err(self.open()),
            (At::Start | At::Plain | At::Closed, _) => At::Plain,
        };
        Ok(())
    }

    fn open(&self) -> String {
        format!("the quote that opens on line {} is not closed: what follows it cannot be told apart", self.opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(text: &str) -> Result<(), String> {
        let whole = |size: usize| {
            let mut quotes = Quotes::new();
            text.as_bytes().chunks(size).try_for_each(|piece| quotes.feed(piece))?;
            quotes.end()
        };
        assert_eq!(whole(1), whole(text.len().max(1)), "{text}");
        whole(7)
    }

    #[test]
    fn quotes_that_are_closed_are_fine_whatever_they_hold() {
        for text in [
            "",
            "a,b\n1,2\n",
            "\"a\",\"b\"\r\n\"1,\n2\",\"say \"\"x\"\"\"\r\n",
            "a\n\"\"\n",
            "a\n5\" pipe\n",
            "a,b\n\"{\"\"k\"\": \"\"v\"\"}\",1",
            "a\n\"{\\\"k\\\": 1}\",2\n",
        ] {
            assert_eq!(follow(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_quote_that_stays_open_is_told_with_its_line() {
        for text in ["a,b\n\"1,2\n3,4\n", "a,b\n\"1,2\n3,\"4\"\n5,6\n", "a\n\"x\ny\n\"z\"\n"] {
            assert!(follow(text).unwrap_err().contains("opens on line 2"), "{text}");
        }
        let endless = format!("a\n\"{}", "x".repeat(LONGEST_CELL + 1));
        assert!(Quotes::new().feed(endless.as_bytes()).is_err(), "not held in memory to the end");
    }
}
