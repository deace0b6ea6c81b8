"""The model on this machine: the process that runs llama.cpp, what its server can be asked, and exact counts from it."""
