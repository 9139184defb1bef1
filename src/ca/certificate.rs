//! What all certificates of the fleet have in common: since when they are good, how they name somebody, their numbers.

use super::Error;
use rcgen::{DistinguishedName, DnType};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// From when on everything is good. A Pi has no clock that runs without power: until it has asked somebody for the time it
/// lives at the moment of its last shutdown, or at the build date of its systemd. It must stream then, too. The date says
/// nothing else: a certificate does not exist before it is issued.
pub(super) const SINCE_YEAR: i32 = 2000;

/// How long a certificate is good. Seconds: a year.
pub(super) const LIFETIME: u64 = 365 * 86_400;

pub(super) fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// Of seconds since 1970.
pub(super) fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// 128 random bits; positive, and of the same length every time.
pub(super) fn serial() -> Result<[u8; 16], Error> {
    let mut serial = random::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

/// From the kernel.
pub(super) fn random<const BYTES: usize>() -> Result<[u8; BYTES], Error> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; BYTES];
    let read = std::fs::File::open(path).and_then(|mut random| random.read_exact(&mut bytes));
    read.map_err(|source| Error::File {
        attempted: "read",
        path: path.to_owned(),
        source,
    })?;
    Ok(bytes)
}

/// As `openssl x509 -serial` prints it.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
