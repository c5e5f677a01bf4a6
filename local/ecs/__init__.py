"""ECS on processes: tasks that really run, end and are reported as Fargate's are."""

from local.ecs.server import app

__all__ = ["app"]
