/** A JSON array that is put into words a few items at a time, so that however long it is, requests are served meanwhile. */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';

/** These hold the thread for well under a millisecond. */
const ITEMS_AT_ONCE = 8;

/** No more than a page is held at once. Each item is made of `from` when its turn comes and checked against `schema`, as Fastify would with the whole. */
export function jsonList<From, Schema extends z.ZodType>(
  schema: Schema,
  pages: AsyncIterable<readonly From[]>,
  toItem: (from: From) => z.output<Schema>,
): Readable {
  async function* chunks(): AsyncGenerator<string> {
    let before = '[';
    for await (const page of pages) {
      for (let begin = 0; begin < page.length; begin += ITEMS_AT_ONCE) {
        const items = page.slice(begin, begin + ITEMS_AT_ONCE);
        const texts = items.map((one) => JSON.stringify(z.encode(schema, toItem(one))));
        yield before + texts.join(',');
        before = ',';
        await setImmediate();
      }
    }
    yield before === '[' ? '[]' : ']';
  }
  return Readable.from(chunks(), { objectMode: false });
}
