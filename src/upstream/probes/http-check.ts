import type { HealthCheck } from '../../config/types/cluster.ts';
import type { Address } from '../../core/address.ts';
import { ResponseHeadReader } from '../../wire/http/response-head.ts';
import { probeHost, type ProbeCheck, type ProbeEnd } from './probe-check.ts';

/** Passes if the endpoint answers a GET with an expected status. */
export class HttpCheck implements ProbeCheck {
  readonly #check: HealthCheck;
  readonly #server: Address;
  /** Accepts status 101 too, which is judged like any other. */
  readonly #head = new ResponseHeadReader(true);

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
    const head = this.#head.push(bytes, 0, bytes.length);
    if (head === 'incomplete') return null;
    if (typeof head === 'string') {
      probe.failed(head);
    } else {
      const { min, max } = this.#check.status;
      if (head.status >= min && head.status <= max) probe.passed();
      else probe.failed(`answered ${head.status}`);
    }
    return null;
  }
}
