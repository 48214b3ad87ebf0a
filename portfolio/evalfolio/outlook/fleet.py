"""Agents per server and what a fleet of them costs, from hardware figures."""

import numpy as np
import pandas as pd

from evalfolio.outlook.presets import Presets

HOURS = 8766.0  # of a year


def fleet(presets: Presets, agent_hours: float) -> pd.DataFrame:
    """Return by kind of agent how many a server serves, and the fleet for a year's agent hours.

    Agents = tokens a second of a server over those an agent needs, of one stream and, less
    overhead, in batches. A fleet busy all year has agent_hours/(8,766·agents) servers; each costs
    its price over its years and what it takes to run.

    >>> from evalfolio.outlook.presets import read_presets
    >>> table = fleet(read_presets(), 100_000.0)
    >>> table[table["served"] == "in batches"]["agents"].round().tolist()
    [395.0, 127.0, 57.0]
    """
    server, tables = presets.tables["server"], []
    yearly = server["usd"] / server["years"] + server["usd_running_per_year"]
    batches = server["tokens_per_second"] * (1 - server["overhead"])
    tokens = np.array([server["tokens_per_second_of_one_stream"], batches])
    for kind, agent in presets.tables["agent"].items():
        agents = tokens / agent["tokens_per_second"]
        told = {"agent": kind, "served": ["one stream", "in batches"], "agents": agents}
        told |= {"usd_per_agent_hour": yearly / (HOURS * agents)}
        servers = agent_hours / (HOURS * agents)
        told |= {"servers": servers, "usd_a_year": np.ceil(servers) * yearly}
        tables.append(pd.DataFrame(told))
    return pd.concat(tables)
