"""How much is left after a commit."""

from soulcaster.edges.cluster_store import ClusterStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.clusters import claimed, into, stored
from tests.rules.samples import NOW, feedback


def test_a_commit_says_what_is_left(redis: Redis, project: Project) -> None:
    """Here, and in how many projects: a run for all of them goes on while there are any."""
    ProjectStore(redis).put(Project(id="attic", name="Attic"), new=True)
    stored(redis, *(feedback(external_id=f"i{n}") for n in range(3)), feedback(project="attic"))
    store = ClusterStore(redis)
    for left, projects in ((1, 2), (0, 1)):
        claim = claimed(redis, limit=2)
        done = store.commit(claim, into(claim, "cl_larder_one"), [], [], NOW, NOW)
        assert (done.clustered, done.pending, done.projects) == (len(claim.items), left, projects)
