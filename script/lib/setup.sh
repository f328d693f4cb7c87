# Gets a machine ready for Berth: system packages, Node and the locked dependencies. POSIX sh, to be sourced.
#
# Set BERTH_ROOT (the folder of package.json) before sourcing. Each ensure_… function is quick when nothing is
# missing, says on stderr what it does otherwise, and exits 1 with what to do when it cannot.

# Pinned with its SHA-512, as the registry's `dist.integrity` gives it (there in base64).
BERTH_NODE_VERSION=24.21.0
BERTH_NODE_SHA512_x64=de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced
BERTH_NODE_SHA512_arm64=1692513c4cf63afbd32df8c83a5346158f492cf30a825e66f9de2819804b836e242759a6bcdd5997f1cf2601781c3689e752127afd65d5c459fc333e91e5d6e6

say() { printf '%s\n' "$*" >&2; }

# fail WHAT [WHAT TO DO]
fail() {
  say "error: $1"
  [ $# -lt 2 ] || say "$2"
  exit 1
}

# with_lock NAME COMMAND…: one process at a time; the lock is gone with its process, however that ends.
with_lock() {
  lock="$BERTH_ROOT/.berth/$1.lock"
  shift
  mkdir -p "$BERTH_ROOT/.berth" || fail "cannot write in $BERTH_ROOT" "Make the folder writable for $(id -un)."
  # A subshell, so that nothing started later inherits the descriptor and with it the lock.
  (
    if command -v flock >/dev/null 2>&1; then
      flock -n 9 || {
        say "Waiting for another process that prepares Berth …"
        flock 9
      }
    fi
    "$@"
  ) 9>"$lock"
}

# --- Node

# True when $1 is a Node of version 24 or newer that runs here.
is_modern_node() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 24 ] 2>/dev/null
}

