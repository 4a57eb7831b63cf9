//! The statuses that count as healthy: AWS's matcher, such as `200-399` or `200,202`.

/// Whether a matcher lets a status pass. Parts of it that cannot be read let nothing pass.
pub(crate) fn matches(matcher: &str, status: u16) -> bool {
    matcher.split(',').any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
            (Ok(first), Ok(last)) => (first..=last).contains(&status),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn lists_and_ranges_and_both() {
        assert!(matches("200-399", 200) && matches("200-399", 399));
        assert!(!matches("200-399", 404) && !matches("200-399", 199));
        assert!(matches("200, 202,300-302", 202) && matches("200, 202,300-302", 301));
        assert!(!matches("200,202", 201));
        assert!(!matches("", 200) && !matches("ok", 200) && !matches("399-200", 300));
    }
}
