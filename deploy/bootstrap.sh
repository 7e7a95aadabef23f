#!/bin/sh
# Make .venv with everything that uv.lock names. Needs python3 (3.11 or newer) or uv; nothing is installed outside this
# folder: where uv is absent it comes into .uv/.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "setup: $1" >&2
    exit 1
}

private_uv=".uv/bin/uv"

make_private_uv() {
    command -v python3 >/dev/null 2>&1 || fail "neither uv nor python3 is here; install Python 3.11 or newer"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "python3 is $(python3 -V 2>&1), llum needs Python 3.11 or newer (or install uv, which brings one)"
    python3 -c 'import ensurepip' 2>/dev/null ||
        fail "python3 cannot make virtual environments here; on Debian: apt-get install python3-venv (or install uv)"
    echo "setup: no uv here, installing one into .uv/"
    rm -rf .uv
    python3 -m venv .uv || fail "python3 -m venv failed; on Debian: apt-get install python3-venv (or install uv)"
    .uv/bin/python -m pip install --quiet --disable-pip-version-check uv || fail "pip could not install uv, see above"
}

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    [ -x "$private_uv" ] || make_private_uv
    uv="$private_uv"
fi

# An environment that is active elsewhere must not be taken for ours.
unset VIRTUAL_ENV
UV_PROJECT_ENVIRONMENT=.venv "$uv" sync --frozen --quiet || fail "uv sync failed, see above"
echo "setup: .venv is ready"
