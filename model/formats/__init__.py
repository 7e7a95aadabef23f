"""Models as text: definitions (mdef), archives, and what the original Personis exports."""
