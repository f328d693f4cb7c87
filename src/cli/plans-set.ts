/** `berth plans set`: adds or changes a plan of one’s own. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export async function run(
  context: Context,
  name: string,
  options: GlobalOptions & { readonly instances?: number; readonly requests?: number },
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const { instances, requests } = options;
  const quota = {
    ...(instances === undefined ? {} : { instances }),
    ...(requests === undefined ? {} : { requests }),
  };
  await client.setPlan(name, quota);
  if (output.isJson) output.json({ name, ...quota });
  output.note(
    `${name} allows ${instances ?? 'any number of'} running instances and ${requests ?? 'any number of'} requests at once.`,
  );
}
