//! What the inventory asked of one camera's recordings alone goes on to hold for them when it names the camera no longer: who
//! renames a camera, or takes it away, has not said that its recordings go earlier. Written down beside the recordings, in the
//! words of `recordings.toml`.

use super::config;
use crate::files;
use pistream_agent::KeepConfig;
use std::fs;
use std::path::Path;

/// In the recordings' directory.
const FILE: &str = ".limits.toml";
/// What each camera begins with, there and in `recordings.toml`.
const HEAD: &str = "\n[[stream]]\n";

/// Adds to `config`, which is what `text` says, the limits of streams that it names no longer and of which there still are
/// recordings.
///
/// # Errors
/// They cannot be written down for later; they hold nonetheless.
pub(super) fn remember(config: &mut KeepConfig, text: &str) -> Result<(), files::Error> {
    let root = Path::new(&config.path);
    let file = root.join(FILE);
    let before = fs::read_to_string(&file).unwrap_or_default();
    let mut limits = text.to_owned();
    for piece in before.split(HEAD).skip(1) {
        let name = piece.split('"').nth(1).unwrap_or_default();
        if config.streams.iter().all(|stream| stream.name != name) && root.join(name).is_dir() {
            limits += HEAD;
            limits += piece;
        }
    }
    let mut kept = String::new();
    // one line is the name alone
    for piece in limits.split(HEAD).skip(1).filter(|piece| piece.lines().count() > 1) {
        kept += HEAD;
        kept += piece;
    }
    if let Ok(with_forgotten) = config::parse(&limits) {
        config.streams = with_forgotten.streams;
    }
    match kept == before {
        true => Ok(()),
        false => files::write_atomically(&file, kept.as_bytes()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use pistream_agent::StreamLimits;

    /// What holds of each stream when the keeper starts with this configuration.
    fn limits(root: &Path, streams: &str) -> Vec<StreamLimits> {
        let text = config::tests::GOOD.replace("/srv/video", root.to_str().unwrap());
        let text = text.split(HEAD).next().unwrap().to_owned() + streams;
        let mut config = config::parse(&text).unwrap();
        remember(&mut config, &text).unwrap();
        config.streams
    }

    #[test]
    fn what_was_asked_for_a_camera_holds_until_its_recordings_are_gone_or_other_is_asked_for() {
        let root = std::env::temp_dir().join(format!("pistream-limits-{}", std::process::id()));
        fs::create_dir_all(root.join("porch")).unwrap();
        let porch = "\n[[stream]]\nname = \"porch\"\nkeep = 31536000\nat_most = { percent = 5 }\n";
        let garden = "\n[[stream]]\nname = \"garden\"\n";
        let asked = limits(&root, &format!("{porch}{garden}"));
        let written = fs::read_to_string(root.join(FILE)).unwrap();
        assert_eq!(written, porch, "defaults need no words");
        // again and again
        for _ in 0..2 {
            assert_eq!(limits(&root, garden), [asked[1].clone(), asked[0].clone()]);
        }
        // who names it without limits wants the defaults
        assert_eq!(limits(&root, "\n[[stream]]\nname = \"porch\"\n")[0].keep, None);
        assert_eq!(limits(&root, garden).len(), 1);
        // what holds for nothing is forgotten, and what cannot be read does no harm
        limits(&root, porch);
        fs::remove_dir(root.join("porch")).unwrap();
        assert_eq!(limits(&root, garden).len(), 1);
        fs::write(root.join(FILE), "\n[[stream]]\nname = \"..\"\nkeep = no\n").unwrap();
        assert_eq!(limits(&root, garden).len(), 1);
        fs::remove_dir_all(&root).unwrap();
    }
}
