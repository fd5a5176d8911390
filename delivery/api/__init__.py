"""The data plane's part of the API: dead letters, and what is asked for them."""
