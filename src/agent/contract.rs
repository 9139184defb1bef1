//! The messages, a file per conversation.

mod camera;
mod event;
mod facts;
mod inspect;
mod plan;
mod recordings;

pub use camera::*;
pub use event::*;
pub use facts::*;
pub use inspect::*;
pub use plan::*;
pub use recordings::*;
