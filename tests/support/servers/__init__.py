"""The servers that tests start on this machine: Redis, providers, proxies and other people's programs."""
