//! Compressed captures, found by their first bytes and read as a stream in constant memory.
//!
//! gzip (RFC 1952, several members), Zstandard (RFC 8878) and LZ4 frames, the latter two also several in a row, mixed
//! with skippable frames.

use std::io::{self, BufReader, Cursor, Read};
use std::{error, fmt, mem};

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder as ZstdDecoder, StreamingDecoder};

/// The largest window that a Zstandard frame may ask for, in bytes: 32 MiB.
///
/// Levels up to 20 of the reference compressor stay within it. The window is the memory that reading costs, so a file
/// must not choose it freely.
pub const MAX_ZSTD_WINDOW: u64 = 32 << 20;

/// How many compressed bytes are read at once: 128 KiB.
const CHUNK: usize = 128 << 10;

const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];
const ZSTD: u32 = 0xfd2f_b528;
/// A last block without content (RFC 8878 section 3.1.1.2), and room for a checksum.
const ZSTD_END: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];
const LZ4: u32 = 0x184d_2204;
/// RFC 8878 section 3.1.2; the LZ4 frame format shares these numbers.
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;

/// How a capture was compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878), or at least beginning with a frame of it or a skippable one.
    Zstd,
    /// LZ4, or at least beginning with a frame of it.
    Lz4,
}

impl Compression {
    /// `gzip`, `zstd` or `lz4`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

/// Compressed data that cannot be decompressed further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Corrupt {
    Gzip,
    GzipCut,
    Zstd,
    ZstdWindow,
    ZstdChecksum,
    Lz4,
    Lz4Cut,
    Skippable,
    Trailing,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "the gzip data are damaged",
            Self::GzipCut => "the gzip data are cut short",
            Self::Zstd => "the zstd data are damaged or cut short",
            Self::ZstdWindow => {
                "the zstd data need a window over 32 MiB (decompress them with zstd -d first)"
            }
            Self::ZstdChecksum => "the zstd data do not have their checksum",
            Self::Lz4 => "the lz4 data are damaged",
            Self::Lz4Cut => "the lz4 data are cut short",
            Self::Skippable => "a skippable frame of the compressed data is cut short",
            Self::Trailing => "the compressed data are followed by something else",
        })
    }
}

impl error::Error for Corrupt {}

impl From<Corrupt> for io::Error {
    fn from(corrupt: Corrupt) -> Self {
        Self::new(io::ErrorKind::InvalidData, corrupt)
    }
}

/// The plain bytes of `reader`, and how they were compressed.
pub(super) fn unpack(
    mut reader: Box<dyn Read + Send>,
) -> io::Result<(Box<dyn Read + Send>, Option<Compression>)> {
    let mut head = [0; 4];
    let count = read_fully(&mut reader, &mut head)?;
    let found = match u32::from_le_bytes(head) {
        _ if count < head.len() => None,
        _ if head.starts_with(&GZIP) => Some(Compression::Gzip),
        LZ4 => Some(Compression::Lz4),
        magic if magic == ZSTD || SKIPPABLE.contains(&magic) => Some(Compression::Zstd),
        _ => None,
    };
    let mut head = head.to_vec();
    head.truncate(count);
    let whole = Cursor::new(head).chain(reader);
    Ok((
        match found {
            None => Box::new(whole),
            Some(Compression::Gzip) => {
                Box::new(Gzip(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, whole))))
            }
            Some(Compression::Zstd | Compression::Lz4) => {
                Box::new(Frames { state: State::Between(Source::new(Box::new(whole))), decoder: None })
            }
        },
        found,
    ))
}

/// Fills `buffer`, unless the end comes first; says how much was read.
fn read_fully(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut count = 0_usize;
    while let Some(space) = buffer.get_mut(count..).filter(|space| !space.is_empty()) {
        match reader.read(space) {
            Ok(0) => break,
            Ok(read) => count = count.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// `error` if it came from the system, else `corrupt`: decoders wrap the one and make up the other.
fn blame(error: io::Error, corrupt: Corrupt) -> io::Error {
    let mut cause: Option<&(dyn error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<io::Error>();
        if let Some(code) = io.and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(code);
        }
        // An io::Error hides the error that it was made of from `source`.
        cause = match io.and_then(io::Error::get_ref) {
            Some(custom) => Some(custom),
            None => inner.source(),
        };
    }
    if error.kind() == io::ErrorKind::Interrupted { error } else { corrupt.into() }
}

/// gzip, with its errors in our words.
struct Gzip<R>(MultiGzDecoder<R>);

impl<R: io::BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let cut = error.kind() == io::ErrorKind::UnexpectedEof;
            blame(error, if cut { Corrupt::GzipCut } else { Corrupt::Gzip })
        })
    }
}

