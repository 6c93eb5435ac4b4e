import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../../../src/core/errors.ts';
import { freePorts } from '../../rig/free-ports.ts';
import { cpuOf, memoryOf, processTree, residentOf } from '../../rig/process-usage.ts';
import type { Stage } from '../../rig/stage.ts';
import type { Supervised } from '../../rig/supervised.ts';
import type { LargePeer } from './large-peer.ts';
import { changedBody, changedHost, type LargeSetup, type LargeSizes } from './sizes.ts';

const START_MS = 60_000;
const POLL_MS = 10;
/** Short: an attempt may connect to a port that listens but does not serve yet. */
const POLL_TIMEOUT_MS = 250;

/** A proxy that runs with a large configuration. */
export class RunningPeer {
  readonly peer: LargePeer;
  /** Milliseconds from the start of the process until it is ready and answers a request. */
  readonly readyMs: number;
  /** CPU of all threads until then, in milliseconds. */
  readonly readyCpuMs: number;
  readonly #stage: Stage;
  readonly #process: Supervised;
  readonly #path: string;
  #setup: LargeSetup;

  private constructor(
    stage: Stage,
    peer: LargePeer,
    started: { process: Supervised; path: string; setup: LargeSetup; readyMs: number },
  ) {
    this.#stage = stage;
    this.peer = peer;
    this.readyMs = started.readyMs;
    this.readyCpuMs = cpuOf(processTree(started.process.pid));
    this.#process = started.process;
    this.#path = started.path;
    this.#setup = started.setup;
  }

  /**
   * Starts a proxy, and waits until it serves.
   *
   * @throws StartError if it does not serve in time
   */
  static async start(stage: Stage, peer: LargePeer, sizes: LargeSizes): Promise<RunningPeer> {
    const [web = 0, admin = 0] = await freePorts(2);
    const setup: LargeSetup = { sizes, ports: { web, admin }, version: 0 };
    const path = join(stage.newDirectory(), peer.file);
    writeFileSync(path, peer.configuration(setup));
    const from = performance.now();
    const process = stage.start(peer.name, peer.command(path), 'proxy');
    for (const [port, page, host, body] of [
      [admin, peer.readyPath, 'localhost', ''],
      [web, '/', changedHost(0), changedBody(0)],
    ] as const) {
      while (!(await answers(port, page, host, body))) {
        if (!process.running || performance.now() - from > START_MS) {
          throw new StartError(`${peer.name} does not serve:\n${process.output.trim()}`);
        }
        await delay(POLL_MS);
      }
    }
    return new RunningPeer(stage, peer, { process, path, setup, readyMs: performance.now() - from });
  }

  get ports(): LargeSetup['ports'] {
    return this.#setup.ports;
  }

  get version(): number {
    return this.#setup.version;
  }

  /**
   * Returns the proxy's memory in bytes. For a single process, this is its resident memory. For several
   * processes, such as HAProxy's master and worker, shared pages are divided among them.
   */
  memory(): number {
    const tree = processTree(this.#process.pid);
    return tree.length === 1 ? residentOf(this.#process.pid) : memoryOf(tree);
  }

  /** Writes the next version of the configuration. It takes effect with {@link reload}. */
  writeNextVersion(): void {
    this.#setup = { ...this.#setup, version: this.version + 1 };
    writeFileSync(this.#path, this.peer.configuration(this.#setup));
  }

  /** Tells the proxy to read its configuration. */
  reload(): void {
    this.#process.signal(this.peer.reloadSignal);
  }

  /** Stops the proxy. */
  stop(): Promise<void> {
    return this.#stage.stop(this.#process);
  }
}

/** Checks whether a port answers a request with status 200 and a text that ends with `body`. */
function answers(port: number, path: string, host: string, body: string): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: POLL_TIMEOUT_MS });
    let text = '';
    socket.once('connect', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.on('data', (piece: Buffer) => (text += piece.toString('latin1')));
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('close', () => settle(text.startsWith('HTTP/1.1 200') && text.endsWith(body)));
  });
}
