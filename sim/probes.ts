/** What scanners send, and rules that let it wake nothing, each for another reason. */
import type { WakeRules } from '../src/core/wake.ts';

export const PROBE = { method: 'OPTIONS', path: '/wp-login.php', userAgent: 'Probe/1.0' };

/** What clients send otherwise: it wakes by all of the rules. */
export const CUSTOMER = { path: '/', userAgent: 'client/1.0' };

export const WAKE_RULES: readonly WakeRules[] = [
  { ignoreUserAgents: ['curl', 'PROBE'] },
  { ignorePaths: ['/wp-*'] },
  { paths: ['/', '/api/*'] },
  { methods: ['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH'] },
];
