import { isIP } from 'node:net';
import { formatAddress, type TcpAddress } from '../../core/address.ts';
import { ownShortageOf } from '../../core/shortage.ts';
import type { LoopWheel } from '../../core/timing/loop-wheel.ts';
import { StartQueue } from '../../core/timing/start-queue.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import { EINPROGRESS, SystemCallError } from '../../sys/errno.ts';
import { Handshakes } from '../../sys/sockets/handshakes.ts';
import { ipOfSocket } from '../../wire/ip-address.ts';
import type { HealthCheck } from '../../config/types/cluster.ts';
import { MAX_LATENESS_MS, type probe, type ProbeResult, type ProbeTarget } from './probe.ts';

/** Max time between two checks of a pending handshake. The first check is after one tick of the wheel. */
const MAX_CHECK_INTERVAL_MS = 250;

type HandshakeCalls = Pick<Handshakes, 'start' | 'poll' | 'cancel'>;

/** Tools shared by all probes. */
interface ConnectTools {
  readonly ipv4: HandshakeCalls;
  readonly ipv6: HandshakeCalls;
  readonly wheel: Pick<LoopWheel, 'arm' | 'disarm'>;
  /** Spreads the checks of one tick over several turns of the loop. */
  readonly checks: Pick<StartQueue, 'add' | 'remove' | 'release'>;
  /** Milliseconds on the monotonic clock. */
  readonly now: () => number;
}

/**
 * Returns a probe function that needs only three system calls for most endpoints: type tcp, one IP address,
 * no TLS, no PROXY header.
 *
 * @param fallback makes all other probes
 * @param changes tools replaced by a test
 */
export function connectProbing(
  wheel: ConnectTools['wheel'],
  fallback: typeof probe,
  changes: Partial<ConnectTools> = {},
): typeof probe {
  const tools: ConnectTools = {
    ipv4: changes.ipv4 ?? new Handshakes(4),
    ipv6: changes.ipv6 ?? new Handshakes(6),
    wheel,
    checks: changes.checks ?? new StartQueue(Infinity),
    now: changes.now ?? ((): number => performance.now()),
  };
  return (target, check, done, open) => {
    const address = plainAddressOf(target, check);
    if (address === null) return fallback(target, check, done, open);
    return new ConnectProbe(tools, address, check.timeoutMs, done).cancel;
  };
}

/** Returns the address to connect to. Null if the probe needs more than one connect. */
function plainAddressOf({ addresses, tls, preface }: ProbeTarget, { type }: HealthCheck): TcpAddress | null {
  const [address] = addresses;
  if (type !== 'tcp' || tls !== null || preface !== null || addresses.length !== 1) return null;
  // An address with a zone (fe80::1%eth0) needs an interface index.
  return address?.kind === 'tcp' && isIP(address.host) > 0 && !address.host.includes('%') ? address : null;
}

/**
 * Passes if the endpoint accepts a connection. No watcher waits for the socket: the kernel completes the
 * handshake and records its round-trip time. The probe checks its progress at ticks of the wheel. It ends
 * with a reset, like HAProxy's probes.
 */
class ConnectProbe extends Timed {
  queuePlace = -1;
  readonly #tools: ConnectTools;
  readonly #handshakes: HandshakeCalls;
  readonly #address: TcpAddress;
  readonly #timeoutMs: number;
  readonly #done: (result: ProbeResult) => void;
  readonly #startedAt: number;
  /** The socket, or a negative error number. -1 after the probe is over. */
  #fd: number;

  constructor(
    tools: ConnectTools,
    address: TcpAddress,
    timeoutMs: number,
    done: (result: ProbeResult) => void,
  ) {
    super();
    this.#tools = tools;
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#done = done;
    this.#startedAt = tools.now();
    // Use an IPv4 socket for an IPv4-mapped address. After connecting to one, an IPv6 socket can reach no
    // other address.
    const host = address.host.includes(':') ? ipOfSocket(address.host) : address.host;
    this.#handshakes = host.includes(':') ? tools.ipv6 : tools.ipv4;
    this.#fd = this.#handshakes.start(host, address.port);
    tools.wheel.arm(this, 0);
  }

  readonly cancel = (): void => {
    const { wheel, checks } = this.#tools;
    wheel.disarm(this);
    checks.remove(this);
    if (this.#fd >= 0) this.#handshakes.cancel(this.#fd);
    this.#fd = -1;
  };

  override expire(): void {
    this.#tools.checks.add(this);
  }

  /** Checks the progress of the handshake. */
  start(): void {
    const { wheel, checks, now } = this.#tools;
    checks.release();
    const result = this.#fd < 0 ? this.#fd : this.#handshakes.poll(this.#fd);
    const ms = now() - this.#startedAt;
    if (result === -EINPROGRESS) {
      if (ms < this.#timeoutMs) {
        wheel.arm(this, Math.min(ms, MAX_CHECK_INTERVAL_MS, this.#timeoutMs - ms));
        return;
      }
      this.cancel();
      if (ms - this.#timeoutMs <= MAX_LATENESS_MS) this.#done({ verdict: 'failed', reason: 'timed out' });
      else this.#done({ verdict: 'unmade', reason: 'the proxy was delayed' });
      return;
    }
    this.#fd = -1;
    if (result >= 0) this.#done({ verdict: 'passed', ms: result > 0 ? result / 1000 : ms });
    else this.#fail(-result);
  }

  #fail(errno: number): void {
    const error = new SystemCallError('connect', errno, formatAddress(this.#address));
    const verdict = ownShortageOf(error) === null ? 'failed' : 'unmade';
    this.#done({ verdict, reason: error.message });
  }
}
