//! Reading numbers from bytes and bits that a stranger sent: every step may come to nothing.

/// Big-endian numbers from the front of a slice; `None` once it is too short.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// A signed number of 24 bits.
    pub(crate) fn i24(&mut self) -> Option<i32> {
        self.array().map(|[a, b, c]| i32::from_be_bytes([a, b, c, 0]) >> 8)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_be_bytes)
    }
}

/// Bits from the front of a slice, highest first; `None` once they are used up.
#[derive(Debug)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    /// At most 32 bits as a number.
    pub(crate) fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0u32;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Option<()> {
        self.position = self.position.checked_add(count).filter(|end| *end <= self.bytes.len() * 8)?;
        Some(())
    }

    /// An unsigned Exp-Golomb code (`ue(v)` of H.264 and HEVC).
    pub(crate) fn unsigned_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let suffix = self.read(zeros)?;
        ((1u32 << zeros) - 1).checked_add(suffix)
    }

    /// A signed Exp-Golomb code (`se(v)`).
    pub(crate) fn signed_golomb(&mut self) -> Option<i32> {
        let code = i64::from(self.unsigned_golomb()?);
        let half = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { half } else { -half }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_with_the_bytes() {
        let mut reader = Reader::new(&[1, 2, 3, 0xff, 0xff, 0xfe, 9]);
        assert_eq!(reader.u24(), Some(0x01_02_03));
        assert_eq!(reader.i24(), Some(-2));
        assert_eq!(reader.u16(), None);
        assert_eq!(reader.u8(), Some(9));
        assert!(reader.is_empty());
    }

    #[test]
    fn golomb_codes_are_read() {
        // 1, 010, 011, 00100, then nothing but zeros.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0000, 0, 0, 0, 0]);
        assert_eq!(bits.unsigned_golomb(), Some(0));
        assert_eq!(bits.signed_golomb(), Some(1));
        assert_eq!(bits.signed_golomb(), Some(-1));
        assert_eq!(bits.unsigned_golomb(), Some(3));
        assert_eq!(bits.unsigned_golomb(), None);
    }
}
