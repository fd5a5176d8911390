"""The pages of rules: the list, one rule, and the editor of rules and targets. Function views."""
