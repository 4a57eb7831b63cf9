//! Checks of real listeners on loopback.

mod common;

use std::time::{Duration, Instant};

use common::{Site, Web, refused};
use linkway_model::Timestamp;
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::HealthReason::{FailedHealthChecks, ResponseCodeMismatch, Timeout};
use linkway_model::load_balancer::TargetHealth::{Healthy, Initial, Unhealthy};
use linkway_model::load_balancer::{PROXY_PROTOCOL, Protocol};
use tokio::runtime::{Builder, Handle, Runtime};

#[tokio::test]
async fn a_new_target_that_listens_is_healthy_after_one_check() {
    let web = Web::start("").await;
    let mut site = Site::new(Protocol::Tcp, &[web.port]);
    // Nothing but the check at once can make it healthy in the test's life.
    site.change_group(|group| group.health_check.interval_seconds = 3600);
    let mut checker = site.check();
    assert_eq!(checker.report().await, (web.port, Healthy));
}

#[tokio::test]
async fn a_target_that_stops_is_unhealthy_after_the_threshold_and_healthy_again_after_its_own() {
    let web = Web::start("").await;
    let (port, mut site) = (web.port, Site::new(Protocol::Tcp, &[web.port]));
    let mut checker = site.check();
    assert_eq!(checker.report().await, (port, Healthy));
    site.set_health(port, Healthy);
    checker.publish(&site);

    drop(web);
    let stopped = Instant::now();
    assert_eq!(checker.report().await, (port, Unhealthy(FailedHealthChecks)));
    assert!(stopped.elapsed() >= Duration::from_millis(900), "one failure is not enough");
    site.set_health(port, Unhealthy(FailedHealthChecks));
    checker.publish(&site);

    let _web = Web::start_on(port, "").await;
    assert_eq!(checker.report().await, (port, Healthy));
}

#[tokio::test]
async fn a_report_that_was_lost_is_made_again() {
    let web = Web::start("").await;
    let mut checker = Site::new(Protocol::Tcp, &[web.port]).check();
    for _ in 0..2 {
        assert_eq!(checker.report().await, (web.port, Healthy), "the state says `initial` all the time");
    }
}

