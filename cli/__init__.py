"""The front desk: the ordermill program and the servers that it starts on one machine."""
