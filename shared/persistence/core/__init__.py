"""What every other room of persistence knows: connections, errors, tables, migrations, COPY."""
