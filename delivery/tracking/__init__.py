"""What happened to events: attempts, rollups, journeys, and the tail that feeds the console. Reads, never delivers."""
