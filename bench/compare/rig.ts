import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mode, Peer, Setup } from '../peers/peer.ts';
import { pinned, type Cores } from './pinning.ts';
import { Supervised } from './supervised.ts';

const ENDPOINT = join(import.meta.dirname, '../endpoint/server.ts');

/** A way to the endpoint that is up: a peer's, or the direct one. */
export interface Way {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly ports: Readonly<Record<Mode, number>>;
  /** The proxy's process; null on the direct way. */
  readonly process: Supervised | null;
}

/** The endpoint, the certificate and the peers' processes of one comparison, in a directory that goes with them. */
export class Rig {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sluice-compare-'));
  readonly #cores: Cores | null;
  readonly #certificate: Setup['certificate'];
  readonly #processes = new Set<Supervised>();
  #direct: Way | null = null;

  constructor(cores: Cores | null) {
    this.#cores = cores;
    // Proxies that begin as root read it as somebody else.
    chmodSync(this.#directory, 0o755);
    this.#certificate = makeCertificate(this.#directory);
    process.once('exit', () => {
      for (const supervised of this.#processes) supervised.kill();
      rmSync(this.#directory, { recursive: true, force: true });
    });
  }

  /** Starts the endpoint, and returns the way to it without a proxy. */
  async startEndpoint(): Promise<Way> {
    const [plain = 0, tls = 0] = await freePorts(2);
    const { cert, key } = this.#certificate;
    const args = [ENDPOINT, String(plain), String(tls), cert, key];
    const endpoint = this.#spawn(
      'the endpoint',
      { program: process.execPath, args },
      this.#cores?.driver ?? null,
    );
    await endpoint.listening([plain, tls]);
    this.#direct = {
      name: 'direct',
      modes: ['ws', 'wss', 'tcp'],
      ports: { ws: plain, wss: tls, tcp: plain },
      process: null,
    };
    return this.#direct;
  }

  /** Starts a peer in front of the endpoint. */
  async startPeer(peer: Peer): Promise<Way> {
    const [ws = 0, wss = 0, tcp = 0] = await freePorts(3);
    const directory = mkdtempSync(join(this.#directory, 'peer-'));
    chmodSync(directory, 0o755);
    const ports = { ws, wss, tcp };
    const setup: Setup = {
      directory,
      ports,
      endpoint: this.#direct!.ports.ws,
      certificate: this.#certificate,
    };
    const running = this.#spawn(peer.name, peer.command(setup), this.#cores?.proxy ?? null);
    await running.listening(peer.modes.map((mode) => ports[mode]));
    return { name: peer.name, modes: peer.modes, ports, process: running };
  }

  async stop(supervised: Supervised): Promise<void> {
    await supervised.stop();
    this.#processes.delete(supervised);
  }

  async stopAll(): Promise<void> {
    await Promise.all(Array.from(this.#processes, (supervised) => this.stop(supervised)));
  }

  #spawn(name: string, command: Parameters<typeof pinned>[0], core: number | null): Supervised {
    const supervised = new Supervised(name, pinned(command, core));
    this.#processes.add(supervised);
    return supervised;
  }
}

/** For two days, for localhost. */
function makeCertificate(directory: string): Setup['certificate'] {
  const home = join(directory, 'certificate');
  mkdirSync(home, { mode: 0o755 });
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ];
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost ' +
    '-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout';
  execFileSync('openssl', [...args.split(' '), key, '-out', cert], { stdio: 'pipe', timeout: 30_000 });
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  for (const file of [key, both]) chmodSync(file, 0o644);
  return { cert, key, both };
}

/** Ports that nobody has now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((settle) => server.close(settle))));
  return ports;
}
