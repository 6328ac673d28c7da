"""What importing the integrations needs, and what needs none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_without_celery_the_error_names_the_package_to_install(fresh_python: Callable[[str], str]) -> None:
    code = (
        "import sys; sys.modules['celery'] = None\n"
        "try:\n    import healthchecks_io.contrib.celery\nexcept ImportError as error:\n    print(error)"
    )

    assert fresh_python(code) == "healthchecks_io.contrib.celery needs Celery: pip install celery"


def test_the_package_imports_no_integration(fresh_python: Callable[[str], str]) -> None:
    code = (
        "import sys, healthchecks_io\n"
        "for name in healthchecks_io.__all__:\n    getattr(healthchecks_io, name)\n"
        "print([name for name in sys.modules if name.startswith(('healthchecks_io.contrib', 'celery', 'kombu'))])"
    )

    assert fresh_python(code) == "[]"
