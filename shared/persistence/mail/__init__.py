"""Confirmations that wait to be sent."""
