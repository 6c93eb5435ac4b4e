import type { ProbeEnd, ProbeExchange } from './exchange.ts';

/** An endpoint that accepts a connection, and does the TLS handshake where the cluster has TLS, is well. */
export class TcpExchange implements ProbeExchange {
  connected(probe: ProbeEnd): null {
    probe.passed();
    return null;
  }

  received(): null {
    return null;
  }
}
