#!/bin/sh
# Builds static release agents, one per target, on a 64-bit x86 or ARM Linux machine:
#
#     cross.sh [--profile PROFILE] --out DIR TARGET...
#
# writes DIR/TARGET/pistream-agent and prints one line "TARGET PATH" for each. Targets: x86_64-unknown-linux-musl,
# aarch64-unknown-linux-musl, arm-unknown-linux-musleabihf (ARMv6 with floating point: every Pi). PROFILE is one of
# Cargo.toml's, default "agent". PISTREAM_BUILD_ID, if set, is built in.
#
# A target that rustup has installed (`rustup target add TARGET`) is built with that, and nothing is fetched but crates.
# For any other, these are fetched once, into the cache, and nothing on the machine is installed or changed:
#   - Debian's current Rust (rustc-web, cargo-web) and the source of its standard library (rust-web-src), by apt from
#     Debian's archive, into a directory of its own; the library is then built from source for the target;
#   - zig from PyPI (ziglang), as linker: it brings musl, the start files and libunwind.
# That way needs a Debian 12 machine: apt and its sources, dpkg-deb, python3 and pip.
#
# Cache: ${PISTREAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pistream}/agents; results are kept by a hash of what they are
# made of. Removing it costs time alone.
set -eu

# Bytes: an agent travels to every host. rustup's ready-made library brings the reading of debug information for
# backtraces, and tables to walk the stack with, which nothing removes; one built from source does without both.
LARGEST=1000000
LARGEST_WITH_RUSTUP=1500000

say() { printf 'cross.sh: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

profile=agent out='' targets=''
while [ $# -gt 0 ]; do
    case $1 in
    --profile) profile=${2:?} && shift 2 ;;
    --out) out=${2:?} && shift 2 ;;
    -*) die "no such option: $1" ;;
    *) targets="$targets $1" && shift ;;
    esac
done
if [ -z "$out" ] || [ -z "$targets" ]; then
    die 'usage: cross.sh [--profile PROFILE] --out DIR TARGET...'
fi

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cache=${PISTREAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pistream}/agents
mkdir -p "$cache" "$out"
cache=$(CDPATH='' cd -- "$cache" && pwd)
out=$(CDPATH='' cd -- "$out" && pwd)

# Called from a build script, this stands in the outer cargo's environment, which must not reach the inner one.
for name in $(env | sed -n 's/^\(CARGO_[A-Z_]*\|DEP_[A-Z0-9_]*\|RUST[A-Z_]*\|CARGO\|TARGET\|HOST\|PROFILE\|OUT_DIR\)=.*/\1/p'); do
    case $name in
    CARGO_HOME | CARGO_HTTP_* | CARGO_NET_* | CARGO_REGISTR* | CARGO_SOURCE_* | CARGO_BUILD_JOBS) ;;
    RUSTUP_*) ;;
    *) unset "$name" ;;
    esac
done

# Two at once would fetch the same things into the same place.
exec 9>"$cache/lock"
flock 9 || die "cannot lock $cache/lock"

# --- which Rust ------------------------------------------------------------------------------------------------------

rustup_targets=''
if command -v rustup >/dev/null 2>&1; then
    cd "$root" # whose rust-toolchain.toml, if it has one, decides
    rustup_targets=$(rustup target list --installed 2>/dev/null) || rustup_targets=""
fi

has_rustup_target() { printf '%s\n' "$rustup_targets" | grep -qx "$1"; }

debian="$cache/debian-rust"

