//! Views of packets: the seven steps, selections, times, and outputs that programs read.

mod common;
mod samples;

use std::process::Output;

use serde_json::Value;

fn run(sample: &samples::Sample, options: &[&str]) -> Output {
    let output = samples::run(&sample.directory, &[options, &sample.arguments()].concat());
    assert_eq!(output.status.code(), Some(0), "{} {options:?}: {output:?}", sample.name);
    output
}

fn lines(sample: &samples::Sample, options: &[&str]) -> Vec<Value> {
    let output = run(sample, &[options, &["-T", "jsonl"]].concat());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The seven steps as letters: o for ok, f for failed, s for skipped.
fn steps(packet: &Value) -> String {
    let steps = packet["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 7);
    steps.iter().map(|step| step["state"].as_str().unwrap()[..1].to_owned()).collect()
}

fn numbered(sample: &samples::Sample, number: u64) -> Value {
    let filter = format!("frame.number == {number}");
    lines(sample, &["-P", "-V", "-Y", &filter]).remove(0)
}

#[test]
fn the_ledger_of_a_healthy_a_wrong_key_and_a_clear_text_trace() {
    let healthy = samples::sample("l2tp-ipsec/aes128-sha1");
    let all = lines(&healthy, &["-P", "-V"]);
    let of =
        |kind: &str| all.iter().find(|packet| packet["info"].as_str().unwrap().starts_with(kind)).unwrap();
    assert_eq!(steps(of("SCCRQ")), "oooooos");
    assert_eq!(steps(of("Configure-Request")), "ooooooo");
    assert_eq!(steps(of("IKEv1")), "oossoss");
    assert!(of("SCCRQ")["steps"][2]["why"].as_str().unwrap().starts_with("hmac-sha1-96 holds (SA 0x"));

    let wrong = samples::sample("l2tp-ipsec/manual-wrong-authkey");
    let failed = lines(&wrong, &["-P", "-V"]);
    let failed = failed.iter().find(|packet| steps(packet).contains('f')).unwrap();
    assert_eq!(steps(failed), "oofssss");
    assert!(failed["info"].as_str().unwrap().contains("[ESP authentication failed: the ICV does not hold"));

    let clear = samples::sample("l2tp-plain/pap");
    let password = lines(&clear, &["-P", "-V", "-Y", "pap.password"]);
    assert_eq!(steps(&password[0]), "oossooo");
    assert_eq!(password[0]["steps"][2]["why"], "no ESP: in the clear");
}

#[test]
fn the_ledger_of_a_damaged_packet_and_of_a_missing_key() {
    let healthy = samples::sample("l2tp-ipsec/aes128-sha1");
    let sccrq = lines(&healthy, &["-P", "-Y", "l2tp.avp.message_type == 1"])[0]["number"].as_u64().unwrap();
    let octets = numbered(&healthy, sccrq)["length"].as_u64().unwrap() as usize;
    let mut capture = healthy.capture();
    let at = (0..capture.len() - 8)
        .find(|at| {
            let length = u32::from_le_bytes(capture[*at..*at + 4].try_into().unwrap()) as usize;
            length == octets
                && capture[*at + 4..*at + 8] == capture[*at..*at + 4]
                && capture[*at + 8 + 23] == 50
        })
        .expect("the record of an ESP packet of this length");
    let last = at + 8 + octets - 20;
    capture[last] ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.pcap");
    std::fs::write(&file, capture).unwrap();
    let keys = healthy.directory.join(&healthy.keys[0]);
    let damaged = ["-P", "-V", "-T", "jsonl", file.to_str().unwrap(), "-k", keys.to_str().unwrap()];
    let output = samples::run(folder.path(), &damaged);
    let text = String::from_utf8(output.stdout).unwrap();
    let packets: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        packets.iter().filter(|packet| steps(packet).contains('f')).count(),
        1,
        "one packet is damaged"
    );
    let output = samples::run(folder.path(), &damaged[..5]);
    let text = String::from_utf8(output.stdout).unwrap();
    let sealed = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let sealed: Vec<Value> = sealed.filter(|packet: &Value| packet["protocol"] == "ESP").collect();
    assert!(!sealed.is_empty() && sealed.iter().all(|packet| steps(packet) == "oosssss"));
    assert!(sealed[0]["steps"][2]["why"].as_str().unwrap().starts_with("no key for this SPI"));
}

#[test]
fn tunnels_and_calls_are_selected_by_their_names_in_the_report() {
    let sample = samples::sample("l2tp-plain/three-calls");
    let all = lines(&sample, &["-P"]);
    for (options, field, id) in [
        (["--tunnel", "T1"], "connection", "T1"),
        (["--call", "C2"], "call", "C2"),
        (["--call", "2"], "call", "C2"),
    ] {
        let some = lines(&sample, &options);
        assert!(!some.is_empty() && some.iter().all(|packet| packet[field] == id), "{options:?}");
        assert_eq!(some.len(), all.iter().filter(|packet| packet[field] == id).count());
    }
    for wrong in [["--call", "T1"], ["--tunnel", "T9"], ["--tunnel", "x"]] {
        let refused = samples::run(&sample.directory, &[&wrong[..], &[&sample.captures[0]]].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
    }
    let tunnels = samples::sample("l2tp-ipsec/two-clients");
    let report: Value =
        serde_json::from_slice(&run(&tunnels, &["-T", "json", "--tunnel", "T2"]).stdout).unwrap();
    let report = &report["captures"][0];
    let ids: Vec<&Value> =
        report["control_connections"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["T2"]);
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["connection"] == "T2"));
}

