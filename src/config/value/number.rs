//! Decimal numbers with a unit, exactly: no floating point, so that what is written is what is meant.

/// Splits the text behind its leading characters of one sort.
pub(super) fn split_leading(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Takes the digits and the decimal point that a text begins with.
pub(super) fn split_number(text: &str) -> (&str, &str) {
    split_leading(text, |c| c.is_ascii_digit() || c == '.')
}

/// `number` times `unit`; the error is a reason for a person.
pub(super) fn scaled(number: &str, unit: u128) -> Result<u128, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(format!("`{number}` is not a decimal number"));
    }
    let too_long = || format!("`{number}` has too many digits");
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    // A fraction of 18 digits times the largest unit (2^60) stays below 2^128.
    let digits = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    if digits > 18 {
        return Err(too_long());
    }
    let fraction = fraction.parse::<u128>().map_err(|_| too_long())? * unit;
    let divisor = 10_u128.pow(digits);
    if !fraction.is_multiple_of(divisor) {
        return Err(format!(
            "`{number}` has more decimals than its unit can hold"
        ));
    }
    Ok(u128::from(whole) * unit + fraction / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: &str, unit: u128, expected: Result<u128, &str>) {
        assert_eq!(scaled(number, unit), expected.map_err(str::to_owned));
    }

    #[test]
    fn whole_and_decimal_numbers_are_exact() {
        check("0", 1024, Ok(0));
        check("007", 10, Ok(70));
        check("1.5", 1 << 30, Ok(3 << 29));
        check(
            "18446744073709551615",
            1 << 60,
            Ok(u128::from(u64::MAX) << 60),
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        check("", 1, Err("`` is not a decimal number"));
        check("1.", 1, Err("`1.` is not a decimal number"));
        check(".5", 1, Err("`.5` is not a decimal number"));
        check("1.2.3", 1, Err("`1.2.3` is not a decimal number"));
    }

    #[test]
    fn nothing_is_rounded_in_silence() {
        check(
            "0.5",
            1,
            Err("`0.5` has more decimals than its unit can hold"),
        );
        check(
            "0.0000000000000000001",
            1,
            Err("`0.0000000000000000001` has too many digits"),
        );
        check(
            "18446744073709551616",
            1,
            Err("`18446744073709551616` has too many digits"),
        );
    }
}
