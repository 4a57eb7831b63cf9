//! A target group's health checks: what may be asked for, and what AWS does without being asked.

use std::ops::RangeInclusive;

use linkway_model::load_balancer::{HealthCheck, Protocol};
use linkway_wire::elbv2::{CreateTargetGroupInput, Matcher, ModifyTargetGroupInput};

use crate::Error;
use crate::elbv2::invalid;

/// The health check parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) enabled: Option<bool>,
    pub(super) protocol: Option<&'a str>,
    pub(super) port: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) matcher: Option<&'a Matcher>,
    pub(super) interval: Option<i32>,
    pub(super) timeout: Option<i32>,
    pub(super) healthy: Option<i32>,
    pub(super) unhealthy: Option<i32>,
}

macro_rules! given {
    ($($input:ident),*) => {$(
        impl<'a> From<&'a $input> for Given<'a> {
            fn from(input: &'a $input) -> Self {
                Self {
                    enabled: input.health_check_enabled,
                    protocol: input.health_check_protocol.as_deref(),
                    port: input.health_check_port.as_deref(),
                    path: input.health_check_path.as_deref(),
                    matcher: input.matcher.as_ref(),
                    interval: input.health_check_interval_seconds,
                    timeout: input.health_check_timeout_seconds,
                    healthy: input.healthy_threshold_count,
                    unhealthy: input.unhealthy_threshold_count,
                }
            }
        }
    )*};
}

given!(CreateTargetGroupInput, ModifyTargetGroupInput);

/// The health check that a new group's request asks for.
pub(super) fn new(given: &Given<'_>) -> Result<HealthCheck, Error> {
    let protocol = protocol(given.protocol.unwrap_or("TCP"))?;
    // Defaults of Network Load Balancers. Source: the API reference, CreateTargetGroup.
    let default = HealthCheck {
        protocol,
        port: None,
        path: "/".into(),
        matcher: "200-399".into(),
        interval_seconds: 30,
        timeout_seconds: if protocol == Protocol::Http { 6 } else { 10 },
        healthy_threshold: 5,
        unhealthy_threshold: 2,
    };
    changed(default, given)
}

/// A health check with a request's changes.
pub(super) fn changed(mut check: HealthCheck, given: &Given<'_>) -> Result<HealthCheck, Error> {
    if given.enabled == Some(false) {
        return Err(invalid(
            "Health checks cannot be disabled for targets that are instances or IP addresses",
        ));
    }
    if let Some(given) = given.protocol {
        check.protocol = protocol(given)?;
    }
    if let Some(given) = given.port {
        check.port = port(given)?;
    }
    if !check.protocol.is_http() && (given.path.is_some() || given.matcher.is_some()) {
        return Err(invalid(
            "A health check path and a matcher can only be specified for health checks by HTTP and HTTPS",
        ));
    }
    if let Some(given) = given.path {
        check.path = path(given)?;
    }
    if let Some(given) = given.matcher {
        check.matcher = matcher(given)?;
    }
    number(&mut check.interval_seconds, given.interval, 5..=300, "Health check interval")?;
    number(&mut check.timeout_seconds, given.timeout, 2..=120, "Health check timeout")?;
    number(&mut check.healthy_threshold, given.healthy, 2..=10, "Healthy threshold count")?;
    number(&mut check.unhealthy_threshold, given.unhealthy, 2..=10, "Unhealthy threshold count")?;
    if check.timeout_seconds > check.interval_seconds {
        let (timeout, interval) = (check.timeout_seconds, check.interval_seconds);
        let rule = "must be smaller than or equal to the interval";
        return Err(invalid(format!("Health check timeout '{timeout}' {rule} '{interval}'")));
    }
    Ok(check)
}

fn protocol(given: &str) -> Result<Protocol, Error> {
    match given {
        "TCP" => Ok(Protocol::Tcp),
        "HTTP" => Ok(Protocol::Http),
        "HTTPS" => Ok(Protocol::Https),
        _ => Err(invalid(format!("Health check protocol '{given}' must be one of 'HTTP,HTTPS,TCP'"))),
    }
}

fn port(given: &str) -> Result<Option<u16>, Error> {
    if given == "traffic-port" {
        return Ok(None);
    }
    let number = given.parse().ok().filter(|port| *port != 0);
    number.map(Some).ok_or_else(|| {
        invalid(format!("Health check port '{given}' must be 'traffic-port' or in the range 1-65535"))
    })
}

