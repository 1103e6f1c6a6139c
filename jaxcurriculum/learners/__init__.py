"""Learning algorithms: what is learned from experience, whoever collects it."""
