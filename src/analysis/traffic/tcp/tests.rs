//! Connections that are opened or not, data that passes or not, each in several dresses and nearly.

use super::super::testing::{Talk, flagged, syn, tcp};
use super::*;

const CLIENT: &str = "10.99.0.10";
const FAR: &str = "192.0.2.7";
const BACK: (u16, u16) = (443, 4000);
const SYN_ACK: u8 = TcpSegment::SYN | TcpSegment::ACK;
const RST_ACK: u8 = TcpSegment::RST | TcpSegment::ACK;

/// A connection that is opened by end 0 and begins at 101 and 501.
fn opened() -> Talk {
    let mut talk = Talk::default();
    talk.send(0, syn(CLIENT, FAR, 4000, 443, 100)).after(40);
    talk.send(1, flagged(FAR, CLIENT, BACK, SYN_ACK, (500, 101, 0))).after(1);
    talk.send(0, tcp(CLIENT, FAR, 4000, 443, 101, 501, 0));
    talk
}

/// Data from the client, and an acknowledgement by the server.
fn data(sequence: u32, payload: u32) -> crate::dissect::layers::Inner {
    tcp(CLIENT, FAR, 4000, 443, sequence, 501, payload)
}

fn ack(number: u32) -> crate::dissect::layers::Inner {
    tcp(FAR, CLIENT, 443, 4000, 501, number, 0)
}

#[test]
fn opened_refused_and_unanswered() {
    let mut talk = opened();
    talk.send(0, syn(CLIENT, FAR, 4001, 443, 7));
    talk.send(1, flagged(FAR, CLIENT, (443, 4001), RST_ACK, (0, 8, 0)));
    talk.send(0, syn(CLIENT, FAR, 4002, 443, 7))
        .after(1000)
        .send(0, syn(CLIENT, FAR, 4002, 443, 7))
        .after(5000);
    talk.send(0, syn(CLIENT, FAR, 4003, 443, 7));
    let found = talk.traffic.tcp(0);
    assert_eq!((found.opened, found.refused, found.unanswered_syn, found.half_open), (1, 1, 1, 0));
    assert_eq!((found.refused_packets.packets(), found.unanswered_packets.packets()), (&[4][..], &[6][..]));
    assert_eq!(found.mss, Some((1360, 1360)));
    assert_eq!(found.round_trip().map(|trip| trip.min), Some(Duration::millis(40)));
    let back = talk.traffic.tcp(1);
    assert_eq!((back.opened, back.refused, back.unanswered_syn), (0, 0, 0));
}

#[test]
fn a_syn_that_is_sent_again_and_then_answered_is_not_unanswered() {
    let mut talk = Talk::default();
    talk.send(0, syn(CLIENT, FAR, 4000, 443, 100))
        .after(1000)
        .send(0, syn(CLIENT, FAR, 4000, 443, 100))
        .after(40);
    talk.send(1, flagged(FAR, CLIENT, BACK, SYN_ACK, (500, 101, 0))).send(0, data(101, 0)).after(9000);
    talk.send(0, data(101, 10));
    let found = talk.traffic.tcp(0);
    assert_eq!((found.opened, found.unanswered_syn, found.round_trip()), (1, 0, None));
}

#[test]
fn a_syn_whose_answer_the_capture_lacks_was_answered() {
    let mut talk = Talk::default();
    talk.send(0, syn(CLIENT, FAR, 4000, 443, 100))
        .after(40)
        .send(0, data(101, 0))
        .after(9000)
        .send(0, data(101, 10));
    assert_eq!((talk.traffic.tcp(0).opened, talk.traffic.tcp(0).unanswered_syn), (1, 0));
}

