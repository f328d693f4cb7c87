/** How a command speaks: results to stdout, everything else to stderr, with a live status line on a terminal. */
import { stripVTControlCharacters, styleText } from 'node:util';
import type { Clock } from '../ports/clock.ts';
import { duration, fit } from './format.ts';
import type { World } from './world.ts';

type Style = Parameters<typeof styleText>[0];

/** One thing that takes time; ends once, with `done`, `fail` or `drop`. */
export interface Step {
  /** Changes what the status line says. */
  update(text: string): void;
  /** Leaves one line with the time it took, or the time given. */
  done(text: string, elapsedMs?: number): void;
  fail(text: string, elapsedMs?: number): void;
  /** Ends without a trace. */
  drop(): void;
}

export interface Output {
  readonly isJson: boolean;
  /** Whether stdout is a person's terminal. */
  readonly isTerminal: boolean;
  /** Columns of that terminal; without end when it is none. */
  readonly columns: number;
  /** One line of the result. */
  print(line: string): void;
  /** The result as JSON. */
  json(value: unknown): void;
  /** A line beside the result. */
  note(line: string): void;
  /** A line of somebody else's output, such as a build. */
  quote(line: string): void;
  step(text: string): Step;
  /** Text for stdout, plain when stdout has no colour. */
  style(style: Style, text: string): string;
  /** Text for stderr, plain when stderr has no colour. */
  noteStyle(style: Style, text: string): string;
  /** Takes the status line away; nothing is lost. */
  close(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
/** Carriage return, then erase to the end of the line. */
const ERASE = '\r\u001B[K';

export function createOutput(
  world: Pick<World, 'stdout' | 'stderr' | 'env' | 'clock'>,
  isJson: boolean,
): Output {
  const { stdout, stderr, env, clock } = world;
  const hasColour = (isTerminal: boolean) =>
    isTerminal && !env.NO_COLOR && env.TERM !== 'dumb' && !isJson;
  const outTerminal = stdout.isTTY === true;
  const errTerminal = stderr.isTTY === true;
  const outColour = hasColour(outTerminal);
  const errColour = hasColour(errTerminal);
  // With --json only a person who watches gets to see the progress.
  const isQuiet = isJson && !errTerminal;
  const status =
    errTerminal && env.TERM !== 'dumb' && !env.NO_COLOR ? statusLine(world) : undefined;

  const note = (line: string) => {
    status?.hide();
    stderr.write(`${line}\n`);
    status?.show();
  };
  const noteStyle = (style: Style, text: string) =>
    errColour ? styleText(style, text, { validateStream: false }) : text;

  return {
    isJson,
    isTerminal: outTerminal,
    columns: outTerminal ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY,
    print(line) {
      status?.hide();
      stdout.write(`${line}\n`);
      status?.show();
    },
    json(value) {
      status?.hide();
      stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    },
    note(line) {
      if (!isQuiet) note(line);
    },
    quote(line) {
      // What others print must not move our cursor or colour our lines.
      if (!isQuiet) note(noteStyle('dim', `  ${stripVTControlCharacters(line)}`));
    },
    step(text) {
      const startedAt = clock.now();
      status?.begin(text, startedAt);
      const end = (mark: string, line: string, elapsedMs = clock.now() - startedAt) => {
        status?.end();
        if (!isQuiet) note(`${mark} ${line}  ${noteStyle('dim', duration(elapsedMs))}`);
      };
      return {
        update: (changed) => status?.change(changed),
        done: (line, elapsedMs) => end(noteStyle('green', '✓'), line, elapsedMs),
        fail: (line, elapsedMs) => end(noteStyle('red', '✗'), line, elapsedMs),
        drop: () => status?.end(),
      };
    },
    style: (style, text) => (outColour ? styleText(style, text, { validateStream: false }) : text),
    noteStyle,
    close() {
      status?.end();
    },
  };
}

/**
 * The last line of a terminal, repainted while something is under way. Our own few lines: the spinner of the prompt
 * library takes the keyboard and exits with 0 on ctrl-C, and cannot have lines of a build above it.
 */
function statusLine(world: Pick<World, 'stderr' | 'clock'>) {
  const { stderr, clock } = world;
  let text = '';
  let startedAt = 0;
  let frame = 0;
  let painter: AbortController | undefined;

  const paint = () => {
    const elapsed = clock.now() - startedAt;
    const line = `${FRAMES[frame % FRAMES.length]} ${text}  ${duration(elapsed)}`;
    stderr.write(`${ERASE}${fit(line, (stderr.columns ?? 80) - 1)}`);
  };

  return {
    begin(what: string, at: number) {
      painter?.abort();
      painter = new AbortController();
      text = what;
      startedAt = at;
      void repaint(clock, painter.signal, () => {
        frame += 1;
        paint();
      });
    },
    change(what: string) {
      text = what;
    },
    hide() {
      if (painter) stderr.write(ERASE);
    },
    show() {
      if (painter) paint();
    },
    end() {
      if (!painter) return;
      painter.abort();
      painter = undefined;
      stderr.write(ERASE);
    },
  };
}

/** The first frame comes after a moment, so that what is quick does not flicker. */
async function repaint(clock: Clock, signal: AbortSignal, paint: () => void): Promise<void> {
  for (;;) {
    await clock.sleep(FRAME_MS, signal);
    if (signal.aborted) return;
    paint();
  }
}
