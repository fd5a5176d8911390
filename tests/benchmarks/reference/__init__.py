"""What our figures are measured against: the obvious Django ways to do the same, and the floor below which none gets."""