#[test]
fn a_syn_that_was_sent_just_now_is_open_and_one_half_open() {
    let mut talk = Talk::default();
    talk.send(0, syn(CLIENT, FAR, 4000, 443, 100)).after(500);
    talk.send(1, flagged(FAR, CLIENT, (443, 4001), SYN_ACK, (500, 101, 0)));
    assert_eq!(talk.traffic.tcp(0).unanswered_syn, 0);
    talk.after(5000).send(1, flagged(FAR, CLIENT, (443, 4001), SYN_ACK, (500, 101, 0)));
    assert_eq!((talk.traffic.tcp(0).unanswered_syn, talk.traffic.tcp(0).half_open), (1, 1));
}

#[test]
fn the_same_ports_again_are_another_connection() {
    let mut talk = Talk::default();
    for sequence in [100, 9000, 77_000] {
        talk.send(0, syn(CLIENT, FAR, 4000, 443, sequence))
            .after(3000)
            .send(0, syn(CLIENT, FAR, 4000, 443, sequence));
    }
    assert_eq!(talk.traffic.tcp(0).unanswered_syn, 3);
}

/// Large segments are sent again until the user gives up; small ones passed before.
#[test]
fn a_black_hole() {
    let mut talk = opened();
    talk.send(0, data(101, 517))
        .after(40)
        .send(1, ack(618))
        .send(0, data(618, 1360))
        .send(0, data(1978, 200));
    for pause in [300, 600, 1200, 2400] {
        talk.after(pause).send(0, data(618, 1360));
    }
    let stuck = talk.traffic.tcp(0).stuck.expect("stuck");
    assert_eq!((stuck.largest_passed, stuck.smallest_stuck, stuck.packets), (Some(557), 1400, 4));
    assert_eq!((stuck.first, stuck.last, stuck.flows), (8, 11, 1));
}

/// The receiver has what came after the hole, and says so again and again.
#[test]
fn a_black_hole_with_duplicate_acknowledgements() {
    let mut talk = opened();
    talk.send(0, data(101, 1360)).send(0, data(1461, 100)).after(40).send(1, ack(101));
    for _ in 0..3 {
        talk.after(700).send(0, data(101, 1360)).send(1, ack(101));
    }
    let stuck = talk.traffic.tcp(0).stuck.expect("stuck");
    assert_eq!((stuck.largest_passed, stuck.smallest_stuck), (None, 1400));
}

/// A sender that tries smaller segments after a while (RFC 4821): these pass, the large ones never did.
#[test]
fn a_black_hole_that_the_sender_finds() {
    let mut talk = opened();
    talk.send(0, data(101, 1360));
    for _ in 0..3 {
        talk.after(700).send(0, data(101, 1360));
    }
    talk.after(700).send(0, data(101, 472)).after(40).send(1, ack(573));
    for sequence in [573, 1045] {
        talk.send(0, data(sequence, 472)).after(40).send(1, ack(sequence + 472));
    }
    let found = talk.traffic.tcp(0);
    let stuck = found.stuck.expect("stuck");
    assert_eq!((stuck.largest_passed, stuck.smallest_stuck), (Some(512), 1400));
    assert_eq!(found.largest_passed, Some(512));
}

#[test]
fn congestion_is_no_black_hole() {
    let mut talk = opened();
    let mut sequence = 101;
    for round in 0..200 {
        talk.send(0, data(sequence, 1360));
        // Two per cent are lost, some of them three times.
        if round % 50 == 49 {
            for _ in 0..4 {
                talk.after(400).send(0, data(sequence, 1360));
            }
        }
        sequence += 1360;
        talk.after(20).send(1, ack(sequence));
    }
    let found = talk.traffic.tcp(0);
    assert_eq!((found.stuck, found.segments, found.resent), (None, 216, 16));
    assert_eq!(found.largest_passed, Some(1400));
    let estimate = talk.traffic.loss_estimate(0).expect("an estimate");
    assert_eq!((estimate.lost, estimate.of), (16, 216));
}

