//! Tables and colours for people. Knows nothing of hosts or streams.

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use std::io::IsTerminal;

/// What a word means to the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Good,
    Notable,
    Bad,
    Plain,
}

/// Columns below which a terminal's width is not believed: serial consoles and pipes of `script` say 0.
const NARROWEST: u16 = 40;

/// A table with a header line and no frame, as wide as its content or the terminal.
pub fn table(header: &[&str], rows: Vec<Vec<(String, Colour)>>) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    if table.width().is_some_and(|width| width < NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    for row in rows {
        table.add_row(row.into_iter().map(|(text, colour)| match colour {
            Colour::Good => Cell::new(text).fg(Color::Green),
            Colour::Notable => Cell::new(text).fg(Color::Yellow),
            Colour::Bad => Cell::new(text).fg(Color::Red),
            Colour::Plain => Cell::new(text),
        }));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A unified diff, indented, coloured on a terminal.
pub fn diff(text: &str) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let paint = |line: &str| match (colour, line.as_bytes().first()) {
        (true, Some(b'+')) => format!("    \x1b[32m{line}\x1b[0m"),
        (true, Some(b'-')) => format!("    \x1b[31m{line}\x1b[0m"),
        _ => format!("    {line}"),
    };
    text.lines().map(paint).collect::<Vec<String>>().join("\n")
}
