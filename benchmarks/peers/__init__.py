"""What is measured beside livecounters, each a server process of its own."""
