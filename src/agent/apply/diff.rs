//! What a file's change looks like to a person.

use pistream_agent::File;
use similar::TextDiff;
use std::time::Duration;

/// Nobody reads a longer one; the deployer's terminal and the wire are spared.
const LONGEST: usize = 64 * 1024;
/// Then the rest is shown as replaced.
const DEADLINE: Duration = Duration::from_millis(500);

/// A unified diff of what is there (`None`: nothing) and what shall be, with three lines of context.
pub(crate) fn unified(before: Option<&[u8]>, file: &File) -> Option<String> {
    let before = std::str::from_utf8(before.unwrap_or_default()).ok()?;
    let diff = TextDiff::configure()
        .timeout(DEADLINE)
        .diff_lines(before, file.content.as_str());
    let mut text = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("{} (host)", file.path), &format!("{} (plan)", file.path))
        .to_string();
    if text.len() > LONGEST {
        let cut = (0..=LONGEST).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(cut);
        text.push_str("\n[longer than shown]\n");
    }
    Some(text)
}
