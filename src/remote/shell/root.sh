# Become root, then run the script that stands in $0. Runs in whatever sh the host has.
# Rules for every file here: no single quote and no backslash (the whole goes through the login shell, which may be
# fish, inside single quotes); every line ends as if the next one stood behind it, for it will.
LC_ALL=C;
export LC_ALL;
echo;
echo pistream-shell;
if [ "$(id -u)" = 0 ]; then exec sh -c "$0"; fi;
command -v sudo >/dev/null 2>&1 || { echo pistream-fault sudo; exit 1; };
exec sudo -S -p "@PROMPT@" -- sh -c "$0"
