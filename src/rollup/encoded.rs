//! Keys and prefixes as exports write them: percent-encoded, a space as `+`. Pure text.

/// Returns the text that `encoded` stands for. What is no code stays as it is; bytes that are no UTF-8 are replaced.
pub fn decoded(encoded: &str) -> String {
    if !encoded.contains(['%', '+']) {
        return encoded.to_owned();
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, left) = match (first, after) {
            (b'%', [high, low, left @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => (high * 16 + low, left),
                None => (*first, after),
            },
            (b'+', left) => (b' ', left),
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = left;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_text_and_what_is_no_code_stays() {
        for (encoded, plain) in [
            ("plain/text", "plain/text"),
            ("year%3D2026/a+b/%E6%97%A5/", "year=2026/a b/日/"),
            ("100%", "100%"),
            ("%zz/%4", "%zz/%4"),
            ("%2525", "%25"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decoded(encoded), plain, "{encoded}");
        }
    }
}
