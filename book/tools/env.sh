#!/bin/sh
# Make the environment: env.sh FOLDER. One sentence says what is missing, if anything is.
venv=$1

say() {
    echo "make: $1" >&2
    exit 1
}

works() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

python=
for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
    if works "$name"; then
        python=$name
        break
    fi
done
[ -n "$python" ] || say "no Python 3.11 or later was found; install one from python.org or your system's packages, or name it: make PYTHON=/path/to/python3"

# A half-made environment, or one of another Python, is made again.
works "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 || {
    rm -rf "$venv"
    "$python" -m venv "$venv" >/dev/null 2>&1 || {
        rm -rf "$venv"
        say "$python cannot make virtual environments; on Debian and Ubuntu install the package python3-venv, then try again"
    }
}

log=$venv/install.log
echo "Installing the locked packages into $venv (first time: a few minutes, about 1.5 GB) ..."
"$venv/bin/python" -m pip install --disable-pip-version-check -q -r requirements.lock >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    if grep -qiE 'connection|resolution|network|timed out|retrying|no matching distribution' "$log"; then
        say "the packages could not be downloaded; the first install needs a network that reaches the Python package index (full log: $log)"
    fi
    say "the packages could not be installed; the lines above and $log say why"
}
"$venv/bin/python" -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e . >"$log" 2>&1 ||
    say "the companion itself could not be installed; $log says why"
