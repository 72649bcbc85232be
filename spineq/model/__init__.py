"""The nouns: groups, problem, city, network."""
