/** One certificate from an ACME server, from order to download; the proof is shown by whoever serves. */
import { Agent } from 'node:https';
import { rootCertificates } from 'node:tls';
import { axios, Client, crypto, directory as known } from 'acme-client';
import type { Challenge } from './challenges.ts';
import type { AcmeOrder } from './messages.ts';
import type { Pair } from './pair.ts';

/** Shows proofs while they are looked at. */
export interface Prover {
  /** Resolves when the proof can be looked at. */
  present(challenge: Challenge): Promise<void>;
  withdraw(challenge: Challenge): void;
}

/** Waits between looks at a state: 0.5 s, doubled up to 30 s, ten times; some three minutes in all. */
const BACKOFF = { backoffMin: 500, backoffMax: 30_000, backoffAttempts: 10 };

/** For one answer of the server; the library waits without end. */
const ANSWER_MS = 30_000;

/**
 * Answers go on to the library whatever their status. A server that does not answer is said in plain words and not asked
 * again: the library would do so for 75 s and then fail by a mistake of its own, and it is for us to be patient.
 */
axios.interceptors.response.clear();
axios.interceptors.response.use(null, (error: unknown) => {
  const { response, code, message } = error as {
    readonly response?: unknown;
    readonly code?: string;
    readonly message?: string;
  };
  if (response !== undefined) return response as never;
  throw new TypeError(`the authority does not answer: ${message || code}`);
});

/** A new key for an account. */
export async function makeKey(): Promise<string> {
  return String(await crypto.createPrivateEcdsaKey());
}

/** Rejects with what the server said; the account is made when it is not there yet. */
export async function obtain(order: AcmeOrder, prover: Prover): Promise<Pair> {
  const { directory = known.letsencrypt.production, email, trusted, accountKey, hostname } = order;
  axios.defaults.timeout = ANSWER_MS;
  // One directory per server, so the same for all orders of this thread.
  if (trusted !== undefined) {
    axios.defaults.httpsAgent = new Agent({ ca: [...rootCertificates, trusted] });
  }
  const client = new Client({ directoryUrl: directory, accountKey, ...BACKOFF });
  const [key, csr] = await crypto.createCsr(
    { altNames: [hostname] },
    await crypto.createPrivateEcdsaKey(),
  );
  let shown: Challenge | undefined;
  const certificate = await client.auto({
    csr,
    email,
    termsOfServiceAgreed: true,
    // Looking at it from here says little: behind a NAT a host often does not reach itself by its public name.
    skipChallengeVerification: true,
    challengePriority: [order.proof],
    challengeCreateFn: async (authorization, challenge, answer) => {
      if (challenge.type !== order.proof) {
        throw new TypeError(`the authority does not offer ${order.proof} for ${hostname}`);
      }
      if (order.proof === 'http-01') {
        shown = { kind: 'http-01', hostname, token: challenge.token, answer };
      } else {
        const [proofKey, proof] = await crypto.createAlpnCertificate(authorization, answer);
        const pair = { certificate: String(proof), key: String(proofKey) };
        shown = { kind: 'tls-alpn-01', hostname, pair };
      }
      await prover.present(shown);
    },
    challengeRemoveFn: () => {
      if (shown) prover.withdraw(shown);
      return Promise.resolve();
    },
  });
  return { certificate, key: String(key) };
}
