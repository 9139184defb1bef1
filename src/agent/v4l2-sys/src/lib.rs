//! V4L2's structures for the `v4l` crate, checked in: a stand-in for `v4l2-sys-mit`, whose build script would need
//! libclang on every machine that builds the agent.
//!
//! Nothing is written by hand here but the layout checks: `generate.sh` makes both files from the kernel's header.
//! 64-bit targets share one (x86-64 and ARM64 differ in nothing that is used); 32-bit ARM has its own.
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals, dead_code)]
#![allow(clippy::all)]

#[cfg(target_pointer_width = "64")]
#[path = "lp64.rs"]
mod bindings;
#[cfg(target_pointer_width = "32")]
#[path = "ilp32.rs"]
mod bindings;
pub use bindings::*;

use std::mem::size_of;

/// An ioctl's number carries the size of its argument: a wrong size is a call the kernel does not know.
macro_rules! sizes {
    ($($type:ident: $lp64:literal $ilp32:literal,)*) => {
        $(const _: () = assert!(size_of::<$type>() == if cfg!(target_pointer_width = "64") { $lp64 } else { $ilp32 });)*
    };
}
// the numbers are sizeof in C (clang, musl's headers), for aarch64 and for 32-bit ARM
sizes! {
    v4l2_buffer: 88 80,
    v4l2_capability: 104 104,
    v4l2_control: 8 8,
    v4l2_event: 136 136,
    v4l2_event_subscription: 32 32,
    v4l2_exportbuffer: 64 64,
    v4l2_ext_control: 20 20,
    v4l2_ext_controls: 32 24,
    v4l2_fmtdesc: 64 64,
    v4l2_format: 208 204,
    v4l2_frmivalenum: 52 52,
    v4l2_frmsizeenum: 44 44,
    v4l2_query_ext_ctrl: 232 232,
    v4l2_queryctrl: 68 68,
    v4l2_querymenu: 44 44,
    v4l2_requestbuffers: 20 20,
    v4l2_streamparm: 204 204,
}
