//! What is said of L2TP packets that have broken other dissectors and daemons: each ends in a typed fault or stop, or is
//! read as the RFC has it.

mod samples;

use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::dissect::Protocol;
use l2tp_inspect::dissect::layers::{Avp, AvpFault, AvpValue, Layers, MessageType, ResultCode, Stop};
use l2tp_inspect::field::{Node, Tree};
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::Sad;
use l2tp_inspect::util::{Frame, LinkType, Timestamp};

/// An IPv4 packet, its checksum left out.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend((20 + payload.len() as u16).to_be_bytes());
    out.extend([0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 10, 198, 51, 100, 1]);
    out.extend(payload);
    out
}

fn udp_of(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let mut out = ports.map(u16::to_be_bytes).concat();
    out.extend((8 + payload.len() as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    ipv4(17, &out)
}

fn udp(payload: &[u8]) -> Vec<u8> {
    udp_of([1701, 1701], payload)
}

/// A control message with these AVPs behind its Message Type.
fn control(message: u8, avps: &[u8]) -> Vec<u8> {
    let mut out = vec![0xc8, 2];
    out.extend((20 + avps.len() as u16).to_be_bytes());
    out.extend([0, 1, 0, 2, 0, 3, 0, 4, 0x80, 8, 0, 0, 0, 0, 0, message]);
    out.extend(avps);
    out
}

/// Looks at a packet with a tree, and in a batch without one; and at each cut of it, so that none panics.
fn look<T>(packet: &[u8], judge: impl Fn(&Layers, &[Node]) -> T) -> T {
    let sad = Sad::default();
    let mut inspector = Inspector::new(&sad, Limits::default());
    let mut tree = Tree::default();
    let mut answer = None;
    for len in 0..=packet.len() {
        let frame = Frame {
            number: 1,
            time: Timestamp(1_700_000_000_000_000_000),
            link: LinkType::RAW,
            interface: 0,
            data: &packet[..len],
            original_len: len as u32,
            offset: 0,
        };
        tree.clear();
        let layers = inspector.look(&frame, &mut tree);
        answer = Some(judge(layers, tree.nodes()));
        inspector.push(&frame);
    }
    inspector.finish();
    answer.expect("an answer")
}

fn layers_of(packet: &[u8]) -> (Vec<Avp>, Option<AvpFault>, Option<MessageType>) {
    look(packet, |layers, _| match &layers.control {
        Some(control) => (control.avps.clone(), control.fault, control.message),
        None => (Vec::new(), None, None),
    })
}

/// What ended the dissection, in words.
fn stop(packet: &[u8]) -> String {
    look(packet, |layers, _| match layers.stop {
        Stop::Malformed { layer, what } => {
            format!("{layer:?} {} needs {}, has {}", what.field.name, what.needed, what.available)
        }
        other => format!("{other:?}"),
    })
}

fn has_field(packet: &[u8], name: &str) -> bool {
    look(packet, |_, nodes| nodes.iter().any(|node| node.field.name == name))
}

#[test]
fn seven_octets_that_sent_others_into_a_loop() {
    let (avps, fault, _) = layers_of(&udp(&[0x80, 2, 0, 0, 0, 0, 0]));
    assert!(avps.is_empty());
    assert_eq!(fault, Some(AvpFault::Overruns { length: 6, available: 1, offset: 0 }));
}

#[test]
fn avp_lengths_below_6_and_past_the_end() {
    for length in [0, 1, 5] {
        let packet = udp(&control(1, &[0x80, length, 0, 0, 0, 7, b'l', b'a', b'c']));
        let (avps, fault, _) = layers_of(&packet);
        assert_eq!(avps.len(), 1);
        assert_eq!(fault, Some(AvpFault::LengthShort { length: length.into(), offset: 8 }));
        assert!(has_field(&packet, "l2tp.avp_length.bad"));
    }
    // All ten bits of the Length count, the reserved bits do not.
    let (_, fault, _) = layers_of(&udp(&control(1, &[0xbf, 0xff, 0, 0, 0, 7, b'l'])));
    assert_eq!(fault, Some(AvpFault::Overruns { length: 1023, available: 7, offset: 8 }));
}

#[test]
fn header_lengths_that_lie_and_bits_that_are_missing() {
    let mut beyond = control(1, &[]);
    beyond[2..4].copy_from_slice(&[0xff, 0xff]);
    let (avps, fault, _) = layers_of(&udp(&beyond));
    assert_eq!((avps.len(), fault), (1, None), "what is there is read");
    let mut below = control(1, &[]);
    below[2..4].copy_from_slice(&[0, 3]);
    assert_eq!(stop(&udp(&below)), "L2tp l2tp.length needs 8, has 3");
    // A control message without L bit: the Tunnel ID is not taken for a Length.
    let bare = [0x88, 2, 0x42, 0x80, 0, 9, 0, 1, 0, 2, 0x80, 8, 0, 0, 0, 0, 0, 16];
    let (_, fault, message) = layers_of(&udp(&bare));
    assert_eq!((fault, message), (None, Some(MessageType::SLI)));
    let tunnel = look(&udp(&bare), |layers, _| layers.l2tp.map(|header| header.tunnel_id.0));
    assert_eq!(tunnel, Some(0x4280));
}

#[test]
fn a_header_that_ends_in_each_of_its_fields() {
    let whole = [0x4b, 2, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 2, 9, 9];
    let names = ["l2tp.length", "l2tp.tunnel", "l2tp.session", "l2tp.Ns", "l2tp.Nr", "l2tp.offset"];
    for (field, name) in names.iter().enumerate() {
        let mut cut = whole[..3 + 2 * field].to_vec();
        if field > 0 {
            cut[3] = 99;
        }
        assert_eq!(stop(&udp(&cut)), format!("L2tp {name} needs 2, has 1"));
    }
    let mut padding = whole[..15].to_vec();
    padding[3] = 99;
    assert_eq!(stop(&udp(&padding)), "L2tp l2tp.offset_padding needs 2, has 1");
}

#[test]
fn values_that_are_shorter_or_longer_than_others_thought() {
    // A Call Serial Number of three octets: unreadable, and the next AVP is read.
    let short = [0x80, 9, 0, 0, 0, 15, 1, 2, 3, 0x80, 8, 0, 0, 0, 14, 0, 7];
    let (avps, fault, _) = layers_of(&udp(&control(10, &short)));
    assert_eq!(fault, None);
    assert_eq!(avps[1].value, AvpValue::Unreadable);
    assert_eq!(avps[2].value, AvpValue::Number(7));
    // A Calling Number as long as an AVP can be.
    let mut long = vec![0x83, 0xff, 0, 0, 0, 22];
    long.extend([b'5'; 1017]);
    let (avps, fault, _) = layers_of(&udp(&control(10, &long)));
    assert_eq!((avps.len(), fault), (2, None));
    assert!(matches!(&avps[1].value, AvpValue::Text(text) if text.as_str().len() == 1017));
    // A Result Code without error code is whole.
    let (avps, _, _) = layers_of(&udp(&control(14, &[0x80, 8, 0, 0, 0, 1, 0, 3])));
    assert_eq!(avps[1].value, AvpValue::Result(ResultCode { code: 3, error: None, message: None }));
}

#[test]
fn hidden_avps_of_any_length_are_hidden_and_nothing_more() {
    for len in [0, 1, 2, 15, 16, 17, 60] {
        let mut hidden = vec![0xc0, 6 + len, 0, 0, 0, 21];
        hidden.extend([0xff].repeat(len.into()));
        hidden.extend([0x80, 8, 0, 0, 0, 14, 0, 7]);
        let (avps, fault, _) = layers_of(&udp(&control(10, &hidden)));
        assert_eq!(fault, None);
        assert_eq!((&avps[1].value, &avps[2].value), (&AvpValue::Hidden, &AvpValue::Number(7)));
    }
}

#[test]
fn hidden_without_random_vector_many_random_vectors_and_vendors() {
    let vector = [0x80, 10, 0, 0, 0, 36, 1, 2, 3, 4];
    let hidden = [0xc0, 8, 0, 0, 0, 14, 9, 9];
    let microsoft = [0x80, 10, 0x01, 0x37, 0, 14, 1, 2, 3, 4];
    let body = [&hidden[..], &vector, &vector, &hidden, &microsoft].concat();
    let packet = udp(&control(10, &body));
    let (avps, fault, _) = layers_of(&packet);
    assert_eq!((avps.len(), fault), (6, None));
    // The number 14 of another vendor is not an Assigned Session ID.
    assert_eq!((avps[5].vendor, &avps[5].value), (311, &AvpValue::Octets([1, 2, 3, 4].into())));
    assert!(has_field(&packet, "l2tp.vendor_specific_avp_data"));
}

#[test]
fn what_only_looks_like_l2tp() {
    // An answer of a name server to port 1701.
    assert_eq!(stop(&udp_of([53, 1701], &[0x80, 2, 0, 0, 0, 0, 0, 0])), "UnknownPort");
    // Data of L2TPv3 over UDP: its Session ID is 4000, and there is no Tunnel ID.
    let session = look(&udp(&[0, 3, 0, 0, 0, 0, 0x0f, 0xa0, 1, 2, 3]), |layers, _| {
        assert!(layers.l2tp.is_none() || layers.v3.is_none());
        layers.v3.as_ref().and_then(|v3| v3.session)
    });
    assert_eq!(session, Some(4000));
    // IP protocol 115 carries version 3 alone.
    assert_eq!(stop(&ipv4(115, &[0, 0, 0, 0, 0xc8, 2, 0, 12, 0, 0, 0, 0])), "NotOurs");
    assert_eq!(stop(&ipv4(115, &[0, 0, 0])), "L2tpOverIp l2tp.sid needs 4, has 3");
    for nibble in (0..16).filter(|nibble| !matches!(nibble, 1 | 2 | 3 | 9)) {
        let version =
            look(&udp(&[0xc8, nibble, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]), |layers, _| layers.other_version);
        assert_eq!(version, Some(nibble));
    }
}

#[test]
fn data_that_ends_where_ppp_begins() {
    let header = [0, 2, 0, 1, 0, 2];
    for ppp in [&[][..], &[0xff], &[0xff, 3], &[0xff, 3, 0xc0], &[0xc0], &[0xc0, 0x21]] {
        let said = stop(&udp(&[&header[..], ppp].concat()));
        assert!(said.starts_with("Ppp ") || said.starts_with("Lcp "), "{ppp:?}: {said}");
    }
    let layers =
        |layers: &Layers, _: &[Node]| matches!(layers.stop, Stop::Malformed { layer: Protocol::Ppp, .. });
    assert!(look(&udp(&header), layers), "no octet of PPP at all");
}

/// Every packet of the L2TPv3 samples, cut at every octet, shown in full: inner frames too end where they end.
#[test]
fn every_cut_of_l2tpv3_is_shown_without_panic() {
    let mut inner = 0;
    for sample in samples::samples().iter().filter(|sample| sample.name.starts_with("l2tpv3/")) {
        let sad = sample.sad();
        let (frames, _) = samples::frames(&sample.capture()).expect("sound");
        let mut inspector = Inspector::new(&sad, Limits::default());
        let mut tree = Tree::default();
        for held in &frames {
            for (length, keep) in (0..=held.data.len()).flat_map(|length| [(length, true), (length, false)]) {
                tree.clear();
                inspector.look(&held.cut(length, keep).frame(), &mut tree);
            }
            let ethernet = tree.nodes().iter().filter(|node| node.field.name == "eth.dst").count();
            inner += usize::from(ethernet == 2);
            inspector.follow(&held.frame());
        }
    }
    assert!(inner >= 75, "{inner} inner Ethernet frames");
}

/// A conversation as of SoftEther in the lab: the data of a session is read as the control messages said, in a batch and
/// one by one.
#[test]
fn data_of_l2tpv3_follows_its_control_messages() {
    let mut request = vec![0xc8, 3, 0, 0, 0, 0, 0, 7, 0, 2, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 10];
    request.extend([0x80, 10, 0, 0, 0, 63, 0, 0xc0, 0xff, 0xee, 0x80, 10, 0, 0, 0, 64, 0, 0, 0, 0]);
    request.extend([0x80, 10, 0, 0, 0, 65, 1, 2, 3, 4, 0x80, 8, 0, 0, 0, 68, 0, 5]);
    request[3] = request.len() as u8;
    let mut data = vec![0, 3, 0, 0, 0, 0xc0, 0xff, 0xee, 1, 2, 3, 4];
    data.extend([[0xff; 6], [2, 0, 0, 0, 0, 1]].concat());
    data.extend([0x88, 0xb5, 1, 2, 3, 4]);
    let request = udp(&request);
    let mut data = udp(&data);
    // The other way: source and destination change places.
    data[12..20].rotate_left(4);
    let sad = Sad::default();
    let mut inspector = Inspector::new(&sad, Limits::default());
    let mut tree = Tree::default();
    for (number, packet) in (1..).zip([&data, &request, &data]) {
        let frame = Frame {
            number,
            time: Timestamp(number as i64 * 1_000_000_000),
            link: LinkType::RAW,
            interface: 0,
            data: packet,
            original_len: packet.len() as u32,
            offset: 0,
        };
        tree.clear();
        let layers = inspector.look(&frame, &mut tree);
        let carried = layers.v3.as_ref().and_then(|v3| v3.carried);
        match number {
            1 => assert_eq!(carried, None, "an unknown EtherType proves nothing"),
            3 => {
                let carried = carried.expect("a layout");
                assert_eq!((carried.cookie, carried.pseudowire, carried.inferred), (4, 5, false));
                assert!(tree.nodes().iter().any(|node| node.field.name == "eth.dst"));
            }
            _ => {}
        }
        inspector.follow(&frame);
    }
}
