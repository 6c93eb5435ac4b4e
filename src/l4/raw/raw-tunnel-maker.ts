import { Watched } from '../../loop/poller.ts';
import type { EntryFacts } from '../../transport/entry.ts';
import { refuseName } from '../../transport/raw/name-refusal.ts';
import { countLost, type ListenerTunnelMaker } from '../tunnel-maker.ts';
import type { TunnelContext } from '../tunnel.ts';
import { RawTunnel, type RawLoop } from './raw-tunnel.ts';

/** Creates tunnels for descriptors, watched or not. */
export class RawTunnelMaker implements ListenerTunnelMaker<number | Watched> {
  readonly #loop: RawLoop;

  constructor(loop: RawLoop) {
    this.#loop = loop;
  }

  begin(context: TunnelContext, connection: number | Watched, facts: EntryFacts): void {
    if (context.cluster.tls !== null) {
      // A reload added `tls` to the cluster, and another engine is taking over from this one.
      this.refuse(connection);
      countLost(context, facts, new Error('the raw engine does not support TLS to endpoints'));
      return;
    }
    let tunnel;
    try {
      tunnel = new RawTunnel(context, this.#loop, connection, facts);
    } catch (error) {
      countLost(context, facts, error);
      return;
    }
    try {
      tunnel.start();
    } catch (error) {
      tunnel.legFaulted(error);
    }
  }

  refuse(connection: number | Watched): void {
    const { poller, sockets } = this.#loop;
    if (connection instanceof Watched) {
      poller.reset(connection);
      return;
    }
    sockets.resetOnClose(connection);
    sockets.close(connection);
  }

  refuseName(connection: Watched): void {
    refuseName(this.#loop, connection);
  }
}
