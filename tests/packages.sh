# Debian packages for tests/all and .ci/run, which source this: installed only when their command is
# missing, so a machine that has everything never asks apt-get.

say() { printf 'flametop: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# need_command COMMAND PACKAGE...
need_command() {
    local command=$1 as_root=()
    shift
    command -v "$command" >/dev/null && return
    command -v apt-get >/dev/null || fail "needs '$command': install it, then run this again"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "needs '$command': run 'apt-get install $*' as root, then this again"
        as_root=(sudo -n)
    fi
    say "installing $* for '$command'"
    "${as_root[@]}" apt-get update -q </dev/null >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" </dev/null >&2
    hash -r
    command -v "$command" >/dev/null || fail "'$command' is still missing after installing $*"
}
