"""Where a sensor's evidence goes in a model, and how that place comes to be there."""

from collections.abc import Sequence
from typing import NamedTuple

from bus.as_app import new_id
from schemas.commands import Command, Import, MakeComponent, MakeContext
from schemas.definitions import ComponentDefinition, ImportedApp, ImportedComponent, ImportedContext
from schemas.permissions import Permission


class SensorPlace(NamedTuple):
    """The component that a sensor tells, and the contexts around it."""

    context: Sequence[str]
    about: Sequence[str]
    """What each context of the path is for."""
    component: ComponentDefinition

    def installing(self, app: str, description: str) -> Import:
        """Give what the owner sends before the app may tell. What is there already stays as it is."""
        contexts = [
            ImportedContext(path=list(self.context[: n + 1]), description=about) for n, about in enumerate(self.about)
        ]
        contexts[-1].permissions = {app: Permission(tell=True, make=False, delete=False, rules=False)}
        contexts[-1].components = [ImportedComponent(definition=self.component)]
        apps = {app: ImportedApp(description=description)}
        return Import(id=new_id(), context=[], contexts=contexts, apps=apps, only_new=True)

    def making(self) -> list[Command]:
        """Give what the sensor itself sends, where the person lets it make things below the first context.

        What is there stays as it is.
        """
        contexts: list[Command] = [
            MakeContext(
                id=new_id(), context=list(self.context[:n]), name=self.context[n], description=self.about[n],
                exist_ok=True,
            )
            for n in range(1, len(self.context))
        ]  # fmt: skip
        made = MakeComponent(id=new_id(), context=list(self.context), component=self.component, exist_ok=True)
        return [*contexts, made]
