"""Learners who are not there: a second process that uses the site over HTTP, as browsers do."""

USER_AGENT = "Lantern-Simulation"
