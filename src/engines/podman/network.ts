/** One bridge per project, from which other projects cannot be reached: made on first use, removed when empty. */
import { BerthError } from '../../core/errors.ts';
import { keepBridgeAddress } from './bridge.ts';
import { type PodmanClient, refusalOf, refused } from './client.ts';
import { LABEL, networkName } from './names.ts';

/** Where things made on the host are written down before they are made. */
export interface Ledger {
  record(kind: 'network', name: string, project: string): Promise<void>;
  forget(kind: 'network', name: string, project: string): Promise<void>;
}

export interface Networks {
  /** Name of the project's network, which exists when this resolves. */
  ensure(project: string): Promise<string>;
  /** The host's own address in the project's network, which is made if need be. */
  gateway(project: string): Promise<string | undefined>;
  /** Makes the bridge of this network keep its hardware address; to be called when an instance has joined it. */
  steady(name: string): Promise<void>;
  /** Succeeds when there is none, or when it is not ours, or still in use. */
  remove(project: string): Promise<void>;
}

/**
 * As many addresses as a bridge of Linux has ports (1,024), from the beginning of what Podman itself takes for networks after its
 * first 256: those have 253 addresses, which the sleeping instances of one project use up.
 */
const SUBNETS: readonly string[] = [90, 91, 92, 93].flatMap((second) =>
  Array.from({ length: 64 }, (_, index) => `10.${second}.${index * 4}.0/22`),
);

export function createNetworks(
  client: PodmanClient,
  ledgerId: string,
  ledger: Ledger | undefined,
): Networks {
  const ready = new Map<string, Promise<void>>();
  const bridges = new Map<string, string | undefined>();
  const gateways = new Map<string, string | undefined>();

  const inspect = async (name: string) => {
    const call = { method: 'GET', path: `/networks/${name}/json`, lane: 'read' } as const;
    const answer = await client.ask(call);
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw refused(call, answer);
    return answer.value as {
      readonly labels?: Readonly<Record<string, string>>;
      readonly network_interface?: string;
      readonly subnets?: readonly { readonly gateway?: string }[];
    };
  };

  const create = async (name: string, project: string): Promise<void> => {
    const existing = await inspect(name);
    if (existing) {
      if (existing.labels?.[LABEL.ledger] === ledgerId) return;
      throw new BerthError('ENGINE_FAILED', {
        detail: `The network ${name} exists and was not made by this Berth.`,
      });
    }
    await ledger?.record('network', name, project);
    const taken = await takenSubnets();
    // The last one is whatever Podman chooses.
    for (const subnet of [...SUBNETS.filter((one) => !taken.has(one)), undefined]) {
      const call = {
        method: 'POST',
        path: '/networks/create',
        lane: 'change',
        body: {
          name,
          driver: 'bridge',
          // No name server: instances have no names for each other, and starting one costs time.
          dns_enabled: false,
          options: { isolate: 'true' },
          labels: { [LABEL.ledger]: ledgerId, [LABEL.project]: project },
          ...(subnet !== undefined && { subnets: [{ subnet }] }),
        },
      } as const;
      const answer = await client.ask(call);
      if (answer.status < 400 || (await inspect(name))) return;
      // By the host itself, or by somebody who was quicker.
      const isTaken = /already used/.test(refusalOf(answer).message);
      if (!isTaken || subnet === undefined) throw refused(call, answer);
    }
  };

  /** Of all networks of Podman. */
  const takenSubnets = async (): Promise<ReadonlySet<string>> => {
    const call = { method: 'GET', path: '/networks/json', lane: 'read' } as const;
    const answer = await client.ask(call);
    if (answer.status >= 400) throw refused(call, answer);
    const networks = answer.value as readonly {
      readonly subnets?: readonly { readonly subnet?: string }[];
    }[];
    return new Set(
      networks.flatMap(({ subnets }) => (subnets ?? []).flatMap(({ subnet }) => subnet ?? [])),
    );
  };

  return {
    async ensure(project) {
      const name = networkName(ledgerId, project);
      let creating = ready.get(name);
      if (!creating) {
        creating = create(name, project);
        ready.set(name, creating);
        creating.catch(() => ready.delete(name));
      }
      await creating;
      return name;
    },

    async gateway(project) {
      const name = await this.ensure(project);
      if (!gateways.has(name)) gateways.set(name, (await inspect(name))?.subnets?.[0]?.gateway);
      return gateways.get(name);
    },

    async steady(name) {
      if (!bridges.has(name)) bridges.set(name, (await inspect(name))?.network_interface);
      const bridge = bridges.get(name);
      if (bridge !== undefined) await keepBridgeAddress(bridge);
    },

    async remove(project) {
      const name = networkName(ledgerId, project);
      ready.delete(name);
      bridges.delete(name);
      gateways.delete(name);
      const existing = await inspect(name);
      if (existing && existing.labels?.[LABEL.ledger] !== ledgerId) return;
      if (existing) {
        const call = { method: 'DELETE', path: `/networks/${name}`, lane: 'change' } as const;
        const answer = await client.ask(call);
        const isInUse = /in use|being used|associated containers/.test(refusalOf(answer).message);
        if (answer.status >= 400 && isInUse) return;
        if (answer.status >= 400 && answer.status !== 404) throw refused(call, answer);
      }
      await ledger?.forget('network', name, project);
    },
  };
}
