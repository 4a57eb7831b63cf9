//! The daily time for backups and the weekly time for maintenance. Both are kept and shown; nothing happens then.

use crate::Error;
use crate::rds::invalid;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;

/// Minutes that a window has at least.
const LEAST: u32 = 30;

/// A stretch of the week, in minutes since Monday began; the end may be past the week's.
struct Stretch {
    start: u32,
    length: u32,
}

/// Refuse windows that are none, or that overlap.
pub(super) fn check(backup: &str, maintenance: &str) -> Result<(), Error> {
    let daily = read_backup(backup).ok_or_else(|| {
        invalid(format!(
            "Invalid backup window format: {backup}. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). \
             Example: 04:00-04:30"
        ))
    })?;
    let weekly = read_maintenance(maintenance).ok_or_else(|| {
        invalid(format!(
            "Invalid maintenance window format: {maintenance}. Should be specified as a range \
             ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: Sun:23:45-Mon:00:15"
        ))
    })?;
    for (stretch, what) in [(&daily, "backup"), (&weekly, "maintenance")] {
        if stretch.length < LEAST {
            return Err(invalid(format!("The {what} window must be at least {LEAST} minutes.")));
        }
    }
    let overlaps = (0..7).any(|day| {
        let start = daily.start + day * DAY;
        let after = |from: u32, to: u32| (to + WEEK - from % WEEK) % WEEK;
        after(start, weekly.start) < daily.length || after(weekly.start, start) < weekly.length
    });
    if overlaps {
        return Err(Error::InvalidParameterCombination(
            "The backup window and maintenance window must not overlap.".into(),
        ));
    }
    Ok(())
}

/// Windows for a DB instance that was given none, from a number that is its own. As AWS's they are of thirty
/// minutes in a night of eight hours, and do not overlap.
pub(super) fn usual(seed: usize) -> (String, String) {
    let backup = seed % 16;
    let maintenance = (backup + 1 + seed / 16 % 15) % 16;
    let day = DAYS[seed / 256 % 7];
    let clock = |half_hours: usize| {
        let minutes = 3 * 60 + half_hours * 30;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    };
    (
        format!("{}-{}", clock(backup), clock(backup + 1)),
        format!("{day}:{}-{day}:{}", clock(maintenance), clock(maintenance + 1)),
    )
}

fn read_backup(text: &str) -> Option<Stretch> {
    let (start, end) = text.split_once('-')?;
    let (start, end) = (minutes(start)?, minutes(end)?);
    Some(Stretch { start, length: (end + DAY - start) % DAY })
}

fn read_maintenance(text: &str) -> Option<Stretch> {
    let moment = |text: &str| {
        let (day, time) = text.split_once(':')?;
        let day = DAYS.iter().position(|name| day.eq_ignore_ascii_case(name))?;
        Some(u32::try_from(day).ok()? * DAY + minutes(time)?)
    };
    let (start, end) = text.split_once('-')?;
    let (start, end) = (moment(start)?, moment(end)?);
    Some(Stretch { start, length: (end + WEEK - start) % WEEK })
}

/// Minutes of a day, of `hh24:mi`.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_windows_are_good_ones() {
        for seed in 0..2000 {
            let (backup, maintenance) = usual(seed);
            check(&backup, &maintenance).unwrap_or_else(|error| panic!("{backup} {maintenance}: {error}"));
        }
    }

    #[test]
    fn what_windows_cannot_be() {
        let refused = |backup, maintenance| check(backup, maintenance).unwrap_err().to_string();
        for bad in
            ["", "4:00-05:00", "04:00", "24:00-04:00", "04:60-05:00", "mon:04:00-mon:05:00", "+4:00-05:00"]
        {
            assert!(refused(bad, "mon:10:00-mon:11:00").starts_with("Invalid backup window"), "{bad}");
        }
        for bad in ["", "10:00-11:00", "day:10:00-mon:11:00", "mon:10:00-mon:25:00"] {
            assert!(refused("04:00-05:00", bad).starts_with("Invalid maintenance window"), "{bad}");
        }
        assert!(refused("04:00-04:29", "mon:10:00-mon:11:00").contains("at least 30"));
        assert!(refused("04:00-05:00", "mon:10:00-mon:10:10").contains("at least 30"));
        for (backup, maintenance) in [
            ("04:00-05:00", "wed:04:30-wed:06:00"),
            ("04:00-05:00", "wed:03:00-wed:06:00"),
            ("23:30-00:30", "mon:00:00-mon:01:00"),
            ("23:30-00:30", "sun:23:45-mon:00:15"),
        ] {
            assert!(refused(backup, maintenance).contains("overlap"), "{backup} {maintenance}");
        }
        check("04:00-05:00", "wed:05:00-wed:06:00").unwrap();
        check("23:30-00:30", "Sun:22:45-sun:23:30").unwrap();
    }
}
