"""Credit: what turns are told they earned, beside their exact advantages."""
