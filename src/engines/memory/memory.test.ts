/** The engine contract on the memory driver, with real servers on loopback where an app is to answer. */
import type { Image, InstanceId } from '../../core/model.ts';
import type { InstanceSpec } from '../../ports/engine.ts';
import { systemClock } from '../../system/clock.ts';
import { systemRandom } from '../../system/random.ts';
import { type App, engineContract } from '../engine.contract.ts';
import { runMemoryApp } from './app.ts';
import { CALM, createMemoryEngine, type MemoryApp } from './engine.ts';

const IMAGE: Image = { id: 'sha256:known', bytes: 1, layers: [], exposedPorts: [] };

async function run(spec: InstanceSpec, app: App): Promise<MemoryApp> {
  const served = await runMemoryApp(spec);
  if (app === 'silent') return { ...served, ports: [] };
  if (app !== 'loopback') return served;
  return { ...served, ports: served.ports.map((entry) => ({ ...entry, loopbackOnly: true })) };
}

engineContract('memory', async () => {
  const apps = new Map<InstanceId, App>();
  const appOf = (id: InstanceId) => apps.get(id) ?? 'hello';
  const engine = createMemoryEngine({
    clock: systemClock,
    images: new Map([[IMAGE.id, IMAGE]]),
    run: (spec) => run(spec, appOf(spec.id)),
    knobs: {
      ...CALM,
      exitsOnBoot: (id) => {
        if (appOf(id) === 'failing') return { code: 3, outOfMemory: false };
        return appOf(id) === 'leaking' ? { code: 137, outOfMemory: true } : undefined;
      },
    },
  });
  return {
    engine,
    clock: systemClock,
    unknownImage: 'sha256:unknown',
    noConnections: { skip: 'a knob says what its connections are' },
    vanish: (id) => engine.vanish(id),
    reopen: () => ({ skip: 'its containers live in the memory of the engine object itself' }),
    close: () => engine.close(),
    spec(app) {
      if (app === 'stubborn') return { skip: 'there is no process that could ignore SIGTERM' };
      const id = `app-${systemRandom.id(8)}.${systemRandom.id(6)}`;
      apps.set(id, app);
      const slot = { cpus: 1, memoryMiB: 64 };
      return {
        id,
        deploymentId: id.slice(0, -7),
        project: 'app',
        imageId: IMAGE.id,
        slot,
        env: {},
        logFile: '',
      };
    },
  };
});
