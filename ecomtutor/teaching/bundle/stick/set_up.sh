#!/bin/sh
# Sets the course up on this laptop from the folder that this file lies in; no network is used.
here=$(cd "$(dirname "$0")" && pwd)
for python in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
  if command -v "$python" >/dev/null 2>&1 && "$python" "$here/set_up.py" --fits; then
    exec "$python" "$here/set_up.py" "$@"
  fi
done
echo "No Python here that this bundle is for. It is for:" >&2
cat "$here/bundle.json" >&2
exit 1
