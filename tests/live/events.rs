//! What a capture shows while it goes on: events, reports, counts.

use super::*;

/// The lines of `-T jsonl`.
fn lines(output: &Output) -> Vec<Value> {
    let all = output.stdout.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    all.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn events_come_in_the_order_in_which_things_happened() {
    let Some(lab) = Lab::new() else { return };
    let (path, keys) = trace(SECRET);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let running = lab.start(&[&["-i", "far0", "-T", "jsonl"], &keys[..]].concat());
    lab.replay(&path, Some(20));
    let all = lines(&running.interrupted());
    let mut ids: Vec<&str> = all.iter().map(|line| line["event"].as_str().unwrap()).collect();
    // Two IKE SAs, an SA each way, and IPv6 beside IPv4.
    ids.dedup();
    let expected = [
        "ike-up",
        "sa",
        "connection-up",
        "call-up",
        "network-up",
        "call-closed",
        "connection-closed",
        "report",
    ];
    assert_eq!(ids, expected);
    let times: Vec<&str> = all.iter().filter_map(|line| line["time"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let up = all.iter().find(|line| line["text"].as_str().is_some_and(|text| text.contains("IPCP"))).unwrap();
    assert_eq!((&up["user"], &up["connection"], &up["call"]), (&"alice".into(), &"T1".into(), &"C1".into()));
    assert!(up["address"].as_str().unwrap().starts_with("10."), "{up}");
}

#[test]
fn a_dead_peer_is_told_at_once_and_judged_before_the_end() {
    let Some(lab) = Lab::new() else { return };
    let (path, keys) = trace("l2tp-ipsec/hello5-dead-peer");
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let running = lab.start(&[&["-i", "far0", "-T", "jsonl"], &keys[..]].concat());
    lab.replay(&path, Some(20));
    std::thread::sleep(Duration::from_millis(1500));
    let all = lines(&running.interrupted());
    let place =
        |id: &str| all.iter().position(|line| line["event"] == id).unwrap_or_else(|| panic!("{id}: {all:?}"));
    let order = [place("connection-up"), place("hello-resent"), place("connection-dead"), place("finding")];
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(all.iter().filter(|line| line["event"] == "connection-dead").count(), 1);
    let rules: Vec<&Value> =
        all.iter().filter(|line| line["event"] == "finding").map(|line| &line["rule"]).collect();
    assert!(rules.contains(&&Value::from("hello-unacknowledged")), "{rules:?}");
}

#[test]
fn a_signal_asks_for_a_report_and_the_capture_goes_on() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let running = lab.start(&["-i", "far0", "-T", "jsonl"]);
    for _ in 0..2 {
        lab.replay(&path, None);
        std::thread::sleep(Duration::from_millis(300));
        running.signal(Signal::USR1);
        std::thread::sleep(Duration::from_millis(300));
    }
    let all = lines(&running.interrupted());
    let reports: Vec<&Value> = all.iter().filter(|line| line["event"] == "report").collect();
    let packets: Vec<u64> =
        reports.iter().map(|one| one["captures"][0]["packets"].as_u64().unwrap()).collect();
    assert_eq!(packets.len(), 3);
    assert_eq!((packets[1], packets[2]), (2 * packets[0], 2 * packets[0]));
    let connections = reports[0]["captures"][0]["control_connections"].as_array().unwrap();
    assert_eq!(connections.len(), 1);
}

#[test]
fn metrics_are_served_without_privileges() {
    let Some(lab) = Lab::new() else { return };
    lab.ip(&["link", "set", "lo", "up"]);
    let (path, _) = trace(PLAIN);
    let running = lab.start(&["-i", "far0", "--metrics=9702"]);
    let sent = lab.replay(&path, None);
    std::thread::sleep(Duration::from_millis(300));
    let fetch = "exec 3<>/dev/tcp/127.0.0.1/9702; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    let page = lab.command("bash").args(["-c", fetch]).output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.contains(&format!("l2tp_inspect_packets_total {sent}\n")), "{page}");
    assert!(page.contains("l2tp_inspect_control_connections_seen_total 1\n"), "{page}");
    let status = fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    assert!(status.contains("CapEff:\t0000000000000000") && status.contains("NoNewPrivs:\t1"), "{status}");
    assert_eq!(running.interrupted().status.code(), Some(0));
}

/// What a process has in memory, in kB.
fn memory(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn who_asks_for_metrics_and_never_reads_takes_no_memory_and_holds_up_no_packet() {
    let Some(lab) = Lab::new() else { return };
    lab.ip(&["link", "set", "lo", "up"]);
    let (path, _) = trace(PLAIN);
    let running = lab.start(&["-i", "far0", "-T", "json", "--metrics=9703"]);
    let before = memory(&running);
    let ask = "GET /metrics HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n".repeat(50);
    let rude =
        format!("while exec 3<>/dev/tcp/127.0.0.1/9703; do while printf '{ask}' >&3; do :; done; done");
    let mut rude = lab.command("bash").args(["-c", &rude]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let sent = lab.replay(&path, None);
    let after = memory(&running);
    let began = Instant::now();
    let output = running.interrupted();
    let took = began.elapsed();
    rude.kill().unwrap();
    rude.wait().unwrap();
    assert_eq!(report(&output)["packets"].as_u64().unwrap() as usize, sent);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(after < before + 16_384, "{before} kB before, {after} kB after");
}
