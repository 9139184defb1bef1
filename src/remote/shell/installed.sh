# Run the agent of this build; where it is missing, ask for it, put it in place and run it.
agent=@DIR@/agent-@BUILD@;
if [ -x "$agent" ]; then exec "$agent" @VERB@; fi;
fault() { echo "pistream-fault $1"; exit 1; };
for tool in gzip head mv chmod mkdir uname sync; do
command -v "$tool" >/dev/null 2>&1 || fault "tool $tool";
done;
new=@DIR@/.agent-@BUILD@.$$;
umask 022;
mkdir -p @DIR@ || fault "place @DIR@";
umask 077;
# leftovers of uploads that were cut off
find @DIR@ -name ".agent-*" -mmin +60 -exec rm -f {} + 2>/dev/null;
( : >"$new" ) && chmod 700 "$new" || fault "place @DIR@";
[ -x "$new" ] || { rm -f "$new"; fault "noexec @DIR@"; };
# read and head take no byte too many from a pipe, or if head does, there is none: the request follows the greeting
echo "pistream-need $(uname -s) $(uname -m)";
IFS= read -r count || { rm -f "$new"; fault "place @DIR@"; };
head -c "$count" | gzip -dc >"$new" || { rm -f "$new"; fault "place @DIR@"; };
# a power cut after the rename must not leave an empty agent behind
sync "$new" 2>/dev/null || sync;
chmod 755 "$new" && mv -f "$new" "$agent" || { rm -f "$new"; fault "place @DIR@"; };
exec "$agent" @VERB@
