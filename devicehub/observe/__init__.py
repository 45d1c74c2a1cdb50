"""What others watch the hub by: metrics, live and ready, the service manager's watchdog."""
