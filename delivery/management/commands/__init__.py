"""One file per command: up, serve and work run Signalbox; the others do one thing and end."""