/// Compressed bytes, with the last four put back and a memory of the end.
struct Source {
    reader: BufReader<Box<dyn Read + Send>>,
    /// Bytes to be read again, before the others.
    again: Cursor<[u8; 4]>,
    /// Whether somebody wanted to read past the end.
    ended: bool,
}

impl Source {
    fn new(reader: Box<dyn Read + Send>) -> Self {
        let mut again = Cursor::new([0; 4]);
        again.set_position(4);
        Self { reader: BufReader::with_capacity(CHUNK, reader), again, ended: false }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let again = self.again.read(buffer)?;
        if again > 0 {
            return Ok(again);
        }
        let read = self.reader.read(buffer)?;
        self.ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

/// Frames of Zstandard and LZ4, one after the other.
struct Frames {
    state: State,
    /// Kept between frames, so that many small frames do not cost an allocation each.
    decoder: Option<Box<ZstdDecoder>>,
}

enum State {
    Between(Source),
    Zstd(StreamingDecoder<Source, Box<ZstdDecoder>>),
    /// What was decoded before a fault, and then the fault.
    Rest(Box<ZstdDecoder>, Corrupt),
    Lz4(Box<Lz4Decoder<Source>>),
    Over,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // Each turn either gives bytes, ends, or consumes at least four bytes of the source.
        loop {
            // After an error the state stays `Over`: no decoder promises anything then.
            match mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(source) => self.state = self.begin(source)?,
                State::Zstd(mut stream) => {
                    let read = match stream.read(buffer) {
                        Ok(read) => read,
                        Err(error) => {
                            // An error of the system or an interruption is passed on.
                            let corrupt = blame(error, Corrupt::Zstd).downcast()?;
                            self.state = State::Rest(finish(stream.into_parts().1), corrupt);
                            continue;
                        }
                    };
                    if read > 0 {
                        self.state = State::Zstd(stream);
                        return Ok(read);
                    }
                    let (source, decoder) = stream.into_parts();
                    let expected = decoder.get_checksum_from_data();
                    if expected.is_some() && expected != decoder.get_calculated_checksum() {
                        return Err(Corrupt::ZstdChecksum.into());
                    }
                    self.decoder = Some(decoder);
                    self.state = State::Between(source);
                }
                State::Rest(mut decoder, corrupt) => match decoder.read(buffer)? {
                    0 => return Err(corrupt.into()),
                    read => {
                        self.state = State::Rest(decoder, corrupt);
                        return Ok(read);
                    }
                },
                State::Lz4(mut stream) => {
                    let read = stream.read(buffer).map_err(|error| blame(error, Corrupt::Lz4))?;
                    if read > 0 {
                        self.state = State::Lz4(stream);
                        return Ok(read);
                    }
                    // The decoder reports a missing end mark as the end of the frame.
                    let source = stream.into_inner();
                    if source.ended {
                        return Err(Corrupt::Lz4Cut.into());
                    }
                    self.state = State::Between(source);
                }
            }
        }
    }
}

/// Makes a decoder give out what it keeps as its window: the file ends here for it.
fn finish(mut decoder: Box<ZstdDecoder>) -> Box<ZstdDecoder> {
    // Should it refuse, it keeps its window: then some packets fewer are read, and the damage is named all the same.
    let _ = decoder.decode_blocks(&ZSTD_END[..], BlockDecodingStrategy::UptoBlocks(1));
    decoder
}

