#!/bin/sh
# tests/foreign_agents.sh [DIR]
#   The release agents really run: the one for x86_64 on this machine, those for other processors under QEMU's user
#   emulation, the 32-bit one on the ARM1176 of the first Pi and of the Zero. They answer, apply a plan, and supervise the
#   ffmpeg that Debian has for that processor while it publishes to nginx. Builds them by src/agent/cross.sh; or takes
#   DIR/TARGET/pistream-agent.
#   Needs an x86_64 machine, qemu-user-static, openssl, nginx with its RTMP module, ffmpeg, python3, mmdebstrap. No root, no
#   network but for what cross.sh and foreign_ffmpeg fetch.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
server='' listener='' supervisor=''
clean_up() {
    for pid in $supervisor $listener $server; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

if [ $# -gt 0 ]; then
    agents=$1
else
    agents=$work/agents
    "$root/src/agent/cross.sh" --out "$agents" x86_64-unknown-linux-musl aarch64-unknown-linux-musl \
        arm-unknown-linux-musleabihf >/dev/null
fi

fail() {
    printf 'foreign_agents: %s: %s\n' "$target" "$*" >&2
    exit 1
}

agent() { # ARGUMENT...; the emulated processor stands in $emulator, nothing for this machine's own
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
    printf '%s runs%s\n' "$target" "${emulator:+ under $emulator}"
}

# until_it SECONDS WHAT COMMAND...: waits until the command succeeds.
until_it() {
    deadline=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "$what: not in time; $(tail -n 5 "$work"/*.log)"
        sleep 0.2
    done
}

# nginx as a server for RTMP on this machine alone; its port is left in $port.
serve() {
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >"$work/nginx.conf" <<EOF
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events {}
rtmp { server { listen 127.0.0.1:$port; application live { live on; } } }
EOF
    nginx -c "$work/nginx.conf" -e "$work/nginx.log" &
    server=$!
    until_it 20 'nginx listens' python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null
}

# Everything that the agent tells systemd, in $work/told.
listen() {
    python3 -c '
import socket, sys
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(sys.argv[1])
while True:
    print(heard.recv(4096).decode(), flush=True)' "$work/notify" >"$work/told" &
    listener=$!
    until_it 10 'somebody listens' test -S "$work/notify"
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# Debian's ffmpeg for the emulated processor, as $ffmpeg.
foreign_ffmpeg() { # ARCHITECTURE (Debian's name), DIRECTORY (of its libraries)
    ffmpeg=$work/ffmpeg
    tree=$("$root/tests/foreign_ffmpeg" "$1")
    libraries=$tree/lib/$2
    for place in . blas lapack pulseaudio; do
        libraries=$libraries:$tree/usr/lib/$2/$place
    done
    # where on a Pi the kernel loads the program, the emulator does
    cat >"$ffmpeg" <<EOF
#!/bin/sh
exec $emulator -L $tree -E LD_LIBRARY_PATH=$libraries $tree/usr/bin/ffmpeg "\$@"
EOF
    chmod 755 "$ffmpeg"
}

# The agent supervises a real ffmpeg of its own processor, $ffmpeg, which publishes a test picture to nginx.
stream() {
    cat >"$work/camera.toml" <<EOF
stream = "$arch"
ffmpeg = "$ffmpeg"
status_socket = "$work/status.sock"
stall_after = 30
bitrate = 100000
[[pipeline]]
name = "test-pattern"
requires = [{ encoder = "libx264" }]
arguments = ["-re", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10",
    "-f", "flv", "rtmp://127.0.0.1:$port/live/$arch"]
EOF
    listen
    # a process of its own to signal, no shell around it
    # shellcheck disable=SC2086 # a command and its options
    NOTIFY_SOCKET=$work/notify $emulator "$agents/$target/pistream-agent" supervise --config "$work/camera.toml" \
        >"$work/agent.log" 2>&1 &
    supervisor=$!
    until_it 60 'READY is told' grep -q READY=1 "$work/told"
    conversation 0 '' status --socket "$work/status.sock"
    child=$(sed -n 's/.*"ffmpeg_pid":\([0-9]*\).*/\1/p' "$work/out")
    [ -n "$child" ] || fail "no ffmpeg: $(cat "$work/out")"
    timeout 60 ffmpeg -v error -nostdin -y -i "rtmp://127.0.0.1:$port/live/$arch" -frames:v 10 -f framecrc "$work/frames" ||
        fail "the server has no stream: $(tail -n 5 "$work"/*.log)"
    [ "$(grep -c '^0,' "$work/frames")" = 10 ] || fail "the server does not hand ten frames on: $(cat "$work/frames")"
    kill -TERM "$supervisor"
    until_it 20 'the agent ends' is_gone "$supervisor"
    is_gone "$child" || fail 'ffmpeg outlived its agent'
    kill "$listener"
    rm "$work/notify"
    supervisor='' listener=''
    printf '%s supervises an ffmpeg of its own processor\n' "$target"
}

serve
target=x86_64-unknown-linux-musl arch=x86_64 emulator='' ffmpeg=$(command -v ffmpeg)
check
stream
target=aarch64-unknown-linux-musl arch=aarch64 emulator=qemu-aarch64-static
check
foreign_ffmpeg arm64 aarch64-linux-gnu
stream
target=arm-unknown-linux-musleabihf arch=arm emulator='qemu-arm-static -cpu arm1176'
check
foreign_ffmpeg armel arm-linux-gnueabi
stream
