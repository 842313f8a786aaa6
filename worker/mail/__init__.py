"""Confirmations by e-mail: written from templates, handed over by SMTP or as files, at most once each.

The only room that speaks jinja2.
"""
