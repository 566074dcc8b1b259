//! Capture files built by hand: every format, byte order, resolution and compression, and every way to break them.

#[path = "capture_files/writers.rs"]
mod writers;

use std::io::{Cursor, Read, Write as _};

use l2tp_inspect::capture::{
    CaptureError, CaptureFile, Compression, Damage, Format, LinkType, MAX_INTERFACES, MAX_RECORD,
};
use writers::*;

#[derive(Debug, PartialEq, Clone)]
struct Owned {
    time: i64,
    link: u32,
    interface: u32,
    data: Vec<u8>,
    original: u32,
    offset: u64,
}

fn open(bytes: &[u8]) -> Result<CaptureFile, CaptureError> {
    CaptureFile::from_reader(Box::new(Cursor::new(bytes.to_vec())))
}

fn drain(capture: &mut CaptureFile) -> Vec<Owned> {
    let mut frames = Vec::new();
    while let Some(frame) = capture.next_frame().unwrap() {
        assert_eq!(frame.number, frames.len() as u64 + 1);
        assert!(frame.original_len as usize >= frame.data.len());
        frames.push(Owned {
            time: frame.time.0,
            link: frame.link.0,
            interface: frame.interface,
            data: frame.data.to_vec(),
            original: frame.original_len,
            offset: frame.offset,
        });
    }
    assert!(capture.next_frame().unwrap().is_none());
    frames
}

fn read(bytes: &[u8]) -> (Vec<Owned>, Option<Damage>) {
    let mut capture = open(bytes).unwrap();
    let frames = drain(&mut capture);
    (frames, capture.damage().cloned())
}

fn whole(bytes: &[u8]) -> Vec<Owned> {
    let (frames, damage) = read(bytes);
    assert_eq!(damage, None);
    frames
}

fn damage(bytes: &[u8]) -> String {
    read(bytes).1.unwrap().to_string()
}

// Tests of whole files.

#[test]
fn pcap_in_every_form() {
    for order in ORDERS {
        for (magic, unit, header) in [(MICRO, 1_000, 16), (NANO, 1, 16), (MODIFIED, 1_000, 24)] {
            let file = pcap(order, magic);
            let mut capture = open(&file).unwrap();
            assert_eq!(capture.format(), Format::Pcap { nanoseconds: magic == NANO });
            assert_eq!((capture.format().name(), capture.nanoseconds()), ("pcap", magic == NANO));
            assert_eq!((capture.link_types(), capture.snaplen()), (&[LinkType::ETHERNET][..], Some(65_535)));
            let frames = drain(&mut capture);
            assert_eq!(capture.damage(), None);
            assert_eq!(frames[0].time, 1_700_000_000_000_000_000 + 123_456 * unit);
            assert_eq!(frames[2].time, 1_699_999_999_000_000_000 + 999_999 * unit);
            assert_eq!((&frames[0].data[..], frames[0].original), (&b"abc"[..], 3));
            assert_eq!((frames[1].data.len(), frames[1].original), (0, 60));
            assert_eq!((frames[2].data.len(), frames[2].original), (70, 1500));
            let offsets: Vec<u64> = frames.iter().map(|frame| frame.offset).collect();
            assert_eq!(offsets, [24, 24 + header + 3, 24 + 2 * header + 3]);
        }
    }
}

#[test]
fn pcapng_in_both_orders() {
    for order in ORDERS {
        let mut capture = open(&pcapng(order)).unwrap();
        let frames = drain(&mut capture);
        assert_eq!(capture.damage(), None);
        assert_eq!((capture.format().name(), capture.nanoseconds()), ("pcapng", true));
        assert_eq!(capture.link_types(), [LinkType::ETHERNET, LinkType::LINUX_SLL2]);
        assert_eq!((capture.snaplen(), capture.interface_drops()), (Some(96), 37));
        let seen: Vec<_> =
            frames.iter().map(|frame| (frame.time, frame.link, frame.interface, frame.original)).collect();
        assert_eq!(
            seen,
            [
                (1_700_000_000_123_456_000, 1, 0, 3),
                (1_700_000_000_123_456_789, 276, 1, 100),
                (1_700_000_000_123_456_789, 1, 0, 13),
                (5, 276, 1, 3),
            ]
        );
        let data: Vec<&[u8]> = frames.iter().map(|frame| &frame.data[..]).collect();
        assert_eq!(data, [&b"abc"[..], b"abcd", b"simple packet", b"old"]);
    }
}

