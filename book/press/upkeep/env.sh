#!/bin/sh
# Make the environment, or add to it: env.sh FOLDER LOCK. One sentence says what is missing, if
# anything is.
venv=$1
lock=${2:-requirements.lock}
case $lock in
*-book.lock) what="what the book needs (about 0.6 GB)" ;;
*-lab.lock) what="what JupyterLab needs (about 0.8 GB)" ;;
*) what="all that is locked (about 1.1 GB)" ;;
esac

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

no_venv="$python cannot make virtual environments; on Debian and Ubuntu install the package python3-venv, then try again"
outer=$python
python=$venv/bin/python
# A half-made environment, or one of another Python, is made again; its pip comes beside the rest.
works "$python" && "$python" -m pip --version >/dev/null 2>&1 || {
    rm -rf "$venv"
    "$outer" -m venv --without-pip "$venv" >/dev/null 2>&1 || {
        rm -rf "$venv"
        say "$no_venv"
    }
    "$python" -m ensurepip >"$venv/pip.log" 2>&1 &
}

started=$(date +%s)
log=$venv/install.log
# uv installs the same lock, and checks the same hashes, in a tenth of the time. It comes by pip: by
# the one outside, if it can (from 22.3 on), or by the environment's own.
pip="$outer -m pip --python $python"
$pip --version >/dev/null 2>&1 || {
    wait
    pip="$python -m pip"
    $pip --version >/dev/null 2>&1 || {
        rm -rf "$venv"
        say "$no_venv"
    }
}
pip="$pip --disable-pip-version-check -q"
awk '/^[a-z0-9]/ { wanted = /^uv==/ } wanted' requirements.lock >"$venv/uv.lock"
if $pip install --no-deps --require-hashes -r "$venv/uv.lock" >"$log" 2>&1 &&
    "$venv/bin/uv" --version >>"$log" 2>&1; then
    own="$venv/bin/uv pip install --python $python -q"
    install="$own --require-hashes"
    echo "Installing into $venv: $what ..."
else
    install="$pip install"
    own=$install
    echo "Installing into $venv with pip, since uv could not be had, which takes minutes: $what ..."
fi
$install -r "$lock" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    if grep -qiE 'connection|resolution|network|timed out|retrying|no matching distribution|dns error|failed to fetch|sending request' "$log"; then
        say "the packages could not be downloaded; the first install needs a network that reaches the Python package index (full log: $log)"
    fi
    say "the packages could not be installed; the lines above and $log say why"
}
$own --no-deps --no-build-isolation -e . >"$log" 2>&1 ||
    say "the companion itself could not be installed; $log says why"
wait
echo "Installed: $(($(date +%s) - started)) s"