#[test]
fn what_is_nearly_a_black_hole() {
    // Sent again twice only.
    let mut talk = opened();
    talk.send(0, data(101, 1360)).after(700).send(0, data(101, 1360)).after(700).send(0, data(101, 1360));
    assert_eq!(talk.traffic.tcp(0).stuck, None);
    // Probes of a window that is closed, and keepalives.
    let mut talk = opened();
    talk.send(0, data(101, 100)).send(1, ack(201));
    for _ in 0..9 {
        talk.after(700).send(0, data(200, 1)).send(1, ack(201));
    }
    assert_eq!((talk.traffic.tcp(0).stuck, talk.traffic.tcp(0).resent), (None, 0));
    // Already acknowledged: the acknowledgements are late.
    let mut talk = opened();
    talk.send(0, data(101, 1360)).send(1, ack(1461));
    for _ in 0..5 {
        talk.after(700).send(0, data(101, 1360));
    }
    assert_eq!((talk.traffic.tcp(0).stuck, talk.traffic.tcp(0).resent), (None, 5));
    // An ICMP error told the size in time.
    let mut talk = opened();
    talk.send(0, data(101, 1360)).after(10).send(0, data(101, 1200)).after(40).send(1, ack(1301));
    assert_eq!((talk.traffic.tcp(0).stuck, talk.traffic.tcp(0).largest_passed), (None, Some(1240)));
}

#[test]
fn holes_that_are_filled_soon_late_or_never() {
    let mut talk = opened();
    talk.send(0, data(1461, 100)).after(1).send(0, data(101, 1360));
    let found = talk.traffic.tcp(0);
    assert_eq!((found.resent, found.holes.reordered, found.holes.open), (0, 1, 0));
    talk.send(0, data(2921, 100)).after(300).send(0, data(1561, 1360));
    assert_eq!(talk.traffic.tcp(0).resent, 1);
    talk.send(0, data(4381, 100)).after(300).send(1, ack(3021));
    assert_eq!(talk.traffic.tcp(0).holes.octets, Some((1360, 1360)));
    // Acknowledged after all: the capture lacks it.
    talk.send(1, ack(4481));
    let holes = talk.traffic.tcp(0).holes;
    assert_eq!((holes.open, holes.unseen), (0, 1));
}

#[test]
fn sequence_numbers_wrap() {
    let mut talk = Talk::default();
    let mut sequence = u32::MAX - 3000;
    for _ in 0..6 {
        talk.send(0, data(sequence, 1000)).after(20);
        sequence = sequence.wrapping_add(1000);
        talk.send(1, ack(sequence));
    }
    let found = talk.traffic.tcp(0);
    assert_eq!((found.segments, found.resent, found.octets), (6, 0, 6000));
    assert_eq!((found.holes, found.largest_passed), (Holes::default(), Some(1040)));
}

#[test]
fn the_least_recently_used_connection_goes_first_and_is_remembered() {
    let mut talk = Talk::default();
    talk.send(0, syn(CLIENT, FAR, 4000, 443, 100)).send(0, syn(CLIENT, FAR, 4001, 443, 100)).after(2000);
    for port in 5000..5200 {
        talk.send(0, data(101, 0)).send(0, syn(CLIENT, FAR, port, 80, 1));
    }
    let found = talk.traffic.tcp(0);
    // That of port 4000 is kept, for it goes on.
    assert_eq!((found.opened, found.unanswered_packets.packets()), (1, &[2][..]));
    assert_eq!(talk.traffic.held().flows as usize, MOST_FLOWS);
    assert_eq!(talk.budget.refused, 0);
}

#[test]
fn both_directions_of_a_connection_are_one() {
    let mut talk = opened();
    talk.send(1, tcp(FAR, CLIENT, 443, 4000, 501, 101, 1000))
        .send(0, tcp(CLIENT, FAR, 4000, 443, 101, 1501, 0));
    assert_eq!((talk.traffic.tcp(1).octets, talk.traffic.tcp(1).largest_passed), (1000, Some(1040)));
    assert_eq!(talk.traffic.held().flows, 1);
}

/// As the budget says.
#[test]
fn a_connection_takes_some_500_octets() {
    assert!(std::mem::size_of::<Flow>() <= 512, "{}", std::mem::size_of::<Flow>());
}
