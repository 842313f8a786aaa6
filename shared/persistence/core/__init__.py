"""The core of persistence, which its other folders know: connections, errors, tables, migrations, COPY."""
