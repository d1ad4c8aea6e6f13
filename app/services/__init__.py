"""Use cases. Each takes the session and the actor, and neither knows HTTP nor commits."""
