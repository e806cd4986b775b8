#!/bin/sh
# sh run.sh /path/to/mgdebug: show a bug being found, mended and put back, in a temporary copy.
set -eu

: "${1:?usage: sh run.sh /path/to/mgdebug}"
bin=$(cd "$(dirname "$1")" && pwd)
mgdebug=$bin/$(basename "$1")
python=$bin/python
shop=$(cd "$(dirname "$0")" && pwd)/shop
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

cp -R "$shop" "$folder/shop"
cd "$folder/shop"
exec 2>&1 # one stream: what is told stays in order through a pipe
unset PYTEST_ADDOPTS
export XDG_STATE_HOME="$folder/state" MGDEBUG_PYTHON="$python" PYTHONDONTWRITEBYTECODE=1

run_tests() {
  "$python" -m pytest -q --tb=no -p no:cacheprovider
}

cat <<'END'
A small shop: carts on top of prices. Two tests of the cart are red.
The culprit is neither the test nor the cart, but a helper further down.

$ pytest -q --tb=no
END
if run_tests; then
  echo "demo: the tests should have been red" >&2
  exit 1
fi

printf '\n$ mgdebug fix --apply\n'
"$mgdebug" fix --apply

printf '\n$ pytest -q --tb=no\n'
run_tests

printf '\n$ mgdebug undo\n'
"$mgdebug" undo
for file in "$shop"/*.py; do
  cmp "$file" "$folder/shop/$(basename "$file")"
done
echo "The files are as they were."
