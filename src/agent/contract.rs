//! The messages, a file per conversation.

mod camera;
mod event;
mod inspect;
mod plan;

pub use camera::*;
pub use event::*;
pub use inspect::*;
pub use plan::*;
