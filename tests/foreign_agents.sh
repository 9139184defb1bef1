#!/bin/sh
# tests/foreign_agents.sh [DIR]
#   The release agents for other processors really run: under QEMU's user emulation, the 32-bit one on the ARM1176 of
#   the first Pi and of the Zero. Builds them by src/agent/cross.sh; or takes DIR/TARGET/pistream-agent.
#   Needs qemu-user-static and openssl. No root, no network but for what cross.sh fetches.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

if [ $# -gt 0 ]; then
    agents=$1
else
    agents=$work/agents
    "$root/src/agent/cross.sh" --out "$agents" aarch64-unknown-linux-musl arm-unknown-linux-musleabihf >/dev/null
fi

fail() {
    printf 'foreign_agents: %s: %s\n' "$target" "$*" >&2
    exit 1
}

agent() { # ARGUMENT...; the emulated processor stands in $emulator
    # shellcheck disable=SC2086 # a command and its options
    $emulator "$agents/$target/pistream-agent" "$@"
}

# Runs the agent on one line of input; its answer is left in $work/out, its exit code compared.
conversation() { # EXIT_CODE INPUT ARGUMENT...
    expected=$1 input=$2 code=0
    shift 2
    printf '%s\n' "$input" | agent "$@" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = "$expected" ] || fail "$*: exit code $code instead of $expected: $(cat "$work/out" "$work/err")"
}

says() { # EXTENDED_REGEX
    grep -qE "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"
}

check() {
    file=$agents/$target/pistream-agent
    [ "$(wc -c <"$file")" -le 1000000 ] || fail "larger than 1 MB"
    [ "$(LC_ALL=C readelf -lW "$file" | grep -c INTERP)" = 0 ] || fail 'not static: it asks for an interpreter'

    agent --version | grep -qE '^pistream-agent [0-9.]+ build ' || fail 'no version'

    conversation 2 'no JSON at all' inspect
    says '"event":"hello".*"arch":"'"$arch"'"'
    says '"event":"failed".*it is not what this agent understands'

    host=$work/$target
    mkdir -p "$host/etc"
    content='a camera here'
    plan='{"host":"h","packages":[],"builds":[],"users":[],"directories":[{"path":"/etc/pistream","mode":493,"owner":"'$(id -un)'",
        "group":"'$(id -gn)'","keep":false}],"files":[{"path":"/etc/pistream/note","mode":416,"owner":"'$(id -un)'",
        "group":"'$(id -gn)'","content":"'$content'","secret":false}],"checks":[],"units":[]}'
    request=$(printf '{"mode":"apply","diff":false,"stop_others":false,"plan":%s}' "$plan" | tr -d '\n')
    conversation 0 "$request" apply --root "$host"
    says '"outcome":"changed"'
    [ "$(cat "$host/etc/pistream/note")" = "$content" ] || fail 'the file is not as planned'
    [ "$(stat -c %a "$host/etc/pistream/note")" = 640 ] || fail 'the mode is not as planned'
    conversation 0 "$request" apply --root "$host"
    says '"outcome":"unchanged"'
    conversation 0 '' facts --config "$host/etc/no-camera.toml"
    says '"event":"host_facts".*"memory":[0-9]+.*"no_pipelines":"no camera is deployed here"'

    identity='{"path":"/etc/pistream/identity.pem","owner":"'$(id -un)'","certificate":null}'
    conversation 1 "${request%\}\}},\"identity\":$identity}}" apply --root "$host"
    says '"event":"certify","request":"-----BEGIN CERTIFICATE REQUEST-----'
    says 'the deployer went away'
    sed -n 's/.*"request":"\([^"]*\)".*/\1/p' "$work/out" | sed 's/\\n/\n/g' | openssl req -verify -noout 2>"$work/err" ||
        fail "the request does not verify: $(cat "$work/err")"
    printf '%s runs under %s\n' "$target" "$emulator"
}

target=aarch64-unknown-linux-musl arch=aarch64 emulator=qemu-aarch64-static
check
target=arm-unknown-linux-musleabihf arch=arm emulator='qemu-arm-static -cpu arm1176'
check
