import type { HealthCheck } from '../../config/types.ts';
import type { Address } from '../../core/address.ts';
import { parseResponseHead } from '../../wire/response-head.ts';
import type { ProbeEnd, ProbeExchange } from './exchange.ts';
import { probeHost } from './probe-host.ts';

const MAX_HEAD = 64 * 1024;

/** An endpoint that answers a GET with one of the expected statuses is well. */
export class HttpExchange implements ProbeExchange {
  readonly #check: HealthCheck;
  readonly #server: Address;
  #received: Buffer = Buffer.alloc(0);

  constructor(check: HealthCheck, server: Address) {
    this.#check = check;
    this.#server = server;
  }

  connected(): Uint8Array {
    const { path, host } = this.#check;
    const lines = [`GET ${path} HTTP/1.1`, `Host: ${probeHost(host, this.#server)}`];
    return Buffer.from(
      [...lines, 'User-Agent: sluice-probe', 'Connection: close', '', ''].join('\r\n'),
      'utf8',
    );
  }

  received(bytes: Buffer, probe: ProbeEnd): null {
    this.#received = Buffer.concat([this.#received, bytes]);
    let head = parseResponseHead(this.#received, true);
    // Interim answers (RFC 9110 section 15.2) come before the one that counts.
    while (typeof head !== 'string' && head.status < 200 && head.status !== 101) {
      this.#received = this.#received.subarray(head.length);
      head = parseResponseHead(this.#received, true);
    }
    if (head === 'malformed' || (head === 'incomplete' && this.#received.length > MAX_HEAD)) {
      probe.failed('does not answer in HTTP');
    } else if (head !== 'incomplete') {
      const { least, most } = this.#check.status;
      if (head.status >= least && head.status <= most) probe.passed();
      else probe.failed(`answered ${head.status}`);
    }
    return null;
  }
}
