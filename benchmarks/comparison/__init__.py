"""Paired training runs under several rewards, and the report about them."""
