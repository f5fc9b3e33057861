#!/bin/sh
# List the locked packages in build/sbom.json, and look up their known faults: audit.sh VENV.
# The tools stand in an environment of their own, so that what they need is not taken for ours.
venv=$1
tools=$venv/audit

say() {
    echo "make: $1" >&2
    exit 1
}

mkdir -p build
[ -x "$tools/bin/python" ] || "$venv/bin/python" -m venv "$tools" || say "no environment could be made in $tools"
"$venv/bin/python" -c 'import tomllib
extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
print(*extras["audit"], sep="\n")' >"$tools/wanted.txt"
"$tools/bin/python" -m pip install --disable-pip-version-check -q -r "$tools/wanted.txt" >"$tools/log" 2>&1 ||
    say "the audit's tools could not be installed; $tools/log says why"

PYTHONWARNINGS=ignore "$tools/bin/cyclonedx-py" requirements --pyproject pyproject.toml --mc-type library --output-reproducible \
    --output-format JSON --output-file build/sbom.json requirements.lock ||
    say "the bill of materials could not be made; the lines above say why"
echo "The bill of materials is in build/sbom.json"

# Strict: a package that could not be looked up is a failure, not a pass.
"$tools/bin/pip-audit" --strict --require-hashes --disable-pip -r requirements.lock >"$tools/log" 2>&1 && {
    echo "No locked package has a known fault"
    exit 0
}
if grep -qiE 'could not be audited|not found on|ConnectionError|resolve|timed out' "$tools/log"; then
    say "the database of known faults cannot be reached from here, so nothing was looked up; run make audit where it can"
fi
cat "$tools/log" >&2
say "a locked package has a known fault; run make lock, or raise the lower bound in pyproject.toml"
