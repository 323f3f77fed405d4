"""`sweep ui`: a real MLflow server on loopback that shows the study, and that leaves nothing behind."""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from sweep.errors import SweepError
from sweep.recorded import of_run, of_study
from sweep.trackers.process import sync
from sweep.ui import Server
from tests.tracking import ledgers, stores, studies

if TYPE_CHECKING:
    from pathlib import Path


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _tags(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["data"]["tags"]}


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_shows_the_study_its_parent_and_its_fifty_ranked_children(home: Path) -> None:
    study = studies.finished()
    with Server(stores.uri(studies.home_of(study))) as server:
        assert server.url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(server.url, timeout=20) as page:
            assert page.status == 200
        place = server.find(study.folder)
        assert place is not None
        assert server.address(place) == f"{server.url}/#/experiments/{place.experiment}/runs/{place.run}"

        search = f"{server.url}/api/2.0/mlflow/runs/search"
        body = {"experiment_ids": [place.experiment], "max_results": 1000}
        [parent] = _post(search, {**body, "filter": "tags.role = 'study'"})["runs"]
        assert parent["info"]["run_id"] == place.run
        children = _post(
            search, {**body, "filter": f"tags.`mlflow.parentRunId` = '{place.run}' and tags.role = 'trial'"}
        )["runs"]
        ranked = sorted((int(_tags(run)["rank"]), int(_tags(run)["trial"])) for run in children)
        expected = [trial.number for trial in study.objective.rank(study.trial(n) for n in range(96))[:50]]
        assert ranked == list(enumerate(expected, 1))

        with Server(server.url) as remote:  # a server that runs already is shown, not started
            assert remote.find(study.folder) == place

        # A server is a store too: another study goes there over HTTP, and comes back for a replay.
        other = ledgers.make(home)
        assert sync(other, uri=server.url, top=3).done
        found = server.find(other)
        assert found is not None
        assert found.run is not None
        recorded = of_run(found.run, uri=server.url)
        assert recorded.document == of_study(other, ledgers.expected_ranking(other)[0]).document
        group = server._process.pid if server._process else 0
    assert not _alive(group)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=2)


def test_without_a_store_it_says_what_to_do(home: Path) -> None:
    (home / "mlflow.db").unlink()
    with pytest.raises(SweepError) as caught:
        Server(stores.uri(home)).start()
    assert caught.value.code == 3001


def test_a_taken_port_is_6003(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SweepError) as caught:
            Server(stores.uri(home), port=taken.getsockname()[1]).start()
    assert caught.value.code == 6003


def test_a_server_that_is_away_is_3005(home: Path) -> None:
    with pytest.raises(SweepError) as caught:
        Server("http://127.0.0.1:9").start().find(ledgers.make(home))
    assert caught.value.code == 3005
