/** HAProxy as a party that we did not write, where the machine has it. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerProcess, launch } from './peer-process.ts';

/** Returns the version, such as 2.6.12; null if HAProxy is not installed. */
export function haproxyVersion(): string | null {
  const { error, stdout } = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
  return error === undefined ? (/version (\d[\d.]*)/.exec(stdout)?.[1] ?? null) : null;
}

export class HAProxy extends PeerProcess {
  /**
   * One process without a master, in HTTP mode by default.
   *
   * @param sections its frontends and backends, for the address that it is to listen on
   */
  static async start(sections: (listen: string) => string): Promise<HAProxy> {
    const launched = await launch('haproxy', (directory, address) => {
      const config = join(directory, 'haproxy.cfg');
      writeFileSync(
        config,
        `global
  maxconn 1000
defaults
  mode http
  timeout client 60s
  timeout connect 10s
  timeout server 60s
${sections(address)}
`,
      );
      return ['-db', '-f', config];
    });
    return new HAProxy(launched);
  }
}
