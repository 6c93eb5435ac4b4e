import { randomBytes } from 'node:crypto';
import type { Logger } from '../telemetry/logger.ts';
import type { EntryFacts } from '../transport/entry.ts';
import type { TunnelContext } from './tunnel.ts';

/** Makes the ids of this thread differ from those of all other threads and processes. */
const THREAD = randomBytes(6).toString('hex');
let tunnels = 0;

/** What a tunnel carried before it ended. */
interface TunnelEnd {
  readonly reason: string;
  readonly seconds: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** Writes the access lines of one tunnel, whatever engine carries it. */
export class TunnelLines {
  readonly #access: Logger;
  readonly #fields: Readonly<Record<string, string>>;

  /** @param endpoint the endpoint's label */
  constructor(access: Logger, { config, cluster }: TunnelContext, facts: EntryFacts, endpoint: string) {
    this.#access = access;
    const tunnelId = `${THREAD}-${(tunnels++).toString(36)}`;
    const { address: client } = facts;
    this.#fields = {
      listener: config.name,
      cluster: cluster.name,
      endpoint,
      client,
      ...entryFields(facts),
      tunnelId,
    };
  }

  opened(): void {
    this.#access.info(this.#fields, 'tunnel opened');
  }

  closed(end: TunnelEnd): void {
    this.#access.info({ ...this.#fields, ...end }, 'tunnel closed');
  }
}

/** Returns what a ClientHello and a PROXY header add to the lines. */
function entryFields({ peer, proxy, hello }: EntryFacts): Record<string, string> {
  const serverName = hello?.serverName ?? proxy?.serverName ?? null;
  const vpcEndpointId = proxy === null ? null : proxy.vpcEndpointId;
  return {
    ...(proxy !== null && { peer }),
    ...(serverName !== null && { serverName }),
    ...(vpcEndpointId !== null && { vpcEndpointId }),
  };
}
