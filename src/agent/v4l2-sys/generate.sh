#!/bin/sh
# Writes src/lp64.rs and src/ilp32.rs: the part of <linux/videodev2.h> that the v4l crate and the agent's own
# enumeration of controls use, as seen through musl's headers (on 32-bit ARM: 64-bit time_t).
#
# To be run again only when a newer kernel header offers something the agent wants. Needs python3 with pip, and cargo;
# fetches bindgen with cargo, libclang and ziglang with pip (zig carries musl's and Linux's headers) into a private
# directory.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=${1:-$(mktemp -d)}

[ -d "$work/py/clang" ] || python3 -m pip install --quiet --target "$work/py" libclang==18.1.1 ziglang==0.17.1
[ -x "$work/bin/bindgen" ] || cargo install --quiet --locked --debug --root "$work" bindgen-cli --version 0.65.1
export LIBCLANG_PATH="$work/py/clang/native"
zig="$work/py/ziglang/lib"

types='v4l2_(audio|audioout|buffer|capability|control|crop|cropcap|ctrl_type|edid|enc_idx|encoder_cmd|event|event_ctrl'
types="$types|event_subscription|exportbuffer|ext_control|ext_controls|fmtdesc|format|framebuffer|frequency"
types="$types|frmivalenum|frmivaltypes|frmsizeenum|frmsizetypes|input|jpegcompression|modulator|output|pix_format"
types="$types|pix_format_mplane|query_ext_ctrl|queryctrl|querymenu|requestbuffers|sliced_vbi_cap|standard|std_id"
types="$types|streamparm|tuner)"
constants='V4L2_(CAP|CTRL_FLAG|CTRL_WHICH|CTRL_MAX|CTRL_CLASS|CTRL_ID2|EVENT|BUF_FLAG|FMT_FLAG|MODE|DEC_CMD|ENC_CMD)_.*'

one() { # file, clang target, zig's name of the architecture's headers
    printf '#include <linux/videodev2.h>\n' >"$work/wrapper.h"
    {
        printf '// Written by generate.sh from <linux/videodev2.h> for %s. Not to be edited.\n\n' "$2"
        "$work/bin/bindgen" --no-layout-tests --no-doc-comments --disable-header-comment --rust-target 1.64 \
            --allowlist-type "$types" --allowlist-var "$constants" "$work/wrapper.h" -- \
            --target="$2" -nostdinc -isystem "$zig/include" \
            -isystem "$zig/libc/include/$3-linux-musl" -isystem "$zig/libc/include/generic-musl" \
            -isystem "$zig/libc/include/$3-linux-any" -isystem "$zig/libc/include/any-linux-any"
    } >"$work/$1"
    rustfmt --edition 2021 --config-path "$here/../../../rustfmt.toml" "$work/$1"
    cp "$work/$1" "$here/src/$1"
}
one lp64.rs aarch64-linux-musl aarch64
one ilp32.rs arm-linux-musleabihf arm
