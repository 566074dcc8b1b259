//! `testdata/malformed`: bad inputs, one fault each, with what must come of them. The files are checked in so that they
//! can be given to other tools; the builders here say what is wrong with each. `UPDATE_GOLDEN=1` writes them.

mod samples;

/// One file: its name, its octets, the exit code, and what the run says (in the report, or else the error).
struct Bad {
    name: &'static str,
    octets: Vec<u8>,
    exit: i32,
    says: &'static str,
}

fn header(link: u32) -> Vec<u8> {
    let mut out = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(65_535_u32.to_le_bytes());
    out.extend(link.to_le_bytes());
    out
}

fn record(out: &mut Vec<u8>, second: u32, data: &[u8]) {
    for number in [1_700_000_000 + second, 0, data.len() as u32, data.len() as u32] {
        out.extend(number.to_le_bytes());
    }
    out.extend(data);
}

/// An IPv4 packet, its checksum left out.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend((20 + payload.len() as u16).to_be_bytes());
    out.extend([0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 10, 198, 51, 100, 1]);
    out.extend(payload);
    out
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let mut out = [1701_u16.to_be_bytes(), 1701_u16.to_be_bytes()].concat();
    out.extend((8 + payload.len() as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    ipv4(17, &out)
}

/// A control message with these AVPs; the length field says what is there.
fn control(avps: &[u8]) -> Vec<u8> {
    let mut out = vec![0xc8, 2];
    out.extend((12 + avps.len() as u16).to_be_bytes());
    out.extend([0; 8]);
    out.extend(avps);
    out
}

const SCCRQ: [u8; 8] = [0x80, 8, 0, 0, 0, 0, 0, 1];

/// A capture of raw IP with these packets, one a second.
fn raw(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = header(101);
    for (second, packet) in packets.iter().enumerate() {
        record(&mut out, second as u32, packet);
    }
    out
}

fn sccrq_and(avp: &[u8]) -> Vec<u8> {
    raw(&[udp(&control(&[&SCCRQ[..], avp].concat()))])
}

fn inputs() -> Vec<Bad> {
    let healthy = samples::sample("l2tp-plain/mschapv1").capture();
    let pcapng = samples::sample("l2tp-plain/mschapv2").capture();
    let bad = |name, octets, exit, says| Bad { name, octets, exit, says };
    let mut huge_record = header(1);
    huge_record.extend([0; 8]);
    huge_record.extend([0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]);
    let section = u32::from_le_bytes(pcapng[4..8].try_into().unwrap()) as usize;
    let no_progress = [&pcapng[..section], &[6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let mut nested = udp(&control(&SCCRQ));
    for _ in 0..60 {
        nested = ipv4(4, &nested);
    }
    let mut fragment = ipv4(17, &[0; 16]);
    fragment[6..8].copy_from_slice(&[0x20, 0]);
    let mut ping_of_death = fragment.clone();
    ping_of_death[6..8].copy_from_slice(&[0x1f, 0xff]);
    let mut short_ip = udp(&control(&SCCRQ));
    short_ip[2..4].copy_from_slice(&[0, 0]);
    let mut long_udp = udp(&control(&SCCRQ));
    long_udp[24..26].copy_from_slice(&[0xff, 0xff]);
    let mut beyond = control(&SCCRQ);
    beyond[2..4].copy_from_slice(&[0xff, 0xff]);
    let mut below = control(&SCCRQ);
    below[2..4].copy_from_slice(&[0, 6]);
    vec![
        bad("empty.pcap", Vec::new(), 2, "is empty"),
        bad("text.pcap", b"This is a note about a capture, not a capture.\n".to_vec(), 2, "is text"),
        bad("netmon.cap", b"GMBU\x03\x02\x01\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(), 2, "not a pcap"),
        bad("snoop.cap", b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec(), 2, "not a pcap"),
        bad("zeros.pcap", vec![0; 64], 2, "not a pcap"),
        bad("gzip-cut.pcap.gz", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x13], 2, "cut short"),
        bad("header-cut.pcap", healthy[..20].to_vec(), 3, "byte 0: "),
        bad("header-only.pcap", healthy[..24].to_vec(), 0, "0 packets"),
        bad("record-header-cut.pcap", healthy[..24 + 10].to_vec(), 3, "byte 24: "),
        bad("record-cut.pcap", healthy[..healthy.len() - 5].to_vec(), 3, "byte "),
        bad("record-of-2-gigabytes.pcap", huge_record, 3, "byte 24: "),
        bad("block-of-length-zero.pcapng", no_progress, 3, "byte 108: "),
        bad("block-cut.pcapng", pcapng[..pcapng.len() - 7].to_vec(), 3, "byte "),
        bad("link-type-unknown.pcap", [header(4711), raw(&[vec![0; 60]])[24..].to_vec()].concat(), 0, "4711"),
        bad("avp-length-0.pcap", sccrq_and(&[0x80, 0, 0, 0, 0, 7, b'l', b'a', b'c']), 0, "avp-length-short"),
        bad("avp-length-5.pcap", sccrq_and(&[0x80, 5, 0, 0, 0, 7]), 0, "avp-length-short"),
        bad("avp-overruns.pcap", sccrq_and(&[0x83, 0xff, 0, 0, 0, 7, b'l']), 0, "avp-overruns-message"),
        bad("avp-header-cut.pcap", sccrq_and(&[0x80, 8, 0]), 0, "1 packet"),
        bad("l2tp-length-beyond.pcap", raw(&[udp(&beyond)]), 0, "1 packet"),
        bad("l2tp-length-below-header.pcap", raw(&[udp(&below)]), 0, "1 packet"),
        bad("udp-length-beyond.pcap", raw(&[long_udp]), 0, "1 packet"),
        bad("ip-length-zero.pcap", raw(&[short_ip]), 0, "1 packet"),
        bad("ip-in-ip-60-times.pcap", raw(&[nested]), 0, "1 packet"),
        bad("fragment-past-64k.pcap", raw(&[fragment, ping_of_death]), 0, "2 packets"),
        bad("esp-of-3-octets.pcap", raw(&[ipv4(50, &[0, 0, 1])]), 0, "1 packet"),
    ]
}

#[test]
fn bad_inputs_end_as_they_should() {
    let directory = samples::testdata().join("malformed");
    let mut wrong = Vec::new();
    for bad in inputs() {
        wrong.extend(samples::golden(&directory.join(bad.name), &bad.octets));
        let output = samples::run(&directory, &[bad.name]);
        let report = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        let (code, said) = (output.status.code(), if bad.exit == 2 { &error } else { &report });
        if code != Some(bad.exit) || !said.contains(bad.says) {
            wrong.push(format!(
                "{}: exit {code:?} instead of {}, or not \"{}\" in:\n{report}{error}",
                bad.name, bad.exit, bad.says
            ));
        }
        if bad.exit == 2 && (!report.is_empty() || !error.starts_with("l2tp-inspect: error: ")) {
            wrong.push(format!("{}: an error says so and prints no report", bad.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_bad_input_is_left_out() {
    let known: Vec<&str> = inputs().iter().map(|bad| bad.name).collect();
    for entry in std::fs::read_dir(samples::testdata().join("malformed")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name.as_str()), "{name} is in no list");
    }
}
