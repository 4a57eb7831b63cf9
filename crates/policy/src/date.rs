//! Dates: ISO 8601 as the W3C profiles it (`2026-06-01T12:00:00.5+02:00`, or less of it), and seconds since
//! 1970.

/// A moment. The order is time's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

impl Moment {
    /// Reads a date. A date without a time is its midnight, a time without an offset is UTC's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        epoch(text).or_else(|| iso(text))
    }
}

/// Seconds since 1970, with or without a fraction. Four digits alone are a year, not an hour of 1970.
fn epoch(text: &str) -> Option<Moment> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) || text.len() == 4 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanoseconds = nanoseconds(fraction)?;
    if whole.starts_with('-') && nanoseconds > 0 {
        return Some(Moment { seconds: seconds.checked_sub(1)?, nanoseconds: 1_000_000_000 - nanoseconds });
    }
    Some(Moment { seconds, nanoseconds })
}

fn iso(text: &str) -> Option<Moment> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut fields = date.split('-');
    let year = number(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |field| number(field, 2))?;
    let day = fields.next().map_or(Some(1), |field| number(field, 2))?;
    if fields.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let (time, nanoseconds) = time.map_or(Some((0, 0)), time_of_day)?;
    Some(Moment { seconds: days_since_1970(year, month, day) * 86_400 + time, nanoseconds })
}

/// `hh:mm[:ss[.fraction]][Z|±hh:mm]` as seconds since midnight UTC and nanoseconds.
fn time_of_day(text: &str) -> Option<(i64, u32)> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else if let Some(at) = text.rfind(['+', '-']) {
        let (clock, offset) = text.split_at(at);
        let (hours, minutes) = match offset[1..].split_once(':') {
            Some(parts) => parts,
            None => offset[1..].split_at_checked(2)?,
        };
        let seconds =
            number(hours, 2).filter(|h| *h < 24)? * 3600 + number(minutes, 2).filter(|m| *m < 60)? * 60;
        (clock, if offset.starts_with('-') { -seconds } else { seconds })
    } else {
        (text, 0)
    };
    let mut fields = clock.split(':');
    let hours = number(fields.next()?, 2).filter(|h| *h < 24)?;
    let minutes = number(fields.next()?, 2).filter(|m| *m < 60)?;
    let (seconds, fraction) = match fields.next() {
        // A leap second counts as the second after it.
        Some(field) => {
            let (whole, fraction) = field.split_once('.').unwrap_or((field, "0"));
            (number(whole, 2).filter(|s| *s <= 60)?, nanoseconds(fraction)?)
        }
        None => (0, 0),
    };
    if fields.next().is_some() {
        return None;
    }
    Some((hours * 3600 + minutes * 60 + seconds - offset, fraction))
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    if text.len() != digits || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The digits after the point; more than nine are cut off.
fn nanoseconds(digits: &str) -> Option<u32> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.bytes().chain(std::iter::repeat(b'0')).take(9).fold(0, |n, b| n * 10 + u32::from(b - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counted from 1 March, so that the leap day is the last of its year (proleptic Gregorian calendar).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        Moment::parse(text).expect(text).seconds
    }

    #[test]
    fn known_dates() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("2000-02-29T00:00:00Z"), 951_782_400);
        assert_eq!(seconds("2026-06-01T00:00:00Z"), 1_780_272_000);
        assert_eq!(seconds("1969-12-31T23:59:59Z"), -1);
    }

    #[test]
    fn one_moment_has_many_spellings() {
        let moment = Moment::parse("2026-06-01T00:00:00Z");
        for same in [
            "1780272000",
            "1780272000.0",
            "2026-06",
            "2026-06-01",
            "2026-06-01T00:00Z",
            "2026-06-01T00:00:00",
            "2026-06-01T00:00:00.000Z",
            "2026-06-01T02:00:00+02:00",
            "2026-05-31T18:30:00-0530",
        ] {
            assert_eq!(Moment::parse(same), moment, "{same}");
        }
        assert_eq!(seconds("2026"), seconds("2026-01-01"));
    }

    #[test]
    fn fractions_order() {
        assert!(Moment::parse("2026-06-01T00:00:00.25Z") < Moment::parse("2026-06-01T00:00:00.3Z"));
        assert!(Moment::parse("-1.5") < Moment::parse("-1"));
    }

    #[test]
    fn other_text_is_no_date() {
        for text in [
            "",
            "nonsense",
            "2026-13-01",
            "2026-02-29",
            "2026-06-01T24:00:00Z",
            "2026-06-01T00:60Z",
            "2026-6-1",
            "T00:00Z",
            "2026-06-01Tnoon",
            "2026-06-01T00:00:00+é",
            "99999999999999999999",
        ] {
            assert_eq!(Moment::parse(text), None, "{text:?}");
        }
    }
}