# Debian's packages, unpacked into $debian: a private apt state, so that neither root nor the machine's own is touched.
fetch_debian_rust() {
    [ -e "$debian/complete" ] && return
    for tool in apt-get dpkg-deb python3; do
        command -v "$tool" >/dev/null || die "$tool is missing; or install the target: rustup target add $target"
    done
    say 'fetching the Rust of Debian 12 (once)'
    rm -rf "$debian"
    mkdir -p "$debian/apt/lists/partial" "$debian/apt/cache/archives/partial" "$debian/apt/none" "$debian/debs" "$debian/tree"
    : >"$debian/apt/status"
    # Debian's archive as this machine knows it, without whatever else its apt is set up for
    sources=/etc/apt/sources.list.d/debian.sources
    [ -r "$sources" ] || sources=/etc/apt/sources.list
    cat >"$debian/apt/conf" <<EOF
Dir::State "$debian/apt";
Dir::State::status "$debian/apt/status";
Dir::State::lists "$debian/apt/lists";
Dir::Cache "$debian/apt/cache";
Dir::Etc::sourcelist "$sources";
Dir::Etc::sourceparts "$debian/apt/none";
Dir::Etc::preferences "$debian/apt/none/none";
Dir::Etc::preferencesparts "$debian/apt/none";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
    (
        export APT_CONFIG="$debian/apt/conf"
        apt-get -qq update || die "apt cannot read what there is at $sources"
        apt-cache show rustc-web >/dev/null 2>&1 ||
            die "no rustc-web in $sources: this way needs Debian 12 and its security archive; or: rustup target add $target"
        # of what these need, only Rust's own libraries: the C library and the like are the machine's
        own='^(libstd-rust-web|libllvm|libgit2|libhttp-parser|libmbed|libssh2)'
        needed=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
            --no-enhances rustc-web cargo-web rust-web-src | grep -E "$own" | grep -v ':' | sort -u)
        cd "$debian/debs"
        # shellcheck disable=SC2086 # a list of names
        apt-get -qq download rustc-web cargo-web rust-web-src $needed || die 'the Rust of Debian 12 could not be fetched'
    ) >&2 || exit 1
    for deb in "$debian/debs"/*.deb; do dpkg-deb -x "$deb" "$debian/tree" || die "$deb cannot be unpacked"; done
    rm -rf "$debian/debs" "$debian/apt"
    : >"$debian/complete"
}

zig="$cache/zig-0.17.1"

fetch_zig() {
    [ -e "$zig/complete" ] && return
    say 'fetching zig (once)'
    # `set -e` counts for nothing here: `build` is asked how it ended
    for try in 1 2 3; do
        rm -rf "$zig"
        python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$zig" \
            ziglang==0.17.1 && PYTHONPATH="$zig" python3 -m ziglang version && break
        [ "$try" -lt 3 ] || die 'zig could not be fetched'
    done >&2
    : >"$zig/complete"
}

# The linker rustc calls: zig brings its own start files, so those that rustc names (and does not have) are left out.
write_linker() { # path, zig's options
    link="exec python3 -m ziglang cc $2 \"\$@\""
    # What came out the same twice is kept once (a hundredth of the agent) by a linker that is told so, which zig's front does
    # not pass on: it links, and tells how; the linker then does that again. It quotes no blanks.
    case $cache in
    *[[:blank:]]*) ;;
    *) link="told=\$(ZIG_VERBOSE_LINK=1 python3 -m ziglang cc $2 \"\$@\" 2>&1) || {
    printf '%s\\n' \"\$told\" | grep -v '^ld\.lld \|^ar ' >&2
    exit 1
}
linker=\$(printf '%s\\n' \"\$told\" | grep '^ld\.lld ' | tail -n 1)
exec python3 -m ziglang \${linker:?zig told no linker} --icf=all" ;;
    esac
    cat >"$1.new" <<EOF
#!/bin/sh
for argument do
    shift
    case \$argument in
    crt1.o | rcrt1.o | crti.o | crtn.o | crtbegin*.o | crtend*.o | */self-contained/*.o) ;;
    -nostartfiles | -nodefaultlibs) ;;
    *) set -- "\$@" "\$argument" ;;
    esac
done
unset LD_LIBRARY_PATH
export PYTHONPATH="$zig" ZIG_GLOBAL_CACHE_DIR="$cache/zig-cache" ZIG_LOCAL_CACHE_DIR="$cache/zig-cache"
$link
EOF
    chmod +x "$1.new"
    mv "$1.new" "$1"
}

# --- one target ------------------------------------------------------------------------------------------------------

build() (
    cd "$root"
    exec >&2
    set -- --quiet --package pistream-agent --profile "$profile" --target "$target"
    name="CARGO_TARGET_$(printf '%s' "$target" | tr 'a-z-' 'A-Z_')"
    # an agent aborts when it panics: nobody ever walks its stack, so it need not carry the tables for that
    export "${name}_RUSTFLAGS=-Cforce-unwind-tables=no"
    if has_rustup_target "$target"; then
        # rustup's musl library brings libc and start files, rustc its own linker: no C compiler is needed
        export "${name}_LINKER=rust-lld"
        compile cargo "$@" --target-dir "$cache/build-rustup"
    else
        fetch_debian_rust
        fetch_zig
        # zig links at a fixed address in any case, so the code need not be able to run at others: shorter where addresses are
        # not relative by nature, as on 64-bit ARM. SHA-256 is there for a file or two: a loop will do, instead of a copy for
        # each of its rounds. What zig itself compiles of the C library: -Os, and no tables to walk the stack with either.
        smaller='-Crelocation-model=static --cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"'
        case $target in
        x86_64-unknown-linux-musl) options='-Os -fno-unwind-tables -target x86_64-linux-musl' ;;
        aarch64-unknown-linux-musl) options='-Os -fno-unwind-tables -target aarch64-linux-musl' smaller='' ;;
        arm-unknown-linux-musleabihf) options='-Os -fno-unwind-tables -target arm-linux-musleabihf -mcpu=arm1176jzf_s' ;;
        *) die "no recipe for $target" ;;
        esac
        # a panic is an abort without a word: what could say it, and where, would be a tenth of the agent; what machine code
        # repeats becomes a function, another twentieth
        export "${name}_RUSTFLAGS=-Cforce-unwind-tables=no -Zunstable-options -Cpanic=immediate-abort \
-Cllvm-args=--enable-machine-outliner $smaller"
        mkdir -p "$cache/linkers"
        write_linker "$cache/linkers/$target" "$options"
        tree="$debian/tree/usr"
        libraries=$(find "$tree/lib" -maxdepth 3 \( -name '*-linux-gnu' -o -path '*/llvm-*/lib' \) -type d | tr '\n' ':')
        export "${name}_LINKER=$cache/linkers/$target" PATH="$tree/bin:$PATH" RUSTC="$tree/bin/rustc" \
            LD_LIBRARY_PATH="${libraries%:}" RUSTC_BOOTSTRAP=1
        compile "$tree/bin/cargo" "$@" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size \
            --target-dir "$cache/build-debian"
    fi
)

