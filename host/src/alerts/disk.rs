//! How much room there is where the data is.

use std::io;
use std::path::Path;

/// Less room than this is worth a look, in bytes.
pub(crate) const LITTLE_SPACE: u64 = 1 << 30;

/// How many bytes can still be written where this path is.
///
/// # Errors
/// The system's, and always on systems other than Unix.
#[cfg(unix)]
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn free_space(_: &Path) -> io::Result<u64> {
    Err(io::Error::other("not on this system"))
}

/// Bytes as people read them.
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
