//! Growth at two moments, from samples of real servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// A directory of its own, gone with the value.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pistream-growth-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn write(&self, name: &str, bytes: usize) {
        std::fs::write(self.0.join(name), vec![0; bytes]).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn whose_recording() {
    assert!(belongs("porch-20261123T155702Z.flv", "porch"));
    assert!(belongs("porch.flv", "porch"));
    assert!(belongs("porch-2-20261123T155702Z.flv", "porch-2"));
    assert!(!belongs("porch-2-20261123T155702Z.flv", "porch"));
    assert!(!belongs("porch-2.flv", "porch"));
    assert!(!belongs("porchlight-20261123T155702Z.flv", "porch"));
    assert!(!belongs("pörch.flv", "p"));
}

#[test]
fn a_recording_grows() {
    let directory = Directory::new("grows");
    directory.write("porch-20261123T155702Z.flv", 1_204_224);
    let mut watch = Watch::new(Place::Recording(directory.0.clone(), "porch".to_owned()));
    watch.look();
    watch.look();
    assert!(!watch.advanced);
    directory.write("porch-20261123T155702Z.flv", 1_282_048);
    watch.look();
    let growth = watch.conclude();
    assert!(growth.advanced);
    assert_eq!(growth.detail, "1 204 224 -> 1 282 048 bytes");
    assert!(growth.what.ends_with("porch-20261123T155702Z.flv"));
}

#[test]
fn a_next_chunk_counts_once_it_holds_something() {
    let file = |name: &str, position| Look {
        file: Some(PathBuf::from(name)),
        position,
    };
    assert!(!file("b", 0).advanced_since(&file("a", 5000)));
    assert!(file("b", 13).advanced_since(&file("a", 5000)));
    assert!(!file("a", 5000).advanced_since(&file("a", 5000)));
}

#[test]
fn nothing_there_is_said() {
    let directory = Directory::new("empty");
    directory.write("garden-20261123T155702Z.flv", 100);
    let mut watch = Watch::new(Place::Recording(directory.0.clone(), "porch".to_owned()));
    watch.look();
    let growth = watch.conclude();
    assert!(!growth.advanced);
    assert!(
        growth.detail.starts_with("no recording of porch in "),
        "{}",
        growth.detail
    );
}

#[test]
fn numbers_in_groups() {
    assert_eq!(
        [0, 12, 999, 1000, 1_204_224].map(grouped),
        ["0", "12", "999", "1 000", "1 204 224"].map(str::to_owned)
    );
}
