"""People who use this Signalbox: who they are, what they may, how they come in, when they were here."""
