"""How numbers are written in a language, where people write them otherwise than Django has it."""
