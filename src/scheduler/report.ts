/** How the parts of one deployment's scheduling tell what became of an instance. */
import type { InstanceId } from '../core/model.ts';

export type Report = (
  level: 'info' | 'warn',
  event: string,
  id: InstanceId,
  facts: Record<string, unknown>,
) => void;
