//! A [`Requirement`] as a table of one key, which is how it stands in TOML: `{ file = "/a" }`, `{ v4l2 = {} }`. The agent's
//! reader of TOML knows no enums but those of mere names.

use super::{Requirement, WantedDevice};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    v4l2: Option<WantedDevice>,
    board: Option<Board>,
    program: Option<Program>,
    listed: Option<Listed>,
    file: Option<String>,
    encoder: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Board {
    encodes: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    name: String,
    package: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    program: String,
    camera: Option<String>,
}

impl TryFrom<Table> for Requirement {
    type Error = &'static str;

    fn try_from(table: Table) -> Result<Requirement, &'static str> {
        let Table {
            v4l2,
            board,
            program,
            listed,
            file,
            encoder,
        } = table;
        let mut all = [
            v4l2.map(Requirement::V4l2),
            board.map(|Board { encodes }| Requirement::Board { encodes }),
            program.map(|Program { name, package }| Requirement::Program { name, package }),
            listed.map(|Listed { program, camera }| Requirement::Listed { program, camera }),
            file.map(Requirement::File),
            encoder.map(Requirement::Encoder),
        ]
        .into_iter()
        .flatten();
        match (all.next(), all.next()) {
            (Some(one), None) => Ok(one),
            _ => Err("a requirement is one of `v4l2`, `board`, `program`, `listed`, `file`, `encoder`"),
        }
    }
}
