/** What aliases lead to goes only together with them, when that was asked for. */
import { z } from 'zod';
import { aliasName, type LedTo, targetName } from '../core/alias.ts';
import { BerthError } from '../core/errors.ts';
import type { Alias } from '../core/model.ts';
import type { ApiNeeds } from './needs.ts';

export const withAliasesQuery = z.object({
  withAliases: z
    .stringbool()
    .optional()
    .describe('Removes the aliases that lead to it as well; otherwise they are in the way.'),
});

/** Removes them, and says which they were. Throws ALIASED, with each of them, unless `isAsked`. */
export async function removeAliasesTo(
  { aliases }: Pick<ApiNeeds, 'aliases'>,
  to: LedTo,
  isAsked: boolean | undefined,
): Promise<readonly Alias[]> {
  const leading = await aliases.leadingTo(to);
  if (leading.length > 0 && isAsked !== true) {
    throw new BerthError('ALIASED', {
      detail: `${leading.map(aliasName).join(', ')} would lead nowhere.`,
      problems: leading.map((alias) => ({
        at: aliasName(alias),
        message: `leads to ${targetName(alias.target)}`,
      })),
    });
  }
  for (const alias of leading) await aliases.remove(alias);
  return leading;
}
