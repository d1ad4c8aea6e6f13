from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def osm_file() -> Path:
    file = DATA / "almaty-districts-osm.geojson"
    if not file.exists():
        pytest.skip("the full boundaries are not in this clone: ../shared/data/almaty-districts-osm.geojson")
    return file
