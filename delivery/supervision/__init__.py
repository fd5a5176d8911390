"""One command runs everything on one machine: a parent process that keeps a web and a worker child alive.

The parent owns the var folder (a lock), the listening socket and a pipe by which its children notice its death.
It may touch processes, sockets and files under var; it knows nothing of events, and delivers none.
"""
