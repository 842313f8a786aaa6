"""What the commands of a client are made of: uploads, requests, tables. They speak HTTP only."""