#[test]
fn pcapng_clocks() {
    for order in ORDERS {
        let cases: [(Vec<u8>, u64, i64); 5] = [
            (option(order, 9, &[3]), 1_700_000_000_123, 1_700_000_000_123_000_000),
            (option(order, 9, &[0x80 | 10]), (1_700_000_000 << 10) | 512, 1_700_000_000_500_000_000),
            (option(order, 14, &order.n64(3600)), 1_000_000, 3_601_000_000_000),
            (option(order, 14, &order.n64((-2_i64).cast_unsigned())), 5_000_000, 3_000_000_000),
            // What follows the end of the options does not count.
            ([option(order, 0, &[]), option(order, 9, &[9])].concat(), 7, 7_000),
        ];
        for (options, units, nanos) in cases {
            let file = [shb(order), idb(order, 1, 0, &options), epb(order, 0, units, b"x", 1)].concat();
            assert_eq!(whole(&file)[0].time, nanos);
        }
    }
}

#[test]
fn sections_of_both_orders_forget_the_interfaces_of_the_one_before() {
    let file = [pcapng(Order::Little), pcapng(Order::Big), shb(Order::Little)].concat();
    let mut capture = open(&file).unwrap();
    assert_eq!(drain(&mut capture).len(), 8);
    assert_eq!((capture.damage(), capture.interface_drops()), (None, 74));
    let orphan = [pcapng(Order::Little), shb(Order::Big), epb(Order::Big, 0, 0, b"x", 1)].concat();
    let (frames, damage) = read(&orphan);
    assert_eq!(frames.len(), 4);
    assert_eq!(damage.unwrap().what, "a packet is of interface 0, the section describes 0 so far");
}

#[test]
fn a_simple_packet_is_cut_to_the_snapshot_length() {
    let order = Order::Little;
    let file = [shb(order), idb(order, 1, 5, &[]), spb(order, b"hello", 1500)].concat();
    let frames = whole(&file);
    assert_eq!((&frames[0].data[..], frames[0].original, frames[0].time), (&b"hello"[..], 1500, 0));
}

#[test]
fn a_slow_source_gives_the_same() {
    struct Slow(Cursor<Vec<u8>>);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }
    for file in [pcap(Order::Big, NANO), pcapng(Order::Big), gzip(&pcapng(Order::Little))] {
        let mut capture = CaptureFile::from_reader(Box::new(Slow(Cursor::new(file.clone())))).unwrap();
        assert_eq!(drain(&mut capture), whole(&file));
    }
}

#[test]
fn records_longer_than_the_window_are_read_whole() {
    let order = Order::Little;
    let long: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    let mut file = pcap_header(order, MICRO, 4_000_000, 101);
    for _ in 0..3 {
        file.extend(pcap_record(order, MICRO, (1, 0), &long, 3_000_000));
        file.extend(pcap_record(order, MICRO, (1, 0), b"short", 5));
    }
    let frames = whole(&file);
    assert_eq!(frames.len(), 6);
    assert!(frames[4].data == long && frames[5].data == b"short");
}

#[test]
fn a_big_block_of_no_interest_is_passed_over() {
    let order = Order::Big;
    let file = [pcapng(order), block(order, 10, &vec![1; 40 << 20]), epb(order, 0, 0, b"after", 5)].concat();
    assert_eq!(whole(&file)[4].data, b"after");
}

// Tests of compressed files.

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Each compression of `bytes`, whole and in two pieces.
fn packed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let skippable = [&[0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"...."].concat();
    let mut all = Vec::new();
    for pack in [gzip, zstd, lz4] {
        all.push(pack(bytes));
        all.push([pack(first), pack(second)].concat());
    }
    all.push([skippable[..11].to_vec(), zstd(first), skippable[..11].to_vec(), lz4(second)].concat());
    all
}

