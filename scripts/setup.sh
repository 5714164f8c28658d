#!/usr/bin/env bash
# Set up polyscape in this checkout: system packages (when allowed), .venv, GPAW, and a check that PBE0 works.
# Quick when nothing has changed.  See scripts/setup.sh --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly HELP="usage: scripts/setup.sh [--with-tests]

Installs what is missing, then checks that GPAW, its PAW setups and PBE0 work:
  1. Debian packages of envs/apt.txt, when root or passwordless sudo is there; else says what is missing and goes on
     (a cluster's modules may provide it),
  2. .venv with the packages of envs/requirements.lock (hashes checked),
  3. GPAW of envs/gpaw.lock, built against what envs/siteconfig.py finds.
--with-tests adds the packages of envs/apt-test.txt (a one-machine SLURM, a browser).
Done before and nothing changed: ends at once.  To start afresh: rm -rf .venv

environment, read when .venv is made:
  POLYSCAPE_PYTHON=/path/to/python   use this Python (3.11 or newer)
  POLYSCAPE_SYSTEM_GPAW=1 | 0        use that Python's own GPAW (a cluster's module) | build one even when it has one
  GPAW_CONFIG=/path/to/siteconfig.py build GPAW your own way
  PIP_INDEX_URL, or pip's own config where packages come from"

readonly STATE=.venv/.setup # what was done, and the logs
readonly PYTHON=.venv/bin/python

# One thread per rank; Open MPI takes more ranks than cores for the check, and starts as root in a container.
export OMP_NUM_THREADS=1 OMPI_MCA_rmaps_base_oversubscribe=1
[[ $(id -u) != 0 ]] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

say() { printf 'set-up: %s\n' "$*" >&2; }

fail() {
    printf 'set-up failed: %s\n' "$*" >&2
    exit 1
}

# run NAME PROBLEM COMMAND...: the output goes to a log; a failure becomes one line: what, why, where to look.
run() {
    local log=$STATE/$1.log problem=$2
    shift 2
    "$@" >"$log" 2>&1 </dev/null 9>&- || fail "$problem: $(reason "$log") (log: $log)"
}

# The line of a log that most likely says why: the last one with "error" in it, else the last one.
reason() {
    { grep -i 'error' "$1" || grep -v '^[[:space:]]*$' "$1" || echo 'no output'; } | tail -n 1 | sed 's/^[[:space:]]*//' | cut -c 1-300
}

# entries FILE...: the entries of lists, without comments.
entries() { sed 's/#.*//' "$@" | tr -s '[:space:]' '\n' | sed '/^$/d'; }

# --- system packages --------------------------------------------------------------------------------------------------

missing_packages() {
    local package
    while read -r package; do
        [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == 'install ok installed' ]] || printf '%s\n' "$package"
    done < <(entries "$@")
}

apt_install() { # apt-get update only when the lists at hand do not do
    "${as_root[@]}" apt-get install -y --no-install-recommends "$@" || {
        "${as_root[@]}" apt-get update && "${as_root[@]}" apt-get install -y --no-install-recommends "$@"
    }
}

install_system_packages() {
    local missing as_root=(env DEBIAN_FRONTEND=noninteractive)
    command -v apt-get >/dev/null || {
        say "no apt-get here: compiler, MPI, libxc and BLAS must come from the system or its modules (see envs/apt.txt)"
        return
    }
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    if [[ $(id -u) != 0 ]]; then
        sudo -n true 2>/dev/null || {
            say "going on without system packages; an administrator can add them: sudo apt-get install ${missing[*]}"
            return
        }
        as_root=(sudo -n "${as_root[@]}")
    fi
    say "system packages: ${missing[*]}"
    run apt "apt-get could not install ${missing[*]}" apt_install "${missing[@]}"
}

# --- Python packages --------------------------------------------------------------------------------------------------

find_python() {
    local candidate
    for candidate in ${POLYSCAPE_PYTHON:-python3.11 python3 python3.12 python3.13}; do
        "$candidate" -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11); print(sys.executable)' 2>/dev/null && return
    done
    fail "no Python 3.11 or newer with its venv module (tried ${POLYSCAPE_PYTHON:-python3.11 python3}); install python3 and" \
        "python3-venv, load a module, or name one with POLYSCAPE_PYTHON"
}

# Whether a Python brings a GPAW with libxc that is at least as new as the locked one.
has_gpaw() {
    "$1" - "$(sed -n 's/^gpaw==\([0-9.]*\).*/\1/p' envs/gpaw.lock)" >/dev/null 2>&1 <<'PYTHON'
import re, sys
import _gpaw, gpaw
version = lambda text: [int(number) for number in re.findall(r"\d+", text)[:3]]
sys.exit(not hasattr(_gpaw, "libxc_version") or version(gpaw.__version__) < version(sys.argv[1]))
PYTHON
}

