/** Every container with our ledger label, frozen ones told by their freezer. */
import type { EngineInstance } from '../../ports/engine.ts';
import { isFrozen } from './cgroup.ts';
import type { Context } from './context.ts';
import { type Known, show, stateFrom } from './instances.ts';
import { LABEL } from './names.ts';

/** The part of libpod's list that we read. */
interface Listed {
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: string;
  readonly Pid: number;
}

/** What has not changed since it was last asked for is not inspected again. */
export async function list(context: Context): Promise<readonly EngineInstance[]> {
  const { client, instances, ledgerId } = context;
  const listed = (await client.request({
    method: 'GET',
    path: '/containers/json',
    query: { all: true, filters: JSON.stringify({ label: [`${LABEL.ledger}=${ledgerId}`] }) },
    lane: 'read',
  })) as readonly Listed[];
  const found = await Promise.all(
    listed.map((entry) => {
      const id = entry.Labels[LABEL.instance];
      if (id === undefined) return Promise.resolve(undefined);
      const known = instances.peek(id);
      return known && isUnchanged(known, entry) ? Promise.resolve(known) : instances.refresh(id);
    }),
  );
  const present = found.filter((known) => known !== undefined);
  const ids = new Set(present.map((known) => known.id));
  for (const id of instances.ids()) {
    // Removed behind our back, or created since the list was made.
    if (!ids.has(id)) await instances.refresh(id);
  }
  return Promise.all(
    present.map(async (known) =>
      show(known, known.execution ? await isFrozen(known.execution.cgroup.freezer) : false),
    ),
  );
}

function isUnchanged(known: Known, listed: Listed): boolean {
  const state = stateFrom(listed.State);
  if (known.state !== state) return false;
  return state === 'exited' || state === 'created' || known.execution?.pid === listed.Pid;
}
