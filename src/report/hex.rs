//! `-x`: the octets of a frame and of every buffer that was made of it.

use super::packet::Packet;

/// Octets of one line.
const LINE: usize = 16;

/// Writes all buffers of a packet, each under its name.
pub fn write(packet: &Packet<'_>, out: &mut Vec<u8>) {
    for (name, range, octets) in packet.buffers() {
        let masks: Vec<_> = packet.masks(range).collect();
        let hidden = |at: usize| masks.iter().any(|mask| mask.contains(&at));
        out.extend_from_slice(format!("{name} ({} octets):\n", octets.len()).as_bytes());
        for (at, line) in octets.chunks(LINE).enumerate() {
            row(at * LINE, line, &hidden, out);
        }
        out.push(b'\n');
    }
}

fn row(offset: usize, octets: &[u8], hidden: &dyn Fn(usize) -> bool, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{offset:04x}  ").as_bytes());
    for at in 0..LINE {
        match octets.get(at) {
            Some(_) if hidden(offset + at) => out.extend_from_slice(b"** "),
            Some(octet) => out.extend_from_slice(format!("{octet:02x} ").as_bytes()),
            None => out.extend_from_slice(b"   "),
        }
        if at == LINE / 2 - 1 {
            out.push(b' ');
        }
    }
    out.push(b' ');
    out.extend(octets.iter().enumerate().map(|(at, octet)| match octet {
        _ if hidden(offset + at) => b'*',
        0x20..=0x7e => *octet,
        _ => b'.',
    }));
    out.push(b'\n');
}
