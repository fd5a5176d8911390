"""The catalog's pages: one module per part of the console, plain functions that read top to bottom."""
