"""Apply as many checks as the server has, none of which differs."""

import sys

from healthchecks_io import CheckCreate, Client

with Client(api_key="k" * 32, api_url=sys.argv[1]) as client:
    wanted = [CheckCreate.from_check(check) for check in client.get_checks()]
    for each in wanted:
        each.channels = "*"
    for _ in range(int(sys.argv[2])):
        plan = client.apply_checks(wanted)
        assert not plan
