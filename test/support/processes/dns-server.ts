/** Debian's dnsmasq as the DNS server of a test, on a loopback port, with records that change while it runs. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { eventually, within } from '../deadline.ts';
import { freePorts } from '../sockets/free-port.ts';

const PROGRAM = 'dnsmasq';
// The path of a user may lack /usr/sbin.
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };

/** Returns why no DNS server can run here; null if one can. */
export function dnsServerMissing(): string | null {
  const { error } = spawnSync(PROGRAM, ['--version'], { env: ENVIRONMENT });
  return error === undefined ? null : 'dnsmasq is not installed';
}

interface Records {
  /** Seconds that answers hold. */
  readonly ttl: number;
  /** Each an address and its name, for A and AAAA. */
  readonly hosts: readonly (readonly [address: string, name: string])[];
  readonly services?: readonly Service[];
}

interface Service {
  readonly name: string;
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export class DnsServer {
  readonly #port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'sluice-dns-'));
  #records: Records;
  #child: ChildProcess | null = null;

  private constructor(port: number, records: Records) {
    this.#port = port;
    this.#records = records;
  }

  static async start(records: Records): Promise<DnsServer> {
    const [port = 0] = await freePorts(1);
    const server = new DnsServer(port, records);
    await server.resume();
    return server;
  }

  /** As a configuration has it. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Changes the addresses of names, in the server that runs. */
  change(hosts: Records['hosts']): void {
    this.#records = { ...this.#records, hosts };
    this.#writeHosts();
    this.#child?.kill('SIGHUP');
  }

  /** Stops answering. */
  async pause(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await within('the end of the DNS server', gone);
  }

  /** Answers again, with other records where some are given: those of services are read at the start alone. */
  async resume(changes: Partial<Records> = {}): Promise<void> {
    this.#records = { ...this.#records, ...changes };
    this.#writeHosts();
    await eventually(() => this.#run());
  }

  async stop(): Promise<void> {
    await this.pause();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #hostsFile(): string {
    return join(this.#directory, 'hosts');
  }

  #writeHosts(): void {
    const lines = this.#records.hosts.map(([address, name]) => `${address} ${name}\n`);
    writeFileSync(this.#hostsFile, lines.join(''));
  }

  async #run(): Promise<void> {
    await this.pause();
    const { ttl, services = [] } = this.#records;
    const child = spawn(
      PROGRAM,
      [
        '--keep-in-foreground',
        '--conf-file=/dev/null',
        '--pid-file=',
        `--user=${userInfo().username}`,
        `--port=${this.#port}`,
        '--listen-address=127.0.0.1',
        '--bind-interfaces',
        '--no-resolv',
        '--no-hosts',
        '--local=/test/',
        '--host-record=ready.test,127.0.0.1',
        `--addn-hosts=${this.#hostsFile}`,
        `--local-ttl=${ttl}`,
        ...services.map(
          ({ name, target, port, priority, weight }) =>
            `--srv-host=${[name, target, port, priority, weight].join(',')}`,
        ),
      ],
      { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child = child;
    let complaint = '';
    child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
    child.once('error', (error) => (complaint += error.message));
    // However this process ends.
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    const resolver = new Resolver({ timeout: 500, tries: 2 });
    resolver.setServers([this.address]);
    await eventually(async () => {
      // Another process may have taken the port.
      if (child.exitCode !== null) throw new Error(`dnsmasq ended: ${complaint}`);
      await resolver.resolve4('ready.test');
    }, 10_000);
  }
}
