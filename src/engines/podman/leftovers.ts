/** Clears the cgroups of containers that are gone, where nobody else did. */
import { removeCgroup } from './cgroup.ts';
import type { Context } from './context.ts';
import { INSTANCES_CGROUP } from './names.ts';

/** Processes of a container that was killed end within this time, or never, in ms. */
const ENDING_MS = 1_000;
const LOOK_MS = 20;

/** Of every container forgotten since the last call. */
export async function clearGone({ clock, instances }: Context): Promise<void> {
  const until = clock.now() + ENDING_MS;
  await Promise.all(
    instances.takeGone().map(async (containerId) => {
      while (!(await removeCgroup(`${INSTANCES_CGROUP}/libpod-${containerId}`))) {
        if (clock.now() > until) return;
        await clock.sleep(LOOK_MS);
      }
    }),
  );
}
