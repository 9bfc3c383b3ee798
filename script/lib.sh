# Shell shared by the verbs in script/: sourced, never run.  Sets CHECKOUT, STATE and ASTERISK_ROOT and speaks to the
# person at the terminal in one way.

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STATE=${CCSERVER_STATE:-$CHECKOUT/var}
ASTERISK_ROOT=${CCSERVER_ASTERISK_ROOT:-/var/cache/ccserver/asterisk-22}

# say TEXT…: one line of progress.
say() { printf '==> %s\n' "$*" >&2; }

# die TEXT [WHAT TO DO]…: the reason on one line, each remedy on its own, exit 1.
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  local remedy
  for remedy in "$@"; do printf '  -> %s\n' "$remedy" >&2; done
  exit 1
}

# have COMMAND: is it installed?
have() { command -v "$1" >/dev/null 2>&1; }

# need_root WHY: the few steps that touch the system stop here for everyone else.
need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root" "run it again as root: sudo $0"
}

# apt_install PACKAGE…: Debian packages of the machine itself; the lists are fetched only when that proves necessary.
apt_install() {
  have apt-get || die "missing: $*, and this machine has no apt-get" "install them by hand, then run $0 again"
  need_root "installing $*"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends)
  "${apt[@]}" "$@" >/dev/null 2>&1 || { apt-get -qq update && "${apt[@]}" "$@" >/dev/null; } ||
    die "apt-get could not install $*" "see the message above; is a package mirror reachable?"
}

# checkout_python: the interpreter to use for pip: the checkout's own when script/setup has made it.
checkout_python() {
  if [ -x "$CHECKOUT/.venv/bin/python" ]; then echo "$CHECKOUT/.venv/bin/python"; else command -v python3; fi
}
