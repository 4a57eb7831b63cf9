use std::net::IpAddr;

use linkway_gateway::{Backend, Endpoint, Names, Protocol, Service, Tls, UnknownKeys};
use linkway_model::Timestamp;
use linkway_policy::{DEFAULT_POLICY, Policy};

use super::*;

fn record(request_id: &str) -> Record {
    let service = Service {
        name: "com.amazonaws.us-east-1.rds".into(),
        event_source: "rds.amazonaws.com".into(),
        signing_names: vec!["rds".into()],
        global: false,
        protocol: Protocol::Query,
        backend: Backend::None,
        tls: Tls::Terminate,
        unknown_keys: UnknownKeys::Reject,
        anonymous: false,
    };
    let endpoint = Endpoint {
        id: "vpce-0123456789abcdef0".parse().unwrap(),
        owner: "111122223333".parse().unwrap(),
        vpc: "vpc-0123456789abcdef0".parse().unwrap(),
        vpc_arn: "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-0123456789abcdef0".into(),
        region: "us-east-1".into(),
        service: Arc::new(service),
        names: Names::default(),
        policy: Arc::new(Policy::parse(DEFAULT_POLICY).unwrap()),
        audit_mode: false,
    };
    let source = IpAddr::from([10, 0, 0, 7]);
    Record::new(Timestamp::UNIX_EPOCH, request_id.into(), Arc::new(endpoint), source, None)
}

fn lines(directory: &std::path::Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(files::current(directory)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn records_are_in_the_file_at_the_end_and_before() {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::at(directory.path());
    let audit = Audit::start(&state, false).unwrap();
    let sink = audit.sink();
    for number in 0..1000 {
        sink.write(record(&number.to_string()));
    }
    audit.end().unwrap();
    let ids: Vec<_> = lines(&state.audit()).iter().map(|line| line["requestID"].clone()).collect();
    assert_eq!(ids, (0..1000).map(|number| number.to_string()).collect::<Vec<_>>());
    // Too late, but no reason to fail.
    sink.write(record("late"));
}

#[test]
fn what_finds_no_room_is_counted_in_a_record() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::open(directory.path(), LIMITS).unwrap();
    let sink = Sink(Queue::new(2));
    for number in 0..5 {
        sink.write(record(&number.to_string()));
    }
    sink.0.end();
    write(log, &sink.0);
    let lines = lines(directory.path());
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["additionalEventData"]["tooFast"], 3);
}

#[test]
fn an_ephemeral_daemons_records_end_with_it_and_leave_others_alone() {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::at(directory.path());
    let audit = Audit::start(&state, false).unwrap();
    audit.sink().write(record("kept"));
    audit.end().unwrap();

    let audit = Audit::start(&state, true).unwrap();
    audit.sink().write(record("passing"));
    assert!(state.ephemeral_audit().is_dir());
    audit.end().unwrap();
    assert!(!state.ephemeral_audit().exists());
    assert_eq!(lines(&state.audit())[0]["requestID"], "kept");

    // Of one that was killed.
    fs::create_dir(state.ephemeral_audit()).unwrap();
    Audit::start(&state, false).unwrap().end().unwrap();
    assert!(!state.ephemeral_audit().exists());
}
