"""What can be done. Files are verbs (what an agent may call), folders are nouns (what the verbs work with)."""
