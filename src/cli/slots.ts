/** `berth slots`: the usual slots and what fits the server. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const slots = await client.slots();
  if (output.isJson) {
    output.json(slots);
    return;
  }
  const rows = slots.map((slot) => [
    slot.name,
    `${slot.cpus}`,
    `${slot.memoryMiB} MiB`,
    slot.fits ? '' : output.style('yellow', 'does not fit'),
    slot.for,
  ]);
  printTable(output, ['SLOT', 'CORES', 'MEMORY', '', 'FOR'], rows);
  output.note('Any other c<cores>-m<MiB> that fits the machine works as well.');
}
