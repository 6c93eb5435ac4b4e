import type { Socket } from 'node:net';
import type { EntryFacts } from '../../transport/entry.ts';
import { UNRECOGNIZED_NAME } from '../../wire/tls/client-hello.ts';
import { countLost, type ListenerTunnelMaker } from '../tunnel-maker.ts';
import type { TunnelContext } from '../tunnel.ts';
import { NetTunnel } from './net-tunnel.ts';

/** Creates tunnels for Node's sockets, which must be paused. */
export const netTunnelMaker: ListenerTunnelMaker<Socket> = {
  begin(context: TunnelContext, client: Socket, facts: EntryFacts): void {
    let tunnel;
    try {
      tunnel = new NetTunnel(context, client, facts);
    } catch (error) {
      netTunnelMaker.refuse(client);
      countLost(context, facts, error);
      return;
    }
    try {
      tunnel.start();
    } catch (error) {
      tunnel.fault(error);
    }
  },

  refuse(client: Socket): void {
    client.on('error', ignore);
    client.resetAndDestroy();
  },

  refuseName(client: Socket): void {
    client.on('error', ignore);
    client.end(UNRECOGNIZED_NAME, () => client.destroy());
  },
};

function ignore(): void {
  // The connection is closing, so its errors do not matter.
}
