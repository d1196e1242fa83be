"""Print what core's yardstick would be given, and the constraints on it.

`python -m benchmarks.requirements` prints the path of the constraints and then the
requirements, a line each.
"""

from scripts.component_requirements import HOME_ASSISTANT, requirements_of

YARDSTICK = "unifi_access"


if __name__ == "__main__":
    print(HOME_ASSISTANT / "package_constraints.txt")
    for requirement in sorted(requirements_of([YARDSTICK])):
        print(requirement)
