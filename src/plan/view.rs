//! The model as the templates see it: plain values under the names that templates/*.j2 use.

mod camera;
mod restream;
mod server;
mod viewers;

pub(super) use camera::camera;
pub(super) use restream::{trusted, trusts_system};
pub(super) use server::{ServerContext, server};
pub(super) use viewers::{page, passwords};
