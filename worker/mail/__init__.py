"""Confirmations by e-mail: written from templates, handed over by SMTP or as files, at most once each.

Beside the page of the API the only package that uses jinja2.
"""
