//! Decimal numbers of any length, compared digit by digit: no account id or size is rounded.

use std::cmp::Ordering;

/// A number, as slices of its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    /// Without leading zeros.
    whole: &'a str,
    /// Without trailing zeros.
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads `-12.50` and the like: no spaces, no exponent.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: sign && !zero, whole, fraction })
    }

    pub(crate) fn compare(self, other: Decimal<'_>) -> Ordering {
        let magnitude = || {
            let whole = self.whole.len().cmp(&other.whole.len()).then_with(|| self.whole.cmp(other.whole));
            // Fractions line up at the point, so text order is number order.
            whole.then_with(|| self.fraction.cmp(other.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }
}

/// A number that a policy keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnedDecimal {
    negative: bool,
    whole: Box<str>,
    fraction: Box<str>,
}

impl OwnedDecimal {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Decimal { negative, whole, fraction } = Decimal::parse(text)?;
        Some(Self { negative, whole: whole.into(), fraction: fraction.into() })
    }

    pub(crate) fn borrow(&self) -> Decimal<'_> {
        Decimal { negative: self.negative, whole: &self.whole, fraction: &self.fraction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Ordering {
        Decimal::parse(a).expect(a).compare(Decimal::parse(b).expect(b))
    }

    #[test]
    fn spellings_of_one_number_are_equal() {
        for same in ["10", "10.0", "010", "+10", "10."] {
            assert_eq!(compare("10", same), Ordering::Equal, "{same}");
        }
        assert_eq!(compare("-0", "0"), Ordering::Equal);
        assert_eq!(compare(".5", "0.50"), Ordering::Equal);
    }

    #[test]
    fn order_is_by_value() {
        for (less, more) in [("9", "10"), ("-10", "-9"), ("-1", "0"), ("0.09", "0.1"), ("299.999", "300")] {
            assert_eq!(compare(less, more), Ordering::Less, "{less} < {more}");
            assert_eq!(compare(more, less), Ordering::Greater, "{more} > {less}");
        }
    }

    #[test]
    fn long_numbers_are_exact() {
        assert_eq!(compare("90071992547409930", "90071992547409931"), Ordering::Less);
    }

    #[test]
    fn other_text_is_no_number() {
        for text in ["", "-", ".", "abc", "1e1", " 10", "10 ", "0x10", "1.2.3", "--1", "١"] {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
    }
}
