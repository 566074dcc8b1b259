//! What broke other dissectors of IKE, ESP and AH, and what we say of it: the packet is shown up to the fault, which is
//! named with what was needed and what was there.

mod common;

use common::*;

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 10, 198, 51, 100, 1];
    packet[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    packet.extend(payload);
    packet
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let port = port.to_be_bytes();
    let length = (8 + payload.len() as u16).to_be_bytes();
    ipv4(17, &[&[port[0], port[1], port[0], port[1], length[0], length[1], 0, 0], payload].concat())
}

/// An IKE message with this first payload.
fn ike(version: u8, exchange: u8, first: u8, length: u32, body: &[u8]) -> Vec<u8> {
    let mut message =
        vec![1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, first, version, exchange, 0, 0, 0, 0, 0];
    message.extend(length.to_be_bytes());
    message.extend(body);
    message
}

fn whole(version: u8, exchange: u8, first: u8, body: &[u8]) -> Vec<u8> {
    ike(version, exchange, first, 28 + body.len() as u32, body)
}

/// One payload with its generic header.
fn payload(next: u8, body: &[u8]) -> Vec<u8> {
    let length = (4 + body.len() as u16).to_be_bytes();
    [&[next, 0, length[0], length[1]], body].concat()
}

struct Bad {
    /// Its number in the list of what broke others, and what it is.
    name: &'static str,
    packet: Vec<u8>,
    /// Words of `-V`.
    says: &'static [&'static str],
}

