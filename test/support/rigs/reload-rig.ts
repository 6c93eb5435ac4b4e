/** A sluice whose configuration changes while it runs. */
import assert from 'node:assert/strict';
import type { Status } from '../../../src/protocol/admin/status.ts';
import { startSluice } from '../processes/sluice-process.ts';
import type { SluiceProcess } from '../processes/sluice-process.ts';

const TOKEN = 'a-token-for-tests-only';

/** Adds to a configuration what every one of these tests needs. */
export function withAdmin(config: object): object {
  return {
    workers: { l7: 2, l4: 1 },
    drain: { rate: '1000/s', deadline: '30s' },
    ...config,
    admin: { address: '127.0.0.1:0', token: TOKEN },
  };
}

export class ReloadRig {
  readonly sluice: SluiceProcess;

  private constructor(sluice: SluiceProcess) {
    this.sluice = sluice;
  }

  static async start(config: object, args: readonly string[] = []): Promise<ReloadRig> {
    const env = { SLUICE_FAULT_HOOKS: '1' };
    return new ReloadRig(await startSluice({ config: withAdmin(config), args, env }));
  }

  /** Gives an admin command. */
  async post(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://${this.sluice.admin}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    return { status: response.status, body: await response.text() };
  }

  async status(): Promise<Status> {
    return (await (await fetch(`http://${this.sluice.admin}/status`)).json()) as Status;
  }

  async metrics(): Promise<string> {
    const headers = { 'Cache-Control': 'no-cache' };
    return (await fetch(`http://${this.sluice.admin}/metrics`, { headers })).text();
  }

  /** Writes a configuration and brings it into force. */
  async reload(config: object): Promise<void> {
    this.sluice.writeConfig(withAdmin(config));
    const { status, body } = await this.post('/reload');
    assert.equal(status, 200, body);
  }

  /** Writes a configuration that must be refused; returns the log lines about it. */
  async reloadRefused(config: object | string): Promise<string> {
    this.sluice.writeConfig(typeof config === 'string' ? config : withAdmin(config));
    const { status, body } = await this.post('/reload');
    assert.equal(status, 409, body);
    return (JSON.parse(body) as { problem: string }).problem;
  }

  /** Returns the address of a listener of the configuration in use. */
  async address(listener: string): Promise<string> {
    const { listeners } = await this.status();
    return listeners.find(({ name }) => name === listener)!.address;
  }
}
