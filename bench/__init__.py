"""What the README says about speed: the service measured beside a bare FastAPI route, in the same run."""