fn inputs() -> Vec<Bad> {
    let bad = |name, packet, says| Bad { name, packet, says };
    let mut recursive = whole(0x10, 5, 11, &[]);
    recursive.extend(payload(0, &[&[0, 0, 0, 1, 1, 0, 0, 1][..], &whole(0x10, 5, 11, &[])].concat()));
    let length = recursive.len() as u32;
    recursive[24..28].copy_from_slice(&length.to_be_bytes());
    let many: Vec<u8> = std::iter::repeat_n(payload(43, &[]), 400).flatten().collect();
    vec![
        bad("31 nothing behind the UDP header of 4500", udp(4500, &[]), &["failed"]),
        bad("31 three octets on 4500", udp(4500, &[0, 0, 0]), &["failed"]),
        bad("31 a keepalive alone", udp(4500, &[0xff]), &["skipped  a NAT keepalive"]),
        bad("31 a non-ESP marker, and nothing", udp(4500, &[0; 4]), &["Internet Security Association"]),
        bad(
            "32 a message inside notification data",
            udp(500, &recursive),
            &["Notification DATA: 0102030405060708"],
        ),
        bad("32 payloads that name each other", udp(500, &whole(0x20, 34, 43, &many)), &["Vendor ID"]),
        bad(
            "33 an attribute that ends in its header",
            udp(
                500,
                &whole(
                    0x10,
                    2,
                    1,
                    &payload(0, &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 12, 1, 1, 0, 1, 0, 0, 0, 9]),
                ),
            ),
            &["Proposal"],
        ),
        bad(
            "34 an IPv6 subnet of 20 octets",
            udp(500, &whole(0x10, 5, 5, &payload(0, &[[6, 0, 0, 0].as_slice(), &[0x20; 20]].concat()))),
            &["[malformed: "],
        ),
        bad(
            "35 a transform whose last substructure is 7",
            udp(500, &whole(0x20, 34, 33, &payload(0, &[0, 0, 0, 16, 1, 1, 0, 1, 7, 0, 0, 8, 1, 0, 0, 3]))),
            &["Transform"],
        ),
        bad("36 an IDi of five octets", udp(500, &whole(0x20, 35, 35, &payload(0, &[1]))), &["ID type: "]),
        bad(
            "36 a Delete with SPI size 0",
            udp(500, &whole(0x20, 37, 42, &payload(0, &[1, 0, 0, 1]))),
            &["Delete"],
        ),
        bad(
            "37 a Delete with more SPIs than there are",
            udp(500, &whole(0x20, 37, 42, &payload(0, &[3, 4, 0xff, 0xff, 1, 2, 3, 4]))),
            &["Delete"],
        ),
        bad(
            "37 a traffic selector of length 1",
            udp(500, &whole(0x20, 35, 44, &payload(0, &[1, 0, 0, 0, 7, 0, 0, 1]))),
            &["Traffic Selector"],
        ),
        bad(
            "37 a fragment number 0 of 0",
            udp(500, &whole(0x20, 35, 53, &payload(0, &[0, 0, 0, 0]))),
            &["Encrypted"],
        ),
        bad(
            "38 a proposal of 40000 octets",
            udp(500, &whole(0x20, 34, 33, &payload(0, &[0, 0, 0x9c, 0x40, 1, 1, 0, 1]))),
            &["Proposal"],
        ),
        bad(
            "39 a Length beyond the datagram",
            udp(500, &ike(0x20, 34, 0, 0xffff_ffff, &[])),
            &["Length: 4294967295"],
        ),
        bad("39 a Length below the header", udp(500, &ike(0x20, 34, 0, 3, &[])), &["Length: 3"]),
        bad(
            "40 a Notify with an SPI",
            udp(500, &whole(0x20, 37, 41, &payload(0, &[3, 4, 0, 11, 0xc0, 0xde, 0, 1]))),
            &["c0de0001"],
        ),
        bad(
            "40 IKE behind the marker",
            udp(4500, &[&[0; 4][..], &whole(0x20, 37, 0, &[])].concat()),
            &["INFORMATIONAL"],
        ),
        bad("41 ESP of seven octets", ipv4(50, &[0, 0, 0, 7, 0, 0, 0]), &["failed"]),
        bad(
            "41 ESP that ends behind its sequence number",
            ipv4(50, &[0, 0, 0, 7, 0, 0, 0, 1]),
            &["SA 0x00000007, sequence 1"],
        ),
        bad(
            "41 AH of eleven octets",
            ipv4(51, &[17, 4, 0, 0, 0, 0, 0, 7, 0, 0, 0]),
            &["Authentication Header"],
        ),
        bad(
            "42 AH of length 0",
            ipv4(51, &[17, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0]),
            &["Authentication Header"],
        ),
        bad(
            "42 AH past the packet",
            ipv4(51, &[17, 255, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 1, 2]),
            &["Authentication Header"],
        ),
        bad(
            "43 ESP in a later fragment",
            {
                let mut packet = ipv4(50, &[0, 0, 0, 7, 0, 0, 0, 1]);
                packet[6..8].copy_from_slice(&[0, 9]);
                packet
            },
            &["skipped  192.0.2.10 to 198.51.100.1: a fragment, others are missing"],
        ),
        bad(
            "44 an IP length below its header",
            {
                let mut packet = udp(500, &whole(0x20, 34, 0, &[]));
                packet[2..4].copy_from_slice(&[0, 19]);
                packet
            },
            &["Total Length is 19, less than 20"],
        ),
        bad(
            "44 an IP length beyond the packet",
            {
                let mut packet = udp(500, &whole(0x20, 34, 0, &[]));
                packet[2..4].copy_from_slice(&[4, 0]);
                packet
            },
            &["IKE_SA_INIT"],
        ),
    ]
}

#[test]
fn what_broke_others_is_shown_up_to_the_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for bad in inputs() {
        let file = folder.path().join("bad.pcap");
        std::fs::write(&file, pcap(&[(0, bad.packet.clone())])).expect("written");
        for view in [&["-V", "-x"][..], &["-P", "-V", "-T", "json"], &[]] {
            let output = tool(&[view, &[file.to_str().expect("a name")]].concat());
            let said = String::from_utf8_lossy(&output.stdout);
            if output.status.code() != Some(0) {
                wrong.push(format!("{} {view:?}: {output:?}", bad.name));
            }
            if view == ["-V", "-x"] && !bad.says.iter().all(|words| said.contains(words)) {
                wrong.push(format!("{}: not {:?} in\n{said}", bad.name, bad.says));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
