import type { Mode, Peer, Setup } from '../peers/peer.ts';
import { freePorts } from '../rig/free-ports.ts';
import type { Stage } from '../rig/stage.ts';
import type { Supervised } from '../rig/supervised.ts';

/** A running target: a peer in front of the endpoint, or the endpoint itself. */
export interface RunningTarget {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly ports: Readonly<Record<Mode, number>>;
  /** The proxy's process; null for the endpoint itself. */
  readonly process: Supervised | null;
}

/** Starts an endpoint. Returns it as a target without a proxy. */
export async function startDirect(stage: Stage): Promise<RunningTarget> {
  const { plain, tls } = await stage.startEndpoint();
  return {
    name: 'direct',
    modes: ['ws', 'wss', 'tcp'],
    ports: { ws: plain, wss: tls, tcp: plain },
    process: null,
  };
}

/** Starts a peer in front of a running endpoint. */
export async function startPeer(stage: Stage, peer: Peer, direct: RunningTarget): Promise<RunningTarget> {
  const [ws = 0, wss = 0, tcp = 0] = await freePorts(3);
  const ports = { ws, wss, tcp };
  const setup: Setup = {
    directory: stage.newDirectory(),
    ports,
    endpoint: direct.ports.ws,
    certificate: stage.certificate,
  };
  const running = stage.start(peer.name, peer.command(setup), 'proxy');
  const portsOf = (isEncrypted: boolean): number[] =>
    peer.modes.filter((mode) => (mode === 'wss') === isEncrypted).map((mode) => ports[mode]);
  await running.serving({ plain: portsOf(false), encrypted: portsOf(true) });
  return { name: peer.name, modes: peer.modes, ports, process: running };
}
