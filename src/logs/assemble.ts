/** Turns the bytes of a log file, in pieces of any size, into lines: joins partial records, bounds endless ones. */
import type { LogLine } from '../ports/logs.ts';
import { type LogRecord, parseRecord } from './format.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);

/** A line longer than this is given in several, so that an app without line ends cannot fill our memory. */
export const MAX_LINE_BYTES = 64 * 1024;

/** A line of one file. */
export interface FileLine {
  /** When its end was written, in ms since the epoch: within a file this order is the order of the lines. */
  readonly at: number;
  readonly stream: LogLine['stream'];
  readonly text: string;
  /** Reading began in the middle of the file, so its beginning may be missing. */
  readonly doubtful: boolean;
}

/** The unfinished line of one stream. */
interface Unfinished {
  at: number;
  pieces: Buffer[];
  bytes: number;
  /** No line end of this stream was seen since reading began in the middle of the file. */
  doubtful: boolean;
}

/** Feed it a file from a beginning on. Records that are not of the form are left out. */
export class LineAssembler {
  readonly #streams: Record<LogLine['stream'], Unfinished>;
  /** Bytes behind the last line end. */
  #rest: Buffer = NOTHING;
  /** Until the next line end there is nothing to be understood. */
  #skipping: boolean;
  /** The head of a record of which parts were taken before its end was there. */
  #long: LogRecord | undefined;

  /** `middle`: the first bytes may be the end of a record, and the first line the end of a line. */
  constructor(begin: 'start' | 'middle') {
    const doubtful = begin === 'middle';
    this.#skipping = doubtful;
    this.#streams = {
      stdout: { at: 0, pieces: [], bytes: 0, doubtful },
      stderr: { at: 0, pieces: [], bytes: 0, doubtful },
    };
  }

  /** The lines that `bytes` completes. Keeps a reference to `bytes`. */
  push(bytes: Buffer): FileLine[] {
    const lines: FileLine[] = [];
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    let from = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, from)) {
      this.#takeRecord(data.subarray(from, end), true, lines);
      from = end + 1;
    }
    this.#rest = data.subarray(from);
    if (this.#skipping) this.#rest = NOTHING;
    if (this.#rest.length > MAX_LINE_BYTES) {
      this.#takeRecord(this.#rest, false, lines);
      this.#rest = NOTHING;
    }
    return lines;
  }

  /** Whether a record or a line is under way of which the beginning may be missing. */
  get isDoubtful(): boolean {
    const { stdout, stderr } = this.#streams;
    return this.#skipping || [stdout, stderr].some((one) => one.doubtful && one.pieces.length > 0);
  }

  /** Gives what was begun and not ended as lines: the last words of an app that wrote no line end. */
  flush(): FileLine[] {
    const lines: FileLine[] = [];
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#streams[stream].pieces.length > 0) this.#finish(stream, lines);
    }
    return lines.toSorted((a, b) => a.at - b.at);
  }

  /** The next bytes are the start of a file. A line begun in the last one goes on there, a record does not. */
  restart(): void {
    this.#rest = NOTHING;
    this.#skipping = false;
    this.#long = undefined;
  }

  #takeRecord(bytes: Buffer, isWhole: boolean, lines: FileLine[]): void {
    if (this.#skipping) {
      this.#skipping = !isWhole;
      return;
    }
    const record = this.#long ? { ...this.#long, text: bytes } : parseRecord(bytes);
    this.#long = isWhole ? undefined : record;
    if (record) this.#takePiece(record, record.partial || !isWhole, lines);
    else this.#skipping = !isWhole;
  }

  #takePiece({ at, stream, text }: LogRecord, isPartial: boolean, lines: FileLine[]): void {
    const unfinished = this.#streams[stream];
    unfinished.at = at;
    unfinished.pieces.push(text);
    unfinished.bytes += text.length;
    if (unfinished.bytes > MAX_LINE_BYTES) this.#cut(stream, lines);
    if (!isPartial) this.#finish(stream, lines);
  }

  /** Gives what is beyond the bound as lines of that length. */
  #cut(stream: LogLine['stream'], lines: FileLine[]): void {
    const unfinished = this.#streams[stream];
    let all = Buffer.concat(unfinished.pieces);
    while (all.length > MAX_LINE_BYTES) {
      const end = characterStart(all, MAX_LINE_BYTES);
      const text = all.toString('utf8', 0, end);
      lines.push({ at: unfinished.at, stream, text, doubtful: unfinished.doubtful });
      all = all.subarray(end);
    }
    unfinished.pieces = [all];
    unfinished.bytes = all.length;
  }

  #finish(stream: LogLine['stream'], lines: FileLine[]): void {
    const unfinished = this.#streams[stream];
    const all = unfinished.pieces.length === 1 ? unfinished.pieces[0] : undefined;
    const bytes = all ?? Buffer.concat(unfinished.pieces);
    const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
    const text = bytes.toString('utf8', 0, end);
    lines.push({ at: unfinished.at, stream, text, doubtful: unfinished.doubtful });
    unfinished.pieces = [];
    unfinished.bytes = 0;
    unfinished.doubtful = false;
  }
}

/** The last place at or before `index` where a UTF-8 character may begin. */
function characterStart(bytes: Buffer, index: number): number {
  for (let start = index; start > index - 4; start -= 1) {
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  }
  return index;
}
