/** Who may say who asked: proxies in front of Berth, whose `x-forwarded-*`, `forwarded` and `x-request-id` are believed. */
import { BlockList, isIP } from 'node:net';

export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** Addresses and CIDR ranges. @throws Error for what is neither. */
  constructor(ranges: readonly string[]) {
    this.#isEmpty = ranges.length === 0;
    for (const range of ranges) {
      const [address = '', bits] = range.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  /** `address` as a socket has it; an IPv4 one may wear the clothes of IPv6. */
  has(address: string | undefined): boolean {
    if (this.#isEmpty || address === undefined) return false;
    return this.#list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
}
