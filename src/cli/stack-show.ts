/** A stack's plan as people and programs read it: names of variables, never their values. */
import { type Change, type StackPlan, type Step, stepSubject } from '../core/stack.ts';
import { count } from './format.ts';
import type { Output } from './output.ts';

const COLOURS = { '+': 'green', '~': 'yellow', '-': 'red' } as const;

/** One line for each step and each change below it; what else there is goes beside. */
export function showPlan(output: Output, { steps, unlisted }: StackPlan): void {
  const line = (sign: Change['sign'], text: string) =>
    `${output.style(COLOURS[sign], sign)} ${text}`;
  for (const step of steps) {
    const because = output.style('dim', `  ${step.because}`);
    output.print(`${line(step.sign, stepSubject(step))}${because}`);
    for (const { sign, what } of step.changes) output.print(`    ${line(sign, what)}`);
  }
  output.note(sumUp(steps));
  if (unlisted.length > 0) {
    output.note(`Not in the file, and left alone without --prune: ${unlisted.join(', ')}.`);
  }
}

function sumUp(steps: readonly Step[]): string {
  if (steps.length === 0) return 'Everything is as the file says: there is nothing to do.';
  const words = { '+': 'make', '~': 'change', '-': 'remove' } as const;
  const parts = (['+', '~', '-'] as const).flatMap((sign) => {
    const many = steps.filter((step) => step.sign === sign).length;
    return many === 0 ? [] : [`${many} to ${words[sign]}`];
  });
  return `${count(steps.length, 'step')}: ${parts.join(', ')}.`;
}

export interface StepJson {
  readonly sign: Change['sign'];
  readonly kind: Step['kind'];
  readonly subject: string;
  readonly because: string;
  readonly changes: readonly Change[];
}

export function planJson({ steps, unlisted }: StackPlan) {
  return { steps: steps.map(stepJson), unlisted };
}

export function stepJson(step: Step): StepJson {
  const { sign, kind, because, changes } = step;
  return { sign, kind, subject: stepSubject(step), because, changes };
}