#[test]
fn times_in_every_format() {
    let sample = samples::sample("l2tp-plain/pap");
    let first = |format: &str| {
        let output = run(&sample, &["-P", "-t", format, "-Y", "frame.number == 4"]);
        String::from_utf8(output.stdout).unwrap().split("  10.").next().unwrap().trim().to_owned()
    };
    let epoch: f64 = first("e").split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(epoch > 1.7e9);
    assert_eq!(first("r").split_whitespace().nth(1), Some("0.234982"));
    assert_eq!(first("d").split_whitespace().nth(1), Some("0.000004"));
    assert_eq!(first("ud").split_whitespace().nth(1).unwrap().len(), "2026-11-23".len());
    assert_eq!(first("u").split_whitespace().nth(1).unwrap().len(), "21:00:00.000000".len());
}

#[test]
fn what_acknowledges_and_what_is_resent_is_said() {
    let sample = samples::sample("l2tp-ipsec/hello5-dead-peer");
    let output = run(&sample, &["-V", "-Y", "frame.number in {23, 24, 74}"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for words in [
        "[acknowledged in packet 24, after 3.2 ms]",
        "[acknowledges packet 23, after 3.2 ms]",
        "[resend of packet 73]",
        "[evidence of hello-unacknowledged]",
        "[control connection T1, call C1]",
    ] {
        assert!(text.contains(words), "no {words} in\n{text}");
    }
}

#[test]
fn outputs_for_programs_are_well_formed() {
    let sample = samples::sample("l2tp-natt/3des-sha1");
    let packets = lines(&sample, &["-P"]).len();
    let array: Value = serde_json::from_slice(&run(&sample, &["-V", "-x", "-T", "json"]).stdout).unwrap();
    assert_eq!(array.as_array().unwrap().len(), packets);
    let buffers = array.as_array().unwrap().iter().map(|packet| packet["buffers"].as_array().unwrap().len());
    assert!(buffers.max() >= Some(2), "a frame and what was decrypted of it");
    let none: Value =
        serde_json::from_slice(&run(&sample, &["-P", "-T", "json", "-Y", "tcp.port == 9"]).stdout).unwrap();
    assert_eq!(none, Value::Array(Vec::new()));
    let csv =
        String::from_utf8(run(&sample, &["-T", "csv", "-e", "frame.number", "-e", "udp.srcport"]).stdout)
            .unwrap();
    assert_eq!(csv.lines().next(), Some("\"frame.number\",\"udp.srcport\""));
    assert_eq!(csv.lines().count(), packets + 1);
    let fields = |options: &[&str]| {
        let fixed =
            ["-T", "fields", "-e", "udp.srcport", "-e", "frame.number", "-Y", "count(udp.srcport) == 2"];
        let output = run(&sample, &[&fixed, options].concat());
        String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned()
    };
    assert!(fields(&["-E", "separator=;"]).starts_with("4500,1701;"));
    assert!(fields(&["-E", "occurrence=l", "-E", "separator=/s"]).starts_with("1701 "));
    assert!(
        fields(&["-E", "occurrence=f", "-E", "quote=d", "-E", "header=y"]).starts_with("\"udp.srcport\"\t")
    );
    assert!(fields(&["-E", "aggregator=|"]).starts_with("4500|1701\t"));
}

#[test]
fn a_filter_on_the_report_counts_what_passes() {
    let sample = samples::sample("l2tp-plain/three-calls");
    let report = |options: &[&str]| -> Value {
        let output = run(&sample, &[&["-T", "json"], options].concat());
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["captures"][0].take()
    };
    let (all, some) = (report(&[]), report(&["-Y", "l2tp.type == 1"]));
    let packets = |report: &Value| report["packets"].as_u64().unwrap();
    assert_eq!(packets(&some), lines(&sample, &["-Y", "l2tp.type == 1"]).len() as u64);
    assert!(packets(&some) < packets(&all));
    assert_eq!(some["control_connections"][0]["state"], all["control_connections"][0]["state"]);
}

#[test]
fn hidden_avps_are_read_with_the_tunnel_secret() {
    let folder = samples::testdata().join("unhide");
    let run = |options: &[&str]| {
        let output = samples::run(&folder, &[options, &["hidden-avps.pcap"]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let secrets = ["--secrets", "secrets.toml"];
    let number = "+49-89-1234567-0042.called-number.example";
    let shown =
        run(&[&secrets[..], &["-V", "-x", "--show-secrets", "-Y", "l2tp.avp.called_number"]].concat());
    assert!(
        shown.contains(&format!("Called Number: {number}")) && shown.contains("Unhidden AVPs (80 octets):")
    );
    let masked = run(&[&secrets[..], &["-V", "-x"]].concat());
    assert!(masked.contains("Called Number: ********") && !masked.contains("called-number"), "{masked}");
    let call: Value = serde_json::from_str(&run(&[&secrets[..], &["-T", "json"]].concat())).unwrap();
    assert_eq!(call["captures"][0]["control_connections"][0]["calls"][0]["serial"], 1);
    let sealed = run(&["-V"]);
    assert!(sealed.contains("Hidden value: ") && !sealed.contains("Called Number: "));
    let refused = samples::run(&folder, &["--secrets", "origin.md", "hidden-avps.pcap"]);
    assert_eq!(refused.status.code(), Some(2));
}

/// A filter that takes away answers must not make an accusation of their absence.
#[test]
fn a_report_of_a_part_says_so_and_is_sure_of_no_absence() {
    let sample = samples::sample("l2tp-ipsec/three-calls");
    let run = |arguments: &[&str]| String::from_utf8(run(&sample, arguments).stdout).expect("text");
    for (arguments, said) in [
        (&["-Y", "ip.src == 10.1.0.2"][..], "-Y left out "),
        (&["-f", "src 10.1.0.2"], "-f left out "),
        (&["-c", "20"], "Only the first 20 packets were read (-c)."),
        (&["--tunnel", "T1"], "Only one tunnel is shown (--tunnel)"),
    ] {
        let text = run(&[arguments, &["--width", "300"]].concat());
        assert!(text.lines().next().is_some_and(|line| line.contains(said)), "{text}");
        assert!(!run(&[]).contains(said));
        let json: Value = serde_json::from_str(&run(&[arguments, &["-T", "json"]].concat())).expect("JSON");
        let capture = &json["captures"][0];
        assert!(capture["left_out"][0].as_str().is_some_and(|sentence| sentence.contains(said)), "{capture}");
        if matches!(arguments[0], "-Y" | "-f") {
            assert_eq!(capture["diagnosis"]["confidence"], "possible", "{arguments:?}");
            assert!(!matches!(capture["diagnosis"]["id"].as_str(), Some("hello-timeout" | "data-one-way")));
            for finding in capture["findings"].as_array().expect("findings") {
                let rule = finding["rule"].as_str().expect("a rule");
                let shown =
                    ["cap-", "sec-", "hdr-", "avp-", "esp-icv"].iter().any(|start| rule.starts_with(start));
                assert!(shown || finding["certainty"] == "possible", "{arguments:?} {finding}");
            }
        }
    }
}

/// The words of one frame that is written as a capture of its own.
fn line_of(frame: Vec<u8>, options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.pcap");
    std::fs::write(&file, common::pcap(&[(0, frame)])).unwrap();
    let output = common::tool(&[options, &[file.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// An IPv4 packet from 192.0.2.1 to 192.0.2.2.
fn packet(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend((20 + payload.len() as u16).to_be_bytes());
    out.extend([0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    out.extend(payload);
    out
}

#[test]
fn what_is_malformed_is_marked_in_every_view() {
    let udp = |length: u16, payload: &[u8]| {
        let mut out = vec![0x06, 0xa5, 0x06, 0xa5];
        out.extend(length.to_be_bytes());
        out.extend([0, 0]);
        out.extend(payload);
        packet(17, &out)
    };
    let zlb = [0xc8, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1];
    let sound = udp(20, &zlb);
    assert!(!line_of(sound.clone(), &["-P"]).contains("malformed"));
    let mut long_ip = sound.clone();
    long_ip[3] += 9;
    let mut long_l2tp = zlb;
    long_l2tp[3] = 90;
    let mut bad_fragment = packet(17, &[0; 30]);
    bad_fragment[6..8].copy_from_slice(&[0x20, 0]);
    let mut huge_fragment = packet(17, &[0; 32]);
    huge_fragment[6..8].copy_from_slice(&[0x1f, 0xff]);
    let deep = {
        let mut inner = packet(17, &[0; 8]);
        (0..40).for_each(|_| inner = packet(4, &inner));
        inner
    };
    // An ICMP error that quotes an IP header which cannot be.
    let quote = packet(1, &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &packet(17, &[0, 1, 0, 2, 0, 3, 0, 0])].concat());
    for (frame, why) in [
        (long_ip, "Total Length promises 29 more octets at 20, there are 20"),
        (udp(99, &zlb), "Length promises 91 more octets at 28, there are 12"),
        (udp(20, &long_l2tp), "Length promises 86 more octets at 32, there are 8"),
        (bad_fragment, "Fragment needs 32 octets at 0, there are 30"),
        (huge_fragment, "Fragment Offset needs 65560 octets at 0, there are 65535"),
        (deep, "more protocols inside each other than any honest packet has"),
        (quote, "Length is 3, less than 8"),
    ] {
        for view in [&["-P"][..], &["-V"], &["-P", "-T", "json"], &["-T", "fields", "-e", "_ws.col.info"]] {
            let text = line_of(frame.clone(), view);
            assert!(text.contains("malformed: ") && text.contains(why), "{view:?} {why}: {text}");
        }
        assert_eq!(line_of(frame, &["-T", "fields", "-e", "frame.number", "-Y", "_ws.malformed"]), "1\n");
    }
}

#[test]
fn other_protocols_are_named_in_words() {
    let tcp = [0xc3, 0x50, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12, 0xff, 0xff, 0, 0, 0, 0, b'h', b'i'];
    let mut fragment = packet(17, &[0; 32]);
    fragment[6..8].copy_from_slice(&[0x20, 0]);
    // Only its first octets are quoted.
    let mut quoted = packet(17, &[0x06, 0xa5, 0x06, 0xa5, 0, 60, 0, 0]);
    quoted[3] = 80;
    let error = [&[3, 13, 0, 0, 0, 0, 0, 0][..], &quoted].concat();
    for (frame, words) in [
        (packet(6, &tcp), "TCP              port 50000 to 443, SYN ACK, 2 octets\n"),
        (packet(2, &[0x16, 0, 0, 0, 224, 0, 0, 251]), "IGMP             Membership Report v2 224.0.0.251\n"),
        (packet(1, &[8, 0, 0, 0, 0, 5, 0, 6]), "ICMP             Echo Request id 5 seq 6\n"),
        (
            packet(1, &error),
            "Destination Unreachable (communication administratively prohibited) about 192.0.2.1 to 192.0.2.2 port \
             1701 to 1701\n",
        ),
        (fragment, "fragment of UDP, id 0x0001, offset 0\n"),
        (packet(89, &[0; 8]), "OSPFIGP"),
    ] {
        let text = line_of(frame, &["-P"]);
        assert!(text.contains(words), "{words}: {text}");
    }
    for (frame, step) in [
        (packet(6, &tcp), "TCP, not UDP"),
        (packet(2, &[0x16, 0, 0, 0, 224, 0, 0, 251]), "IGMP, not UDP"),
        (packet(1, &error), "ICMP, not UDP"),
        (packet(47, &[0, 0, 0x88, 0x0b]), "GRE, not UDP"),
    ] {
        let text = line_of(frame, &["-V"]);
        assert!(text.contains(&format!("5 UDP                   skipped  {step}\n")), "{step}: {text}");
    }
}

#[test]
fn lines_keep_to_a_width_that_is_asked_for() {
    let sample = samples::sample("l2tp-ipsec/aes128-sha1");
    for (width, ascii) in [("80", false), ("120", false), ("100", true)] {
        let columns: usize = width.parse().unwrap();
        let mut options = vec!["-P", "--width", width];
        options.extend(ascii.then_some("--ascii"));
        let text = String::from_utf8(run(&sample, &options).stdout).unwrap();
        // Addresses of links and of IPv6 alone may need more.
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("  10.1.0.2 ")).collect();
        assert!(lines.len() > 40);
        for line in lines {
            assert!(line.chars().count() <= columns, "{width}: {line}");
        }
    }
    let whole = String::from_utf8(run(&sample, &["-P"]).stdout).unwrap();
    assert!(whole.lines().any(|line| line.chars().count() > 120));
}

#[test]
fn what_a_line_says_is_a_field_and_a_filter() {
    let sample = samples::sample("l2tp-ipsec/aes128-sha1");
    let fields = ["-T", "fields", "-e", "_ws.col.protocol", "-e", "_ws.col.Info", "-Y"];
    let of =
        |filter: &str| String::from_utf8(run(&sample, &[&fields[..], &[filter]].concat()).stdout).unwrap();
    assert_eq!(of("_ws.col.info contains \"SCCRQ\""), "L2TP\tSCCRQ Ns 0 Nr 0, lac.lab, tunnel 17875\n");
    assert!(of("_ws.col.protocol == \"ARP\"").lines().all(|line| line.starts_with("ARP\t")));
    assert_eq!(of("frame.time < \"2000-01-01 00:00:00\""), "");
    assert!(of("frame.time > \"2026-11-23\" and arp").starts_with("ARP\t"));
}

#[test]
fn errors_of_filters_are_short_and_suggest_what_is_near() {
    let sample = samples::sample("l2tp-ipsec/aes128-sha1");
    let refused = |filter: &str| {
        let output = samples::run(&sample.directory, &[&["-Y", filter], &sample.arguments()[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{filter}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("l2tp.tunel").contains("did you mean l2tp.tunnel?"));
    assert!(!refused("smb2.flags").contains("did you mean"));
    assert!(refused("eth.src == 9e:04").contains("such as 00:00:5e:00:53:01"));
    let huge = format!("{}bogus.name", "udp or ".repeat(500));
    let said = refused(&huge);
    assert!(said.len() < 400 && said.contains("bogus.name"), "{said}");
    let marks = said.lines().rev().find(|line| line.contains('^')).unwrap();
    let hint = said.lines().find(|line| line.contains("hint: ")).unwrap();
    let place = |line: &str, what: &str| line[..line.find(what).unwrap()].chars().count();
    assert_eq!(place(marks, "^"), place(hint, "bogus"), "{said}");
}
