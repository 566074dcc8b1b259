//! IP headers that get another payload: lengths, protocol and checksums put right (RFC 791, RFC 8200, RFC 1071).

const TCP: u8 = 6;
const UDP: u8 = 17;
const FRAGMENT: u8 = 44;

/// Writes the header of `packet` with `payload` of protocol `number` behind it. An ESP, authentication or fragment header
/// between them is gone. `None` if there is no sound header, or the packet would be longer than one can be.
pub(super) fn rebuild(packet: &[u8], number: Option<u8>, payload: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    match packet.first()? >> 4 {
        4 => version4(packet, number, payload, out),
        6 => version6(packet, number, payload, out),
        _ => None,
    }
}

fn version4(packet: &[u8], number: Option<u8>, payload: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let header = usize::from(packet.first()? & 0xf).saturating_mul(4);
    out.extend_from_slice(packet.get(..header.max(20))?);
    let total = u16::try_from(header.checked_add(payload.len())?).ok()?;
    put(out, 2, &total.to_be_bytes())?;
    // Of flags and offset only Don't Fragment is left.
    let flags = *out.get(6)? & 0x40;
    put(out, 6, &[flags, 0])?;
    if let Some(number) = number {
        put(out, 9, &[number])?;
    }
    put(out, 10, &[0, 0])?;
    let checksum = fold(sum(out));
    put(out, 10, &(!checksum).to_be_bytes())?;
    out.extend_from_slice(payload);
    Some(())
}

fn version6(packet: &[u8], number: Option<u8>, payload: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(packet.get(..40)?);
    let (mut names_next, mut at, mut next) = (6, 40_usize, *packet.get(6)?);
    loop {
        match next {
            0 | 43 | 60 | 135 | 139 | 140 => {
                let units = usize::from(*packet.get(at.checked_add(1)?)?);
                let length = units.checked_add(1)?.checked_mul(8)?;
                names_next = out.len();
                next = *packet.get(at)?;
                out.extend_from_slice(packet.get(at..at.checked_add(length)?)?);
                at = at.checked_add(length)?;
            }
            FRAGMENT => {
                next = *packet.get(at)?;
                at = at.checked_add(8)?;
            }
            _ => break,
        }
    }
    put(out, names_next, &[number.unwrap_or(next)])?;
    let length = out.len().checked_sub(40)?.checked_add(payload.len())?;
    put(out, 4, &u16::try_from(length).ok()?.to_be_bytes())?;
    out.extend_from_slice(payload);
    Some(())
}

/// Computes the checksum of UDP or TCP anew, in the last `payload` octets of `packet`: a NAT has changed the addresses that
/// it covers (RFC 3948 section 3.1.2). A UDP checksum of 0 says that there is none, and stays.
pub(super) fn correct_checksum(packet: &mut [u8], number: u8, payload: usize) -> Option<()> {
    let field: usize = match number {
        UDP => 6,
        TCP => 16,
        _ => return None,
    };
    let begin = packet.len().checked_sub(payload)?;
    let (header, segment) = packet.split_at_mut_checked(begin)?;
    let ends = field.checked_add(2)?;
    let there = segment.get_mut(field..ends)?;
    if number == UDP && there == [0, 0] {
        return None;
    }
    there.fill(0);
    let addresses = match header.first()? >> 4 {
        4 => header.get(12..20)?,
        _ => header.get(8..40)?,
    };
    let pseudo = sum(addresses).wrapping_add(u64::from(number)).wrapping_add(u64::try_from(payload).ok()?);
    let checksum = match !fold(pseudo.wrapping_add(sum(segment))) {
        0 if number == UDP => 0xffff,
        checksum => checksum,
    };
    segment.get_mut(field..ends)?.copy_from_slice(&checksum.to_be_bytes());
    Some(())
}

/// How long an IP packet says that it is; `None` if it does not say.
pub(super) fn length(packet: &[u8]) -> Option<usize> {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at.checked_add(1)?)?]));
    match packet.first()? >> 4 {
        4 => word(2).filter(|length| *length >= 20).map(usize::from),
        6 => word(4).filter(|length| *length > 0).map(|length| usize::from(length).saturating_add(40)),
        _ => None,
    }
}

fn put(out: &mut [u8], at: usize, octets: &[u8]) -> Option<()> {
    out.get_mut(at..at.checked_add(octets.len())?)?.copy_from_slice(octets);
    Some(())
}

fn sum(octets: &[u8]) -> u64 {
    octets.chunks(2).fold(0, |sum, pair| {
        let word =
            u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]);
        sum.wrapping_add(u64::from(word))
    })
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}
