//! Writes pcap and pcapng, right or wrong as a test wants it.

/// Writes numbers in the byte order of a file.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Order {
    Little,
    Big,
}

pub const ORDERS: [Order; 2] = [Order::Little, Order::Big];

impl Order {
    pub fn n16(self, number: u16) -> Vec<u8> {
        if self == Self::Big { number.to_be_bytes() } else { number.to_le_bytes() }.to_vec()
    }

    pub fn n32(self, number: u32) -> Vec<u8> {
        if self == Self::Big { number.to_be_bytes() } else { number.to_le_bytes() }.to_vec()
    }

    pub fn n64(self, number: u64) -> Vec<u8> {
        if self == Self::Big { number.to_be_bytes() } else { number.to_le_bytes() }.to_vec()
    }
}

pub const MICRO: u32 = 0xa1b2_c3d4;
pub const NANO: u32 = 0xa1b2_3c4d;
pub const MODIFIED: u32 = 0xa1b2_cd34;

pub fn pcap_header(order: Order, magic: u32, snaplen: u32, link: u32) -> Vec<u8> {
    [
        order.n32(magic),
        order.n16(2),
        order.n16(4),
        order.n32(0),
        order.n32(0),
        order.n32(snaplen),
        order.n32(link),
    ]
    .concat()
}

pub fn pcap_record(order: Order, magic: u32, time: (u32, u32), data: &[u8], original: u32) -> Vec<u8> {
    let mut record =
        [order.n32(time.0), order.n32(time.1), order.n32(data.len() as u32), order.n32(original)].concat();
    if magic == MODIFIED {
        record.extend([7; 8]);
    }
    record.extend(data);
    record
}

/// Three packets of 3, 0 and 70 bytes.
pub fn pcap(order: Order, magic: u32) -> Vec<u8> {
    let mut file = pcap_header(order, magic, 65_535, 1);
    file.extend(pcap_record(order, magic, (1_700_000_000, 123_456), b"abc", 3));
    file.extend(pcap_record(order, magic, (1_700_000_001, 0), b"", 60));
    file.extend(pcap_record(order, magic, (1_699_999_999, 999_999), &[0x5a; 70], 1500));
    file
}

// Writers of pcapng.

pub fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = order.n32(body.len() as u32 + 12);
    [order.n32(kind), length.clone(), body, length].concat()
}

pub fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let mut option = [order.n16(code), order.n16(value.len() as u16), value.to_vec()].concat();
    option.resize(option.len().next_multiple_of(4), 0);
    option
}

pub fn shb(order: Order) -> Vec<u8> {
    let body = [order.n32(0x1a2b_3c4d), order.n16(1), order.n16(0), order.n64(u64::MAX)].concat();
    block(order, 0x0a0d_0d0a, &body)
}

pub fn idb(order: Order, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
    block(order, 1, &[&order.n16(link)[..], &order.n16(0), &order.n32(snaplen), options].concat())
}

pub fn epb(order: Order, interface: u32, time: u64, data: &[u8], original: u32) -> Vec<u8> {
    let mut body = [
        order.n32(interface),
        order.n32((time >> 32) as u32),
        order.n32(time as u32),
        order.n32(data.len() as u32),
        order.n32(original),
        data.to_vec(),
    ]
    .concat();
    body.resize(body.len().next_multiple_of(4), 0);
    // epb_flags: one allocation per packet in a careless reader, and nothing we need.
    body.extend(option(order, 2, &[0, 0, 0, 1]));
    body.extend(option(order, 0, &[]));
    block(order, 6, &body)
}

pub fn spb(order: Order, data: &[u8], original: u32) -> Vec<u8> {
    block(order, 3, &[&order.n32(original)[..], data].concat())
}

pub fn packet_block(order: Order, interface: u16, time: u64, data: &[u8], original: u32) -> Vec<u8> {
    let body = [
        order.n16(interface),
        order.n16(u16::MAX),
        order.n32((time >> 32) as u32),
        order.n32(time as u32),
        order.n32(data.len() as u32),
        order.n32(original),
        data.to_vec(),
    ];
    block(order, 2, &body.concat())
}

pub fn isb(order: Order, interface: u32, ifdrop: u64, osdrop: u64) -> Vec<u8> {
    let options = [option(order, 5, &order.n64(ifdrop)), option(order, 7, &order.n64(osdrop))].concat();
    block(order, 5, &[order.n32(interface), order.n64(0), options].concat())
}

/// Two interfaces of different link types, every kind of packet block, and blocks to skip.
pub fn pcapng(order: Order) -> Vec<u8> {
    [
        shb(order),
        block(order, 0x0bad, b"custom block, of no interest"),
        idb(order, 1, 96, &option(order, 2, b"eth0")),
        idb(order, 276, 0, &[option(order, 9, &[9]), option(order, 0, &[])].concat()),
        epb(order, 0, 1_700_000_000_123_456, b"abc", 3),
        block(order, 4, &[0; 40]),
        epb(order, 1, 1_700_000_000_123_456_789, b"abcd", 100),
        spb(order, b"simple packet", 13),
        packet_block(order, 1, 5, b"old", 3),
        isb(order, 0, 4, 1),
        isb(order, 1, 30, 0),
        isb(order, 0, 5, 2),
    ]
    .concat()
}