# Sets NODE to a Node ≥ 24 and puts its folder first on PATH: BERTH_NODE, the one on PATH, or one fetched with npm.
ensure_node() {
  if [ -n "${BERTH_NODE:-}" ]; then
    is_modern_node "$BERTH_NODE" || fail "BERTH_NODE=$BERTH_NODE is not a Node of version 24 or newer" \
      "Point it at one, or unset it to let Berth find or fetch Node."
    NODE=$BERTH_NODE
  elif NODE=$(command -v node) && is_modern_node "$NODE"; then
    :
  else
    NODE="$BERTH_ROOT/.berth/node/$BERTH_NODE_VERSION/bin/node"
    is_modern_node "$NODE" || with_lock node fetch_node || exit 1
  fi
  case "$NODE" in
    */*) PATH="${NODE%/*}:$PATH" ;;
  esac
  export NODE PATH
}

fetch_node() {
  ! is_modern_node "$NODE" || return 0
  case "$(uname -s) $(uname -m)" in
    'Linux x86_64') arch=x64 sha512=$BERTH_NODE_SHA512_x64 ;;
    'Linux aarch64') arch=arm64 sha512=$BERTH_NODE_SHA512_arm64 ;;
    *) fail "Berth needs Node 24 or newer, and fetches it only for Linux on x86_64 and aarch64" \
      "Install Node 24 yourself (https://nodejs.org), or set BERTH_NODE to its path." ;;
  esac
  command -v npm >/dev/null 2>&1 || fail "Berth needs Node 24 or newer, and there is no npm here to fetch it with" \
    "Install Node 24 (https://nodejs.org), or npm (apt-get install npm), or set BERTH_NODE to the path of a Node."
  say "Fetching Node $BERTH_NODE_VERSION from the npm registry …"
  folder="$BERTH_ROOT/.berth/node"
  mkdir -p "$folder"
  staging=$(mktemp -d "$folder/fetch.XXXXXX") || exit 1
  trap 'rm -rf "$staging"' EXIT
  trap 'exit 130' INT TERM
  (cd "$staging" && npm pack --silent "node-linux-$arch@$BERTH_NODE_VERSION") >"$staging/log" 2>&1 || {
    head -n 15 "$staging/log" >&2
    fail "Node could not be fetched from the npm registry" "Check the network and the registry (npm ping), or set BERTH_NODE to the path of a Node ≥ 24."
  }
  archive="$staging/node-linux-$arch-$BERTH_NODE_VERSION.tgz"
  printf '%s  %s\n' "$sha512" "$archive" | sha512sum --check --status - ||
    fail "the Node that arrived is not the one expected (its checksum differs)" "Check which registry npm uses: npm config get registry."
  tar -xzf "$archive" -C "$staging" package/bin/node || exit 1
  is_modern_node "$staging/package/bin/node" || fail "the fetched Node does not run on this system" \
    "Berth needs glibc 2.28 or newer; set BERTH_NODE to a Node ≥ 24 that runs here."
  rm -rf "$folder/$BERTH_NODE_VERSION"
  mv "$staging/package" "$folder/$BERTH_NODE_VERSION"
}

# --- dependencies

# ensure_dependencies [production]: node_modules as package-lock.json says; call ensure_node first.
# `production` is content without what only tests and checks need. No dependency needs its install script.
ensure_dependencies() {
  dependencies_ready "${1:-}" || with_lock dependencies install_dependencies "${1:-}" || exit 1
}

# The stamp is a copy of the lock file: comparing is quicker than hashing, and cannot lie about what was installed.
dependencies_ready() {
  cmp -s "$BERTH_ROOT/package-lock.json" "$BERTH_ROOT/node_modules/.berth-lock" &&
    { [ "$1" = production ] || [ -e "$BERTH_ROOT/node_modules/.berth-all" ]; }
}

# Installs beside and swaps, so that a failed or killed install leaves what was there.
install_dependencies() {
  ! dependencies_ready "$1" || return 0
  command -v npm >/dev/null 2>&1 || fail "Berth's dependencies have to be installed, and there is no npm here" \
    "Install npm (apt-get install npm) and try again."
  omit=
  if [ "$1" = production ] && [ ! -e "$BERTH_ROOT/node_modules/.berth-all" ]; then omit=--omit=dev; fi
  say "Installing dependencies …"
  staging=$(mktemp -d "$BERTH_ROOT/.berth/install.XXXXXX") || exit 1
  trap 'rm -rf "$staging"' EXIT
  trap 'exit 130' INT TERM
  for file in package.json package-lock.json .npmrc; do
    [ ! -e "$BERTH_ROOT/$file" ] || cp "$BERTH_ROOT/$file" "$staging/"
  done
  (cd "$staging" && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund $omit) >"$staging/log" 2>&1 || {
    head -n 15 "$staging/log" >&2
    fail "the dependencies could not be installed" "Check the network and the registry (npm ping), then try again."
  }
  [ -n "$omit" ] || : >"$staging/node_modules/.berth-all"
  cp "$staging/package-lock.json" "$staging/node_modules/.berth-lock"
  if [ -e "$BERTH_ROOT/node_modules" ]; then mv "$BERTH_ROOT/node_modules" "$staging/replaced"; fi
  mv "$staging/node_modules" "$BERTH_ROOT/node_modules"
}

# --- system packages

# crun refuses cgroup v1 and hybrid hosts, so there it has to be runc.
runtime_package() {
  if [ "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)" = cgroup2fs ]; then echo crun; else echo runc; fi
}

# missing_packages [PROGRAM:PACKAGE …]: the Debian packages that Berth needs, and those of further programs, that this
# machine lacks, on one line.
missing_packages() {
  missing=
  for pair in podman:podman "$(runtime_package):$(runtime_package)" conmon:conmon netavark:netavark \
    aardvark-dns:aardvark-dns iptables:iptables mmdebstrap:mmdebstrap "$@"; do
    PATH="$PATH:/usr/sbin:/sbin:/usr/lib/podman:/usr/libexec/podman" command -v "${pair%%:*}" >/dev/null 2>&1 ||
      missing="$missing ${pair#*:}"
  done
  echo $missing
}

# ensure_system_packages [PROGRAM:PACKAGE …]: installs what is missing with apt when root on Debian or Ubuntu; otherwise
# names it and exits 1.
ensure_system_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || fail "missing on this machine: $missing" \
    "Install them: sudo apt-get install --no-install-recommends $missing"
  command -v apt-get >/dev/null 2>&1 || fail "missing on this machine: $missing" \
    "Those are Debian's names; install what your system calls them, then try again."
  with_lock packages install_packages "$@" || exit 1
}

install_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  say "Installing $missing …"
  log=$(mktemp) || exit 1
  trap 'rm -f "$log"' EXIT
  # The package lists may be missing or older than the archive: then the first try fails and the second has new ones.
  apt_install >"$log" 2>&1 || { apt_get update || true; apt_install; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt-get could not install $missing" "Read its lines above, mend the cause, and try again."
  }
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null; }
apt_install() { apt_get install -y --no-install-recommends $missing; }