make_venv() {
    local python options=()
    # A .venv whose scripts name another folder was moved or copied here: it does not work.
    if grep -qsF "$PWD/.venv/" .venv/bin/pip && "$PYTHON" -c 'import pip' 2>/dev/null; then return; fi
    python=$(find_python)
    if [[ ${POLYSCAPE_SYSTEM_GPAW:-} == 1 ]] && ! has_gpaw "$python"; then
        fail "POLYSCAPE_SYSTEM_GPAW=1, but $python has no GPAW with libxc that is as new as the one in envs/gpaw.lock"
    fi
    if [[ ${POLYSCAPE_SYSTEM_GPAW:-} != 0 ]] && has_gpaw "$python"; then
        options=(--system-site-packages)
    fi
    rm -rf .venv
    mkdir -p "$STATE"
    run venv "$python could not make .venv" "$python" -m venv "${options[@]}" .venv
}

install_packages() {
    local index certificates
    # uv does in ten seconds what takes pip a minute, but does not read pip's config: hand it the index and certificates.
    index=${PIP_INDEX_URL:-$("$PYTHON" -m pip config get global.index-url 2>/dev/null || true)}
    [[ -z $index ]] || export UV_INDEX_URL=${UV_INDEX_URL:-$index}
    certificates=${PIP_CERT:-$("$PYTHON" -m pip config get global.cert 2>/dev/null || true)}
    [[ -z $certificates ]] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$certificates}
    sed -n '/^uv==/,/[^\\]$/p' envs/requirements.lock >"$STATE/uv.lock"
    say "Python packages (a minute or less)"
    run uv "pip could not install uv" "$PYTHON" -m pip install --require-hashes --only-binary :all: -r "$STATE/uv.lock"
    # The build constraints hold the few packages that come as source to the locked setuptools.
    if ! .venv/bin/uv pip install --python "$PYTHON" --system-certs --require-hashes -r envs/requirements.lock \
        --build-constraints envs/requirements.lock >"$STATE/packages-uv.log" 2>&1 </dev/null 9>&-; then
        say "uv could not install envs/requirements.lock ($(reason "$STATE/packages-uv.log")); pip takes its turn"
        run packages "pip could not install envs/requirements.lock" "$PYTHON" -m pip install --require-hashes -r envs/requirements.lock
    fi
    run polyscape "polyscape itself could not be installed" \
        "$PYTHON" -m pip install --no-deps --no-build-isolation --no-index -e .
}

# --- GPAW -------------------------------------------------------------------------------------------------------------

install_gpaw() {
    local config build
    grep -q 'include-system-site-packages = true' .venv/pyvenv.cfg && return
    config=$(realpath "${GPAW_CONFIG:-envs/siteconfig.py}")
    build=$("$PYTHON" "$config" 2>&1) || fail "GPAW cannot be built: ${build##*$'\n'}"
    build+=$(cat envs/gpaw.lock "$config")
    if [[ $build == "$(cat $STATE/gpaw 2>/dev/null)" ]] && "$PYTHON" -c 'import _gpaw' 2>/dev/null; then return; fi
    say "GPAW from source (half a minute to two minutes)"
    # pip, not uv: uv would take a GPAW that it built earlier, perhaps against other libraries, from its cache.
    GPAW_CONFIG=$config run gpaw "GPAW could not be built" "$PYTHON" -m pip install --force-reinstall --no-deps \
        --no-build-isolation --no-cache-dir --no-binary gpaw --require-hashes -r envs/gpaw.lock
    printf '%s\n' "$build" >$STATE/gpaw
}

# The same check on two ranks, then, when MPI does not let it, on one.
check_gpaw() {
    local log=$STATE/check.log
    say "checking GPAW, its PAW setups and PBE0"
    if command -v mpiexec >/dev/null && mpiexec -n 2 .venv/bin/gpaw python envs/check.py >"$log" 2>&1 </dev/null 9>&-; then
        say "$(grep 'on 2 ranks' "$log")"
        return
    fi
    "$PYTHON" envs/check.py >"$log" 2>&1 </dev/null 9>&- || fail "$(tail -n 1 "$log")"
    say "$(grep 'on 1 rank' "$log")"
    say "mpiexec cannot run GPAW on two ranks here: a single point will use one core"
}

# --- all together -----------------------------------------------------------------------------------------------------

fingerprint() { find scripts/setup.sh envs -maxdepth 1 -type f | LC_ALL=C sort | xargs sha256sum | sha256sum; }

main() {
    local lists=(envs/apt.txt) stamp=$STATE/done option
    for option in "$@"; do
        case $option in
            --with-tests) lists+=(envs/apt-test.txt) stamp=$STATE/done-with-tests ;;
            -h | --help) printf '%s\n' "$HELP" && return ;;
            *) fail "unknown option $option; see scripts/setup.sh --help" ;;
        esac
    done
    exec 9<envs
    flock 9 || true # two at once: the second waits
    if [[ -x $PYTHON && $(cat "$stamp" 2>/dev/null) == "$(fingerprint)" ]]; then return; fi
    mkdir -p "$STATE"
    install_system_packages "${lists[@]}"
    make_venv
    install_packages
    install_gpaw
    check_gpaw
    fingerprint | tee "$STATE/done" >"$stamp"
    say "done in $SECONDS s"
}

main "$@"
