//! The wire: who is answered, over what, and what bad packets get.

mod common;

use std::io::ErrorKind;

use common::net::{
    NameServer, Server, addresses, query, receive, receive_framed, response_to, send_framed, with_edns,
};
use common::world::{PLACES, Shop};
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, RData, Record, RecordType, rdata};
use linkway_model::vpc::Vpc;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn a_vpc_without_dns_support_and_a_stranger_get_no_answer_at_all() {
    let mut shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    shop.world.change::<Vpc>(&shop.vpc, |vpc| vpc.enable_dns_support = false);
    server.resolver.publish(shop.world.snapshot());

    let packet = query(&shop.regional_name(), RecordType::A).to_vec().unwrap();
    let unheard = [server.socket(shop.client).await, server.socket(200).await];
    for socket in &unheard {
        socket.send(&packet).await.unwrap();
    }
    // The queries before this one have been seen once it is answered, as they are taken in order.
    assert_eq!(server.addresses(shop.stranger, &shop.regional_name()).await, PLACES);
    for socket in &unheard {
        let error = socket.try_recv(&mut [0; 512]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
    let mut connection = server.connection(shop.client).await;
    assert_eq!(connection.read(&mut [0; 2]).await.unwrap_or(0), 0, "the connection is closed");
}

#[tokio::test]
async fn edns_is_answered_with_edns_and_only_then() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let plain = server.ask(shop.client, &shop.regional_name(), RecordType::A).await;
    assert!(plain.edns.is_none());

    let mut asked = with_edns(query(&shop.regional_name(), RecordType::A), 1232);
    asked.edns.as_mut().unwrap().set_dnssec_ok(true);
    let answer = server.exchange(shop.client, &asked.to_vec().unwrap()).await;
    let edns = Message::from_vec(&answer).unwrap().edns.unwrap();
    assert!(edns.max_payload() >= 1232 && edns.flags().dnssec_ok && edns.version() == 0);

    asked.edns.as_mut().unwrap().set_version(1);
    let answer = server.exchange(shop.client, &asked.to_vec().unwrap()).await;
    let answer = Message::from_vec(&answer).unwrap();
    // Compared as a number, as BADSIG has the same one.
    assert_eq!(u16::from(answer.metadata.response_code), u16::from(ResponseCode::BADVERS));
    assert_eq!(answer.edns.unwrap().version(), 0);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_and_whole_by_tcp() {
    let upstream = NameServer::start(|query, _| {
        let mut answer = response_to(query, ResponseCode::NoError);
        let long = rdata::TXT::new(vec!["x".repeat(255); 4]);
        answer.add_answer(Record::from_rdata(query.queries[0].name.clone(), 9, RData::TXT(long)));
        Some(answer)
    })
    .await;
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), Some(upstream.upstream())).await;

    let short = server.ask(shop.client, "long.example.com", RecordType::TXT).await;
    assert!(short.metadata.truncation && short.answers.is_empty());
    let asked = with_edns(query("long.example.com", RecordType::TXT), 1232);
    let answer = server.exchange(shop.client, &asked.to_vec().unwrap()).await;
    let answer = Message::from_vec(&answer).unwrap();
    assert!(!answer.metadata.truncation && answer.answers.len() == 1);

    let mut connection = server.connection(shop.client).await;
    send_framed(&mut connection, &query("long.example.com", RecordType::TXT).to_vec().unwrap()).await;
    let answer = receive_framed(&mut connection).await;
    assert!(!answer.metadata.truncation && answer.answers.len() == 1);
}

#[tokio::test]
async fn a_connection_carries_several_queries() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let mut connection = server.connection(shop.client).await;
    let names = [shop.regional_name(), shop.zonal_name("us-east-1a"), "example.com".into()];
    let queries = names.map(|name| query(&name, RecordType::A));
    for query in &queries {
        send_framed(&mut connection, &query.to_vec().unwrap()).await;
    }
    let mut answers = Vec::new();
    for query in &queries {
        answers.push(receive_framed(&mut connection).await);
        assert_eq!(answers.last().unwrap().metadata.id, query.metadata.id);
    }
    assert_eq!(addresses(&answers[0]).len(), 2);
    assert_eq!(addresses(&answers[1]), PLACES[..1]);
    assert_eq!(answers[2].metadata.response_code, ResponseCode::Refused);
}

