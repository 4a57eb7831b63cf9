//! What is not the installation's goes to the upstream.

mod common;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::net::{NameServer, Server, query, receive_framed, response_to, send_framed};
use common::world::{PLACES, Shop};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType, rdata};
use linkway_resolver::{Upstream, UpstreamError};
use tokio::io::AsyncWriteExt;
use tokio::net::UdpSocket;
use tokio::runtime::Handle;

const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn address(query: &Message) -> Message {
    let mut answer = response_to(query, ResponseCode::NoError);
    let name = query.queries[0].name.clone();
    answer.add_answer(Record::from_rdata(name, 300, RData::A(rdata::A(ELSEWHERE))));
    answer
}

fn text(query: &Message, values: &[&[&str]]) -> Message {
    let mut answer = response_to(query, ResponseCode::NoError);
    for value in values {
        let strings = value.iter().map(ToString::to_string).collect();
        let txt = RData::TXT(rdata::TXT::new(strings));
        answer.add_answer(Record::from_rdata(query.queries[0].name.clone(), 300, txt));
    }
    answer
}

#[tokio::test]
async fn other_names_are_the_upstreams_and_ours_never_reach_it() {
    let upstream = NameServer::start(|query, _| Some(address(query))).await;
    let shop = Shop::new(Some("db.example.com"));
    let server = Server::start(shop.world.snapshot(), Some(upstream.upstream())).await;
    assert_eq!(server.addresses(shop.client, "db.example.com").await, PLACES);
    let unknown = format!("vpce-0.{}.us-east-1.vpce.amazonaws.com", shop.service);
    assert_eq!(server.code(shop.client, &unknown).await, ResponseCode::NXDomain);
    assert_eq!(server.code(shop.client, "ip-10-9-9-9.ec2.internal").await, ResponseCode::NXDomain);
    assert_eq!(upstream.asked(), 0);

    assert_eq!(server.addresses(shop.client, "www.Example.com").await, [ELSEWHERE]);
    assert_eq!(server.addresses(shop.stranger, "db.example.com").await, [ELSEWHERE], "another VPC");
    assert_eq!(upstream.asked(), 2);
    let answer = server.ask(shop.client, "www.example.com", RecordType::A).await;
    assert_eq!(answer.answers[0].ttl, 300);
}

#[tokio::test]
async fn forged_answers_do_not_count() {
    let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address_of_upstream = upstream.local_addr().unwrap();
    let shop = Shop::new(None);
    let forger = tokio::spawn(async move {
        let mut buffer = [0; 512];
        let (length, client) = upstream.recv_from(&mut buffer).await.unwrap();
        let asked = Message::from_vec(&buffer[..length]).unwrap();
        let mut forged = address(&asked);
        forged.metadata.id = asked.metadata.id.wrapping_add(1);
        let mut unasked = address(&query("www.example.org", RecordType::A));
        unasked.metadata.id = asked.metadata.id;
        let real = response_to(&asked, ResponseCode::NXDomain);
        for message in [forged, unasked, real] {
            upstream.send_to(&message.to_vec().unwrap(), client).await.unwrap();
        }
    });
    let upstream = Upstream::new(address_of_upstream, Handle::current());
    let server = Server::start(shop.world.snapshot(), Some(upstream)).await;
    assert_eq!(server.code(shop.client, "www.example.com").await, ResponseCode::NXDomain);
    forger.await.unwrap();
}

#[tokio::test]
async fn a_lost_query_is_sent_again_and_a_dead_upstream_is_a_server_failure() {
    let asked = AtomicUsize::new(0);
    let upstream =
        NameServer::start(move |query, _| (asked.fetch_add(1, Ordering::SeqCst) > 0).then(|| address(query)))
            .await;
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), Some(upstream.upstream())).await;
    assert_eq!(server.addresses(shop.client, "www.example.com").await, [ELSEWHERE]);
    assert_eq!(upstream.asked(), 2);

    let silent = NameServer::start(|_, _| None).await;
    let server = Server::start(shop.world.snapshot(), Some(silent.upstream())).await;
    assert_eq!(server.code(shop.client, "www.example.com").await, ResponseCode::ServFail);
    // Others are served meanwhile and after.
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES);

    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let upstream = Upstream::new(closed, Handle::current());
    let server = Server::start(shop.world.snapshot(), Some(upstream)).await;
    assert_eq!(server.code(shop.client, "www.example.com").await, ResponseCode::ServFail);
}

#[tokio::test]
async fn an_answer_that_the_upstream_cut_is_fetched_by_tcp_for_who_can_take_it() {
    let upstream = NameServer::start(|query, by_tcp| {
        let mut answer = address(query);
        if !by_tcp {
            answer = answer.truncate();
        }
        Some(answer)
    })
    .await;
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), Some(upstream.upstream())).await;

    let answer = server.ask(shop.client, "www.example.com", RecordType::A).await;
    assert!(answer.metadata.truncation, "asked by UDP: told to ask again");
    let mut connection = server.connection(shop.client).await;
    send_framed(&mut connection, &query("www.example.com", RecordType::A).to_vec().unwrap()).await;
    let answer = receive_framed(&mut connection).await;
    assert!(!answer.metadata.truncation && answer.answers.len() == 1);
}

#[tokio::test]
async fn a_query_that_waits_holds_up_no_other_and_is_answered_after_the_client_has_said_all() {
    let upstream = NameServer::start(|query, _| {
        let is_slow = query.queries[0].name.to_ascii().starts_with("slow");
        (!is_slow).then(|| address(query))
    })
    .await;
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), Some(upstream.upstream())).await;
    let mut connection = server.connection(shop.client).await;
    let [slow, quick] = ["slow.example.com", "www.example.com"].map(|name| query(name, RecordType::A));
    for query in [&slow, &quick] {
        send_framed(&mut connection, &query.to_vec().unwrap()).await;
    }
    connection.shutdown().await.unwrap();
    assert_eq!(receive_framed(&mut connection).await.metadata.id, quick.metadata.id);
    let last = receive_framed(&mut connection).await;
    assert_eq!((last.metadata.id, last.metadata.response_code), (slow.metadata.id, ResponseCode::ServFail));
}

#[tokio::test]
async fn txt_records_are_looked_up_whole() {
    let upstream = NameServer::start(|query, by_tcp| {
        let name = query.queries[0].name.to_ascii();
        Some(match name.as_str() {
            "_code.example.com." if !by_tcp => text(query, &[]).truncate(),
            "_code.example.com." => text(query, &[&["vpce:l6p0ERx", "lTt45jevFwOCp"], &["other"]]),
            "broken.example.com." => response_to(query, ResponseCode::ServFail),
            _ => response_to(query, ResponseCode::NXDomain),
        })
    })
    .await;
    let resolver = upstream.upstream();
    let found = resolver.lookup_txt("_code.example.com").await.unwrap();
    assert_eq!(found, ["vpce:l6p0ERxlTt45jevFwOCp", "other"]);
    assert!(resolver.lookup_txt("none.example.com.").await.unwrap().is_empty());
    let error = resolver.lookup_txt("broken.example.com").await.unwrap_err();
    assert!(matches!(error, UpstreamError::Failed(_, ResponseCode::ServFail)), "{error}");
    let error = resolver.lookup_txt(&"x".repeat(64)).await.unwrap_err();
    assert!(matches!(error, UpstreamError::NoName(_)), "{error}");
}
