"""Makes one change at a time to the policies and checks that their tests notice: make mutants."""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

import click

from tests.mutants.mutations import Mutant, spread
from tests.mutants.policies import ENOUGH, POLICIES, MutantsError, Policy
from tests.mutants.running import Outcome, check_unchanged, load_beforehand, outcomes
from tracker.core.paths import ROOT

SHORT = 10


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([policy.name for policy in POLICIES]))
@click.option("--short", is_flag=True, help="A few changes to each policy, as the tests run it.")
def main(names: Sequence[str], *, short: bool) -> None:
    """Try every change to the policies, or to those named; exit 1 if a change goes unnoticed."""
    chosen = [policy for policy in POLICIES if policy.name in names or not names]
    try:
        noticed = try_policies(chosen, SHORT if short else None)
    except MutantsError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if noticed else 1)


def try_policies(policies: Sequence[Policy], count: int | None = None) -> bool:
    """Try every change to some policies, or a number of them; return whether all were noticed."""
    noticed = True
    for index, policy in enumerate(policies):
        load_beforehand(policy, unloaded=policies[index:])
        noticed &= try_policy(policy, count)
    return noticed


def try_policy(policy: Policy, count: int | None = None) -> bool:
    """Try every change to a policy, or a number of them; return whether all were noticed.

    A change with which the policy can't be loaded is no mutant. Return False, too, if there are too
    few mutants.
    """
    begun = time.monotonic()
    every = policy.mutants()
    tried = every if count is None else spread(every, count)
    check_unchanged(policy)
    results: dict[Mutant, Outcome] = {}
    with click.progressbar(
        length=len(tried), label=policy.name, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for mutant, outcome in outcomes(policy, tried):
            results[mutant] = outcome
            bar.update(1)
    totals = Counter(results.values())
    noticed = totals[Outcome.NOTICED] + totals[Outcome.TIMED_OUT]
    click.echo(
        f"{policy.name}: {len(tried)} mutants, {noticed} noticed, "
        f"{totals[Outcome.SURVIVED]} survived, {totals[Outcome.NOT_LOADED]} not loaded, "
        f"{time.monotonic() - begun:.0f} s"
    )
    for mutant in tried:
        if results[mutant] is not Outcome.NOTICED:
            _report(policy, mutant, results[mutant])
    possible = len(every) - totals[Outcome.NOT_LOADED]
    if possible < ENOUGH:
        click.echo(f"  Only {possible} changes can be made: at least {ENOUGH} are needed.")
    return not totals[Outcome.SURVIVED] and possible >= ENOUGH


def _report(policy: Policy, mutant: Mutant, outcome: Outcome) -> None:
    file = os.path.relpath(policy.file, ROOT)
    click.echo(f"  {file}:{mutant.line}: {outcome.value}")
    for line in mutant.diff:
        click.echo(f"    {line}")


if __name__ == "__main__":
    main()
