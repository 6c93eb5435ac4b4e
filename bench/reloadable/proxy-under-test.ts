import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../rig/free-ports.ts';
import { memoryOf, processTree } from '../rig/process-usage.ts';
import type { Stage } from '../rig/stage.ts';
import type { Supervised } from '../rig/supervised.ts';
import type { ReloadablePeer, ReloadableSetup } from './reloadable-peer.ts';

/** A running peer, and the operations on it. */
export class ProxyUnderTest {
  readonly peer: ReloadablePeer;
  readonly process: Supervised;
  setup: ReloadableSetup;

  private constructor(peer: ReloadablePeer, setup: ReloadableSetup, process: Supervised) {
    this.peer = peer;
    this.setup = setup;
    this.process = process;
  }

  /**
   * Starts a peer on the proxy's core, and waits until it serves.
   *
   * @throws StartError if the peer does not serve
   */
  static async start(
    stage: Stage,
    peer: ReloadablePeer,
    {
      endpoints,
      graceSeconds = null,
      idleTimeoutSeconds = 120,
    }: Pick<ReloadableSetup, 'endpoints'> &
      Partial<Pick<ReloadableSetup, 'graceSeconds' | 'idleTimeoutSeconds'>>,
  ): Promise<ProxyUnderTest> {
    const [ws = 0, wss = 0, admin = 0] = await freePorts(3);
    const setup: ReloadableSetup = {
      directory: stage.newDirectory(),
      ports: { ws, wss, admin },
      endpoints,
      certificate: stage.certificate,
      graceSeconds,
      idleTimeoutSeconds,
      extraRoute: false,
    };
    writeConfiguration(peer, setup);
    const process = stage.start(peer.name, peer.command(setup), 'proxy');
    await process.serving({ plain: [ws], encrypted: [wss] });
    return new ProxyUnderTest(peer, setup, process);
  }

  /** Writes a changed configuration, and signals the peer to reload. */
  reload(changes: Partial<ReloadableSetup>): void {
    this.setup = { ...this.setup, ...changes };
    writeConfiguration(this.peer, this.setup);
    this.process.signal(this.peer.reloadSignal);
  }

  /** Starts a graceful shutdown. */
  drain(): void {
    this.process.signal(this.peer.drainSignal);
  }

  /** Returns the memory of the process and its children in bytes. Shared pages are divided among them. */
  memory(): number {
    return memoryOf(processTree(this.process.pid));
  }
}

function writeConfiguration(peer: ReloadablePeer, setup: ReloadableSetup): void {
  writeFileSync(join(setup.directory, peer.file), peer.configuration(setup));
}