fn path(given: &str) -> Result<String, Error> {
    let good = given.starts_with('/') && given.len() <= 1024 && given.bytes().all(|b| b.is_ascii_graphic());
    if good {
        Ok(given.to_owned())
    } else {
        Err(invalid(format!("Health check path '{given}' is not valid")))
    }
}

/// Statuses that are healthy: numbers and ranges of them, with commas between.
fn matcher(given: &Matcher) -> Result<String, Error> {
    if given.grpc_code.is_some() {
        return Err(invalid("Health checks by gRPC are not supported. Specify HttpCode"));
    }
    let text = given.http_code.as_deref().unwrap_or_default();
    let code = |text: &str| text.parse().ok().filter(|code: &u16| (200..=599).contains(code));
    let good = text.split(',').all(|part| match part.split_once('-') {
        Some((first, last)) => code(first).zip(code(last)).is_some_and(|(first, last)| first <= last),
        None => code(part).is_some(),
    });
    if good {
        Ok(text.to_owned())
    } else {
        Err(invalid(format!("Health check matcher HTTP code '{text}' must be within the range 200-599")))
    }
}

fn number(value: &mut u32, given: Option<i32>, range: RangeInclusive<u32>, what: &str) -> Result<(), Error> {
    let Some(given) = given else { return Ok(()) };
    *value = u32::try_from(given).ok().filter(|given| range.contains(given)).ok_or_else(|| {
        invalid(format!("{what} '{given}' must be between {} and {}", range.start(), range.end()))
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(given: &Given<'_>) -> String {
        new(given).unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_those_of_network_load_balancers() {
        let tcp = new(&Given::default()).unwrap();
        assert_eq!(
            (tcp.protocol, tcp.port, tcp.interval_seconds, tcp.timeout_seconds),
            (Protocol::Tcp, None, 30, 10)
        );
        assert_eq!((tcp.healthy_threshold, tcp.unhealthy_threshold), (5, 2));
        let http = new(&Given { protocol: Some("HTTP"), ..Given::default() }).unwrap();
        assert_eq!((http.timeout_seconds, http.path.as_str(), http.matcher.as_str()), (6, "/", "200-399"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let http = || Given { protocol: Some("HTTP"), ..Given::default() };
        assert!(refusal(&Given { interval: Some(4), ..http() }).contains("between 5 and 300"));
        assert!(refusal(&Given { timeout: Some(121), ..http() }).contains("between 2 and 120"));
        assert!(refusal(&Given { healthy: Some(1), ..http() }).contains("between 2 and 10"));
        assert!(refusal(&Given { unhealthy: Some(-1), ..http() }).contains("between 2 and 10"));
        assert_eq!(
            refusal(&Given { interval: Some(5), ..http() }),
            "Health check timeout '6' must be smaller than or equal to the interval '5'"
        );
        assert!(refusal(&Given { path: Some("/x"), ..Given::default() }).contains("HTTP"));
        assert!(refusal(&Given { path: Some("x"), ..http() }).contains("not valid"));
        assert!(refusal(&Given { protocol: Some("UDP"), ..http() }).contains("must be one of"));
        assert!(refusal(&Given { enabled: Some(false), ..http() }).contains("cannot be disabled"));
        for bad in ["0", "65536", "http", ""] {
            assert!(refusal(&Given { port: Some(bad), ..http() }).contains("traffic-port"), "{bad}");
        }
        for bad in ["", "99", "200-", "300-200", "200,600", "2xx"] {
            let given = Matcher { http_code: Some(bad.into()), grpc_code: None };
            assert!(refusal(&Given { matcher: Some(&given), ..http() }).contains("200-599"), "{bad}");
        }
    }

    #[test]
    fn what_can_be_is_kept() {
        let codes = Matcher { http_code: Some("200,301-302".into()), grpc_code: None };
        let given = Given {
            protocol: Some("HTTP"),
            port: Some("8080"),
            path: Some("/health?full=1"),
            matcher: Some(&codes),
            interval: Some(5),
            timeout: Some(2),
            healthy: Some(2),
            unhealthy: Some(3),
            enabled: Some(true),
        };
        let check = new(&given).unwrap();
        assert_eq!((check.port, check.path.as_str()), (Some(8080), "/health?full=1"));
        assert_eq!(check.matcher, "200,301-302");
        // Back to the target's own port, and nothing else changed.
        let back = changed(check.clone(), &Given { port: Some("traffic-port"), ..Given::default() }).unwrap();
        assert_eq!(back, HealthCheck { port: None, ..check });
    }
}
