"""The HTTP target: CloudEvents in binary or structured mode, or what a transform made, as one request per event."""