#[tokio::test]
async fn one_interface_may_hold_only_its_share_of_connections() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let packet = query(&shop.regional_name(), RecordType::A).to_vec().unwrap();
    let mut held = Vec::new();
    for _ in 0..32 {
        let mut connection = server.connection(shop.client).await;
        send_framed(&mut connection, &packet).await;
        receive_framed(&mut connection).await;
        held.push(connection);
    }
    let mut refused = server.connection(shop.client).await;
    assert_eq!(refused.read(&mut [0; 2]).await.unwrap_or(0), 0, "the connection is closed");
    let mut other = server.connection(shop.stranger).await;
    send_framed(&mut other, &packet).await;
    assert_eq!(addresses(&receive_framed(&mut other).await).len(), 2);
}

#[tokio::test]
async fn what_is_no_ordinary_query_is_refused_by_name() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let ask = async |change: &dyn Fn(&mut Message)| {
        let mut query = query(&shop.regional_name(), RecordType::A);
        change(&mut query);
        let answer = server.exchange(shop.client, &query.to_vec().unwrap()).await;
        let answer = Message::from_vec(&answer).unwrap();
        assert_eq!(answer.metadata.id, query.metadata.id);
        answer.metadata.response_code
    };
    assert_eq!(ask(&|_| {}).await, ResponseCode::NoError);
    for op_code in [OpCode::Status, OpCode::Notify, OpCode::Update] {
        assert_eq!(ask(&|query| query.metadata.op_code = op_code).await, ResponseCode::NotImp);
    }
    assert_eq!(ask(&|query| query.queries.clear()).await, ResponseCode::FormErr);
    let twice = |query: &mut Message| query.queries.push(query.queries[0].clone());
    assert_eq!(ask(&twice).await, ResponseCode::FormErr);
    let chaos = |query: &mut Message| query.queries[0].query_class = DNSClass::CH;
    assert_eq!(ask(&chaos).await, ResponseCode::Refused);
    let transfer = |query: &mut Message| query.queries[0].query_type = RecordType::AXFR;
    assert_eq!(ask(&transfer).await, ResponseCode::Refused);
}

#[tokio::test]
async fn garbage_gets_an_error_or_nothing_and_the_resolver_goes_on() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let whole = with_edns(query(&shop.regional_name(), RecordType::A), 1232).to_vec().unwrap();
    let socket = server.socket(shop.client).await;
    let good = query(&shop.regional_name(), RecordType::A).to_vec().unwrap();

    // Cut anywhere, and with any one byte changed.
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let changed = (0..whole.len()).flat_map(|at| {
        let whole = &whole;
        [0x00, 0x3f, 0x80, 0xc0, 0xff].map(|byte| {
            let mut packet = whole.clone();
            packet[at] = byte;
            packet
        })
    });
    for packet in cut.chain(changed) {
        socket.send(&packet).await.unwrap();
        socket.send(&good).await.unwrap();
        // Every packet is answered before the next is taken.
        let mut answer = receive(&socket).await;
        if answer[..2] != good[..2] || answer[3] & 0xf != 0 {
            assert!(answer.len() >= 12 && answer[2] & 0x80 != 0, "no answer: {answer:x?}");
            answer = receive(&socket).await;
        }
        // Either was the good one's, or the changed packet was as good.
        assert_eq!(answer[3] & 0xf, 0, "{packet:x?}");
        while socket.try_recv(&mut [0; 4096]).is_ok() {}
    }
    for packet in [&whole[..20], &[&whole[..12], &[0xc0, 0x0c, 0, 1, 0, 1]].concat()] {
        let answer = server.exchange(shop.client, packet).await;
        assert_eq!(answer[3] & 0xf, 1, "FORMERR");
    }
    // A response is never answered, or two resolvers could talk for ever.
    let mut response = good.clone();
    response[2] |= 0x80;
    let unheard = server.socket(shop.client).await;
    unheard.send(&response).await.unwrap();
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES);
    assert_eq!(unheard.try_recv(&mut [0; 512]).unwrap_err().kind(), ErrorKind::WouldBlock);
}
