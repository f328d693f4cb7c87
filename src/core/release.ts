/** What a release runs, what its number is, and what a way back means. */
import type { EnvironmentSettings } from './model.ts';

/** An environment that changes nothing of what it runs. */
export const emptySettings: EnvironmentSettings = { variables: {}, limits: {} };
