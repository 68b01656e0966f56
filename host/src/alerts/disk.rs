//! The free space where the data is.

use std::io;
use std::path::Path;

/// An alert begins with less free space than this, in bytes.
pub(crate) const LITTLE_SPACE: u64 = 1 << 30;

/// How many bytes can still be written at this path.
///
/// # Errors
/// The error of the system. On systems other than Unix, there always is one.
#[cfg(unix)]
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn free_space(_: &Path) -> io::Result<u64> {
    Err(io::Error::other("not on this system"))
}

/// A number of bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1_u32 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(size(2_048), "2 KiB");
        assert_eq!(size(5 << 20), "5 MiB");
        assert_eq!(size(3 << 29), "1.5 GiB");
    }
}
