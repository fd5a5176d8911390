"""Forms of the catalog's pages: they do the checking, and say what is wrong at its place."""
