//! Protocols and ports as AWS writes them.

use linkway_model::security_group::Traffic;

use crate::Error;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// AWS's name of a protocol: a word for the four that have one, `-1` for all, else the number.
pub(crate) fn name(protocol: Option<u8>) -> String {
    match protocol {
        None => "-1".into(),
        Some(ICMP) => "icmp".into(),
        Some(TCP) => "tcp".into(),
        Some(UDP) => "udp".into(),
        Some(ICMPV6) => "icmpv6".into(),
        Some(number) => number.to_string(),
    }
}

fn parse(text: &str) -> Result<Option<u8>, Error> {
    match text.to_ascii_lowercase().as_str() {
        "-1" | "all" => Ok(None),
        "icmp" => Ok(Some(ICMP)),
        "tcp" => Ok(Some(TCP)),
        "udp" => Ok(Some(UDP)),
        "icmpv6" => Ok(Some(ICMPV6)),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| invalid(format!("Invalid value '{text}' for IP protocol. Unknown protocol."))),
    }
}

/// Which packets a rule is about. Ports of protocols that have none are let go, as AWS does: so the rule for all
/// traffic is the same whether a client writes no ports, 0 or -1.
pub(crate) fn traffic(protocol: Option<&str>, from: Option<i32>, to: Option<i32>) -> Result<Traffic, Error> {
    let protocol = protocol.ok_or_else(|| {
        invalid(
            "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
        )
    })?;
    let protocol = parse(protocol)?;
    let (from, to) = match protocol {
        Some(TCP | UDP) => ports(from, to)?,
        Some(ICMP) => {
            let both = from.zip(to).ok_or_else(|| both_missing("ICMP"))?;
            icmp(both)?
        }
        Some(ICMPV6) => icmp((from.unwrap_or(-1), to.unwrap_or(-1)))?,
        None | Some(_) => return Ok(Traffic { protocol, from: None, to: None }),
    };
    Ok(Traffic { protocol, from: Some(from), to: Some(to) })
}

fn ports(from: Option<i32>, to: Option<i32>) -> Result<(i32, i32), Error> {
    let (from, to) = from.zip(to).ok_or_else(|| both_missing("TCP/UDP"))?;
    for (port, side) in [(from, "from"), (to, "to")] {
        if !(0..=65535).contains(&port) {
            return Err(invalid(format!("TCP/UDP ({side}) port ({port}) out of range")));
        }
    }
    if from > to {
        return Err(invalid(format!("Invalid TCP/UDP port range ({from}:{to})")));
    }
    Ok((from, to))
}

fn icmp((kind, code): (i32, i32)) -> Result<(i32, i32), Error> {
    for (value, what) in [(kind, "type"), (code, "code")] {
        if !(-1..=255).contains(&value) {
            return Err(invalid(format!("ICMP {what} ({value}) out of range")));
        }
    }
    if kind == -1 && code != -1 {
        return Err(invalid(format!("ICMP code ({code}) must be -1 if the type is -1")));
    }
    Ok((kind, code))
}

fn both_missing(protocol: &str) -> Error {
    invalid(format!("Invalid value for portRange. Must specify both from and to ports with {protocol}."))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidParameterValue(message.into())
}

/// The traffic in the words of AWS's messages, such as `TCP, from port: 80, to port: 80`.
pub(crate) fn words(traffic: &Traffic) -> String {
    let number = |value: Option<i32>| value.unwrap_or(-1);
    let any = |value: Option<i32>| match number(value) {
        -1 => "ALL".to_owned(),
        value => value.to_string(),
    };
    match traffic.protocol {
        None => "ALL".into(),
        Some(protocol @ (TCP | UDP)) => {
            let name = name(Some(protocol)).to_uppercase();
            format!("{name}, from port: {}, to port: {}", number(traffic.from), number(traffic.to))
        }
        Some(protocol @ (ICMP | ICMPV6)) => {
            let name = name(Some(protocol)).to_uppercase();
            format!("{name}, type: {}, code: {}", any(traffic.from), any(traffic.to))
        }
        Some(protocol) => format!("protocol: {protocol}"),
    }
}
