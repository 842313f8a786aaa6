"""The promises and what came of them. The only room that speaks SQL."""
