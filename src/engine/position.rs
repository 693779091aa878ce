//! Where an error of the SQL parser stands, taken out of its message.

/// Returns the message without its position, and the position (line and column, from 1) where it has one.
pub fn sql_position(message: &str) -> (String, Option<(usize, usize)>) {
    let plain = |text: &str| text.trim_start_matches("sql parser error: ").trim_end().to_owned();
    let Some((what, rest)) = message.rsplit_once(" at Line: ") else { return (plain(message), None) };
    let at = rest.split_once(", Column: ").and_then(|(line, column)| {
        let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
        Some((line.trim().parse().ok()?, digits.parse().ok()?))
    });
    (plain(what), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_taken_out_of_the_message() {
        let message = "sql parser error: Expected: an expression, found: from at Line: 3, Column: 8";
        assert_eq!(sql_position(message), ("Expected: an expression, found: from".to_owned(), Some((3, 8))));
        assert_eq!(sql_position("no such thing"), ("no such thing".to_owned(), None));
    }
}
