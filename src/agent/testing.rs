//! What several unit tests need; no part of the agent.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program that can be run at once. Written by another process: a descriptor open for writing here could be in a child of
/// another test when it is run ("Text file busy").
pub(crate) fn executable(path: &Path, script: &str) {
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path);
    let mut writer = writer.stdin(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}
