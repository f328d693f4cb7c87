/** The thread that owns the connection to the data file: no query runs on any other, so none can block a request. */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { BerthError } from '../../core/errors.ts';
import type { Answer, Failure, Reply, Request, Value, WorkerData } from './messages.ts';

/** How long to wait for another process (a backup, the sqlite3 shell) that holds the file, in ms. */
const BUSY_TIMEOUT_MS = 5_000;
/** Berth has some twenty different statements; the bound is for what nobody foresaw. */
const STATEMENTS_KEPT = 100;

function open(file: string): Database.Database {
  const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Reads the whole file once (a few ms for ten thousand deployments), so that a damaged one is refused at the start.
    const check = database.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') throw new Database.SqliteError(String(check), 'SQLITE_CORRUPT');
    database.pragma('journal_mode = WAL');
    // NORMAL would not flush at commit: a power cut could take back a write that had resolved. The port forbids it.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('trusted_schema = OFF');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Prepared statements by their text, the oldest leaving first. */
function prepareOnce(database: Database.Database): (sql: string) => Database.Statement {
  const kept = new Map<string, Database.Statement>();
  return (sql) => {
    const known = kept.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    const [oldest] = kept.keys();
    if (kept.size >= STATEMENTS_KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(sql, statement);
    return statement;
  };
}

function run(statement: Database.Statement, parameters: readonly Value[]): Answer {
  if (!statement.reader) return { rows: [], changes: statement.run(...parameters).changes };
  return { rows: statement.all(...parameters), changes: 0 };
}

function failureOf(error: unknown): Failure {
  if (error instanceof Database.SqliteError) return { code: error.code, message: error.message };
  return { message: error instanceof Error ? error.message : String(error) };
}

const port = parentPort;
if (!port) throw new BerthError('INTERNAL', { detail: 'The SQLite worker runs in a thread.' });
const { file }: WorkerData = workerData;

let database: Database.Database | undefined;
try {
  database = open(file);
} catch (error) {
  port.postMessage({ kind: 'notOpened', failure: failureOf(error) } satisfies Reply);
}

if (database) {
  const opened = database;
  const prepare = prepareOnce(opened);
  port.on('message', (request: Request) => {
    if (request.kind === 'close') {
      opened.close();
      port.close();
      return;
    }
    const { id, sql, parameters } = request;
    try {
      const answer = run(prepare(sql), parameters);
      port.postMessage({ kind: 'answered', id, answer } satisfies Reply);
    } catch (error) {
      port.postMessage({ kind: 'failed', id, failure: failureOf(error) } satisfies Reply);
    }
  });
  port.postMessage({ kind: 'opened' } satisfies Reply);
}