#[test]
fn compressed_files_are_found_by_their_content() {
    for file in [pcap(Order::Little, MICRO), pcapng(Order::Big)] {
        let plain = whole(&file);
        for packed in packed(&file) {
            assert_eq!(whole(&packed), plain);
            assert!(open(&packed).unwrap().compression().is_some());
        }
    }
    for (pack, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd"), (lz4, "lz4")] {
        let compression = open(&pack(&pcapng(Order::Big))).unwrap().compression();
        assert_eq!(compression.map(Compression::name), Some(name));
    }
    assert_eq!(open(&pcapng(Order::Big)).unwrap().compression(), None);
}

#[test]
fn a_compressed_file_cut_anywhere_gives_a_prefix_and_is_damaged() {
    // Some blocks of each compression, of bytes that do not shrink much.
    let mut file = pcap(Order::Little, MICRO);
    let mut state = 1_u32;
    for _ in 0..200 {
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(1500)
        .collect();
        file.extend(pcap_record(Order::Little, MICRO, (1, 2), &noise, 1500));
    }
    let plain = whole(&file);
    for pack in [gzip, zstd, lz4] {
        let packed = pack(&file);
        let mut opened = 0;
        for end in (1..64).chain((64..packed.len()).step_by(1_009)).chain(packed.len() - 8..packed.len()) {
            match open(&packed[..end]) {
                Ok(mut capture) => {
                    opened += 1;
                    assert!(plain.starts_with(&drain(&mut capture)));
                    assert!(capture.damage().is_some_and(|damage| damage.stopped), "{end}");
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        assert!(opened > 100);
    }
}

#[test]
fn a_compressed_file_with_any_byte_changed_ends() {
    let file = pcapng(Order::Little);
    for packed in packed(&file) {
        for at in 0..packed.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut broken = packed.clone();
                broken[at] ^= change;
                if let Ok(mut capture) = open(&broken) {
                    drain(&mut capture);
                }
            }
        }
    }
}

#[test]
fn a_bomb_is_streamed() {
    let order = Order::Little;
    // A block of 200 MiB of zeros, some 200 KiB compressed, before a packet.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&[shb(order), idb(order, 1, 0, &[])].concat()).unwrap();
    let length: u32 = 200 << 20;
    encoder.write_all(&[order.n32(0x0bad), order.n32(length)].concat()).unwrap();
    for _ in 0..200 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    // The end of the zeros stands where the length should be repeated.
    assert_eq!(damage(&bomb), "byte 48: a block has the length 209715200 at its start and 0 at its end");
}

// Tests of damaged files.

#[test]
fn a_file_cut_anywhere_gives_a_prefix() {
    let mut files = vec![pcapng(Order::Little), pcapng(Order::Big)];
    for order in ORDERS {
        files.extend([MICRO, NANO, MODIFIED].map(|magic| pcap(order, magic)));
    }
    for file in files {
        let plain = whole(&file);
        for end in 0..file.len() {
            let Ok(mut capture) = open(&file[..end]) else {
                assert!(end < 4, "{end}");
                continue;
            };
            let frames = drain(&mut capture);
            assert!(plain.starts_with(&frames));
            if let Some(damage) = capture.damage() {
                assert!(damage.stopped && damage.offset <= end as u64);
                assert!(damage.what.contains("needed"), "{damage}");
            } else {
                // The cut is between two records: the next one begins here, or a block without a packet.
                assert!(end >= 24);
            }
        }
    }
}

#[test]
fn a_file_with_any_byte_changed_ends() {
    let mut files = vec![pcapng(Order::Little), pcapng(Order::Big)];
    for order in ORDERS {
        files.extend([MICRO, NANO, MODIFIED].map(|magic| pcap(order, magic)));
    }
    for file in files {
        for at in 0..file.len() {
            // Every bit alone, and the values that lengths like least.
            for change in (0..8).map(|bit| 1 << bit).chain([file[at], !file[at], 0x7f ^ file[at]]) {
                let mut broken = file.clone();
                broken[at] ^= change;
                if let Ok(mut capture) = open(&broken) {
                    assert!(drain(&mut capture).len() <= file.len() / 12);
                    if let Some(damage) = capture.damage() {
                        assert!(damage.to_string().chars().all(|c| (' '..='~').contains(&c)));
                    }
                }
            }
        }
    }
}

#[test]
fn a_cut_names_offset_need_and_rest() {
    let file = pcap(Order::Little, MICRO);
    let end = file.len();
    assert_eq!(damage(&file[..end - 30]), "byte 59: a record is cut short: 86 bytes needed, 56 available");
    assert_eq!(damage(&file[..50]), "byte 43: a record header is cut short: 16 bytes needed, 7 available");
    assert_eq!(damage(&file[..10]), "byte 0: the file header is cut short: 24 bytes needed, 10 available");
    let file = pcapng(Order::Big);
    assert_eq!(
        damage(&file[..20]),
        "byte 0: a Section Header Block is cut short: 28 bytes needed, 20 available"
    );
    assert_eq!(damage(&file[..40]), "byte 28: a block is cut short: 40 bytes needed, 12 available");
}

#[test]
fn a_length_that_cannot_be_stops_before_it_is_believed() {
    let order = Order::Little;
    for claimed in [MAX_RECORD as u32 + 1, 0x7fff_ffff, u32::MAX] {
        let mut file =
            [pcap(order, MICRO), order.n32(1), order.n32(1), order.n32(claimed), order.n32(1)].concat();
        file.resize(file.len() + 100, 0);
        let (frames, damage) = read(&file);
        assert_eq!(frames.len(), 3);
        assert_eq!(
            damage.unwrap().to_string(),
            format!("byte 145: a record claims {claimed} captured bytes, more than the 16777216 that can be")
        );
    }
    // Far over the snapshot length of the file.
    let mut file =
        [pcap(order, MICRO), order.n32(1), order.n32(1), order.n32(300_000), order.n32(1)].concat();
    file.resize(file.len() + 400_000, 0);
    assert_eq!(
        damage(&file),
        "byte 145: a record claims 300000 captured bytes, more than the 262144 that can be"
    );
}

#[test]
fn a_packet_over_the_snapshot_length_is_lent_and_named() {
    let order = Order::Big;
    let mut file = pcap_header(order, MICRO, 64, 1);
    for len in [64, 65, 66, 10] {
        file.extend(pcap_record(order, MICRO, (1, 0), &vec![1; len], len as u32));
    }
    let (frames, first) = read(&file);
    assert_eq!(frames.len(), 4);
    let first = first.unwrap();
    assert!(!first.stopped);
    assert_eq!(first.to_string(), "byte 104: a packet of 65 captured bytes is over the snapshot length 64");
    // A fault that ends the file is worth more.
    assert!(read(&file[..file.len() - 1]).1.unwrap().stopped);
    // No snapshot length: no limit.
    let mut file = pcap_header(order, MICRO, 0, 1);
    file.extend(pcap_record(order, MICRO, (1, 0), &[1; 400_000], 400_000));
    assert_eq!(whole(&file).len(), 1);
}

#[test]
fn lies_about_block_lengths_are_named() {
    let order = Order::Little;
    let good = pcapng(order);
    let with = |kind: u32, length: u32, rest: usize| {
        let mut file = [good.clone(), order.n32(kind), order.n32(length)].concat();
        file.resize(file.len() + rest, 0);
        let (frames, damage) = read(&file);
        assert_eq!(frames.len(), 4);
        let damage = damage.unwrap();
        assert_eq!(damage.offset, good.len() as u64);
        damage.what
    };
    assert_eq!(with(99, 0, 100), "a block claims a length of 0 bytes, it needs 12");
    assert_eq!(with(99, 4, 100), "a block claims a length of 4 bytes, it needs 12");
    assert_eq!(with(99, 13, 100), "a block claims a length of 13 bytes, no multiple of 4");
    assert_eq!(with(99, 16, 100), "a block has the length 16 at its start and 0 at its end");
    assert_eq!(with(99, 0xffff_fffc, 100), "a block is cut short: 4294967292 bytes needed, 108 available");
    assert_eq!(with(6, 28, 100), "an Enhanced Packet Block claims a length of 28 bytes, it needs 32");
    assert_eq!(
        with(6, 0x7fff_fffc, 100),
        "an Enhanced Packet Block claims a length of 2147483644 bytes, more than the 16777216 that can be"
    );
    assert_eq!(with(6, 120, 100), "an Enhanced Packet Block is cut short: 120 bytes needed, 108 available");
    assert_eq!(with(1, 16, 100), "an Interface Description Block claims a length of 16 bytes, it needs 20");
    assert_eq!(
        with(5, 1 << 20, 100),
        "an Interface Statistics Block claims a length of 1048576 bytes, more than the 262144 that can be"
    );
    assert_eq!(with(0x0a0d_0d0a, 28, 100), "a Section Header Block has neither byte-order magic");
}

#[test]
fn packets_that_do_not_fit_their_block_are_named() {
    let order = Order::Big;
    let good = pcapng(order);
    let body = [order.n32(0), order.n64(0), order.n32(9), order.n32(9), b"12345678".to_vec()].concat();
    let file = [good.clone(), block(order, 6, &body)].concat();
    assert!(damage(&file).ends_with("a packet claims 9 captured bytes, its block has room for 8"));
    let file = [good.clone(), block(order, 3, &[order.n32(9), b"12345678".to_vec()].concat())].concat();
    assert!(damage(&file).ends_with("a simple packet needs 9 bytes, its block has room for 8"));
    let file = [good, epb(order, 2, 0, b"x", 1)].concat();
    assert!(damage(&file).ends_with("a packet is of interface 2, the section describes 2 so far"));
}

#[test]
fn interfaces_without_end_end() {
    let order = Order::Little;
    let mut file = shb(order);
    for n in 0..=MAX_INTERFACES {
        file.extend(idb(order, n as u16, 0, &[]));
    }
    let mut capture = open(&file).unwrap();
    drain(&mut capture);
    assert!(capture.damage().is_some_and(|damage| damage.what.contains("65536 interfaces")));
    assert_eq!(capture.link_types().len(), 64);
}

// Tests of what is no capture.

#[test]
fn what_is_no_capture_is_told_apart() {
    let said = |bytes: &[u8]| open(bytes).err().unwrap().to_string();
    assert_eq!(said(b""), "the input is empty");
    assert_eq!(said(&gzip(b"")), "the input is empty");
    assert!(said(b"GMBU\x01\x02").contains("Network Monitor 2"));
    assert!(said(b"RTSS").contains("Network Monitor 1"));
    assert!(said(b"snoop\0\0\0\0\0\0\x02").contains("a snoop capture"));
    assert!(said(b"No.,Time,Source,Destination\n").contains("text"));
    assert!(said(&gzip(b"src 10.0.0.1 dst 10.0.0.2\n")).contains("text"));
    assert!(said(&[0, 1, 2, 3]).ends_with("it begins with 00 01 02 03"));
    assert!(said(&gzip(&pcap(Order::Big, NANO))[..12]).contains("the gzip data are cut short"));
    let mut version = pcap(Order::Little, MICRO);
    version[4] = 9;
    assert!(said(&version).ends_with("pcap version 9.4, which is not known"));
    let mut version = pcapng(Order::Big);
    version[13] = 7;
    assert!(said(&version).ends_with("pcapng version 7.0, which is not known"));
    assert!(said(b"\n\r\r\nthis is a text, after all").contains("text"));
}

#[test]
fn names_of_files_are_clean_in_messages() {
    let directory = tempfile::tempdir().unwrap();
    let said = |name: &str| CaptureFile::open(&directory.path().join(name)).err().unwrap();
    assert!(matches!(said("missing"), CaptureError::Open { .. }));
    assert!(std::error::Error::source(&said("missing")).is_some());
    std::fs::create_dir(directory.path().join("folder")).unwrap();
    assert!(matches!(said("folder"), CaptureError::Directory { .. }));
    assert!(said("folder").to_string().ends_with("folder is a directory, not a capture"));
    let text = said("evil\x1b[2J").to_string();
    assert!(text.ends_with("evil\\u{1b}[2J"), "{text:?}");
    std::fs::write(directory.path().join("good"), pcap(Order::Little, NANO)).unwrap();
    let mut capture = CaptureFile::open(&directory.path().join("good")).unwrap();
    assert_eq!(drain(&mut capture).len(), 3);
}