# cargo knows the agent by its place in the workspace and by the age of its files: built from one checkout, it is as good as
# new for another one whose files are older, whatever is in them. What it is made of besides stays.
compile() { # CARGO OPTION...
    cargo=$1
    shift
    "$cargo" clean "$@" && "$cargo" build --locked --bin pistream-agent --features agent "$@"
}

built() { # where cargo put it
    if has_rustup_target "$target"; then tree="$cache/build-rustup"; else tree="$cache/build-debian"; fi
    printf '%s' "$tree/$target/$profile/pistream-agent"
}

# What an agent is made of.
digest() {
    way=debian
    has_rustup_target "$target" && way=$(rustc --version)
    {
        printf '%s\n' "$target" "$profile" "$way" "${PISTREAM_BUILD_ID:-}"
        cd "$root" && find src/agent Cargo.toml Cargo.lock -type f -print | LC_ALL=C sort | xargs sha256sum
    } | sha256sum | cut -c 1-32
}

for target in $targets; do
    key=$(digest)
    kept="$cache/kept/$key/pistream-agent"
    if [ ! -e "$kept" ]; then
        say "building $target"
        build || die "building the agent for $target failed"
        size=$(wc -c <"$(built)") largest=$LARGEST
        if has_rustup_target "$target"; then largest=$LARGEST_WITH_RUSTUP; fi
        [ "$size" -le "$largest" ] || [ "$profile" != agent ] ||
            die "the agent for $target has $size bytes, more than $largest"
        mkdir -p "$cache/kept/$key"
        cp "$(built)" "$kept.new"
        mv "$kept.new" "$kept"
    fi
    mkdir -p "$out/$target"
    cp "$kept" "$out/$target/pistream-agent.new"
    mv "$out/$target/pistream-agent.new" "$out/$target/pistream-agent"
    printf '%s %s\n' "$target" "$out/$target/pistream-agent"
done
