# Run the agent of this build; where it is missing, from a directory that goes away with it: nothing of the host changes.
if [ -x "@DIR@/agent-@BUILD@" ]; then exec "@DIR@/agent-@BUILD@" @VERB@; fi;
fault() { echo "pistream-fault $1"; exit 1; };
for tool in gzip head chmod mktemp uname; do
command -v "$tool" >/dev/null 2>&1 || fault "tool $tool";
done;
umask 077;
dir=;
for base in @TEMPORARY@; do
try=$(mktemp -d "$base/pistream.XXXXXX" 2>/dev/null) || continue;
agent=$try/pistream-agent-temporary;
if ( : >"$agent" ) 2>/dev/null && chmod 700 "$agent" && [ -x "$agent" ]; then dir=$try; break; fi;
rm -rf "$try";
done;
[ -n "$dir" ] || fault "noexec @TEMPORARY@";
echo "pistream-need $(uname -s) $(uname -m)";
IFS= read -r count || { rm -rf "$dir"; fault "place $dir"; };
head -c "$count" | gzip -dc >"$agent" || { rm -rf "$dir"; fault "place $dir"; };
"$agent" @VERB@;
code=$?;
rm -rf "$dir";
exit $code