impl Frames {
    /// Looks at the first four bytes of the next frame.
    fn begin(&mut self, mut source: Source) -> io::Result<State> {
        let mut magic = [0; 4];
        match read_fully(&mut source, &mut magic)? {
            0 => return Ok(State::Over),
            4 => {}
            _ => return Err(Corrupt::Trailing.into()),
        }
        match u32::from_le_bytes(magic) {
            ZSTD => {
                source.again = Cursor::new(magic);
                let mut decoder = self.decoder.take().unwrap_or_else(|| Box::new(ZstdDecoder::new()));
                decoder.set_max_window_size(MAX_ZSTD_WINDOW);
                StreamingDecoder::new_with_decoder(source, decoder).map(State::Zstd).map_err(|error| {
                    use ruzstd::decoding::errors::FrameDecoderError::WindowSizeTooBig;
                    let window = matches!(error, WindowSizeTooBig { .. });
                    let corrupt = if window { Corrupt::ZstdWindow } else { Corrupt::Zstd };
                    blame(io::Error::other(error), corrupt)
                })
            }
            LZ4 => {
                source.again = Cursor::new(magic);
                Ok(State::Lz4(Box::new(Lz4Decoder::new(source))))
            }
            other if SKIPPABLE.contains(&other) => {
                let mut length = [0; 4];
                if read_fully(&mut source, &mut length)? < length.len() {
                    return Err(Corrupt::Skippable.into());
                }
                let length = u64::from(u32::from_le_bytes(length));
                if io::copy(&mut source.by_ref().take(length), &mut io::sink())? < length {
                    return Err(Corrupt::Skippable.into());
                }
                Ok(State::Between(source))
            }
            _ => Err(Corrupt::Trailing.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn plain() -> Vec<u8> {
        (0..100_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
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

    fn all_of(bytes: Vec<u8>) -> (Vec<u8>, io::Result<usize>) {
        let (mut reader, _) = unpack(Box::new(Cursor::new(bytes))).unwrap();
        let mut out = Vec::new();
        let result = reader.read_to_end(&mut out);
        (out, result)
    }

    fn corrupt(result: io::Result<usize>) -> Corrupt {
        result.unwrap_err().downcast().unwrap()
    }

    #[test]
    fn every_compression_gives_the_bytes_back() {
        let plain = plain();
        for packed in [plain.clone(), gzip(&plain), zstd(&plain), lz4(&plain)] {
            assert!(all_of(packed).0 == plain);
        }
    }

    #[test]
    fn several_frames_and_skippable_ones_make_one_stream() {
        let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0][..], b"hello"].concat();
        let packed =
            [skippable.clone(), zstd(b"one "), skippable.clone(), lz4(b"two "), zstd(b"three"), skippable]
                .concat();
        assert_eq!(all_of(packed).0, b"one two three");
        assert_eq!(all_of([gzip(b"one "), gzip(b"two")].concat()).0, b"one two");
    }

    #[test]
    fn a_cut_at_any_byte_is_seen_and_gives_a_prefix() {
        let plain = b"a small text, a small text, and a small text again".repeat(3);
        for packed in [gzip(&plain), zstd(&plain), lz4(&plain)] {
            for end in 4..packed.len() {
                let (out, result) = all_of(packed[..end].to_vec());
                assert!(plain.starts_with(&out));
                corrupt(result);
            }
        }
    }

    #[test]
    fn what_came_before_a_cut_is_given_out() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(500_000)
        .collect();
        for packed in [gzip(&noise), zstd(&noise), lz4(&noise)] {
            let (out, result) = all_of(packed[..packed.len() - 4_000].to_vec());
            assert!(noise.starts_with(&out) && out.len() > 300_000, "{}", out.len());
            corrupt(result);
        }
    }

    #[test]
    fn a_window_over_the_limit_is_refused() {
        // A frame header without single segment: window descriptor 0x98 asks for 2^29 bytes.
        let packed = [&ZSTD.to_le_bytes()[..], &[0x00, 0x98, 0x01, 0, 0]].concat();
        assert_eq!(corrupt(all_of(packed).1), Corrupt::ZstdWindow);
    }

    #[test]
    fn what_follows_the_frames_is_not_swallowed() {
        assert_eq!(corrupt(all_of([lz4(b"x"), b"rubbish".to_vec()].concat()).1), Corrupt::Trailing);
        assert_eq!(corrupt(all_of([zstd(b"x"), b"r".to_vec()].concat()).1), Corrupt::Trailing);
    }

    #[test]
    fn an_error_of_the_system_is_not_taken_for_damage() {
        struct Broken(Cursor<Vec<u8>>);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                match self.0.read(buffer)? {
                    0 => Err(io::Error::from_raw_os_error(5)),
                    read => Ok(read),
                }
            }
        }
        for packed in [gzip(&plain()), zstd(&plain()), lz4(&plain())] {
            let half = packed[..packed.len() / 2].to_vec();
            let (mut reader, _) = unpack(Box::new(Broken(Cursor::new(half)))).unwrap();
            let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(5));
        }
    }
}
