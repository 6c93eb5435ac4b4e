import type { Config, DemoSettings } from '../../config/types/config.ts';
import type { Address } from '../../core/address.ts';
import { formatAddress } from '../../core/address.ts';
import { StartError, codeOf, messageOf } from '../../core/errors.ts';
import { Backend } from './backend.ts';
import type { DemoApp } from './backend.ts';
import { ChatRoom } from './chat/chat-room.ts';
import { echo } from './echo.ts';
import { Feed } from './feed/feed.ts';
import { Game } from './game/game.ts';
import { JobBoard } from './jobs/job-board.ts';

/** The running demo servers. */
export interface Backends {
  /** One line per server: its app and its address. */
  readonly lines: readonly string[];
  /** Stops all servers within about a second. */
  close(): Promise<void>;
}

interface DemoConfig {
  readonly demo: Partial<DemoSettings> | null;
  readonly clusters: Config['clusters'];
}

const APPS: readonly { readonly key: keyof DemoSettings; readonly create: () => DemoApp }[] = [
  { key: 'echo', create: () => echo },
  { key: 'chat', create: () => new ChatRoom() },
  { key: 'feed', create: () => new Feed() },
  { key: 'game', create: () => new Game() },
  { key: 'job', create: () => new JobBoard() },
];

interface Plan {
  readonly app: DemoApp;
  readonly cluster: string;
  readonly address: Address;
}

/**
 * Starts a server on every endpoint of the clusters named in `demo`.
 *
 * @throws StartError if there is no server to start, or if an address cannot be used. All other servers are
 * stopped then.
 */
export async function startBackends(config: DemoConfig): Promise<Backends> {
  const { demo } = config;
  const plans = APPS.flatMap(({ key, create }) => plan(config, demo?.[key] ?? null, create));
  if (plans.length === 0) {
    const keys = APPS.map(({ key }) => `demo.${key}`).join(', ');
    throw new StartError(`the configuration names no demo: set one or more of ${keys} to a cluster`);
  }
  const started = await Promise.allSettled(plans.map(listen));
  const backends = started.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  const close = async (): Promise<void> => {
    await Promise.all(backends.map((backend) => backend.close()));
  };
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const lines = plans.map(
    ({ app, cluster, address }) => `demo ${app.name} on ${formatAddress(address)}, cluster ${cluster}`,
  );
  return { lines, close };
}

function plan(config: DemoConfig, name: string | null, create: () => DemoApp): Plan[] {
  if (name === null) return [];
  const cluster = config.clusters.find((cluster) => cluster.name === name);
  if (cluster === undefined) throw new StartError(`the demo's cluster ${name} is not among the clusters`);
  if (cluster.tls !== null) {
    throw new StartError(`the demo's cluster ${name} has tls: the demo speaks plain WebSocket, remove it`);
  }
  const app = create();
  return cluster.endpoints.map(({ address }) => ({ app, cluster: name, address }));
}

async function listen({ app, cluster, address }: Plan): Promise<Backend> {
  try {
    return await Backend.listen(app, address);
  } catch (error) {
    throw new StartError(
      `the demo cannot listen on ${formatAddress(address)} (cluster ${cluster}): ${explain(error)}`,
    );
  }
}

function explain(error: unknown): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'the address is in use; end what listens there, or change the endpoint';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'the address is not of this machine; change the endpoint';
    case 'EACCES':
      return 'permission denied; change the endpoint';
    default:
      return messageOf(error);
  }
}
