"""The roles as processes: supervised, each with a watchdog, and replaced when their pings stop."""
