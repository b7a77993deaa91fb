"""iLRM-nano: the small network that ships, trained on rendered rooms; good without a GPU."""
