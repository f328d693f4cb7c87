/** The names of configuration files. */

/** Two of them in one folder are a conflict. */
export const CONFIG_NAMES = ['berth.json', 'now.json'] as const;
