"""The model on this machine: the process that runs llama.cpp, and exact token counts from its server."""
