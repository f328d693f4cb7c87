/** Which kinds of fault a world has, drawn from its seed, and the memory engine's knobs that make them happen. */
import { BerthError } from '../src/core/errors.ts';
import { CALM, type MemoryKnobs } from '../src/engines/memory/engine.ts';
import type { Store } from '../src/ports/store.ts';
import type { SeededRandom } from './random.ts';

/** Probabilities per call or event, 0–1; `slow` is the longest delay in ms. */
export interface Faults {
  slowMs: number;
  refusedCreate: number;
  refusedPark: number;
  refusedStart: number;
  refusedThaw: number;
  refusedFreeze: number;
  refusedStop: number;
  refusedRemove: number;
  refusedList: number;
  bootCrash: number;
  neverListens: number;
  lostEvent: number;
  fullDisk: number;
  /** A list that was taken some time before it arrives. */
  staleList: number;
  refusedConnect: number;
  /** A connection is reset before the app has read anything. */
  resetUnread: number;
  appReset: number;
  appHalf: number;
  appHang: number;
  appGarbage: number;
  appDies: number;
  appEarly: number;
  /** The app reads a request, and then nothing for up to four minutes. */
  appBlocks: number;
  /** Its answer says that it is busy: no fault, but calm worlds are without. */
  appSaysBusy: number;
  /** 0 or 1: nobody answers; switched by the world, never drawn. */
  engineDown: number;
}

export const NO_FAULTS: Faults = {
  slowMs: 0,
  refusedCreate: 0,
  refusedPark: 0,
  refusedStart: 0,
  refusedThaw: 0,
  refusedFreeze: 0,
  refusedStop: 0,
  refusedRemove: 0,
  refusedList: 0,
  bootCrash: 0,
  neverListens: 0,
  lostEvent: 0,
  fullDisk: 0,
  staleList: 0,
  refusedConnect: 0,
  resetUnread: 0,
  appReset: 0,
  appHalf: 0,
  appHang: 0,
  appGarbage: 0,
  appDies: 0,
  appEarly: 0,
  appBlocks: 0,
  appSaysBusy: 0,
  engineDown: 0,
};

/** An app that fails at every third request serves nobody; an engine may. */
const MOST = { engine: 0.3, app: 0.1 };

function group(kind: keyof Faults): keyof typeof MOST {
  return kind.startsWith('app') || kind === 'resetUnread' || kind === 'refusedConnect'
    ? 'app'
    : 'engine';
}

/** Each kind is there or not, so that worlds with few kinds and worlds with many are both met. */
export function drawFaults(random: SeededRandom): Faults {
  const faults = { ...NO_FAULTS };
  for (const kind of Object.keys(faults) as (keyof Faults)[]) {
    if (kind === 'engineDown' || NEWER.has(kind) || !random.chance(0.3)) continue;
    faults[kind] =
      kind === 'slowMs' ? random.between(10, 3_000) : random.fraction() * MOST[group(kind)];
  }
  return faults;
}

/** Not among those that the seeds which are kept were found with. */
const NEWER = new Set<keyof Faults>(['appBlocks', 'appSaysBusy']);

/** Adds the kinds that are newer than the seeds that are kept. */
export function drawNewerFaults(faults: Faults, random: SeededRandom): void {
  if (random.chance(0.5)) faults.appBlocks = random.fraction() * 0.05;
  if (random.chance(0.5)) faults.appSaysBusy = random.fraction() * 0.5;
}

/** The knobs read `faults` anew at each call, so that a world can become calm. */
export function knobsFor(
  faults: Faults,
  random: SeededRandom,
  connections: MemoryKnobs['connections'],
): MemoryKnobs {
  const refusals = {
    create: 'refusedCreate',
    park: 'refusedPark',
    start: 'refusedStart',
    thaw: 'refusedThaw',
    freeze: 'refusedFreeze',
    stop: 'refusedStop',
    remove: 'refusedRemove',
    list: 'refusedList',
  } as const;
  return {
    ...CALM,
    delayMs: (verb) =>
      (verb === 'thaw' ? 1 : random.between(1, 20)) + Math.floor(random.fraction() * faults.slowMs),
    refuses: (verb) => random.chance(faults[refusals[verb]]),
    listensAfterMs: () => (random.chance(faults.neverListens) ? undefined : 0),
    exitsOnBoot: () =>
      random.chance(faults.bootCrash) ? { code: 1, outOfMemory: random.chance(0.2) } : undefined,
    losesEvent: () => random.chance(faults.lostEvent),
    connections,
  };
}

/** A store whose disk is full now and then when something is to be recorded. */
export function storeWithFaults(store: Store, faults: Faults, random: SeededRandom): Store {
  const record: Store['record'] = (entry) =>
    random.chance(faults.fullDisk)
      ? Promise.reject(new BerthError('DISK_FULL'))
      : store.record(entry);
  return new Proxy(store, {
    get(target, name) {
      if (name === 'record') return record;
      const value: unknown = Reflect.get(target, name);
      // Bound: a store keeps its state in private fields, which a proxy has not.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