#[tokio::test]
async fn http_checks_look_at_the_status() {
    let good = Web::start("HTTP/1.1 204 No Content\r\n\r\n").await;
    let bad = Web::start("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
    let odd = Web::start("220 mail.example.com ESMTP\r\n").await;
    let closing = Web::start("").await;
    let silent = Web::start_silent().await;
    let none = refused().await;
    let ports = [good.port, bad.port, odd.port, closing.port, silent.port, none];
    let mut checker = Site::new(Protocol::Http, &ports).check();
    let reports = checker.reports(ports.len()).await;
    assert_eq!(reports[&good.port], Healthy);
    assert_eq!(reports[&bad.port], Unhealthy(ResponseCodeMismatch));
    assert_eq!(reports[&odd.port], Unhealthy(FailedHealthChecks));
    assert_eq!(reports[&closing.port], Unhealthy(FailedHealthChecks));
    assert_eq!(reports[&silent.port], Unhealthy(Timeout));
    assert_eq!(reports[&none], Unhealthy(FailedHealthChecks));
}

#[tokio::test]
async fn https_checks_look_at_the_status_and_at_no_certificate() {
    let good = Web::start_tls("HTTP/1.1 200 OK\r\n\r\n").await;
    let bad = Web::start_tls("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
    let plain = Web::start("HTTP/1.1 200 OK\r\n\r\n").await;
    let silent = Web::start_silent().await;
    let mut checker = Site::new(Protocol::Https, &[good.port, bad.port, plain.port, silent.port]).check();
    let reports = checker.reports(4).await;
    assert_eq!(reports[&good.port], Healthy);
    assert_eq!(reports[&bad.port], Unhealthy(ResponseCodeMismatch));
    assert_eq!(reports[&plain.port], Unhealthy(FailedHealthChecks));
    assert_eq!(reports[&silent.port], Unhealthy(Timeout));
    assert!(good.request().await.starts_with("GET / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn http_checks_ask_as_a_balancer_does() {
    let web = Web::start("HTTP/1.1 200 OK\r\n\r\n").await;
    let mut site = Site::new(Protocol::Http, &[web.port]);
    site.change_group(|group| group.health_check.path = "/ready?deep=1".into());
    let mut checker = site.check();
    checker.report().await;
    let request = web.request().await;
    assert!(request.starts_with("GET /ready?deep=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nHost: 10.0.1.20:5432\r\n"), "node and listener: {request}");
    assert!(request.contains("\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"), "{request}");
}

#[tokio::test]
async fn http_checks_of_ipv6_targets_name_the_nodes_ipv6_address() {
    let web = Web::start("HTTP/1.1 200 OK\r\n\r\n").await;
    let mut site = Site::new(Protocol::Http, &[web.port]);
    site.give_node("2001:db8::20".parse().unwrap());
    site.change_group(|group| group.ip_address_type = IpAddressType::Ipv6);
    let mut running = site.check();
    let request = web.request().await;
    assert!(request.contains("\r\nHost: [2001:db8::20]:5432\r\n"), "{request}");
    assert_eq!(running.report().await, (web.port, Healthy));
}

#[tokio::test]
async fn a_port_of_the_groups_own_is_checked_instead_of_the_targets() {
    let web = Web::start("").await;
    let target = refused().await;
    let mut site = Site::new(Protocol::Tcp, &[target]);
    site.change_group(|group| {
        group.protocol = Protocol::Udp;
        group.health_check.port = Some(web.port);
    });
    assert_eq!(site.check().report().await, (target, Healthy));
}

#[tokio::test]
async fn only_targets_in_use_are_checked() {
    let [used, drained, unused] = [Web::start("").await, Web::start("").await, Web::start("").await];
    let mut site = Site::new(Protocol::Tcp, &[used.port, drained.port]);
    site.add_unused_group(unused.port);
    site.change_group(|group| group.targets[1].draining_since = Some(Timestamp::UNIX_EPOCH));
    let mut checker = site.check();
    // The others would have been checked with the first check, and after a second with the next.
    for _ in 0..2 {
        assert_eq!(checker.report().await, (used.port, Healthy));
    }
    assert_eq!((drained.connections(), unused.connections()), (0, 0));

    // The other way around, one stops and the other begins.
    site.change_group(|group| {
        group.targets[1].draining_since = None;
        group.targets[0].draining_since = Some(Timestamp::UNIX_EPOCH);
    });
    checker.publish(&site);
    while checker.report().await != (drained.port, Healthy) {}
    let before = used.connections();
    for _ in 0..2 {
        assert_eq!(checker.report().await, (drained.port, Healthy));
    }
    assert_eq!(used.connections(), before);
}

#[tokio::test]
async fn a_target_without_an_address_is_waited_for() {
    let web = Web::start("").await;
    let site = Site::new(Protocol::Tcp, &[web.port]);
    let mut checker = site.check_once_reachable();
    checker.asked_for_address().await;
    assert_eq!(web.connections(), 0);
    checker.make_reachable();
    assert_eq!(checker.report().await, (web.port, Healthy));
}

#[tokio::test]
async fn a_new_target_is_in_service_soon_after_it_is_up_and_not_written_off_before() {
    let port = refused().await;
    let mut site = Site::new(Protocol::Tcp, &[port]);
    site.change_group(|group| group.health_check.interval_seconds = 3600);
    let mut checker = site.check();
    // More looks than failures make a target unhealthy.
    for _ in 0..4 {
        checker.asked_for_address().await;
    }
    let _web = Web::start_on(port, "").await;
    assert_eq!(checker.report().await, (port, Healthy));
}

#[tokio::test]
async fn a_target_that_is_registered_anew_begins_anew() {
    let web = Web::start("").await;
    let mut site = Site::new(Protocol::Tcp, &[web.port]);
    site.set_health(web.port, Unhealthy(Timeout));
    // Three successes, an hour apart, unless it is new.
    site.change_group(|group| {
        group.health_check.interval_seconds = 3600;
        group.health_check.healthy_threshold = 3;
    });
    let mut checker = site.check();
    web.request().await;
    site.set_health(web.port, Initial);
    checker.publish(&site);
    assert_eq!(checker.report().await, (web.port, Healthy));
}

/// As AWS's checks do: "The PROXY protocol", 2.2, a connection of the sender's own.
const LOCAL: &str = "\r\n\r\n\0\r\nQUIT\n \0\0\0";

#[tokio::test]
async fn a_group_with_proxy_protocol_is_checked_with_its_header() {
    for protocol in [Protocol::Tcp, Protocol::Http] {
        let web = Web::start("HTTP/1.1 200 OK\r\n\r\n").await;
        let mut site = Site::new(protocol, &[web.port]);
        site.change_group(|group| {
            group.attributes.insert(PROXY_PROTOCOL.into(), "true".into());
        });
        assert_eq!(site.check().report().await, (web.port, Healthy));
        let said = web.request().await;
        assert!(said.starts_with(LOCAL), "{said:?}");
    }
    let web = Web::start("").await;
    Site::new(Protocol::Tcp, &[web.port]).check().report().await;
    assert_eq!(web.request().await, "", "and no other is");
}

#[test]
fn targets_outside_are_checked_on_another_runtime_where_they_are() {
    let here = Runtime::new().unwrap();
    let outside = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (web, site) = here.block_on(async {
        let web = Web::start("").await;
        let mut site = Site::new(Protocol::Tcp, &[web.port]);
        site.move_targets_outside();
        (web, site)
    });
    here.block_on(async {
        let mut checker = site.check_with_outside(outside.handle(), &["127.0.0.1/32"]);
        assert_eq!(checker.report().await, (web.port, Healthy));
    });
    outside.shutdown_timeout(Duration::ZERO);
    let connections = here.block_on(web.connections_so_far());

    // One whose threads are no more makes none.
    let gone = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let handle = gone.handle().clone();
    gone.shutdown_timeout(Duration::ZERO);
    here.block_on(async {
        let _checker = site.check_with_outside(&handle, &["127.0.0.1/32"]);
        let other = Web::start("").await;
        let mut control = Site::new(Protocol::Tcp, &[other.port]).check();
        assert_eq!(control.report().await, (other.port, Healthy));
    });
    assert_eq!(here.block_on(web.connections_so_far()), connections);
}

#[tokio::test]
async fn targets_outside_that_the_operator_does_not_let_be_fail_without_a_connection() {
    let web = Web::start("").await;
    let mut site = Site::new(Protocol::Tcp, &[web.port]);
    site.move_targets_outside();
    // As an operator let it be before.
    site.set_health(web.port, Healthy);
    let mut checker = site.check_with_outside(&Handle::current(), &["0.0.0.0/0", "192.0.2.0/24"]);
    assert_eq!(checker.report().await, (web.port, Unhealthy(FailedHealthChecks)));
    assert_eq!(web.connections(), 0);
}
