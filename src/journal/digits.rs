//! Numbers in lines. There are some in the line of each request, and what `format!` does for all kinds of values costs more
//! than the rest of the line.

/// Writes a number in decimal digits.
pub(super) fn number(value: impl itoa::Integer, line: &mut String) {
    line.push_str(itoa::Buffer::new().format(value));
}

/// Writes the last `DIGITS` digits of a number, with zeros in front.
pub(super) fn padded<const DIGITS: usize>(mut value: u64, line: &mut String) {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += (value % 10) as u8;
        value /= 10;
    }
    line.extend(digits.map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_are_asked_for() {
        let mut line = String::new();
        number(u64::MAX, &mut line);
        number(-7_i64, &mut line);
        padded::<3>(7, &mut line);
        padded::<2>(1234, &mut line);
        assert_eq!(line, "18446744073709551615-700734");
    }
}
