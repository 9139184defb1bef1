//! How long an MP4 film is, from its `mvhd` box (ISO/IEC 14496-12). Reads a few hundred bytes, whatever the film's size.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// More boxes than a film of ours has before its `mvhd` (`ftyp`, `moov`, perhaps `free` and `mdat`).
const MOST_BOXES: usize = 16;

/// `None`: no MP4 film, or one that does not say.
pub(super) fn seconds(path: &Path) -> Option<f64> {
    let mut file = File::open(path).ok()?;
    enter(&mut file, *b"moov")?;
    enter(&mut file, *b"mvhd")?;
    let version = u32_of(&mut file)? >> 24;
    // when it was made and when it was changed
    let times = if version == 1 { 16 } else { 8 };
    file.seek(SeekFrom::Current(times)).ok()?;
    let scale = u32_of(&mut file).filter(|scale| *scale > 0)?;
    let high = if version == 1 {
        u64::from(u32_of(&mut file)?) << 32
    } else {
        0
    };
    let length = high | u64::from(u32_of(&mut file)?);
    (length > 0).then(|| length as f64 / f64::from(scale))
}

/// Goes to the content of the next box of this kind at this level.
fn enter(file: &mut File, kind: [u8; 4]) -> Option<()> {
    for _ in 0..MOST_BOXES {
        let (short, mut name) = (u64::from(u32_of(file)?), [0; 4]);
        file.read_exact(&mut name).ok()?;
        let (size, header) = match short {
            1 => ((u64::from(u32_of(file)?) << 32) | u64::from(u32_of(file)?), 16),
            size => (size, 8),
        };
        if name == kind {
            return Some(());
        }
        let rest = size.checked_sub(header)?;
        file.seek(SeekFrom::Current(i64::try_from(rest).ok()?)).ok()?;
    }
    None
}

fn u32_of(file: &mut File) -> Option<u32> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes).ok()?;
    Some(u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap_or(0).to_be_bytes();
        [&size[..], kind, content].concat()
    }

    fn read(bytes: &[u8]) -> Option<f64> {
        let path = std::env::temp_dir().join(format!("pistream-mp4-{}-{}", std::process::id(), bytes.len()));
        File::create(&path).and_then(|mut f| f.write_all(bytes)).ok()?;
        let seconds = seconds(&path);
        std::fs::remove_file(&path).ok()?;
        seconds
    }

    #[test]
    fn the_length_of_a_film() {
        let mvhd = boxed(
            b"mvhd",
            &[[0; 12].as_slice(), &1000_u32.to_be_bytes(), &61_500_u32.to_be_bytes()].concat(),
        );
        let film = [
            boxed(b"ftyp", b"isom"),
            boxed(b"moov", &mvhd),
            boxed(b"mdat", b"pictures"),
        ]
        .concat();
        assert_eq!(read(&film), Some(61.5));
        // cut off, empty, and what never was a film
        assert_eq!(read(&film[..30]), None);
        assert_eq!(read(b""), None);
        assert_eq!(read(&[0; 500]), None);
        assert_eq!(read(&boxed(b"mdat", b"pictures")), None);
    }
}
