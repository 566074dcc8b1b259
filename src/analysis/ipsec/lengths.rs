//! What the lengths of encrypted packets say of the algorithms of their SA, without a key.
//!
//! ESP pads what it encrypts to whole blocks (RFC 4303 section 2.4), so the length of a packet less SPI, sequence number, IV
//! and ICV is a multiple of the block, and the remainder tells the ICV: 12 octets of the 96-bit MACs, 16 or more of
//! the longer ones (RFC 4868 section 2.3).

/// Different lengths that are remembered.
const MOST: usize = 8;
/// With fewer different lengths the remainder may be chance: a mode without blocks pads to 4 octets only.
const LEAST: usize = 5;

/// The different lengths of the packets of one flow that were not opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lengths {
    /// Bit n is set if a length left the remainder n, divided by 16.
    remainders: u16,
    different: [u16; MOST],
}

/// What the lengths fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fits {
    /// Octets of a block: 16 or 8.
    pub block: u8,
    /// Octets of the ICV: 12, or 16 for 16 and more.
    pub icv: u8,
}

impl Lengths {
    /// Takes the length of a packet, from SPI to ICV.
    pub(crate) fn push(&mut self, octets: u32) {
        // ESP in one IP packet is shorter than that.
        let Ok(octets) = u16::try_from(octets) else { return };
        self.remainders |= 1 << (octets % 16);
        if let Some(place) = self.different.iter_mut().find(|known| **known == octets || **known == 0) {
            *place = octets;
        }
    }

    /// The block cipher and the ICV that all lengths fit, if they do and are different enough to tell.
    pub fn fits(&self) -> Option<Fits> {
        let different = self.different.iter().filter(|length| **length != 0).count();
        if different < LEAST {
            return None;
        }
        // SPI and sequence number are 8 octets, the IV is a block: neither counts in the remainder by 8.
        Some(match self.remainders {
            remainders if remainders == 1 << 4 => Fits { block: 16, icv: 12 },
            remainders if remainders == 1 << 8 => Fits { block: 16, icv: 16 },
            remainders if remainders & !(1 << 4 | 1 << 12) == 0 => Fits { block: 8, icv: 12 },
            remainders if remainders & !(1 << 8 | 1) == 0 => Fits { block: 8, icv: 16 },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(header: u32, block: u32, icv: u32, blocks: &[u32]) -> Option<Fits> {
        let mut lengths = Lengths::default();
        for blocks in blocks {
            lengths.push(header + block * blocks + icv);
        }
        lengths.fits()
    }

    #[test]
    fn the_remainder_tells_block_and_icv() {
        let blocks = [3, 4, 7, 8, 9, 12];
        assert_eq!(fits(24, 16, 12, &blocks), Some(Fits { block: 16, icv: 12 }), "AES-CBC, HMAC-SHA1-96");
        assert_eq!(fits(24, 16, 16, &blocks), Some(Fits { block: 16, icv: 16 }), "AES-CBC, HMAC-SHA-256-128");
        assert_eq!(fits(24, 16, 32, &blocks), Some(Fits { block: 16, icv: 16 }), "AES-CBC, HMAC-SHA-512-256");
        assert_eq!(fits(16, 8, 12, &blocks), Some(Fits { block: 8, icv: 12 }), "3DES-CBC, HMAC-MD5-96");
        assert_eq!(fits(16, 8, 16, &blocks), Some(Fits { block: 8, icv: 16 }), "3DES-CBC, HMAC-SHA-256-128");
        assert_eq!(fits(16, 4, 16, &blocks), None, "AES-GCM-16");
    }

    #[test]
    fn few_lengths_tell_nothing() {
        assert_eq!(fits(24, 16, 12, &[3, 3, 3, 3, 3, 3, 3]), None);
        assert_eq!(fits(24, 16, 12, &[1, 2, 3, 4]), None);
    }
}
