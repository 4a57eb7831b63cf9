//! From the model's names to Rust's.

/// Words that Rust keeps for itself and that members are called.
const KEYWORDS: [&str; 8] = ["type", "return", "match", "use", "ref", "move", "static", "where"];

/// Runs of capitals that the models do not write as one word.
const WORDS: [(&str, &str); 6] =
    [("IPv4", "Ipv4"), ("IPv6", "Ipv6"), ("IDs", "Ids"), ("ARNs", "Arns"), ("IPs", "Ips"), ("AZs", "Azs")];

/// `CidrBlock` → `cidr_block`, `DNSName` → `dns_name`.
pub(crate) fn snake_case(name: &str) -> String {
    let name = WORDS.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_uppercase() && letters[at - 1] != '_';
        let ends_run = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || ends_run) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A member's field: snake case, and an underscore after what is a keyword.
pub(crate) fn field(member: &str) -> String {
    let mut field = snake_case(member);
    if KEYWORDS.contains(&field.as_str()) {
        field.push('_');
    }
    field
}

/// The first letter made a capital, as EC2 does with a `locationName` in requests.
pub(crate) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_read_as_rust_fields() {
        for (member, expected) in [
            ("VpcId", "vpc_id"),
            ("Ipv6CidrBlock", "ipv6_cidr_block"),
            ("PrivateIPv4Address", "private_ipv4_address"),
            ("EnableDnsSupport", "enable_dns_support"),
            ("DNSName", "dns_name"),
            ("IpamPoolARNs", "ipam_pool_arns"),
            ("Return", "return_"),
            ("Type", "type_"),
        ] {
            assert_eq!(field(member), expected);
        }
    }

    #[test]
    fn only_the_first_letter_is_made_a_capital() {
        assert_eq!(capitalised("dryRun"), "DryRun");
        assert_eq!(capitalised(""), "");
    }
}
