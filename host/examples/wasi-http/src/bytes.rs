//! Numbers, texts and checksums in the files.

use sha2::{Digest, Sha256};

use crate::files::Fault;

/// The length of a checksum.
pub(crate) const CHECKSUM: usize = 16;

/// The beginning of the SHA-256 of these bytes.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut sum = [0; CHECKSUM];
    let hash = Sha256::digest(bytes);
    sum.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    sum
}

/// Removes the checksum at the end of the bytes after checking it.
///
/// # Errors
/// The checksum is wrong.
pub(crate) fn checked(bytes: &[u8]) -> Result<&[u8], Fault> {
    let at = bytes.len().checked_sub(CHECKSUM).ok_or(Fault::Damaged("it ends too early"))?;
    let (content, sum) = bytes.split_at_checked(at).ok_or(Fault::Damaged("it ends too early"))?;
    if sum == checksum(content) { Ok(content) } else { Err(Fault::Damaged("its checksum is wrong")) }
}

/// Writes the length in two bytes, and the key.
pub(crate) fn put_key(out: &mut Vec<u8>, key: &[u8]) {
    // Keys have at most 512 bytes.
    out.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(key);
}

/// Reads from the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Fault::Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.take(N)?.try_into().map_err(|_| Fault::Damaged("it ends too early"))
    }

    /// A number of one byte.
    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// A number of four bytes.
    pub(crate) fn small(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A number of eight bytes.
    pub(crate) fn number(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number of four bytes that is a length.
    pub(crate) fn length(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.small()?).map_err(|_| Fault::Damaged("a length is too large"))
    }

    /// A key, after its length.
    pub(crate) fn key(&mut self) -> Result<&'a [u8], Fault> {
        let length = u16::from_le_bytes(self.array()?);
        self.take(usize::from(length))
    }
}
