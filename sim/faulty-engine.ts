/** The memory engine as a scheduler in trouble sees it: down for a while, or with lists that are old when they arrive. */
import { BerthError } from '../src/core/errors.ts';
import type { MemoryEngine } from '../src/engines/memory/engine.ts';
import type { Attempts } from './attempts.ts';
import type { Books } from './asking.ts';
import type { VirtualClock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { SeededRandom } from './random.ts';

interface Surroundings {
  readonly attempts: Attempts;
  readonly books: Books;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly random: SeededRandom;
}

/** Verbs that take the processor from an instance. */
const ENDING = new Set(['freeze', 'stop', 'remove']);
/** Those that wait for no answer of the engine's. */
const LOCAL = new Set<string | symbol>(['describe', 'powers', 'watch', 'close']);

/** What the scheduler is given: every ending of an instance is compared with the books first. */
export function faultyEngine(engine: MemoryEngine, world: Surroundings): MemoryEngine {
  const { attempts, books, clock, faults, random } = world;
  const list: MemoryEngine['list'] = async () => {
    const found = await engine.list();
    if (random.chance(faults.staleList)) await clock.sleep(random.between(1, 5_000));
    return found;
  };
  return new Proxy(engine, {
    get(target, name) {
      const member: unknown = name === 'list' ? list : Reflect.get(target, name);
      if (typeof member !== 'function' || LOCAL.has(name)) return member;
      return (...args: readonly unknown[]): unknown => {
        if (typeof name === 'string' && ENDING.has(name))
          books.checkNobodyUses(String(args[0]), name);
        if (name === 'thaw') attempts.checkMayRun(String(args[0]));
        if (faults.engineDown > 0) return Promise.reject(new BerthError('ENGINE_UNAVAILABLE'));
        const result: unknown = Reflect.apply(member, target, args);
        if (name === 'thaw' && result instanceof Promise)
          result.catch(() => books.excuse(String(args[0])));
        return result;
      };
    },
  });
}
