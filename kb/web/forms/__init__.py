"""The forms, one file each. They check shape; rules are the services'."""
