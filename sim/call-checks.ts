/** What must be so of each request: what its client got, and how often apps read it. */
import type { Call } from './call.ts';
import { demand } from './demand.ts';
import type { World } from './world.ts';

/** What a client got is right, and what it sent was not carried out more often than it may be. */
export function checkCall(world: World, call: Call): void {
  if (call.isChecked) return;
  const place = call.isOfEnvironment ? 'production' : call.deployment.id;
  const which = `${place} ${call.method} ${call.number}`;
  const deliveries = world.attempts.reads(call.number);
  const most = call.isIdempotent ? MOST_READ : 1;
  demand(deliveries <= most, `${which} was read by apps ${deliveries} times, at most ${most} may`);
  if (call.outcome === 'open') return;
  call.isChecked = true;
  const { deployment, error, outcome, status, text } = call;
  if (outcome === 'cut' && !call.wasCutByRestart)
    demand(status !== 0, `${which} was cut off without an answer`);
  if (outcome !== 'answered') return;
  if (status === 200 && call.method !== 'HEAD')
    demand(
      text.startsWith(`#${call.number} ${call.bodyBytes} `),
      `${which} with ${call.bodyBytes} bytes got ${text.slice(0, 40)}`,
    );
  if (status === 101)
    demand('hello'.startsWith(text.replace(GOODBYE, '')), `${which} heard ${text}`);
  const own = [200, 101, 403, 413].includes(status);
  demand(own || CODES.has(error), `${which} got ${status} ${error} ${text}`);
  const isLost = call.isOfEnvironment && error === 'NOT_FOUND';
  demand(!isLost, `${which} found nothing while releases were switched: ${text}`);
  checkRefusal(world, call, which);
  const mayTryAgain = call.isIdempotent && call.bodyBytes === 0 && !call.isWebSocket;
  if (error === 'INSTANCE_DIED' && mayTryAgain && call.method !== 'HEAD')
    demand(
      /the answer had begun|it failed 4 times|3 instances ended/.test(text),
      `${which} was given up too soon: ${text}`,
    );
  if (error === 'DURATION_EXCEEDED' && !call.isOfEnvironment) {
    const { durationMs } = deployment.configuration.limits;
    demand(call.tookMs >= durationMs, `${which} was given up after ${call.tookMs} ms`);
  }
}

/** What a WebSocket is told whose instance has to end. */
const GOODBYE = /\x88.+the instance is being replaced$/s;

/** A request may go on after two instances that ended while they answered it, however often it is tried. */
const MOST_READ = 3;
/** What may be answered by the router itself. */
const CODES = new Set(
  'NOT_FOUND QUEUE_FULL BOOT_FAILED BOOT_TIMEOUT NO_PORT INSTANCE_DIED DURATION_EXCEEDED ASLEEP QUOTA_INSTANCES QUOTA_REQUESTS OUT_OF_MEMORY BAD_RESPONSE ENGINE_FAILED ENGINE_UNAVAILABLE DISK_FULL'.split(
    ' ',
  ),
);

/** What the router refuses has its reason in who asked, or in what became of the last attempt. */
function checkRefusal(world: World, call: Call, which: string): void {
  const { deployment, error, text } = call;
  if (error === 'ASLEEP')
    demand(
      call.isProbe && deployment.configuration.wake !== undefined,
      `${which} was left alone by a deployment that it may wake`,
    );
  if (error.startsWith('QUOTA_'))
    demand(world.team?.has(deployment.id) ?? false, `${which} got ${error}, but has no plan`);
  if (error === 'INSTANCE_DIED')
    demand(
      !text.includes('may have been carried out') ||
        world.attempts.of(call.number).at(-1)?.isProvenUnread !== true,
      `${which} was not sent again, though it is proven that nobody read it`,
    );
}
