/** A sluice with a large configuration. Each reload changes one route. */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { largeSluice } from '../../../bench/scaling/large/large-sluice.ts';
import {
  USUAL_SIZES,
  changedBody,
  changedHost,
  type LargeSetup,
  type LargeSizes,
} from '../../../bench/scaling/large/sizes.ts';
import { within } from '../deadline.ts';
import { EchoProcess } from '../processes/load.ts';
import { startSluice, type SluiceProcess } from '../processes/sluice-process.ts';

const TOKEN = 'a-token-for-tests-only';

export class LargeRig {
  readonly sluice: SluiceProcess;
  readonly #echo: EchoProcess;
  #setup: LargeSetup;

  private constructor(sluice: SluiceProcess, echo: EchoProcess, setup: LargeSetup) {
    this.sluice = sluice;
    this.#echo = echo;
    this.#setup = setup;
  }

  /** Starts the proxy, and an echo behind its paths /echo and /sessions. */
  static async start(
    sizes: Partial<LargeSizes> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<LargeRig> {
    const echo = await EchoProcess.start();
    const setup: LargeSetup = {
      sizes: { ...USUAL_SIZES, ...sizes },
      ports: { web: 0, admin: 0 },
      version: 0,
      echo: echo.address,
    };
    try {
      const sluice = await startSluice({
        config: largeSluice.configuration(setup),
        args: ['--set', 'log.level=info'],
        env: { SLUICE_ADMIN_TOKEN: TOKEN, ...env },
      });
      return new LargeRig(sluice, echo, setup);
    } catch (error) {
      echo.stop();
      throw error;
    }
  }

  /** Port of the one listener. */
  get port(): number {
    return Number(this.sluice.address('web').split(':').at(-1));
  }

  /** Changes the host and the answer of one route, and has that brought into force. Returns how long it took, in ms. */
  async reload(): Promise<number> {
    this.#setup = { ...this.#setup, version: this.#setup.version + 1 };
    this.sluice.writeConfig(largeSluice.configuration(this.#setup));
    const from = performance.now();
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`http://${this.sluice.admin}/reload`, { method: 'POST', headers });
    const body = await response.text();
    assert.equal(response.status, 200, body);
    return performance.now() - from;
  }

  /** Asks the changed route; it must answer as the configuration in use says. */
  async assertInForce(): Promise<void> {
    const { version } = this.#setup;
    const headers = { host: changedHost(version) };
    const answer = new Promise<string>((settle, fail) => {
      get({ host: '127.0.0.1', port: this.port, headers, agent: false }, (response) => {
        text(response).then(settle, fail);
      }).once('error', fail);
    });
    assert.equal(await within('the answer of the changed route', answer), changedBody(version));
  }

  async stop(): Promise<void> {
    try {
      await this.sluice.stop('SIGTERM');
    } finally {
      this.#echo.stop();
    }
  }
}
