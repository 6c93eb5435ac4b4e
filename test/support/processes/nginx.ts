/** nginx as a party that we did not write, where the machine has it. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerProcess, launch } from './peer-process.ts';

/** Returns the version, such as 1.22.1; null if nginx is not installed. */
export function nginxVersion(): string | null {
  const { error, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  return error === undefined ? (/nginx\/(\S+)/.exec(stderr)?.[1] ?? null) : null;
}

export class Nginx extends PeerProcess {
  /**
   * One process without a master.
   *
   * @param http the inside of its http block, for the address that it is to listen on
   */
  static async start(http: (listen: string) => string): Promise<Nginx> {
    const launched = await launch('nginx', (directory, address) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${directory}/${name};`)
        .join('\n');
      const config = join(directory, 'nginx.conf');
      writeFileSync(
        config,
        `daemon off; master_process off; worker_processes 1;
pid ${directory}/pid;
events { worker_connections 1024; }
http {
access_log off;
${temporary}
${http(address)}
}
`,
      );
      return ['-e', `${directory}/errors`, '-c', config];
    });
    return new Nginx(launched);
  }
}
