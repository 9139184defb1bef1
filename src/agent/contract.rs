//! The messages, a file per conversation.

mod build;
mod camera;
mod controls;
mod event;
mod facts;
mod inspect;
mod plan;
mod recordings;

pub use build::*;
pub use camera::*;
pub use controls::*;
pub use event::*;
pub use facts::*;
pub use inspect::*;
pub use plan::*;
pub use recordings::*;
