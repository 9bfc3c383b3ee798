"""Whole calls: a real Asterisk, the real daemon in a process of its own, real SIP phones with audio, the real API."""
