/** Kysely's dialect for an SQLite connection that lives in a worker. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { BerthError } from '../../core/errors.ts';
import type { WorkerChannel } from './channel.ts';
import type { Value } from './messages.ts';

/** Destroying the Kysely instance closes the channel. */
export function workerDialect(channel: WorkerChannel): Dialect {
  return {
    createAdapter: () => new WorkerAdapter(),
    createDriver: () => new WorkerDriver(channel),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Tells Kysely to leave taking turns to the driver: its own lock wakes everyone who waits at each turn. */
class WorkerAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** Lends the one connection to one query or one transaction at a time, first come, first served. */
class WorkerDriver implements Driver {
  readonly #channel: WorkerChannel;
  /** Resolves when the last one in the line gives the connection back. */
  #lineEnd: Promise<void> = Promise.resolve();

  constructor(channel: WorkerChannel) {
    this.#channel = channel;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<WorkerConnection> {
    const before = this.#lineEnd;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lineEnd = promise;
    await before;
    return new WorkerConnection(this.#channel, resolve);
  }

  async releaseConnection(connection: WorkerConnection): Promise<void> {
    connection.release();
  }

  /** Immediate: takes the write lock at once, where waiting for another process is still possible. */
  async beginTransaction(): Promise<void> {
    await this.#channel.run('begin immediate', []);
  }

  async commitTransaction(): Promise<void> {
    await this.#channel.run('commit', []);
  }

  async rollbackTransaction(): Promise<void> {
    await this.#channel.run('rollback', []);
  }

  async destroy(): Promise<void> {
    await this.#channel.close();
  }
}

class WorkerConnection implements DatabaseConnection {
  readonly release: () => void;
  readonly #channel: WorkerChannel;

  constructor(channel: WorkerChannel, release: () => void) {
    this.#channel = channel;
    this.release = release;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.#channel.run(sql, parameters.map(toValue));
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  // oxlint-disable-next-line eslint/require-yield -- The interface asks for it; lists are read page by page instead.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new BerthError('INTERNAL', { detail: 'The SQLite worker does not stream.' });
  }
}

/** The table types of schema.ts let nothing else through. */
function toValue(parameter: unknown): Value {
  if (parameter === null || typeof parameter === 'string' || typeof parameter === 'number') {
    return parameter;
  }
  throw new BerthError('INTERNAL', { detail: `SQLite has no column for a ${typeof parameter}.` });
}
