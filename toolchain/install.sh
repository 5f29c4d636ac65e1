# Sourced by ./dam when something is not installed yet: brings toolchain/node_modules and the workspace's node_modules
# to the state of their lockfiles. Only one at a time; a run that was killed is simply done again.

log=$root/toolchain/install.log

for dir in "$root" "$root/toolchain"; do
  [ -w "$dir" ] || die "DAM is not installed yet and this user cannot write to $dir." \
    "Run '$root/dam version' once as the user who owns it, then start it as any user."
done
if [ "$platform" = linux-x64 ] || [ "$platform" = linux-arm64 ]; then
  for libc in /lib/ld-musl-*; do
    [ -e "$libc" ] && die 'DAM needs glibc, and this system uses musl (Alpine). Use a Debian-based system or image.'
  done
fi

# npm and pnpm keep caches in the home folder; without a usable one (service users) they go beside the toolchain.
if [ ! -w "${HOME:-/nonexistent}" ]; then
  HOME=$root/toolchain/.home
  export HOME
  mkdir -p "$HOME"
fi

# Held by the kernel where flock(1) exists, so that it ends with us however we end.
if command -v flock >/dev/null 2>&1; then
  exec 9>"$root/toolchain/.lock"
  if ! flock -n 9; then
    echo 'Another ./dam is installing, waiting for it …' >&2
    flock 9
  fi
else
  until mkdir "$root/toolchain/.lock.d" 2>/dev/null; do
    owner=$(cat "$root/toolchain/.lock.d/pid" 2>/dev/null || echo 0)
    if [ "$owner" -gt 0 ] && ! kill -0 "$owner" 2>/dev/null; then
      rm -rf "$root/toolchain/.lock.d"
    else
      sleep 1
    fi
  done
  echo $$ >"$root/toolchain/.lock.d/pid"
  trap 'rm -rf "$root/toolchain/.lock.d"' EXIT
  trap 'exit 130' INT TERM
fi

# step <what> <command...>: one line of progress, the end of the log and advice when it fails.
step() {
  what=$1
  shift
  printf 'Installing %s (once) … ' "$what" >&2
  started=$(date +%s)
  if "$@" >"$log" 2>&1 </dev/null 9>&-; then
    printf '%s s\n' "$(($(date +%s) - started))" >&2
    return
  fi
  printf 'failed\n\n' >&2
  tail -n 15 "$log" >&2
  if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|fetch failed|ERR_SOCKET_TIMEOUT|error sending request|dns error' "$log"; then
    die '' "The npm registry cannot be reached ($(npm config get registry 2>/dev/null || echo 'registry.npmjs.org'))." \
      'Check the network, or set a mirror or proxy (npm config set registry … / HTTPS_PROXY) and run this again.'
  fi
  if grep -qE 'ENOSPC|No space left' "$log"; then
    die '' "The disk of $root is full: DAM needs about 1.5 GB for its programs."
  fi
  die '' "Installing $what failed; the whole log is in $log. Run this again when the cause is gone."
}

# The packages are optional, each for one platform, so npm is content when it could fetch none: look.
install_toolchain() {
  cd "$root/toolchain" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=http \
    --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=10000 &&
    [ -x "$node" ] && [ -x "$pnpm" ] && cp package-lock.json node_modules/.installed
}

install_packages() {
  cd "$root" && PATH="${node%/*}:$PATH" "$pnpm" install --frozen-lockfile --reporter=append-only \
    --config.confirm-modules-purge=false --config.fetch-retry-mintimeout=2000 --config.fetch-retry-maxtimeout=10000 &&
    cp pnpm-lock.yaml node_modules/.installed
}

if ! toolchain_is_current; then
  command -v npm >/dev/null 2>&1 ||
    die 'npm is missing. Install Node.js 20 or newer with npm (https://nodejs.org, or apt-get install nodejs npm) and run this again.'
  major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
  [ "$major" -ge 20 ] ||
    die "Node.js $(node -v 2>/dev/null || echo '(missing)') is too old to install DAM: it needs 20 or newer. DAM then brings its own."
  step 'Node.js 24 and pnpm' install_toolchain
fi
packages_are_current || step 'packages' install_packages

if [ -e "/proc/self/fd/9" ] || command -v flock >/dev/null 2>&1; then
  exec 9>&-
else
  rm -rf "$root/toolchain/.lock.d"
  trap - EXIT INT TERM
fi
