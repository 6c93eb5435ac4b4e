import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate, type CertificateFiles } from './certificate.ts';
import { freePorts } from './free-ports.ts';
import { pinned, type Cores } from './pinning.ts';
import { Supervised, type Command } from './supervised.ts';

const ENDPOINT = join(import.meta.dirname, '../endpoint/server.ts');

/** An endpoint's process. */
export interface EndpointProcess {
  readonly process: Supervised;
  readonly plain: number;
  readonly tls: number;
}

/**
 * Owns the processes of a measurement, their certificate and their directory. When this process exits or is
 * interrupted, kills the processes and deletes the directory.
 */
export class Stage {
  readonly cores: Cores | null;
  readonly certificate: CertificateFiles;
  readonly #directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  readonly #processes = new Set<Supervised>();

  constructor(cores: Cores | null) {
    this.cores = cores;
    chmodSync(this.#directory, 0o755);
    this.certificate = makeCertificate(join(this.#directory, 'certificate'));
    process.once('exit', () => {
      for (const supervised of this.#processes) supervised.kill();
      rmSync(this.#directory, { recursive: true, force: true });
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void this.stopAll().finally(() => process.exit(130)));
    }
  }

  /** Creates a directory for one process. */
  newDirectory(): string {
    const directory = mkdtempSync(join(this.#directory, 'peer-'));
    chmodSync(directory, 0o755);
    return directory;
  }

  /** Starts an endpoint on the driver's core, and waits until it serves. */
  async startEndpoint(): Promise<EndpointProcess> {
    const [plain = 0, tls = 0] = await freePorts(2);
    const { cert, key } = this.certificate;
    const args = [ENDPOINT, String(plain), String(tls), cert, key];
    const endpoint = this.start('the endpoint', { program: process.execPath, args }, 'driver');
    await endpoint.serving({ plain: [plain], encrypted: [tls] });
    return { process: endpoint, plain, tls };
  }

  /** Starts a process. Pins it to a core if the stage has cores. */
  start(name: string, command: Command, core: keyof Cores): Supervised {
    const supervised = new Supervised(name, pinned(command, this.cores?.[core] ?? null));
    this.#processes.add(supervised);
    return supervised;
  }

  /** Stops a process gracefully, or by force after some seconds. */
  async stop(supervised: Supervised): Promise<void> {
    await supervised.stop();
    this.#processes.delete(supervised);
  }

  async stopAll(): Promise<void> {
    await Promise.all(Array.from(this.#processes, (supervised) => this.stop(supervised)));
  }
}
