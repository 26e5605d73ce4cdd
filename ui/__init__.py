"""The ways into Citable: command line and chat page."""
