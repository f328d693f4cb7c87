/** Which requests may wake a sleeping deployment: a pure decision, so that scanners and probes cost nothing. */

/**
 * What a request must be like to wake or start an instance. A rule that is absent asks for nothing, and without any
 * every request wakes: the first request to a new URL has to work, and nobody can know from outside which probe is
 * somebody's customer. Rules are about waking only: whoever finds an instance awake with a free lease is served.
 */
export interface WakeRules {
  /** Only these methods wake, in upper case. */
  readonly methods?: readonly string[];
  /** Only paths that fit one of these patterns wake. */
  readonly paths?: readonly string[];
  /** Paths that fit one of these patterns do not wake, whatever `paths` says. */
  readonly ignorePaths?: readonly string[];
  /** Clients whose user agent contains one of these texts do not wake; case does not matter. */
  readonly ignoreUserAgents?: readonly string[];
}

/** As much of a request as the rules look at. */
export interface Asking {
  readonly method: string;
  /** As sent, with or without its query, which is not looked at. */
  readonly path: string;
  readonly userAgent: string | undefined;
}

/**
 * | rule               | wakes                                      |
 * |--------------------|--------------------------------------------|
 * | `methods`          | if it names the method                     |
 * | `paths`            | if one of its patterns fits                |
 * | `ignorePaths`      | unless one of its patterns fits            |
 * | `ignoreUserAgents` | unless the user agent contains one of them |
 *
 * All rules have to agree.
 */
export function mayWake(rules: WakeRules, asking: Asking): boolean {
  const { methods, paths, ignorePaths, ignoreUserAgents } = rules;
  if (methods !== undefined && !methods.includes(asking.method)) return false;
  if (paths !== undefined || ignorePaths !== undefined) {
    const query = asking.path.indexOf('?');
    const path = query === -1 ? asking.path : asking.path.slice(0, query);
    const fits = (pattern: string) => fitsPattern(path, pattern);
    if (paths !== undefined && !paths.some(fits)) return false;
    if (ignorePaths?.some(fits)) return false;
  }
  if (ignoreUserAgents !== undefined && asking.userAgent !== undefined) {
    const agent = asking.userAgent.toLowerCase();
    if (ignoreUserAgents.some((text) => agent.includes(text.toLowerCase()))) return false;
  }
  return true;
}

/**
 * Whether a whole path fits a pattern, in which `*` stands for any run of characters, `/` included, and everything
 * else for itself. Takes time in proportion to path × pattern at most: no pattern can be made to backtrack.
 */
export function fitsPattern(path: string, pattern: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return path === pattern;
  if (!path.startsWith(pattern.slice(0, star))) return false;
  const last = pattern.lastIndexOf('*');
  const tail = pattern.slice(last + 1);
  let from = star;
  // What stands between two stars is taken where it comes first: that leaves the most for what follows.
  for (const part of pattern.slice(star, last).split('*')) {
    const at = path.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return path.length - tail.length >= from && path.endsWith(tail);
}
